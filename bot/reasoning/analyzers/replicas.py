"""Workloads that are told to run nothing although others call them."""

from collections.abc import Iterator

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.snapshot import KubernetesObject, Snapshot
from bot.reasoning.kubernetes import Cluster, cluster_of, desired, get, services_of
from bot.reasoning.statements import GOOD, HINT, PROOF, STRONG, blame, event_text, saw

NAME = "replicas"


def look(snapshot: Snapshot, _question: Question) -> Finding:
    """Return deployments and stateful sets with zero wanted replicas that somebody needs."""
    cluster = cluster_of(snapshot)
    return Finding(hypotheses=tuple(_scaled_to_zero(cluster)))


def _scaled_to_zero(cluster: Cluster) -> Iterator[Hypothesis]:
    for workload in cluster.workloads:
        if workload.kind not in ("Deployment", "StatefulSet") or desired(workload) != 0:
            continue
        evidence = [
            saw(f"{workload.name} has spec.replicas 0", STRONG, workload),
            *_needed(cluster, workload),
            *_empty(cluster, workload),
            *_scaled_down(cluster, workload),
        ]
        cause = f"{workload.kind.lower()}_zero_replicas"
        yield blame(
            cause,
            workload,
            f"{workload.name} is scaled to zero",
            evidence,
            analyzer=NAME,
            hint="scale_up",
        )


def _needed(cluster: Cluster, workload: KubernetesObject) -> list[Evidence]:
    callers = sorted({e.caller for e in cluster.snapshot.edges if e.callee == workload.name})
    if callers:
        source = next(e.source for e in cluster.snapshot.edges if e.callee == workload.name)
        return [saw(f"{', '.join(callers[:4])} call it", STRONG, source)]
    if cluster.snapshot.edges:
        return [saw(f"nobody is seen to call {workload.name}", -GOOD, workload)]
    return []


def _empty(cluster: Cluster, workload: KubernetesObject) -> list[Evidence]:
    services = services_of(cluster, workload)
    if not services:
        return [saw(f"no service leads to {workload.name}", -STRONG, workload)]
    empty = [s for s in services if cluster.ready_addresses(s) == 0]
    if empty:
        return [saw(f"service {empty[0].name} has no endpoints", GOOD, empty[0])]
    return []


def _scaled_down(cluster: Cluster, workload: KubernetesObject) -> list[Evidence]:
    for event in cluster.events(workload, "ScalingReplicaSet"):
        message = str(event.body.get("message") or "")
        if "Scaled down" in message and "to 0" in message:
            return [saw(event_text(event), PROOF, event)]
    generation = get(workload.body, "metadata", "generation")
    changed = isinstance(generation, int) and generation > 1
    return [saw(f"{workload.name} was changed after it was created", HINT, workload)] * changed
