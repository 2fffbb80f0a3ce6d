"""Requests that take another path, fail or dawdle where they did not before: whose code it is."""

import math
from collections.abc import Set as AbstractSet

import numpy as np

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import Signal, Snapshot, Source
from bot.reasoning import needs
from bot.reasoning.claims import GOOD, HINT, STRONG, said, watched
from bot.reasoning.picture import Picture, picture_of
from bot.reasoning.series import clean, median, spread
from bot.reasoning.significance import most_weight, weight_of
from bot.reasoning.thresholds import RED
from bot.reasoning.traces import (
    ERROR,
    LEAST_GAP_S,
    LEVEL,
    SLOWER,
    Comparison,
    Oddity,
    Slowness,
    compare,
)
from bot.reasoning.wording import quantity

NAME = "odd_requests"
_PRIOR = -2.0
_LEAST_TRACES = 3  # odd ones that start at a service, to suspect it
_ENOUGH, _MOMENTS = 12, 5  # odd traces, and moments with one, to blame it: less is one burst
_SURE_TRACES = 24
_BUSY, _BUSY_CORES, _BUSY_RATIO = 6.0, 0.1, 1.8  # deviations, cores more, times its highest
_HISTORY = 8  # samples of CPU before
_SHOWN = 2
_MOST = 5  # services blamed, the likeliest first


def look(snapshot: Snapshot, question: Question) -> Finding:
    """Compare the spans since the asked window's start with those before it."""
    if not snapshot.spans:
        return Finding(needs=_wanted(snapshot, question))
    start = question.window.start
    before = [s for s in snapshot.spans if s.start < start]
    now = [s for s in snapshot.spans if s.start >= start]
    if not before or not now:
        return Finding()
    compared = compare(before, now)
    picture, source = picture_of(snapshot), now[0].source
    odd = _by_oddity(compared, picture, question, source)
    slow = _by_time(compared, picture, question, source)
    known = {h.service for h in odd}
    every = [*odd, *(h for h in slow if h.service not in known)]
    every += _by_cpu(picture, question, {h.service for h in every})
    return Finding(hypotheses=tuple(sorted(every, key=lambda h: -h.log_odds)[:_MOST]))


def _wanted(snapshot: Snapshot, question: Question) -> tuple[Need, ...]:
    """Ask for everybody's traces where no metric tells whose to look at."""
    if any(True for signal in RED for _ in snapshot.signal(signal)):
        return ()
    reason = "what requests do, as there are no metrics of them"
    return (needs.of_services(Fact.SPANS, question, question.services, reason=reason),)


def _by_oddity(
    compared: Comparison, picture: Picture, question: Question, source: Source
) -> list[Hypothesis]:
    whole = math.fsum(compared.origins.values())
    found = []
    for service, count in compared.origins.items():
        own = [o for o in compared.oddities if o.service == service]
        if count < _LEAST_TRACES or not own:
            continue
        best = min(own, key=lambda o: o.chance)
        if best.chance > LEVEL:
            continue
        text = f"{count:.0f} of {compared.odd_traces} odd requests go wrong first in {service}"
        most = min(STRONG, weight_of(best.chance), most_weight(best.traces_before))
        if count < _ENOUGH or max(o.moments_now for o in own) < _MOMENTS:
            evidence = [said(f"{text}, too few to blame it", min(most, GOOD), source)]
        else:
            sure = most * min(1.0, count / _SURE_TRACES) + GOOD * (2 * count / whole - 1)
            evidence = [said(text, sure, source)]
            evidence += [
                said(_told(o), HINT if n else GOOD, source) for n, o in enumerate(own[:_SHOWN])
            ]
        evidence += _busy(picture, service)
        found.append(
            Hypothesis(
                cause="application_fault",
                object=picture.object_of(service),
                service=service,
                summary=f"{service}: {_told(own[0])}.",
                analyzer=NAME,
                prior=_PRIOR,
                evidence=tuple(evidence),
                explains=_victims(picture, service, _passing_on(compared)),
                onset=question.window.start,
                signal=watched(picture, question, service),
                hint="rollback",
            )
        )
    return found


