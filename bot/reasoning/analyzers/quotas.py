"""Quotas whose refusals leave no event: services, claims and configuration that are not there."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.snapshot import KubernetesObject, Snapshot
from bot.reasoning.kubernetes import (
    WORKLOADS,
    Cluster,
    cluster_of,
    get,
    items,
    listening_ports,
    pod_spec,
    quantity,
    services_of,
)
from bot.reasoning.nodes import Nodes
from bot.reasoning.quotas import (
    hard_of,
    left_of,
    limits,
    namespace_of,
    resource_kind,
    used_of,
)
from bot.reasoning.reachability import callers
from bot.reasoning.refused import refused, shortage
from bot.reasoning.statements import GOOD, HINT, PROOF, STRONG, blame, saw

NAME = "quotas"
TIGHT = 0.75  # of the limit: what is missing may have asked for more than what is left
HOST = re.compile(r"^(?:[a-z][a-z0-9+.-]*://)?(?:[^@/]*@)?([a-z][a-z0-9-]*)(?:[.:/]|$)")
ABSENT = {
    "config_map": re.compile(r'configmaps? "([^"]+)" not found'),
    "secret": re.compile(r'secrets? "([^"]+)" not found'),
}
THING = {
    "service": "service",
    "storage": "claim",
    "config_map": "config map",
    "secret": "secret",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Objects that are needed and not there, and the workloads that need them."""

    names: Sequence[str]
    workloads: Sequence[str]


def look(snapshot: Snapshot, _question: Question) -> Finding:
    """Return the quotas that are used up where something is missing that they limit."""
    cluster = cluster_of(snapshot)
    found: dict[tuple[str, str], Hypothesis] = {}
    for quota, resource in limits(cluster):
        for hypothesis in _of_limit(cluster, quota, resource):
            found.setdefault((hypothesis.cause, hypothesis.object), hypothesis)
    return Finding(hypotheses=tuple(found.values()))


def _of_limit(cluster: Cluster, quota: KubernetesObject, resource: str) -> Iterator[Hypothesis]:
    kind = resource_kind(resource)
    if kind in ("cpu", "memory", "pod"):
        yield from _short_of(cluster, quota, resource)
        return
    if kind not in THING:
        return
    missing = _missing(cluster, quota.namespace, kind)
    full = _fullness(cluster, quota, resource)
    if missing.names and (kind == "storage" or full == PROOF):
        yield _full(cluster, quota, resource, missing)


def _fullness(cluster: Cluster, quota: KubernetesObject, resource: str) -> float:
    """Weight of how full a quota is; the missing claim may ask for more than what is left."""
    have, limit = quantity(used_of(quota, resource)), quantity(hard_of(quota, resource))
    if have is None or limit is None:
        return 0.0
    if have >= limit:
        return PROOF
    if not resource.endswith("requests.storage"):
        return -HINT
    sizes = list(_sizes(cluster))
    small = bool(sizes) and limit - have < min(sizes)
    return STRONG if small or have >= TIGHT * limit else -HINT


def _sizes(cluster: Cluster) -> Iterator[float]:
    """What claims and volumes of this cluster are made of: what another would ask for too."""
    for volume in cluster.all("PersistentVolume"):
        yield quantity(get(volume.body, "spec", "capacity", "storage")) or 0.0
    for claim in cluster.all("PersistentVolumeClaim"):
        yield quantity(get(claim.body, "spec", "resources", "requests", "storage")) or 0.0


def _missing(cluster: Cluster, namespace: str, kind: str) -> Missing:
    if kind == "service":
        found = _missing_services(cluster, namespace)
    elif kind == "storage":
        found = _missing_claims(cluster, namespace)
    else:
        found = _absent(cluster, namespace, kind)
    pairs = sorted(set(found))
    return Missing(
        names=tuple(dict.fromkeys(name for name, _ in pairs)),
        workloads=tuple(sorted({workload for _, workload in pairs})),
    )


def _missing_claims(cluster: Cluster, namespace: str) -> Iterator[tuple[str, str]]:
    for workload in cluster.workloads:
        for volume in items(pod_spec(workload), "volumes"):
            name = get(volume, "persistentVolumeClaim", "claimName")
            here = workload.namespace == namespace
            if here and name and not cluster.find("PersistentVolumeClaim", name, namespace):
                yield str(name), workload.name


def _missing_services(cluster: Cluster, namespace: str) -> Iterator[tuple[str, str]]:
    """Workloads that others call by name although no service of that name exists."""
    known = {service.name for service in cluster.all("Service") if service.namespace == namespace}
    called = {edge.callee for edge in cluster.snapshot.edges} | _hosts(cluster)
    there = [w for w in cluster.all(*WORKLOADS) if w.namespace == namespace]
    listening = [w for w in there if listening_ports(pod_spec(w))]
    alone = {w.name for w in listening if not services_of(cluster, w)}
    odd = alone if len(alone) * 4 <= len(listening) else set()
    for workload in there:
        if known and workload.name not in known and workload.name in called | odd:
            yield workload.name, workload.name


