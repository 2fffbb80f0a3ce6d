"""Words that several messages share: titles, signals, answers."""

from collections.abc import Iterable

from bot.domain.conversation import Mark
from bot.domain.diagnosis import Diagnosis, Question, Ranked, SignalRef, Status, Symptom
from bot.slack.views.text import data, percent

SURE = 0.7  # below, a named cause is shown as "not sure"

_COMPLAINT = {
    Symptom.SLOW: ("is slow", "are slow"),
    Symptom.ERRORS: ("returns errors", "return errors"),
    Symptom.DOWN: ("is down", "are down"),
    Symptom.SATURATED: ("is running full", "are running full"),
}
_SIGNAL = {
    "latency_p99": "p99",
    "latency_p50": "p50",
    "error_ratio": "errors",
    "request_rate": "requests",
    "cpu_of_limit": "CPU of limit",
    "memory_of_limit": "memory of limit",
    "restarts": "restarts",
    "ready_pods": "ready pods",
    "pool_of_limit": "pool in use",
    "queue_depth": "queue",
    "edge_latency_p99": "p99 of the call",
    "edge_error_ratio": "errors of the call",
}


def title(question: Question) -> str:
    """Return the complaint in the asker's terms: "checkout is slow"."""
    names = [data(s, 60) for s in question.services]
    if len(names) > 3:
        names = [*names[:2], f"{len(names) - 2} more"]
    who = " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
    if question.symptom not in _COMPLAINT:
        return who or "all services"
    one, many = _COMPLAINT[question.symptom]
    return f"{who or 'something'} {many if len(names) > 1 else one}"


def signal_name(signal: SignalRef) -> str:
    """Return "p99 of checkout"."""
    name = _SIGNAL.get(signal.signal, signal.signal.replace("_", " "))
    return f"{data(name, 60)} of {data(signal.service, 60)}" if signal.service else data(name, 60)


def mark_of(diagnosis: Diagnosis) -> Mark:
    """Return the status mark of an answer."""
    if diagnosis.status is Status.HEALTHY:
        return Mark.HEALTHY
    if diagnosis.status is Status.UNKNOWN:
        return Mark.UNKNOWN
    return Mark.ROOT_CAUSE if diagnosis.confidence >= SURE else Mark.NOT_SURE


def verdict(diagnosis: Diagnosis) -> str:
    """Return the mark's word: "root cause found, 91 % sure"."""
    mark = mark_of(diagnosis)
    if mark is Mark.ROOT_CAUSE:
        return f"root cause found, {percent(diagnosis.confidence)} sure"
    if mark is Mark.NOT_SURE:
        return f"not sure, {percent(diagnosis.confidence)}"
    return "healthy" if mark is Mark.HEALTHY else "unknown"


def guesses(ranked: Iterable[Ranked], limit: int = 2) -> str:
    """Return "a slow dependency of checkout (41 %) or a traffic surge (30 %)"."""
    named = [
        f"{data(r.hypothesis.cause.replace('_', ' '), 60)} of {data(r.hypothesis.object, 80)}"
        f" ({percent(r.confidence)})"
        for r in ranked
        if r.hypothesis.evidence
    ]
    return " or ".join(named[:limit])
