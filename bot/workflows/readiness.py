"""What the cluster shows of a target after acting: are its pods ready, did a rollout follow."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from bot.domain.action import Target
from bot.domain.snapshot import KubernetesObject, Snapshot
from bot.remediation.verification import Readiness
from tools.clients.quantities import quantity

WORKLOADS = {"deployment": "Deployment", "statefulset": "StatefulSet", "daemonset": "DaemonSet"}
CLAIM, NODE = "persistentvolumeclaim", "node"
ROLLED_OUT = frozenset({"NewReplicaSetCreated", "FoundNewReplicaSet", "NewReplicaSetAvailable"})


def kinds_for(target: Target | None, rollout_of: str) -> tuple[str, ...]:
    """Return the kinds of objects that tell how a target does."""
    if rollout_of:
        return ("Deployment", "ReplicaSet")
    kind = target.kind.lower() if target is not None else ""
    if kind in WORKLOADS:
        return (WORKLOADS[kind],)
    if kind == CLAIM:
        return ("PersistentVolumeClaim",)
    return ("Deployment", "StatefulSet") if kind == NODE else ()


def readiness_of(target: Target | None, found: Snapshot) -> Readiness | None:
    """Return how many of what is wanted is there, None where that cannot be told.

    Of a node: the pods of all workloads, which its pods are a part of. Of a claim: its size.
    """
    kind = target.kind.lower() if target is not None else ""
    if target is None or not kind:
        return None
    if kind == NODE:
        workloads = [o for k in ("Deployment", "StatefulSet") for o in found.kind(k)]
        return _sum(_ready(o.body) for o in workloads) if workloads else None
    live = found.find(WORKLOADS.get(kind, target.kind), target.name, target.namespace)
    if live is None:
        return None
    if kind == CLAIM:
        return Readiness(ready=int(_grown(live.body)), wanted=1)
    return _ready(live.body) if kind in WORKLOADS else None


def readiness_after_rollout(name: str, found: Snapshot) -> Readiness | None:
    """Return how many of a Deployment's pods are ready, None if it was not seen."""
    live = found.find("Deployment", name)
    return _ready(live.body) if live is not None else None


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


def _ready(body: Mapping[str, Any]) -> Readiness:
    wanted = (body.get("spec") or {}).get("replicas", 1)
    ready = (body.get("status") or {}).get("readyReplicas", 0)
    return Readiness(ready=int(ready or 0), wanted=int(wanted))


def _sum(several: Iterator[Readiness]) -> Readiness:
    found = list(several)
    return Readiness(ready=sum(r.ready for r in found), wanted=sum(r.wanted for r in found))


def _grown(body: Mapping[str, Any]) -> bool:
    resources = (body.get("spec") or {}).get("resources") or {}
    wanted = quantity((resources.get("requests") or {}).get("storage"))
    has = quantity(((body.get("status") or {}).get("capacity") or {}).get("storage"))
    return wanted is not None and has is not None and has >= wanted


def _moment(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment if moment.tzinfo else None
