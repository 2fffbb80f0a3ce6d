"""New pods of a workload against its old ones, side by side: what finds a bad release."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.domain.diagnosis import Evidence
from bot.domain.snapshot import Change, ChangeKind, Series, Signal
from bot.reasoning.claims import STRONG, said
from bot.reasoning.picture import Picture
from bot.reasoning.series import between, median
from bot.reasoning.wording import listed, noun, quantity

COMPARED = (Signal.ERROR_RATIO, Signal.LATENCY_P99)
_SLACK = timedelta(minutes=2)  # a pod's first sample comes a little before or after its rollout
_HASH = re.compile(r"-([a-z0-9]{8,10})-[a-z0-9]{5}$")
_LEAST = 2  # samples of each side


def by_pods(change: Change, picture: Picture, since: datetime) -> tuple[Evidence, ...]:
    """Compare the pods that a rollout started with those it has not replaced yet.

    Both serve the same traffic at the same time, so what only the new ones do is the release.
    """
    if change.kind not in (ChangeKind.DEPLOY, ChangeKind.CONFIG):
        return ()
    for signal in COMPARED:
        sign = picture.sign(signal, change.service)
        series = picture.split(signal, change.service, "pod")
        sides = _sides(picture, series, change.at) if sign is not None else None
        if sign is None or sides is None:
            continue
        levels = [_level(group, sides, since) for group in sides]
        if levels[0] is not None and levels[1] is not None:
            bad = sign.shift.usual + sign.shift.tolerance
            return _verdict(change, signal, sides, (levels[0], levels[1]), bad)
    return ()


_Sides = tuple[Mapping[str, Series], Mapping[str, Series]]


def _sides(picture: Picture, series: Mapping[str, Series], at: datetime) -> _Sides | None:
    """Return (new, old) pods: of another template, and begun after the rollout or before it."""
    begun = {p: s.times[0] for p, s in series.items() if s.times}
    start = (at - _SLACK).timestamp()
    new = {p: series[p] for p, t in begun.items() if t >= start}
    old = {p: series[p] for p, t in begun.items() if t < start}
    fresh = {template_of(picture, p) for p in new} - {""}
    stale = {template_of(picture, p) for p in old} - {""}
    if not new or not old or len(fresh) != 1 or fresh & stale:
        return None
    return new, old


def template_of(picture: Picture, pod: str) -> str:
    """Return the hash of a pod's template: by its label, else as its name carries it."""
    body = picture.snapshot.find("Pod", pod)
    label = body.labels.get("pod-template-hash", "") if body else ""
    found = _HASH.search(pod)
    return label or (found[1] if found else "")


def _level(group: Mapping[str, Series], sides: _Sides, since: datetime) -> float | None:
    """Return the median over a side's pods while both sides had samples."""
    start = max(since.timestamp(), max(min(s.times[0] for s in side.values()) for side in sides))
    end = min(max(s.times[-1] for s in side.values()) for side in sides) + 1
    levels = [v for s in group.values() if (v := between(s.times, s.values, start, end)).size]
    counted = [median(v) for v in levels if v.size >= _LEAST]
    return median(counted) if counted else None


def _verdict(
    change: Change, signal: Signal, sides: _Sides, levels: tuple[float, float], bad: float
) -> tuple[Evidence, ...]:
    (new, old), (fresh, stale) = sides, levels
    some = next(iter(new.values()))
    words = (
        f"{noun(signal)} of the {len(new)} new pods of {change.service} "
        f"({listed(sorted(new), most=2)}) {quantity(fresh, some.unit, signal)}, "
        f"of its {len(old)} old pods {quantity(stale, some.unit, signal)}, at the same time"
    )
    if fresh > bad >= stale:
        return (said(words, STRONG, some.source),)
    if min(fresh, stale) > bad:
        return (said(f"{words}: the old pods suffer too", -STRONG, some.source),)
    return ()
