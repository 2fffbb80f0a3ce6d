"""How analyzers put what they saw into evidence, and which signal tells that it is over."""

from datetime import UTC, datetime

from bot.domain.diagnosis import Evidence, Question, SignalRef
from bot.domain.snapshot import Change, Series, Signal, Source
from bot.reasoning.picture import Picture, Sign
from bot.reasoning.series import between, median
from bot.reasoning.wording import clock, noun, quantity

HINT, GOOD, STRONG, PROOF = 0.7, 1.6, 3.0, 4.6  # log likelihood ratios, as in `Evidence`
_BY_PREFERENCE = (Signal.LATENCY_P99, Signal.ERROR_RATIO, Signal.LATENCY_P50)


def observed(sign: Sign, picture: Picture) -> str:
    """Return "p99 of checkout 4.1 s, usually 0.2 s, since 14:03"."""
    unit, signal = sign.series.unit, sign.signal
    where = f"{sign.service} to {sign.peer}" if sign.peer else sign.service
    resource = sign.series.labels.get("resource", "")
    where += f" ({resource})" if resource else ""
    now, usual = (quantity(v, unit, signal) for v in (sign.shift.now, sign.shift.usual))
    return f"{noun(signal)} of {where} {now}, usually {usual}, since {at(sign.onset, picture)}"


def seen(sign: Sign, picture: Picture, weight: float, more: str = "") -> Evidence:
    """Return a sign as evidence."""
    text = observed(sign, picture)
    return Evidence(
        statement=f"{text}: {more}" if more else text, weight=weight, source=sign.series.source
    )


def said(statement: str, weight: float, source: Source) -> Evidence:
    """Return evidence with that source."""
    return Evidence(statement=statement, weight=weight, source=source)


def at(moment: datetime, picture: Picture) -> str:
    """Return a time of day as the picture's reader sees it."""
    return clock(moment, picture.now)


def moment_of(epoch_s: float) -> datetime:
    """Return aware UTC."""
    return datetime.fromtimestamp(epoch_s, UTC)


def source_of(picture: Picture, fallback: str = "all of the above") -> Source:
    """Return the source of a conclusion that rests on the absence of something."""
    for one in picture.snapshot.series:
        return one.source
    return Source(system="reasoning", query=fallback)


def watched(picture: Picture, question: Question, *services: str) -> SignalRef | None:
    """Return the signal to watch: the asked service's worst symptom, else one of `services`."""
    for service in (*question.services, *services, *picture.symptoms):
        own = [s for s in picture.symptoms.get(service, ()) if s.signal in _BY_PREFERENCE]
        if own:
            return ref(max(own, key=lambda s: (s.shift.size, -_BY_PREFERENCE.index(s.signal))))
    for service in services:
        if seen_by := picture.symptoms.get(service):
            return ref(max(seen_by, key=lambda s: s.shift.size))
    return None


def ref(sign: Sign) -> SignalRef:
    """Return a sign's signal as something to watch."""
    labels = {k: v for k, v in sign.series.labels.items() if k in ("peer", "resource")}
    return SignalRef(
        signal=sign.signal,
        service=sign.service,
        unit=sign.series.unit,
        good=sign.shift.usual,
        bad=sign.shift.now,
        labels=labels,
    )


def level_since(series: Series, since: datetime | None) -> float | None:
    """Return the median since a moment (of the last fifth, without one), None without samples."""
    if not series.times:
        return None
    begin, end = series.times[0], series.times[-1]
    start = since.timestamp() if since else end - 0.2 * (end - begin)
    values = between(series.times, series.values, start, end + 1)
    return median(values) if values.size else None


def level_before(series: Series, moment: datetime) -> float | None:
    """Return the median before a moment, None without samples."""
    values = between(series.times, series.values, 0.0, moment.timestamp())
    return median(values) if values.size else None


def what(change: Change) -> str:
    """Return a change as people name it: "deploy of checkout v2.41", "flag new-ranking on"."""
    name = change.object.partition("/")[2] or change.service
    if change.kind == "deploy":
        return f"deploy of {change.service} {change.after or ''}".strip()
    if change.kind == "flag":
        return f"flag {name} {change.before or '?'} → {change.after or '?'}"
    if change.kind == "commit":
        return f"commit {(change.after or change.id)[:12]} in {change.service}"
    return f"{change.kind} change of {name}"
