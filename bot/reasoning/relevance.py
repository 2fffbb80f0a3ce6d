"""Whether a pod in trouble is today's trouble: how long it has waited, and who needs it."""

from datetime import timedelta

from bot.domain.diagnosis import Evidence
from bot.domain.snapshot import KubernetesObject
from bot.reasoning.kubernetes import Cluster, get, moment
from bot.reasoning.statements import GOOD, HINT, saw
from bot.reasoning.wording import duration

FORGOTTEN = timedelta(days=1)
BATCH = ("Job", "CronJob")


def doubts(cluster: Cluster, pod: KubernetesObject) -> list[Evidence]:
    """Return what speaks against a waiting pod as the cause of what is asked about now."""
    found = []
    made = moment(get(pod.body, "metadata", "creationTimestamp"))
    waited = cluster.snapshot.now - made if made else timedelta(0)
    if waited > FORGOTTEN:
        text = f"{pod.name} has waited for {duration(waited.total_seconds())}: that is not new"
        found.append(saw(text, -GOOD, pod))
    owner = cluster.owner(pod)
    if owner is not None and owner.kind in BATCH:
        text = f"{pod.name} belongs to a {owner.kind.lower()}, which serves nobody"
        found.append(saw(text, -HINT, pod))
    return found
