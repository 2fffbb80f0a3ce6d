"""Disks, connections, files, node memory and quotas that fill up: says when they will be full."""

from collections.abc import Iterator
from datetime import datetime

import numpy as np

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question, SignalRef
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import Series, Signal, Snapshot
from bot.reasoning import forecast, needs
from bot.reasoning import series as statistics
from bot.reasoning.claims import GOOD, HINT, PROOF, STRONG, at, moment_of, said
from bot.reasoning.picture import Picture, picture_of
from bot.reasoning.wording import duration, noun, quantity

NAME = "running_full"
_PRIOR = -3.5
_CAUSES = {
    Signal.DISK_OF_LIMIT: "disk_full",
    Signal.CONNECTIONS_OF_LIMIT: "connections_running_out",
    Signal.FILES_OF_LIMIT: "file_descriptors_exhausted",
    Signal.NODE_MEMORY: "node_memory_running_out",
    Signal.QUOTA_OF_LIMIT: "quota_running_out",
}
_NOUNS = {
    Signal.DISK_OF_LIMIT: "disk",
    Signal.CONNECTIONS_OF_LIMIT: "connections",
    Signal.FILES_OF_LIMIT: "file descriptors",
    Signal.NODE_MEMORY: "memory",
    Signal.QUOTA_OF_LIMIT: "quota",
}
_FULL = 0.95
_LEAST_RISE = 0.05
_FOLLOWS = 0.6  # correlation of connections with traffic


def look(snapshot: Snapshot, question: Question) -> Finding:
    """Return a hypothesis per disk or connection limit that is full or will be within a day."""
    picture = picture_of(snapshot)
    found: list[Hypothesis] = []
    for (signal, service, _), several in sorted(
        picture.index.items(), key=lambda item: (item[0][0], item[0][1], sorted(item[0][2]))
    ):
        if signal in _CAUSES:
            longest = max(several, key=lambda s: s.times[-1] - s.times[0] if s.times else 0.0)
            hypothesis = _hypothesis(picture, longest, service)
            found += [hypothesis] if hypothesis else []
    found += [h for h in _peaks(picture) if h.service not in {f.service for f in found}]
    disks = [h for h in found if h.cause == "disk_full"]
    return Finding(hypotheses=tuple(found), needs=_needs(question, disks))


def _needs(question: Question, disks: list[Hypothesis]) -> tuple[Need, ...]:
    """Whether a volume can be made larger is in its claim and its class."""
    if not disks:
        return ()
    kinds = ("PersistentVolumeClaim", "StorageClass")
    window = needs.with_baseline(question)
    return (Need(fact=Fact.OBJECTS, window=window, names=kinds, reason="can the volume grow"),)


def _peaks(picture: Picture) -> Iterator[Hypothesis]:
    """Connections that follow the traffic and will not be enough for the peak to come."""
    now = picture.now.timestamp()
    for signal, service, labels in sorted(picture.index, key=lambda k: (k[0], k[1], sorted(k[2]))):
        series = picture.long(signal, service) if signal == Signal.CONNECTIONS_OF_LIMIT else None
        traffic = _traffic(picture, service) if series and not dict(labels).get("pod") else None
        peak = forecast.coming_peak(traffic, now) if traffic else None
        if series is None or peak is None or not series.times:
            continue
        level = statistics.median(series.values[-5:])
        if level < _FULL <= level * peak.factor and not _known_to_hold(series, peak, now):
            yield _peak(picture, series, service, (level, peak))


def _known_to_hold(series: Series, peak: forecast.Peak, now: float) -> bool:
    """Whether yesterday's peak was seen and had room."""
    before = peak.at - forecast.DAY_S
    if not series.times or series.times[0] > before - 1800:
        return False
    values = statistics.between(series.times, series.values, before - 1800, min(before + 1800, now))
    return bool(values.size) and float(values.max()) < _FULL


def _peak(
    picture: Picture, series: Series, service: str, seen_of: tuple[float, forecast.Peak]
) -> Hypothesis:
    level, peak = seen_of
    when = at(moment_of(peak.at), picture)
    share = quantity(level, series.unit, series.signal)
    wanted = quantity(level * peak.factor, "%")
    follows = _follows(series, _traffic(picture, service))
    texts = (
        (f"{share} of the connections of {service} are in use now", HINT),
        (f"traffic will be {quantity(peak.factor)} times as much about {when}, as yesterday", GOOD),
        (f"if connections grow with the traffic, {wanted} would be needed", GOOD),
        (
            "so far they " + ("follow it" if follows else "do not follow it"),
            GOOD if follows else -STRONG,
        ),
    )
    return Hypothesis(
        cause="connections_running_out",
        object=picture.object_of(service),
        service=service,
        summary=f"Nothing is broken yet, but {service} will be out of connections at the peak "
        f"about {when} ({share} in use now).",
        analyzer=NAME,
        prior=_PRIOR,
        evidence=tuple(said(text, weight, series.source) for text, weight in texts),
        explains=picture.victims(service),
        forecast_at=moment_of(peak.at),
        signal=SignalRef(
            signal=series.signal, service=service, unit=series.unit, good=level, bad=1.0,
            labels=dict(series.labels),
        ),
        hint="raise_limit",
    )  # fmt: skip


