"""Pods of a workload's newest template against those of the one before, by whether they serve."""

from datetime import timedelta

from bot.domain.diagnosis import Evidence
from bot.domain.snapshot import Change, ChangeKind, KubernetesObject
from bot.reasoning.kubernetes import Cluster, get, is_ready, moment
from bot.reasoning.statements import GOOD, HINT, saw

HASH = "pod-template-hash"
SOON = timedelta(minutes=10)  # a release that cannot run shows it at once


def only_the_newest(
    cluster: Cluster, pod: KubernetesObject, owner: KubernetesObject
) -> list[Evidence]:
    """Return what tells that a pod fails by its workload's last release, if that can be told.

    The pods of the template before it still serve; or it came with a rollout that was just made.
    Less than what its log says of a cause: a release can also be the first to meet one.
    """
    release = _release(cluster, pod, owner)
    older = [p for p in cluster.pods_of(owner) if _of_another(p, pod) and is_ready(p)]
    found = []
    if older:
        words = f"{older[0].name}, of the template before it, is ready"
        found.append(saw(words, GOOD, older[0]))
    if release is not None:
        words = f"{pod.name} came with the {release.summary}"
        found.append(saw(words, HINT if older else GOOD + HINT, release.source))
    return found


def _release(cluster: Cluster, pod: KubernetesObject, owner: KubernetesObject) -> Change | None:
    """Return the last rollout of the workload when the pod was made right after it."""
    made = moment(get(pod.body, "metadata", "creationTimestamp"))
    if made is None:
        return None
    name = f"{owner.kind.lower()}/{owner.name}"
    rollouts = [
        change
        for change in cluster.snapshot.changes
        if change.kind is ChangeKind.DEPLOY
        and change.object == name
        and timedelta() <= made - change.at + timedelta(seconds=5) <= SOON
    ]
    return max(rollouts, key=lambda change: change.at, default=None)


def _of_another(one: KubernetesObject, other: KubernetesObject) -> bool:
    mine, theirs = one.labels.get(HASH), other.labels.get(HASH)
    return bool(mine and theirs) and mine != theirs
