"""What the cluster shows of a target after acting: are its pods ready, did a rollout follow."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from bot.domain.action import Target
from bot.domain.snapshot import KubernetesObject, Snapshot
from bot.remediation.verification import Readiness
from tools.clients.names import service_of_object
from tools.clients.quantities import quantity

WORKLOADS = {"deployment": "Deployment", "statefulset": "StatefulSet", "daemonset": "DaemonSet"}
CLAIM, NODE, SERVICE, QUOTA = "persistentvolumeclaim", "node", "service", "resourcequota"
BEHIND = ("pod", "configmap", "horizontalpodautoscaler")  # what tells is the service's workload
ROLLED_OUT = frozenset({"NewReplicaSetCreated", "FoundNewReplicaSet", "NewReplicaSetAvailable"})


def kinds_for(target: Target | None, rollout_of: str) -> tuple[str, ...]:
    """Return the kinds of objects that tell how a target does."""
    if rollout_of:
        return ("Deployment", "ReplicaSet")
    kind = target.kind.lower() if target is not None else ""
    if kind in WORKLOADS:
        return (WORKLOADS[kind],)
    if kind in BEHIND:
        return tuple(WORKLOADS.values())
    several = ("Deployment", "StatefulSet")
    others = {CLAIM: ("PersistentVolumeClaim",), SERVICE: ("Endpoints", "Pod")}
    return others.get(kind, several if kind in (NODE, QUOTA) else ())


def readiness_of(target: Target | None, found: Snapshot) -> Readiness | None:
    """Return how many of what is wanted is there, None where that cannot be told.

    Of a node: the pods of all workloads, which its pods are a part of. Of a quota: the pods that
    are made. Of a service: its endpoints. Of a claim: its size. Of what stands behind a service
    (a pod, its settings, its autoscaler): the pods of that service.
    """
    kind = target.kind.lower() if target is not None else ""
    if target is None or not kind:
        return None
    workloads = [o for k in WORKLOADS.values() for o in found.kind(k)]
    if kind == NODE:
        return _sum(_ready(o) for o in workloads)
    here = [o for o in workloads if o.namespace == target.namespace]
    if kind == QUOTA:
        return _sum(_made(o) for o in here)
    if kind in BEHIND:
        return _sum(_ready(o) for o in here if service_of_object(o.body) == target.service)
    return _of_itself(kind, target, found)


def _of_itself(kind: str, target: Target, found: Snapshot) -> Readiness | None:
    if kind == SERVICE:
        return _of_service(target, found)
    read = {CLAIM: _grown, **dict.fromkeys(WORKLOADS, _ready)}.get(kind)
    place = WORKLOADS.get(kind, target.kind)
    live = found.find(place, target.name, target.namespace)
    return read(live) if read is not None and live is not None else None


def readiness_after_rollout(name: str, found: Snapshot) -> Readiness | None:
    """Return how many of a Deployment's pods are ready, None if it was not seen."""
    live = found.find("Deployment", name)
    return _ready(live) if live is not None else None


def rolled_out_at(name: str, found: Snapshot, since: datetime) -> datetime | None:
    """Return when the first rollout of a Deployment after a moment began, None if none did.

    A revision that is made tells by its ReplicaSet, one that is taken up again by the Deployment's
    condition. Source: kubernetes/pkg/controller/deployment/progress.go.
    """
    made = (_moment((o.body.get("metadata") or {}).get("creationTimestamp"))
            for o in found.kind("ReplicaSet") if _owned(o, name))  # fmt: skip
    live = found.find("Deployment", name)
    taken_up = _taken_up(live.body) if live is not None else ()
    return min((m for m in (*made, *taken_up) if m is not None and m > since), default=None)


def _taken_up(body: Mapping[str, Any]) -> Iterator[datetime | None]:
    for condition in (body.get("status") or {}).get("conditions") or ():
        if condition.get("type") == "Progressing" and condition.get("reason") in ROLLED_OUT:
            yield _moment(condition.get("lastUpdateTime"))


def _owned(item: KubernetesObject, name: str) -> bool:
    owners = (item.body.get("metadata") or {}).get("ownerReferences") or ()
    return any((o.get("kind"), o.get("name")) == ("Deployment", name) for o in owners)


def _ready(workload: KubernetesObject) -> Readiness:
    """Return how many pods of the newest template are ready; none before the controller saw it."""
    spec, status = workload.body.get("spec") or {}, workload.body.get("status") or {}
    daemon = workload.kind == "DaemonSet"
    wanted = status.get("desiredNumberScheduled", 0) if daemon else spec.get("replicas", 1)
    ready = int(status.get("numberReady" if daemon else "readyReplicas") or 0)
    seen, generation = status.get("observedGeneration"), _generation(workload)
    if seen is not None and generation is not None and seen < generation:
        ready = 0
    elif seen is not None and not _held(spec):
        updated = status.get("updatedNumberScheduled" if daemon else "updatedReplicas")
        ready = min(ready, int(updated or 0))
    return Readiness(ready=ready, wanted=int(wanted or 0))


def _generation(workload: KubernetesObject) -> int | None:
    found = (workload.body.get("metadata") or {}).get("generation")
    return found if isinstance(found, int) else None


def _held(spec: Mapping[str, Any]) -> bool:
    """Whether pods of older templates may stay: it is paused, or replaced by hand or in part."""
    strategy = spec.get("updateStrategy") or {}
    partition = (strategy.get("rollingUpdate") or {}).get("partition")
    return bool(spec.get("paused") or partition or strategy.get("type") == "OnDelete")


def _made(workload: KubernetesObject) -> Readiness:
    wanted = (workload.body.get("spec") or {}).get("replicas", 1)
    made = (workload.body.get("status") or {}).get("replicas", 0)
    if workload.kind == "DaemonSet":
        return _ready(workload)
    return Readiness(ready=min(int(made or 0), int(wanted)), wanted=int(wanted))


def _of_service(target: Target, found: Snapshot) -> Readiness | None:
    """Return how many of a service's pods it reaches: a port that nobody opens reaches none."""
    live = found.find("Endpoints", target.name, target.namespace)
    if live is None:
        return None
    declared = {
        port.get("containerPort")
        for pod in found.kind("Pod")
        if pod.namespace == target.namespace
        for container in (pod.body.get("spec") or {}).get("containers") or ()
        for port in container.get("ports") or ()
    }
    ready = 0
    for subset in live.body.get("subsets") or ():
        ports = {port.get("port") for port in subset.get("ports") or ()}
        if not declared or not ports or ports <= declared:
            ready += len(subset.get("addresses") or ())
    return Readiness(ready=ready, wanted=max(1, ready))


def _sum(several: Iterator[Readiness]) -> Readiness | None:
    found = list(several)
    if not found:
        return None
    return Readiness(ready=sum(r.ready for r in found), wanted=sum(r.wanted for r in found))


def _grown(live: KubernetesObject) -> Readiness:
    resources = (live.body.get("spec") or {}).get("resources") or {}
    wanted = quantity((resources.get("requests") or {}).get("storage"))
    has = quantity(((live.body.get("status") or {}).get("capacity") or {}).get("storage"))
    enough = wanted is not None and has is not None and has >= wanted
    return Readiness(ready=int(enough), wanted=1)


def _moment(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment if moment.tzinfo else None
