"""Whether what an action touched serves: pods of the newest template, endpoints, a namespace."""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.domain.action import Target
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import KubernetesObject, Snapshot
from bot.domain.time import Window
from bot.remediation.verification import Readiness

WORKLOADS = {"deployment": "Deployment", "statefulset": "StatefulSet", "daemonset": "DaemonSet"}
OF_TARGET = {
    **{kind: (name,) for kind, name in WORKLOADS.items()},
    "service": ("Endpoints", "Pod"),
    "resourcequota": tuple(WORKLOADS.values()),
}
REASON = "are its pods ready"


def needs_of(target: Target | None, window: Window) -> Iterator[Need]:
    """Yield what has to be read to tell; nothing of a target that has no pods."""
    kinds = OF_TARGET.get(target.kind.lower(), ()) if target is not None else ()
    if kinds:
        yield Need(fact=Fact.OBJECTS, window=window, names=kinds, reason=REASON)


def readiness_of(target: Target | None, found: Snapshot) -> Readiness | None:
    """Return how many pods serve and how many should, None where that cannot be told.

    Of a workload, pods of an older template do not count: while a rollout is stuck they still
    serve. Of a Service, ready addresses count whose port some container declares. Of a quota, every
    workload of its namespace counts.
    """
    if target is None:
        return None
    kind = target.kind.lower()
    if kind == "service":
        return _of_service(target, found)
    if kind == "resourcequota":
        there = [o for name in WORKLOADS.values() for o in found.kind(name)]
        return _sum([_of_workload(o) for o in there if o.namespace == target.namespace])
    live = found.find(WORKLOADS.get(kind, ""), target.name, target.namespace)
    return _of_workload(live) if live is not None else None


def _of_workload(live: KubernetesObject) -> Readiness:
    spec, status = _part(live.body, "spec"), _part(live.body, "status")
    if live.kind == "DaemonSet":
        wanted, ready = status.get("desiredNumberScheduled"), status.get("numberReady")
        updated = status.get("updatedNumberScheduled")
    else:
        wanted, ready = spec.get("replicas", 1), status.get("readyReplicas")
        updated = status.get("updatedReplicas", 0 if "observedGeneration" in status else ready)
    if _behind(live):
        ready = 0
    return Readiness(ready=min(_count(ready), _count(updated)), wanted=_count(wanted))


def _behind(live: KubernetesObject) -> bool:
    """Whether the controller has not even seen the newest spec."""
    generation = _part(live.body, "metadata").get("generation")
    observed = _part(live.body, "status").get("observedGeneration")
    return isinstance(generation, int) and isinstance(observed, int) and observed < generation


def _of_service(target: Target, found: Snapshot) -> Readiness | None:
    endpoints = found.find("Endpoints", target.name, target.namespace)
    if endpoints is None:
        return None
    declared = {
        port.get("containerPort")
        for pod in found.kind("Pod")
        if pod.namespace == target.namespace
        for container in _part(pod.body, "spec").get("containers") or ()
        for port in container.get("ports") or ()
    }
    ready = not_ready = 0
    for subset in endpoints.body.get("subsets") or ():
        ports = {port.get("port") for port in subset.get("ports") or ()}
        there = len(subset.get("addresses") or ())
        fits = not declared or not ports or ports <= declared
        ready += there if fits else 0
        not_ready += len(subset.get("notReadyAddresses") or ()) + (0 if fits else there)
    return Readiness(ready=ready, wanted=max(1, ready + not_ready))


def _sum(parts: list[Readiness]) -> Readiness | None:
    if not parts:
        return None
    return Readiness(ready=sum(p.ready for p in parts), wanted=sum(p.wanted for p in parts))


def _part(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = body.get(name)
    return found if isinstance(found, Mapping) else {}


def _count(value: Any) -> int:
    return value if isinstance(value, int) else 0
