"""Init containers that fail, or wait for something that never comes, before anything else runs."""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import KubernetesObject, Snapshot
from bot.reasoning.kubernetes import (
    Cluster,
    cluster_of,
    get,
    items,
    mapping,
    moment,
    terminated,
    waiting,
)
from bot.reasoning.statements import HINT, STRONG, blame, saw
from bot.reasoning.wording import duration

NAME = "init_containers"
PATIENCE_S = 300.0  # an init container that runs longer than this waits for something
SPECIFIC = (126, 127)  # exit codes of a command that is not there: others explain them


def look(snapshot: Snapshot, question: Question) -> Finding:
    """Return the init containers that keep a pod from starting, and ask for their logs."""
    cluster = cluster_of(snapshot)
    found: dict[tuple[str, str], Hypothesis] = {}
    for pod in cluster.pods:
        for status in items(pod.body, "status", "initContainerStatuses"):
            for hypothesis in _of(cluster, pod, status):
                found.setdefault((hypothesis.cause, hypothesis.object), hypothesis)
    services = tuple(sorted({h.service for h in found.values()}))
    reason = "last words of init containers"
    needs = (Need(fact=Fact.LOGS, window=question.window, services=services, reason=reason),)
    return Finding(hypotheses=tuple(found.values()), needs=needs if services else ())


def _of(cluster: Cluster, pod: KubernetesObject, status: Mapping[str, Any]) -> Iterator[Hypothesis]:
    ended = terminated(status)
    code, reason = ended.get("exitCode"), str(ended.get("reason") or "")
    looping = waiting(status)[0] == "CrashLoopBackOff" or bool(
        mapping(status, "state", "terminated")
    )
    if looping and code not in (None, 0, *SPECIFIC) and reason != "OOMKilled":
        text = f"init container {status.get('name')} of {pod.name} ends with exit code {code}"
        evidence = [saw(text, STRONG, pod), _restarts(pod, status), *_last_words(cluster, pod)]
        yield _blame(cluster, pod, "init_container_failed", status, evidence)
        return
    started = moment(get(status, "state", "running", "startedAt"))
    if started is None or _is_sidecar(pod, status):
        return
    lasts = (cluster.snapshot.now - started).total_seconds()
    if lasts > PATIENCE_S:
        text = f"init container {status.get('name')} of {pod.name} runs since {duration(lasts)}"
        evidence = [saw(text, STRONG, pod), *_last_words(cluster, pod)]
        yield _blame(cluster, pod, "init_container_waits", status, evidence)


def _is_sidecar(pod: KubernetesObject, status: Mapping[str, Any]) -> bool:
    """An init container that is told to restart always runs beside the others for good."""
    return any(
        c.get("name") == status.get("name") and c.get("restartPolicy") == "Always"
        for c in items(pod.body, "spec", "initContainers")
    )


def _restarts(pod: KubernetesObject, status: Mapping[str, Any]) -> Evidence:
    count = status.get("restartCount") or 0
    weight = STRONG if count > 1 else HINT
    return saw(f"it was started {count + 1} times, and the pod waits for it", weight, pod)


def _last_words(cluster: Cluster, pod: KubernetesObject) -> list[Evidence]:
    owner = cluster.owner(pod) or pod
    said = [log for log in cluster.snapshot.logs if log.service == owner.name]
    return [saw(f"its log: {log.example[:200]}", HINT, log.source) for log in said[:1]]


def _blame(
    cluster: Cluster,
    pod: KubernetesObject,
    cause: str,
    status: Mapping[str, Any],
    evidence: list[Evidence],
) -> Hypothesis:
    owner = cluster.owner(pod) or pod
    verb = "fails" if cause == "init_container_failed" else "does not end"
    summary = f"{owner.name} does not start: its init container {status.get('name')} {verb}"
    return blame(cause, owner, summary, evidence, analyzer=NAME, hint="rollback")
