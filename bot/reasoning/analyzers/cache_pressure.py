"""A cache that fills up: memory and fragmentation grow, and the next peak will bring it down."""

import re
from dataclasses import dataclass
from datetime import timedelta

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question, SignalRef
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import Change, ChangeKind, Series, Signal, Snapshot
from bot.reasoning import forecast, needs
from bot.reasoning import series as statistics
from bot.reasoning.claims import GOOD, HINT, STRONG, at, moment_of, said, seen, watched, what
from bot.reasoning.picture import Picture, picture_of
from bot.reasoning.suspicion import unique
from bot.reasoning.wording import duration, quantity

NAME = "cache_pressure"
_PRIOR = -3.0
_CROWDED = 0.7  # of maxmemory: from here on a peak can fill it
_FRAGMENTED = 1.5  # Redis' own advice: above it, memory is wasted
_LEAST_RISE = 0.05  # of the limit within a day
_SETTING = re.compile(r"ttl|expir|evict|maxmemory|policy|max[_-]?(size|entries|memory)|cache", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cache:
    """What is known of one cache."""

    picture: Picture
    name: str
    share: Series  # of maxmemory, long
    level: float
    grown: forecast.Growth
    traffic: Series | None
    full: float | None  # epoch seconds


def look(snapshot: Snapshot, question: Question) -> Finding:
    """Return a hypothesis per cache that is crowded or growing towards its limit."""
    picture = picture_of(snapshot)
    caches = [c for name in sorted(_names(picture)) if (c := _cache(picture, name)) is not None]
    crowded = [c for c in caches if c.full is not None or c.level >= _CROWDED]
    return Finding(
        hypotheses=tuple(_hypothesis(c, question) for c in crowded),
        needs=_needs(question, [c.name for c in crowded]),
    )


def _needs(question: Question, names: list[str]) -> tuple[Need, ...]:
    if not names:
        return ()
    return (needs.of_services(Fact.LOGS, question, names, reason="complaints about memory"),)


def _names(picture: Picture) -> set[str]:
    telling = (Signal.MEMORY_FRAGMENTATION, Signal.EVICTIONS, Signal.CACHE_HIT_RATIO)
    return {service for signal, service, _ in picture.index if signal in telling}


def _cache(picture: Picture, name: str) -> _Cache | None:
    shares = [
        share
        for share in (
            picture.long(Signal.MEMORY_OF_LIMIT, name, resource="maxmemory"),
            picture.long(Signal.MEMORY_OF_LIMIT, name),
        )
        if share is not None and share.times
    ]
    known = [(s, g) for s in shares if (g := forecast.growth(s)) is not None]
    if not known:
        return None
    share, grown = max(known, key=lambda pair: (pair[1].amount, pair[0].values[-1]))
    now = picture.now.timestamp()
    grows = grown.amount >= _LEAST_RISE and grown.steady
    full = min((f for s, _ in known if (f := forecast.when_full(s, now))), default=None)
    return _Cache(
        picture=picture,
        name=name,
        share=share,
        level=float(statistics.clean(share.times, share.values)[1][-1]),
        grown=grown,
        traffic=_traffic(picture, name),
        full=full if grows else None,
    )


def _traffic(picture: Picture, name: str) -> Series | None:
    """The busiest caller's requests over the longest time: they follow the same day."""
    found = [
        s
        for caller in sorted(picture.graph.above(name))
        if (s := picture.long(Signal.REQUEST_RATE, caller)) is not None and s.times
    ]
    return max(
        found, key=lambda s: (s.times[-1] - s.times[0], statistics.median(s.values)), default=None
    )


def _hypothesis(cache: _Cache, question: Question) -> Hypothesis:
    picture, name = cache.picture, cache.name
    change, blame = _setting(cache)
    evidence = [*_memory(cache), *_fragmentation(cache), *_losing(cache), *_peak(cache), *blame]
    hurt = name in picture.symptoms
    breaks = moment_of(cache.full) if cache.full else None
    return Hypothesis(
        cause="cache_memory_pressure",
        object=picture.object_of(name),
        service=name,
        summary=_summary(cache, change, hurt=hurt),
        analyzer=NAME,
        prior=_PRIOR,
        evidence=tuple(evidence),
        explains=picture.victims(name),
        onset=picture.onset_of(name) or (change.at if change else None),
        change=change,
        forecast_at=None if hurt else breaks,
        signal=watched(picture, question, name) if hurt else _ref(cache),
        hint="revert config" if change else "more memory",
    )


def _summary(cache: _Cache, change: Change | None, *, hurt: bool) -> str:
    level = quantity(cache.level, "%")
    since = f" since the {what(change)}" if change else ""
    if hurt or cache.full is None:
        return f"{cache.name} runs out of memory{since}: {level} of its limit."
    when = at(moment_of(cache.full), cache.picture)
    peak = ", on the way to the next peak" if _before_peak(cache) else ""
    return (
        f"Nothing is broken yet, but {cache.name} will be full about {when}{peak}: "
        f"memory grows{since} and is at {level} of its limit."
    )


def _before_peak(cache: _Cache) -> bool:
    peak = (
        forecast.coming_peak(cache.traffic, cache.picture.now.timestamp())
        if cache.traffic
        else None
    )
    return peak is not None and cache.full is not None and cache.full <= peak.at + 3600.0


def _ref(cache: _Cache) -> SignalRef:
    return SignalRef(
        signal=cache.share.signal,
        service=cache.name,
        unit=cache.share.unit,
        good=float(min(statistics.clean(cache.share.times, cache.share.values)[1])),
        bad=cache.level,
        labels={k: v for k, v in cache.share.labels.items() if k == "resource"},
    )


def _memory(cache: _Cache) -> list[Evidence]:
    text = f"memory of {cache.name} {quantity(cache.level, '%')} of its limit"
    if cache.grown.amount >= _LEAST_RISE:
        grown = f"+{quantity(cache.grown.amount, '%')} in {duration(cache.grown.over_s)}"
        weight = STRONG if cache.full else GOOD
        return [said(f"{text}, {grown}", weight, cache.share.source)]
    return [said(f"{text}, and steady", -GOOD, cache.share.source)]


def _fragmentation(cache: _Cache) -> list[Evidence]:
    series = cache.picture.long(Signal.MEMORY_FRAGMENTATION, cache.name)
    if series is None or not series.times:
        return []
    trend, level = statistics.trend(series.times, series.values), series.values[-1]
    grows = trend is not None and trend.slope > 0 and trend.steady > 0.5
    text = f"memory fragmentation {quantity(level)}" + (" and growing" if grows else "")
    if level >= _FRAGMENTED:
        return [
            said(
                f"{text}: {quantity(1 - 1 / level, '%')} of its memory is wasted",
                GOOD,
                series.source,
            )
        ]
    return [said(text, HINT if grows else -HINT, series.source)]


def _losing(cache: _Cache) -> list[Evidence]:
    picture, found = cache.picture, []
    for signal, weight in ((Signal.EVICTIONS, GOOD), (Signal.CACHE_HIT_RATIO, GOOD)):
        sign = picture.sign(signal, cache.name)
        if sign is not None:
            found.append(seen(sign, picture, weight))
    return found


def _peak(cache: _Cache) -> list[Evidence]:
    if cache.traffic is None:
        return []
    peak = forecast.coming_peak(cache.traffic, cache.picture.now.timestamp())
    if peak is None:
        return []
    when = at(moment_of(peak.at), cache.picture)
    text = f"traffic will be {quantity(peak.factor)} times today's present rate about {when}"
    return [said(f"{text}, if it repeats yesterday's", HINT, cache.traffic.source)]


def _setting(cache: _Cache) -> tuple[Change | None, list[Evidence]]:
    """Return the last change of a setting that governs what the cache keeps."""
    picture = cache.picture
    near = {cache.name, *picture.graph.callers(cache.name)}
    fitting = [
        c
        for c in unique(picture.snapshot.changes)
        if c.kind is ChangeKind.CONFIG
        and c.service in near
        and c.at <= picture.now
        and _SETTING.search(f"{c.diff or ''} {c.after or ''} {c.before or ''}")
    ]
    if not fitting:
        return None, []
    change = max(fitting, key=lambda c: (c.service == cache.name, c.at))
    ago = picture.now - change.at
    weight = STRONG if ago <= timedelta(days=7) else HINT
    detail = " ".join((change.diff or change.summary).split())[:120]
    text = f"{what(change)} at {at(change.at, picture)}: {detail}"
    return change, [said(text, weight, change.source)]
