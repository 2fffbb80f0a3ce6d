"""Jobs that have used up their tries: what they should have done is not done."""

from collections.abc import Iterator
from datetime import datetime

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import KubernetesObject, Snapshot
from bot.reasoning.kubernetes import Cluster, cluster_of, get, items, moment, terminated
from bot.reasoning.statements import GOOD, HINT, PROOF, STRONG, blame, event_text, saw

NAME = "failed_jobs"


def look(snapshot: Snapshot, question: Question) -> Finding:
    """Return the Jobs that failed in the asked window or are asked about, and ask for their logs.

    A failure that a later run of the same CronJob made good is over, and none.
    """
    cluster = cluster_of(snapshot)
    jobs = [o for o in cluster.workloads if o.kind == "Job"]
    found = [h for job in jobs for h in _of(cluster, job, jobs, question)]
    services = tuple(sorted({h.service for h in found}))
    reason = "last words of failed Jobs"
    needs = (Need(fact=Fact.LOGS, window=question.window, services=services, reason=reason),)
    return Finding(hypotheses=tuple(found), needs=needs if services else ())


def _of(
    cluster: Cluster, job: KubernetesObject, jobs: list[KubernetesObject], question: Question
) -> Iterator[Hypothesis]:
    failed = next((c for c in items(job.body, "status", "conditions") if _is_failed(c)), None)
    if failed is None:
        return
    at = moment(failed.get("lastTransitionTime"))
    named = bool({job.name, _maker(job)} & set(question.services))
    inside = at is not None and question.window.start <= at <= question.window.end
    if not (named or (inside and not question.services)) or _made_good(job, at, jobs):
        return
    said = " ".join(str(failed.get("message") or failed.get("reason") or "").split())[:200]
    evidence = [
        saw(f"Job {job.name} has failed: {said or 'no reason given'}", PROOF, job),
        saw("it is asked about" if named else "it failed in this time", GOOD, job),
        *_pods(cluster, job),
        *(saw(event_text(e), HINT, e) for e in cluster.events(job, "BackoffLimitExceeded")[:1]),
        *_words(cluster, job),
    ]
    text = f"the Job {job.name} has failed for good: nothing runs it again by itself"
    yield blame("job_failed", job, text, evidence, analyzer=NAME, hint="restart")


def _is_failed(condition: object) -> bool:
    return (get(condition, "type"), get(condition, "status")) == ("Failed", "True")


def _maker(job: KubernetesObject) -> str:
    """Return the CronJob that makes it, "" if none does."""
    owners = items(job.body, "metadata", "ownerReferences")
    return next((str(o.get("name")) for o in owners if o.get("kind") == "CronJob"), "")


def _made_good(job: KubernetesObject, at: datetime | None, jobs: list[KubernetesObject]) -> bool:
    maker = _maker(job)
    if not maker or at is None:
        return False
    ends = [moment(get(o.body, "status", "completionTime")) for o in jobs if _maker(o) == maker]
    return any(end is not None and end > at for end in ends)


def _pods(cluster: Cluster, job: KubernetesObject) -> list[Evidence]:
    """Return how the last of its pods ended."""
    found = []
    for pod in cluster.pods:
        owners = items(pod.body, "metadata", "ownerReferences")
        if pod.namespace != job.namespace or not any(o.get("name") == job.name for o in owners):
            continue
        for status in items(pod.body, "status", "containerStatuses"):
            code = terminated(status).get("exitCode")
            if code not in (None, 0):
                text = f"container {status.get('name')} of {pod.name} ended with exit code {code}"
                found.append(saw(text, STRONG, pod))
    return found[-1:]


def _words(cluster: Cluster, job: KubernetesObject) -> list[Evidence]:
    said = [log for log in cluster.snapshot.logs if log.service == job.name]
    return [saw(f"its log: {log.example[:200]}", HINT, log.source) for log in said[:1]]
