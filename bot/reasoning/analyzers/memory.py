"""Memory that only grows until the kernel ends the process: a leak, now or soon."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import Change, ChangeKind, KubernetesObject, Series, Signal, Snapshot
from bot.reasoning import needs
from bot.reasoning import series as statistics
from bot.reasoning.claims import GOOD, HINT, STRONG, at, moment_of, said, seen, watched, what
from bot.reasoning.picture import Picture, picture_of
from bot.reasoning.series import Floats
from bot.reasoning.suspicion import unique
from bot.reasoning.wording import quantity

NAME = "memory"
_PRIOR = -3.5
_SOON = timedelta(hours=24)  # a leak that needs longer is no incident yet
_LEAST_RISE = 0.1  # of the limit, within what was looked at
_STEADY = 0.8
_LEAST_SAMPLES = 4
_LATELY_S = 1800.0
_DROP = 0.15  # of the limit, from one sample to the next: the process started again


@dataclass(frozen=True, slots=True, kw_only=True)
class _Growth:
    """How the memory of a service's pods grows, as a share of the limit."""

    slope: float  # 1/s, median of the pods
    level: float  # highest now
    since: float  # epoch seconds: where the growth starts to be seen
    pods: int
    growing: int
    series: Series
    breaks_at: float | None

    @property
    def per_hour(self) -> float:
        return 3600.0 * self.slope


def look(snapshot: Snapshot, question: Question) -> Finding:
    """Return a hypothesis per service that grows steadily, was ended for memory, or both."""
    picture = picture_of(snapshot)
    killed = oom_killed(snapshot)
    found, suspects = [], []
    for service in sorted(_services(picture) | set(killed)):
        growth = _growth(picture, service)
        ended = killed.get(service, [])
        if growth is None and not ended:
            continue
        suspects.append(service)
        if growth is not None:
            found.append(_leak(picture, question, service, (growth, ended)))
    return Finding(hypotheses=tuple(found), needs=_needs(question, suspects))


def _needs(question: Question, suspects: list[str]) -> tuple[Need, ...]:
    if not suspects:
        return ()
    names = (f"{Signal.MEMORY_OF_LIMIT}:pod", f"{Signal.RESTARTS}:pod")
    return (
        needs.of_services(Fact.SERIES, question, suspects, names=names, reason="memory pod by pod"),
        needs.of_services(Fact.LOGS, question, suspects, reason="what it says when it ends"),
    )


def _services(picture: Picture) -> set[str]:
    return {
        service
        for signal, service, labels in picture.index
        if signal == Signal.MEMORY_OF_LIMIT and "resource" not in dict(labels)
    }


def oom_killed(snapshot: Snapshot) -> dict[str, list[tuple[KubernetesObject, datetime | None]]]:
    """Return, per service, the pods a container of which was OOMKilled within the window."""
    found: dict[str, list[tuple[KubernetesObject, datetime | None]]] = {}
    for pod in snapshot.kind("Pod"):
        service = pod.labels.get("app.kubernetes.io/name") or pod.labels.get("app") or ""
        for status in (pod.body.get("status") or {}).get("containerStatuses") or []:
            for state in (status.get("lastState") or {}, status.get("state") or {}):
                ended = state.get("terminated") or {}
                when = _moment(ended.get("finishedAt"))
                if ended.get("reason") == "OOMKilled" and _inside(when, snapshot):
                    found.setdefault(service, []).append((pod, when))
    return found


