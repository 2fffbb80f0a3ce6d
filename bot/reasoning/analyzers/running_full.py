"""Disks, connections and volumes that fill up: says when they will be full."""

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question, SignalRef
from bot.domain.snapshot import Series, Signal, Snapshot
from bot.reasoning import forecast
from bot.reasoning import series as statistics
from bot.reasoning.claims import GOOD, HINT, PROOF, STRONG, at, moment_of, said
from bot.reasoning.picture import Picture, picture_of
from bot.reasoning.wording import duration, noun, quantity

NAME = "running_full"
_PRIOR = -3.5
_CAUSES = {
    Signal.DISK_OF_LIMIT: "disk_full",
    Signal.CONNECTIONS_OF_LIMIT: "connections_running_out",
}
_FULL = 0.95
_LEAST_RISE = 0.05


def look(snapshot: Snapshot, question: Question) -> Finding:
    """Return a hypothesis per disk or connection limit that is full or will be within a day."""
    del question
    picture = picture_of(snapshot)
    found = []
    for (signal, service, _), several in sorted(
        picture.index.items(), key=lambda item: (item[0][0], item[0][1], sorted(item[0][2]))
    ):
        if signal in _CAUSES:
            longest = max(several, key=lambda s: s.times[-1] - s.times[0] if s.times else 0.0)
            hypothesis = _hypothesis(picture, longest, service)
            found += [hypothesis] if hypothesis else []
    return Finding(hypotheses=tuple(found))


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
        hint="free space" if series.signal == Signal.DISK_OF_LIMIT else "",
    )  # fmt: skip


def _object(picture: Picture, series: Series, service: str) -> str:
    if series.labels.get("resource", "").startswith("/"):
        return f"node/{service}"
    return picture.object_of(service)


def _evidence(
    picture: Picture, series: Series, level: float, grown: forecast.Growth | None
) -> list[Evidence]:
    text = f"{noun(series.signal)} {quantity(level, series.unit, series.signal)} of the limit"
    evidence = [said(text, PROOF if level >= _FULL else HINT, series.source)]
    if grown is not None:
        text = f"grew by {quantity(grown.amount, '%')} in {duration(grown.over_s)}"
        evidence.append(said(text, STRONG, series.source))
    if not picture.symptoms:
        evidence.append(said("nobody has symptoms yet", HINT, series.source))
    elif series.service in picture.symptoms:
        evidence.append(said(f"{series.service} has symptoms", GOOD, series.source))
    return evidence


def _summary(picture: Picture, series: Series, service: str, breaks: object) -> str:
    what = "disk" if series.signal == Signal.DISK_OF_LIMIT else "connections"
    resource = series.labels.get("resource", "")
    where = f"{service} ({resource})" if resource else service
    level = quantity(series.values[-1], series.unit, series.signal)
    if breaks is None:
        return f"The {what} of {where} is full: {level} used."
    when = at(breaks, picture)  # type: ignore[arg-type]  # a datetime here
    return (
        f"Nothing is broken yet, but the {what} of {where} will be full about {when} ({level} now)."
    )
