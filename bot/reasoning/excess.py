"""How far each service's latency and errors are above their own baseline, and since when.

The baseline may be days or minutes long; its level is the median, and its width the largest of MAD
and upper quantiles, so that skewed series don't alarm by their usual tail. The window of the
trouble is found in the series that was complained of (an alarm comes late), by the largest sum of
deviations (Page's CUSUM, Biometrika 1954, as a maximal interval).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from bot.domain.snapshot import Series, Signal
from bot.reasoning.series import LEAST, Floats, clean, median, spread, usual

LATENCY, ERRORS, TRAFFIC = "latency", "errors", "traffic"
MEAN_LATENCY = "latency_mean"  # s
FAMILIES: Mapping[str, str] = {
    MEAN_LATENCY: LATENCY,
    Signal.LATENCY_P99: LATENCY,
    Signal.LATENCY_P50: LATENCY,
    Signal.DB_QUERY_P99: LATENCY,
    Signal.EDGE_LATENCY_P99: LATENCY,
    Signal.ERROR_RATIO: ERRORS,
    Signal.EDGE_ERROR_RATIO: ERRORS,
    Signal.REQUEST_RATE: TRAFFIC,
    Signal.EDGE_RATE: TRAFFIC,
}
"""What each signal tells of, the one that adds up along calls (the mean) first."""

ODD = 3.0  # widths above the level at which a series counts as out of the ordinary
SURE = 5.0  # sum of deviations, in widths beyond DRIFT, that one window of trouble must reach
DRIFT = 1.5
CAP = 12.0  # one absurd sample is not proof
_TAILS = ((0.95, 1.645), (0.99, 2.326))  # quantile, and where a normal distribution has it
_PART = 48  # samples of a history that are looked at together
_NARROWEST = {LATENCY: 0.03, ERRORS: 0.0, TRAFFIC: 0.05}  # of the level
_FLOOR = {LATENCY: 1e-4, ERRORS: 0.002, TRAFFIC: 0.01}  # s, ratio, 1/s
_GRAIN = {LATENCY: 0.08, ERRORS: 0.0, TRAFFIC: 0.1}  # smaller moves don't matter, of the level
_EDGE = frozenset({Signal.EDGE_LATENCY_P99, Signal.EDGE_ERROR_RATIO, Signal.EDGE_RATE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """A series' usual level and how wide it swings upwards; `calm` samples are behind it."""

    level: float
    width: float
    calm: int

    def scores(self, values: Floats) -> Floats:
        """Return how many widths each value is above the level, capped."""
        return np.clip((values - self.level) / self.width, -CAP, CAP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """When the trouble was, epoch seconds, both ends included."""

    start: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Excess:
    """How much worse than usual a service was in a span. `score` is in widths of its baseline."""

    service: str
    series: Series
    level: float
    now: float
    score: float
    onset: float | None  # epoch second of its first odd sample, None if there is none

    @property
    def size(self) -> float:
        """How much above the level, never negative."""
        return max(0.0, self.now - self.level)

    @property
    def odd(self) -> bool:
        """Whether it is out of the ordinary."""
        return self.score >= ODD


def subject_of(series: Series) -> str:
    """Return whom a series tells of: the callee, where its caller measured."""
    return series.labels.get("peer", "") if series.signal in _EDGE else series.service


def by_service(every: Iterable[Series], family: str) -> dict[str, Series]:
    """Return one series per service: its own before its callers' view, the mean before the rest."""
    order = {signal: i for i, signal in enumerate(FAMILIES)}
    found: dict[str, Series] = {}
    for one in every:
        if FAMILIES.get(one.signal) != family or set(one.labels) - {"peer"}:
            continue
        name, rank = subject_of(one), order[one.signal]
        if name and (name not in found or rank < order[found[name].signal]):
            found[name] = one
    return found


def baseline_of(times: Floats, values: Floats, before: float, family: str) -> Baseline | None:
    """Return the baseline of what lies before a moment; of the calm third if that is too short."""
    calm = values[times < before]
    if calm.size < LEAST:
        if values.size < LEAST:
            return None
        level, width = usual(values)
        return Baseline(level=level, width=_at_least(width, level, family), calm=calm.size)
    level = median(calm)
    width = max(spread(calm), _tail(calm, level))
    return Baseline(level=level, width=_at_least(width, level, family), calm=int(calm.size))


def trouble(series: Series, since: float, least: float = SURE) -> Span | None:
    """Return when a series was in trouble after `since`; None if nothing reaches `least`.

    Gaps, short and constant series are no trouble.
    """
    family = FAMILIES.get(series.signal, LATENCY)
    t, v = clean(series.times, series.values)
    base = baseline_of(t, v, since, family)
    recent = t >= since
    if base is None or not recent.any():
        return None
    t, v = t[recent], v[recent]
    sums = np.concatenate(([0.0], np.cumsum(base.scores(v) - DRIFT)))
    gains = sums - np.minimum.accumulate(sums)
    end = int(np.argmax(gains))
    if gains[end] < least:
        return None
    start = int(np.argmin(sums[: end + 1]))
    inside = v[start:end]
    if float(inside.mean()) - base.level < max(_GRAIN[family] * abs(base.level), _FLOOR[family]):
        return None
    return Span(start=float(t[start]), end=float(t[end - 1]))


def excess(service: str, series: Series, span: Span, since: float) -> Excess | None:
    """Return how much worse than usual a service was in the span (a sample earlier counts too)."""
    family = FAMILIES.get(series.signal, LATENCY)
    t, v = clean(series.times, series.values)
    base = baseline_of(t, v, min(since, span.start), family)
    if base is None:
        return None
    step = min((b - a for a, b in pairwise(t[-50:].tolist())), default=0.0)
    inside = (t >= span.start - 0.5 * step) & (t <= span.end + 0.5 * step)
    if not inside.any():
        return None
    earlier = _before(t, v, since, span.start - 1.5 * step)
    if earlier.size and base.scores(earlier).mean() >= ODD:
        base = replace(base, level=median(earlier))  # it was so before the trouble
    scores = base.scores(v)
    expected = max(1.0, (span.end - span.start) / step + 1.0) if step > 0 else 1.0
    near = (t >= max(since, span.start - 2.5 * step)) & (t <= span.end) & (scores >= ODD)
    return Excess(
        service=service,
        series=series,
        level=base.level,
        now=float(v[inside].mean()),
        score=float(scores[inside].mean() * min(1.4, inside.sum() ** 0.25))
        * min(1.0, float(inside.sum()) / expected),
        onset=float(t[near][0]) if near.any() else None,
    )


def rate(series: Series | None, span: Span) -> float:
    """Return the usual level of a rate before and through a span, 0 if it is unknown."""
    if series is None:
        return 0.0
    t, v = clean(series.times, series.values)
    return float(v[t <= span.end].mean()) if (t <= span.end).any() else 0.0


def _tail(calm: Floats, level: float) -> float:
    """How wide the upper tail usually is: of most days' parts, as old incidents are in some."""
    parts = np.array_split(calm, max(1, calm.size // _PART))
    widths = [max((float(np.quantile(p, q)) - level) / z for q, z in _TAILS) for p in parts]
    return median(widths)


def _before(t: Floats, v: Floats, since: float, until: float) -> Floats:
    """What was measured in the window, clearly before the trouble."""
    return v[(t >= since) & (t < until)]


def _at_least(width: float, level: float, family: str) -> float:
    return max(width, _NARROWEST[family] * abs(level), _FLOOR[family])
