"""Pods that a controller may not create: the API server's newest words on each workload."""

from collections.abc import Iterator
from dataclasses import dataclass

from bot.domain.snapshot import KubernetesObject
from bot.reasoning.kubernetes import Cluster, condition, desired, get, items, latest
from bot.reasoning.statements import event_text

REASONS = ("FailedCreate", "ReplicaSetCreateError")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A workload with fewer pods than its controller was told to run, and why."""

    workload: KubernetesObject
    event: KubernetesObject | None
    where: KubernetesObject  # the event or the object whose condition says it
    said: str
    wanted: int
    seen: int

    @property
    def text(self) -> str:
        """The API server's words with where they stand."""
        if self.event is not None:
            return event_text(self.event)
        return f"{self.where.kind.lower()}/{self.where.name}: ReplicaFailure: {self.said[:300]}"


def refused(cluster: Cluster) -> Iterator[Refused]:
    """Yield the workloads whose pods are refused now; a refusal that was overcome is none."""
    for workload in cluster.workloads:
        for maker in (*cluster.replica_sets(workload), workload):
            counts = shortage(cluster, workload, maker)
            found = _said(cluster, maker) if counts else None
            if counts and found:
                event, said = found
                where = event or maker
                yield Refused(
                    workload=workload,
                    event=event,
                    where=where,
                    said=said,
                    wanted=counts[0],
                    seen=counts[1],
                )
                break


def shortage(
    cluster: Cluster, workload: KubernetesObject, maker: KubernetesObject
) -> tuple[int, int] | None:
    """Return how many pods a maker wants and how many of its exist, None if none is missing.

    A replica set is counted by itself: while a rollout is refused the old pods are still there.
    """
    if maker.kind == "Job":
        missing = not cluster.pods_of(workload) and not get(maker.body, "status", "succeeded")
        return (int(get(maker.body, "spec", "parallelism") or 1), 0) if missing else None
    wanted = desired(maker)
    if not wanted:
        return None
    seen = len(_made_by(cluster, workload, maker))
    return (wanted, seen) if seen < wanted else None


def _made_by(
    cluster: Cluster, workload: KubernetesObject, maker: KubernetesObject
) -> list[KubernetesObject]:
    pods = cluster.pods_of(workload)
    if maker is workload:
        return pods
    made = [(pod, _makers(pod)) for pod in pods]
    if not any(names for _, names in made):  # the pods do not say which replica set made them
        return pods
    return [pod for pod, names in made if maker.name in names]


def _makers(pod: KubernetesObject) -> set[str]:
    references = items(pod.body, "metadata", "ownerReferences")
    return {str(r.get("name")) for r in references if r.get("kind") == "ReplicaSet"}


def _said(cluster: Cluster, maker: KubernetesObject) -> tuple[KubernetesObject | None, str] | None:
    """The newest refusal: an event, or the condition that outlives events."""
    event = latest(cluster.events(maker, *REASONS))
    if event is not None:
        return event, str(event.body.get("message") or "")
    failure = condition(maker, "ReplicaFailure")
    if failure.get("status") == "True" and failure.get("message"):
        return None, str(failure["message"])
    return None