def _by_time(
    compared: Comparison, picture: Picture, question: Question, source: Source
) -> list[Hypothesis]:
    places: dict[str, list[Slowness]] = {}
    for place in compared.slow:
        if _is_slow(place):
            places.setdefault(place.service, []).append(place)
    found = []
    for service, slow in places.items():
        worst = max(slow, key=lambda p: p.now_s / p.before_s)
        way = bool(worst.caller)
        size = min(
            STRONG,
            math.log(worst.now_s / worst.before_s),
            weight_of(worst.chance),
            most_weight(worst.traces_before),
        )
        if worst.traces_slow < _ENOUGH or worst.moments_slow < _MOMENTS:
            size = min(size, HINT)
        evidence = [said(_dawdles(worst), size, source)]
        every = [p for p in compared.slow if way and p.caller and service in (p.caller, p.service)]
        if len(every) > 1:
            ill = sum(_is_slow(p) for p in every)
            text = f"{ill} of {len(every)} ways to and from {service} are slower"
            evidence.append(said(text, GOOD if 2 * ill > len(every) else -HINT, source))
        busy = _busy(picture, service)
        cause = "cpu_overload" if busy else "network_delay" if way else "slow_service"
        found.append(
            Hypothesis(
                cause=cause,
                object=picture.object_of(service),
                service=service,
                summary=f"{_dawdles(worst)}.".capitalize(),
                analyzer=NAME,
                prior=_PRIOR,
                evidence=(*evidence, *busy),
                explains=_victims(picture, service, {p.caller for p in slow}),
                onset=question.window.start,
                signal=watched(picture, question, service),
                hint="restart",
            )
        )
    return found


def _is_slow(place: Slowness) -> bool:
    return (
        place.now_s >= SLOWER * place.before_s
        and place.now_s - place.before_s >= LEAST_GAP_S
        and place.chance <= LEVEL
    )


def _told(odd: Oddity) -> str:
    what = odd.step[1].removeprefix(ERROR)
    operation = f"{odd.operation[1]}"
    if odd.missing:
        return f"{odd.share_before:.0%} of {operation} had “{what}”, now {odd.share_now:.0%}"
    return f"{odd.share_now:.0%} of {operation} fail with “{what}”, before {odd.share_before:.0%}"


def _dawdles(place: Slowness) -> str:
    before, now = quantity(place.before_s, "s"), quantity(place.now_s, "s")
    where = f"the way from {place.caller} to {place.service}" if place.caller else place.service
    return f"{where} takes {now} of its own, usually {before}"


def _by_cpu(picture: Picture, question: Question, blamed: set[str]) -> list[Hypothesis]:
    """A workload that burns CPU as never before, though its requests look the same yet."""
    found = []
    for service in sorted({s.service for s in picture.snapshot.signal(Signal.CPU_CORES)} - blamed):
        busy = _busy(picture, service)
        if not busy:
            continue
        found.append(
            Hypothesis(
                cause="cpu_overload",
                object=picture.object_of(service),
                service=service,
                summary=f"{busy[0].statement}.",
                analyzer=NAME,
                prior=_PRIOR,
                evidence=tuple(busy),
                explains=_victims(picture, service, picture.graph.callers(service)),
                onset=question.window.start,
                signal=watched(picture, question, service),
                hint="scale",
            )
        )
    return found


def _busy(picture: Picture, service: str) -> list[Evidence]:
    """Return what sets a workload's CPU apart from its own past, if it lasts and is not little."""
    found = []
    for series in picture.snapshot.signal(Signal.CPU_CORES, service):
        times, values = clean(series.times, series.values)
        cut = picture.snapshot.window.start.timestamp()
        past, now = values[times < cut], values[times >= cut]
        if past.size < _HISTORY or not now.size:
            continue
        level, noise = median(past), max(spread(past), 0.05 * median(past), 1e-6)
        highest = max(float(np.quantile(past, 0.99)), level)
        high = median(now)
        if high - level > max(_BUSY * noise, _BUSY_CORES) and high > _BUSY_RATIO * highest:
            text = (
                f"CPU of {service} {quantity(high)} cores, usually {quantity(level)}, never above"
            )
            weight = min(STRONG + GOOD, 2 * math.log(high / highest))
            found.append(said(f"{text} {quantity(highest)}", weight, series.source))
    return found[:1]


def _passing_on(compared: Comparison) -> set[str]:
    """Services whose requests are odd too, though hardly any trouble starts there."""
    odd = {o.service for o in compared.oddities}
    return {s for s in odd if compared.origins.get(s, 0.0) < _LEAST_TRACES}


def _victims(picture: Picture, service: str, others: AbstractSet[str]) -> tuple[str, ...]:
    """Return the callers that suffer: by their symptoms, or because their requests are odd."""
    odd = others & picture.graph.above(service)
    return tuple(sorted((odd | set(picture.victims(service))) - {service}))
