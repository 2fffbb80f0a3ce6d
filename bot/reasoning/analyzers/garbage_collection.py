"""A runtime that spends its time collecting garbage: heap too small, or too much kept."""

import re

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import Change, ChangeKind, Series, Signal, Snapshot
from bot.reasoning import complaints, needs
from bot.reasoning import series as statistics
from bot.reasoning.analyzers.memory import rise
from bot.reasoning.claims import GOOD, HINT, STRONG, at, said, seen, watched
from bot.reasoning.picture import Picture, Sign, picture_of
from bot.reasoning.suspicion import EARLY, culprits
from bot.reasoning.wording import quantity

NAME = "garbage_collection"
_PRIOR = -3.5
_MUCH = 0.1  # of the time: from here on requests feel the pauses
_TIGHT = 0.85  # of the heap still used after collections
_LINES = (
    r"gc overhead|outofmemoryerror|full gc|pause full|heap out of memory|java heap space|"
    r"stop.the.world|gc pause|garbage collect|allocation (failure|stall)|jvm pause|long pause"
)
_HEAP = re.compile(r"xmx|xms|heap|gogc|gomemlimit|max.?old.?space|maxrampercentage|gc", re.I)


def look(snapshot: Snapshot, question: Question) -> Finding:
    """Return a hypothesis per workload that collects far more garbage than usual."""
    picture = picture_of(snapshot)
    collecting = {
        s.service: s for s in picture.signs if s.signal == Signal.GC_TIME and s.shift.now >= _MUCH
    }
    told = {t.service for t in snapshot.logs if re.search(_LINES, t.example, re.I)}
    loud = {s for s in told if complaints.about(picture, (s,), _LINES, GOOD)}
    found = [
        _hypothesis(picture, question, service, collecting.get(service))
        for service in sorted({*collecting, *loud})
    ]
    return Finding(hypotheses=tuple(found), needs=_needs(question, collecting))


def _needs(question: Question, services: dict[str, Sign]) -> tuple[Need, ...]:
    if not services:
        return ()
    return (needs.of_services(Fact.LOGS, question, services, reason="what the collector says"),)


def _hypothesis(
    picture: Picture, question: Question, service: str, sign: Sign | None
) -> Hypothesis:
    onset = sign.onset if sign else picture.onset_of(service)
    change, blame = _setting(picture, service, sign)
    evidence = [
        *([seen(sign, picture, STRONG)] if sign else []),
        *complaints.about(picture, (service,), _LINES, GOOD if sign else STRONG),
        *_heap(picture, service),
        *_cpu(picture, service),
        *_load(picture, service, sign),
        *_pauses(picture, service),
        *blame,
    ]
    share = f": {quantity(sign.shift.now, '%')} of its time" if sign else ""
    since = f" since {at(onset, picture)}" if onset else ""
    return Hypothesis(
        cause="gc_pressure",
        object=picture.object_of(service),
        service=service,
        summary=f"{service} is held up by garbage collection{since}{share}; its heap is too small "
        "for what it keeps.",
        analyzer=NAME,
        prior=_PRIOR,
        evidence=tuple(evidence),
        explains=picture.victims(service),
        onset=onset,
        change=change,
        signal=watched(picture, question, service),
        hint=_hint(change),
    )


def _hint(change: Change | None) -> str:
    if change is None:
        return "raise_limit"
    return "config_revert" if change.kind is ChangeKind.CONFIG else "rollback"


def _heap(picture: Picture, service: str) -> list[Evidence]:
    """A heap that stays full after each collection is too small; one that only grows leaks."""
    series = picture.recent(Signal.HEAP_OF_LIMIT, service)
    if series is None or not series.times:
        return []
    if rise(series) is not None:
        text = (
            f"heap of {service} only grows, to {quantity(series.values[-1], '%')}: that is a leak"
        )
        return [said(text, -GOOD, series.source)]
    floor = _after_collection(series)
    text = f"heap of {service} is {quantity(floor, '%')} full even after collections"
    return [said(text, GOOD if floor >= _TIGHT else -HINT, series.source)]


def _after_collection(series: Series) -> float:
    """Return the low side of the saw-tooth lately: what is kept."""
    values = statistics.clean(series.times, series.values)[1]
    lately = sorted(values[-max(6, values.size // 6) :].tolist())
    return float(lately[len(lately) // 5]) if lately else 0.0


def _cpu(picture: Picture, service: str) -> list[Evidence]:
    for signal in (Signal.CPU_OF_LIMIT, Signal.CPU_THROTTLED):
        sign = picture.sign(signal, service)
        if sign is not None:
            return [seen(sign, picture, HINT, "collecting costs CPU")]
    return []


def _load(picture: Picture, service: str, sign: Sign | None) -> list[Evidence]:
    more = picture.sign(Signal.REQUEST_RATE, service)
    if more is not None and (sign is None or more.onset <= sign.onset + EARLY):
        return [seen(more, picture, -GOOD, "more requests make more garbage")]
    requests = picture.recent(Signal.REQUEST_RATE, service)
    if requests is None:
        return []
    return [said(f"{service} gets no more requests than usual", HINT, requests.source)]


def _pauses(picture: Picture, service: str) -> list[Evidence]:
    """Pauses hit a few requests each: the slowest suffer, the median hardly does."""
    slow = picture.sign(Signal.LATENCY_P99, service)
    if slow is None:
        own = picture.symptoms.get(service)
        series = picture.recent(Signal.LATENCY_P99, service)
        if own or series is None:
            return []
        return [said(f"{service} is as fast as usual all the same", -STRONG, series.source)]
    half = picture.sign(Signal.LATENCY_P50, service)
    if half is None and picture.recent(Signal.LATENCY_P50, service) is not None:
        return [seen(slow, picture, GOOD, "the median is as usual: it pauses now and then")]
    return [seen(slow, picture, HINT)]


def _setting(
    picture: Picture, service: str, sign: Sign | None
) -> tuple[Change | None, list[Evidence]]:
    onset = sign.onset if sign else picture.onset_of(service)
    if onset is None:
        return None, []
    for change, timing in culprits(
        picture, service, onset, (ChangeKind.CONFIG, ChangeKind.DEPLOY, ChangeKind.COMMIT)
    ):
        text = f"{change.diff or ''} {change.before or ''} {change.after or ''}"
        if not timing.evidence.supports:
            continue
        if _HEAP.search(text):
            words = f"{timing.evidence.statement}: it sets the heap"
            return change, [said(words, timing.evidence.weight, change.source)]
        if change.kind is not ChangeKind.CONFIG:
            return change, [timing.evidence]
    return None, []