def _follows(series: Series, traffic: Series | None) -> bool:
    """Whether the connections went up and down with the traffic while both were seen."""
    if traffic is None:
        return False
    times, values = statistics.clean(series.times, series.values)
    at_times, rates = statistics.clean(traffic.times, traffic.values)
    both = np.interp(times, at_times, rates)
    if times.size < statistics.LEAST or np.ptp(both) < 0.05 * np.mean(both) or not np.ptp(values):
        return False
    return float(np.corrcoef(values, both)[0, 1]) >= _FOLLOWS


def _traffic(picture: Picture, service: str) -> Series | None:
    """The busiest caller's requests over the longest time."""
    found = [
        s
        for name in (service, *sorted(picture.graph.above(service)))
        if (s := picture.long(Signal.REQUEST_RATE, name)) is not None and s.times
    ]
    return max(
        found, key=lambda s: (s.times[-1] - s.times[0], statistics.median(s.values)), default=None
    )


def _hypothesis(picture: Picture, series: Series, service: str) -> Hypothesis | None:
    values = statistics.clean(series.times, series.values)[1]
    grown = forecast.growth(series)
    if grown is None:
        return None
    level, now = float(values[-1]), picture.now.timestamp()
    grows = grown.amount >= _LEAST_RISE and grown.steady
    full = forecast.when_full(series, now) if grows else None
    if level < _FULL and full is None:
        return None
    broken = level >= _FULL and series.signal == Signal.DISK_OF_LIMIT
    breaks = moment_of(full) if full and not broken else None
    evidence = _evidence(picture, series, level, grown if grows else None)
    if breaks is not None:
        text = f"at this rate it is full at {at(breaks, picture)}"
        evidence.append(said(text, GOOD, series.source))
    return Hypothesis(
        cause=_CAUSES[Signal(series.signal)],
        object=_object(picture, series, service),
        service=service,
        summary=_summary(picture, series, service, breaks),
        analyzer=NAME,
        prior=_PRIOR,
        evidence=tuple(evidence),
        explains=picture.victims(service),
        forecast_at=breaks,
        signal=SignalRef(
            signal=series.signal, service=service, unit=series.unit, good=float(values[0]),
            bad=level, labels=dict(series.labels),
        ),
        hint="raise_limit",
    )  # fmt: skip


def _object(picture: Picture, series: Series, service: str) -> str:
    if series.signal == Signal.QUOTA_OF_LIMIT:
        return f"namespace/{service}"
    on_node = series.signal == Signal.NODE_MEMORY
    if on_node or series.labels.get("resource", "").startswith("/"):
        return f"node/{service}"
    return picture.object_of(service)


def _evidence(
    picture: Picture, series: Series, level: float, grown: forecast.Growth | None
) -> list[Evidence]:
    text = f"{noun(series.signal)} {quantity(level, series.unit, series.signal)} of the limit"
    hard = series.signal in (Signal.DISK_OF_LIMIT, Signal.CONNECTIONS_OF_LIMIT)
    evidence = [said(text, PROOF if hard and level >= _FULL else HINT, series.source)]
    if grown is not None:
        text = f"grew by {quantity(grown.amount, '%')} in {duration(grown.over_s)}"
        evidence.append(said(text, STRONG, series.source))
    if not picture.symptoms:
        evidence.append(said("nobody has symptoms yet", HINT, series.source))
    elif series.service in picture.symptoms:
        evidence.append(said(f"{series.service} has symptoms", GOOD, series.source))
    return evidence


def _summary(picture: Picture, series: Series, service: str, breaks: datetime | None) -> str:
    what = _NOUNS[Signal(series.signal)]
    resource = series.labels.get("resource", "")
    where = f"{service} ({resource})" if resource else service
    level = quantity(series.values[-1], series.unit, series.signal)
    if breaks is None:
        return f"The {what} of {where} is full: {level} used."
    when = at(breaks, picture)
    return (
        f"Nothing is broken yet, but the {what} of {where} will be full about {when} ({level} now)."
    )