def _hosts(cluster: Cluster) -> set[str]:
    """Names without dots that the workloads' variables point to, "cart" of "http://cart:80"."""
    return {m[1] for _, value in cluster.values if (m := HOST.match(value)) and ":" in value}


def _absent(cluster: Cluster, namespace: str, kind: str) -> Iterator[tuple[str, str]]:
    """Configuration that the kubelet misses now, by the events of pods that wait for it."""
    for pod in cluster.pods:
        if pod.namespace != namespace or get(pod.body, "status", "phase") != "Pending":
            continue
        for event in cluster.events(pod, "Failed", "FailedMount"):
            match = ABSENT[kind].search(str(event.body.get("message") or ""))
            if match:
                yield match[1], (cluster.owner(pod) or pod).name


def _full(cluster: Cluster, quota: KubernetesObject, resource: str, missing: Missing) -> Hypothesis:
    kind = resource_kind(resource)
    used, hard = used_of(quota, resource), hard_of(quota, resource)
    names = ", ".join(missing.names)
    text = f"quota {quota.name}: {resource} {used} used of {hard}"
    evidence = [
        saw(text, _fullness(cluster, quota, resource), quota),
        saw(f"{THING[kind]} {names} does not exist, though it is needed", STRONG, quota),
        saw("what a quota refuses leaves no event, it is just not there", HINT, quota),
        *_unclaimed(cluster, quota, resource),
    ]
    return blame(
        f"namespace_{kind}_quota_exceeded",
        namespace_of(cluster, quota),
        f"quota {quota.name} of {quota.namespace} leaves no {resource} for {names}",
        evidence,
        analyzer=NAME,
        explains=tuple(sorted({*missing.workloads, *_callers(cluster, kind, missing)})),
        hint="raise_quota",
    )


def _callers(cluster: Cluster, kind: str, missing: Missing) -> set[str]:
    """Who calls a service that is not there finds nobody at its address: that follows."""
    if kind != "service":
        return set()
    return {caller for name in missing.names for caller in callers(cluster, name)}


def _unclaimed(cluster: Cluster, quota: KubernetesObject, resource: str) -> Iterator[Evidence]:
    """A volume made for the claim that is larger than what the quota leaves."""
    left = left_of(quota, resource)
    if left is None or not resource.endswith("requests.storage"):
        return
    for volume in cluster.all("PersistentVolume"):
        size = get(volume.body, "spec", "capacity", "storage")
        free = get(volume.body, "status", "phase") == "Available"
        if free and (quantity(size) or 0.0) > left:
            text = f"volume {volume.name} of {size} waits for a claim, larger than what is left"
            yield saw(text, GOOD, volume)
            return


def _short_of(cluster: Cluster, quota: KubernetesObject, resource: str) -> Iterator[Hypothesis]:
    """Pods that are not even made, no words about it, and a quota with no room for one more."""
    left = left_of(quota, resource)
    explained = {one.workload.name for one in refused(cluster)}
    for workload in cluster.workloads:
        if left is None or workload.namespace != quota.namespace or workload.name in explained:
            continue
        counts = _short(cluster, workload)
        needs = _needs(cluster, workload, resource)
        if counts is None or needs <= left:
            continue
        used, hard = used_of(quota, resource), hard_of(quota, resource)
        evidence = [
            saw(f"{workload.name}: {counts[1]} pods of {counts[0]} exist", GOOD, workload),
            saw(f"quota {quota.name}: {resource} {used} used of {hard}", STRONG, quota),
            saw(f"one more pod of {workload.name} does not fit that", HINT, workload),
        ]
        yield blame(
            f"namespace_{resource_kind(resource)}_quota_exceeded",
            namespace_of(cluster, workload),
            f"quota {quota.name} of {quota.namespace} has no {resource} left for {workload.name}",
            evidence,
            analyzer=NAME,
            explains=(workload.name,),
            hint="raise_quota",
        )


def _short(cluster: Cluster, workload: KubernetesObject) -> tuple[int, int] | None:
    makers = [*cluster.replica_sets(workload), workload]
    found = (shortage(cluster, workload, maker) for maker in makers)
    return next((counts for counts in found if counts), None)


def _needs(cluster: Cluster, workload: KubernetesObject, resource: str) -> float:
    """What one more pod takes of a quota's resource; one, where pods are counted."""
    side, _, name = resource.rpartition(".")
    if resource_kind(resource) == "pod":
        return 1.0
    if side == "limits":
        every = (
            get(c, "resources", "limits", name) for c in items(pod_spec(workload), "containers")
        )
        return sum(quantity(value) or 0.0 for value in every)
    return Nodes(cluster).requested_by(pod_spec(workload), name)