def _moment(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo else None


def _inside(when: datetime | None, snapshot: Snapshot) -> bool:
    return when is None or when >= snapshot.window.start - timedelta(hours=6)


def _growth(picture: Picture, service: str) -> _Growth | None:
    """Return the growth common to most pods (or of the fullest, where only that is known)."""
    every = picture.split(Signal.MEMORY_OF_LIMIT, service, "pod")
    recent = picture.recent(Signal.MEMORY_OF_LIMIT, service)
    candidates = list(every.values()) or ([recent] if recent else [])
    rising = [(s, r) for s in candidates if (r := rise(s)) is not None]
    alive = [s for s in candidates if s.times and picture.now.timestamp() - s.times[-1] < 300]
    if not rising or 3 * len(rising) < len(alive):
        return None
    fullest, (trend, _) = max(rising, key=lambda pair: pair[1][0].level)
    slope = statistics.median([r[0].slope for _, r in rising])
    return _Growth(
        slope=slope,
        level=trend.level,
        since=min(r[1] for _, r in rising),
        pods=len(alive),
        growing=len(rising),
        series=fullest,
        breaks_at=trend.reaches(1.0),
    )


def rise(series: Series) -> tuple[statistics.Trend, float] | None:
    """Return the latest steady rise of a series, and since when there is such a rise; or None.

    A process that is ended and started again and again gives a sawtooth: each tooth is looked at.
    """
    times, values = statistics.clean(series.times, series.values)
    if times.size < statistics.LEAST:
        return None
    drops = np.flatnonzero(np.diff(values) < -_DROP)
    teeth = pairwise([0, *(drops + 1).tolist(), times.size])
    rising = [t for a, b in teeth if (t := _tooth(times[a:b], values[a:b])) is not None]
    if not rising or rising[-1][0].end < times[-1] - _LATELY_S:
        return None
    return rising[-1][0], rising[0][1]


def _tooth(times: Floats, values: Floats) -> tuple[statistics.Trend, float] | None:
    if times.size < _LEAST_SAMPLES or values[-1] - values.min() < _LEAST_RISE:
        return None
    bend = statistics.bend(times, values)
    if bend is None or bend.trend.slope <= 0 or bend.trend.steady < _STEADY:
        return None
    grown = bend.trend.slope * (times[-1] - bend.start)
    long = int((times >= bend.start).sum()) >= _LEAST_SAMPLES
    return (bend.trend, bend.start) if long and grown >= _LEAST_RISE else None


def _leak(
    picture: Picture,
    question: Question,
    service: str,
    seen_of: tuple[_Growth, list[tuple[KubernetesObject, datetime | None]]],
) -> Hypothesis:
    growth, ended = seen_of
    change = _release(picture, service)
    breaks = moment_of(growth.breaks_at) if growth.breaks_at else None
    evidence = [
        *_growing(service, growth),
        *_ended(picture, ended),
        *_load(picture, service),
    ]
    evidence += _since_release(picture, service, change)
    if breaks is not None and not ended and breaks - picture.now > _SOON:
        evidence.append(
            said(
                "at this rate it takes more than a day to the limit", -STRONG, growth.series.source
            )
        )
    who = f"{service} {change.after}" if change and change.after else service
    if breaks and not ended:
        when = f"reaches its limit about {at(breaks, picture)}"
    else:
        when = "is ended at its limit (OOMKilled)"
    return Hypothesis(
        cause="memory_leak",
        object=picture.object_of(service),
        service=service,
        summary=f"{who} leaks memory: +{quantity(growth.per_hour, '%')} of its limit per hour, "
        f"{when}.",
        analyzer=NAME,
        prior=_PRIOR,
        evidence=tuple(evidence),
        explains=picture.victims(service),
        onset=change.at if change else moment_of(growth.since),
        change=change,
        forecast_at=breaks if not ended else None,
        signal=watched(picture, question, service),
        hint="rollback",
    )


def _growing(service: str, growth: _Growth) -> list[Evidence]:
    pods = f" in {growth.growing} of {growth.pods} pods" if growth.pods > 1 else ""
    text = (
        f"memory of {service} grows steadily by {quantity(growth.per_hour, '%')} of its limit per "
        f"hour{pods}, now {quantity(growth.level, '%')}"
    )
    return [said(text, STRONG, growth.series.source)]


def _ended(
    picture: Picture, ended: list[tuple[KubernetesObject, datetime | None]]
) -> list[Evidence]:
    if not ended:
        return []
    names = ", ".join(sorted({p.name for p, _ in ended})[:3])
    last = max((w for _, w in ended if w), default=None)
    when = f", last at {at(last, picture)}" if last else ""
    return [
        said(f"the kernel ended {names} for memory (OOMKilled{when})", STRONG, ended[0][0].source)
    ]


def _load(picture: Picture, service: str) -> list[Evidence]:
    more = picture.sign(Signal.REQUEST_RATE, service)
    if more is not None:
        return [seen(more, picture, -GOOD, "more requests need more memory")]
    requests = picture.recent(Signal.REQUEST_RATE, service)
    source = requests.source if requests else None
    return [said(f"{service} gets as many requests as usual", HINT, source)] if source else []


def _release(picture: Picture, service: str) -> Change | None:
    """Return the last release of the service within a day."""
    past = [
        c
        for c in unique(picture.snapshot.changes)
        if c.service == service
        and c.kind is ChangeKind.DEPLOY
        and timedelta(0) <= picture.now - c.at <= timedelta(hours=24)
    ]
    return past[-1] if past else None


def _since_release(picture: Picture, service: str, change: Change | None) -> list[Evidence]:
    if change is None:
        return []
    before = picture.long(Signal.MEMORY_OF_LIMIT, service)
    text = f"{what(change)} at {at(change.at, picture)} began this run of growth"
    evidence = [said(text, GOOD, change.source)]
    if before is not None and before.times and before.times[0] < change.at.timestamp() - 3600:
        old = statistics.between(before.times, before.values, 0.0, change.at.timestamp())
        if old.size >= statistics.LEAST and float(np.ptp(old)) < _LEAST_RISE:
            text = f"before it, memory stayed at {quantity(statistics.median(old), '%')}"
            evidence.append(said(text, GOOD, before.source))
    return evidence
