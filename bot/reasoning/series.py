"""Robust statistics of time series: usual levels, when they were left, trends, and odd ones out.

Everything works on medians and the MAD (scaled by 1.4826 to a standard deviation), so that the
trouble itself does not become the baseline; gaps (NaN) are skipped.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

LEAST = 6  # fewer samples say nothing
BLOCKS = 12
TO_SIGMA = 1.4826  # MAD → standard deviation of a normal distribution
GAP = 3  # samples below the tolerance that end a run
MOST = 0.6  # of a run's samples are beyond the tolerance, else it comes and goes
_Q95 = 1.645  # standard deviations of a normal distribution
HUGE = 1e150  # beyond it squares overflow: no measurement is that large


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A series left its usual level. Times are epoch seconds; `until` is None while it lasts.

    `lasted_s`: from its first sample beyond the tolerance to the last, 0 if it came and went.
    """

    usual: float
    spread: float
    now: float
    worst: float
    onset: float
    until: float | None
    tolerance: float
    lasted_s: float = 0.0

    @property
    def size(self) -> float:
        """How many tolerances the present (or worst past) level is away from the usual one."""
        level = self.now if self.until is None else self.worst
        return abs(level - self.usual) / self.tolerance if self.tolerance > 0 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """A straight line through a series. `steady` in [0, 1]: the line's share of all movement."""

    slope: float  # per second
    level: float  # of the line, at the end
    end: float  # epoch seconds
    steady: float

    def reaches(self, limit: float) -> float | None:
        """Return the epoch second at which the line reaches `limit`, None if it moves away."""
        distance = limit - self.level
        if distance == 0:
            return self.end
        if self.slope == 0 or (distance > 0) != (self.slope > 0):
            return None
        seconds = distance / self.slope
        return self.end + seconds if seconds < 10 * 366 * 86400.0 else None


def clean(times: Sequence[float], values: ArrayLike) -> tuple[Floats, Floats]:
    """Return times and values without gaps, ascending; absurdly large values count as gaps."""
    t, v = np.asarray(times, dtype=float), np.asarray(values, dtype=float)
    size = min(t.size, v.size)
    t, v = t[:size], v[:size]
    kept = np.isfinite(t) & np.isfinite(v) & (np.abs(v) < HUGE)
    t, v = t[kept], v[kept]
    if t.size > 1 and np.any(np.diff(t) < 0):
        order = np.argsort(t, kind="stable")
        t, v = t[order], v[order]
    return t, v


def median(values: ArrayLike) -> float:
    """Return the median of the finite values, 0 if there are none."""
    v = _ascending(values)
    return _middle(v) if v else 0.0


def spread(values: ArrayLike) -> float:
    """Return the MAD of the finite values, scaled to a standard deviation; 0 if there are none."""
    v = _ascending(values)
    if not v:
        return 0.0
    middle = _middle(v)
    return TO_SIGMA * _middle(sorted(abs(one - middle) for one in v))


def usual(values: Floats, direction: int = 1) -> tuple[float, float]:
    """Return (level, spread) of the calm part: the third of the blocks farthest from the trouble.

    `direction` 1: trouble is up, so the lowest blocks are calm; -1: the highest. Trouble that
    fills up to two thirds of the series does not move the result. `values` without gaps, not empty.
    """
    blocks = [sorted(b) for b in _blocks(values.tolist())]
    blocks.sort(key=lambda block: direction * _middle(block))
    calm = blocks[: max(1, (len(blocks) + 2) // 3)]
    every = sorted(chain.from_iterable(calm))
    level = _middle(every)
    tails = [_high(sorted(direction * (one - level) for one in block)) for block in calm]
    return level, max(spread(every), median(tails) / _Q95)


# Lists, not arrays, in what follows: a series has about a hundred samples and a block ten, for
# which an array's median takes twenty times as long as sorting them.


def _ascending(values: ArrayLike) -> list[float]:
    found = np.asarray(values, dtype=float).tolist()
    return sorted(one for one in found if abs(one) < HUGE)


def _middle(ascending: Sequence[float]) -> float:
    """Return the median of sorted values, at least one."""
    half = len(ascending) // 2
    if len(ascending) % 2:
        return ascending[half]
    return (ascending[half - 1] + ascending[half]) / 2


def _high(ascending: Sequence[float]) -> float:
    """Return the 95th percentile of sorted values, between two of them by a line."""
    place = (len(ascending) - 1) * 0.95
    below = int(place)
    low, high = ascending[below], ascending[min(below + 1, len(ascending) - 1)]
    part = place - below
    return high - (high - low) * (1 - part) if part >= 0.5 else low + (high - low) * part


def _blocks(values: list[float]) -> Iterator[list[float]]:
    """Yield the values in up to BLOCKS parts, in order, of sizes that differ by one at most."""
    count = min(BLOCKS, max(1, len(values) // 3))
    size, longer = divmod(len(values), count)
    start = 0
    for place in range(count):
        end = start + size + (place < longer)
        if end > start:
            yield values[start:end]
        start = end


def shift(
    times: Sequence[float],
    values: ArrayLike,
    *,
    floor: float,
    ratio: float = 0.5,
    sigmas: float = 5.0,
    direction: int = 1,
) -> Shift | None:
    """Return how a series left its usual level last, None if it never did.

    A move counts from the largest of `floor`, `ratio` of the usual level and `sigmas` spreads, for
    two samples at least. The onset is the change point by Page's CUSUM (Biometrika 1954), traced
    back from the first excess to where the sum started to grow.
    """
    t, v = clean(times, values)
    if t.size < LEAST:
        return None
    level, noise = usual(v, direction)
    tolerance = max(floor, ratio * abs(level), sigmas * noise, 1e-12)
    excess = direction * (v - level) > tolerance
    run = last_run(excess)
    if run is None:
        return None
    first, last = run
    ongoing = v.size - 1 - last < GAP and int(excess[-GAP - 2 :].sum()) >= 2
    inside = v[first : last + 1]
    recent = v[max(first, v.size - GAP - 2) :]
    return Shift(
        usual=level,
        spread=noise,
        now=float(np.median(recent[excess[-recent.size :]])) if ongoing else float(v[-1]),
        worst=float(inside.max() if direction > 0 else inside.min()),
        onset=float(t[_change_point(direction * (v - level) / tolerance, first)]),
        until=None if ongoing else float(t[last]),
        tolerance=tolerance,
        lasted_s=float(t[last] - t[first]) if excess[first : last + 1].mean() >= MOST else 0.0,
    )


def last_run(excess: NDArray[np.bool_]) -> tuple[int, int] | None:
    """Return first and last index of the last run of two or more; short gaps join runs."""
    hits = np.flatnonzero(excess)
    if hits.size < 2:
        return None
    starts = np.flatnonzero(np.diff(hits) > GAP) + 1
    for group in reversed(np.split(hits, starts)):
        if group.size >= 2:
            return int(group[0]), int(group[-1])
    return None


def _change_point(moves: Floats, first: int) -> int:
    """Index of the change: the last minimum of the CUSUM of (move - 1/2 tolerance) to `first`."""
    sums = np.cumsum(moves[: first + 1] - 0.5)
    back = sums[max(0, first - 40) :]
    lowest = back.size - 1 - int(np.argmin(back[::-1]))
    return min(first, max(0, first - 40) + lowest + 1)


def trend(times: Sequence[float], values: ArrayLike, *, most: int = 120) -> Trend | None:
    """Return the robust line through a series, None if short. Source: Theil 1950, Sen 1968."""
    t, v = clean(times, values)
    if t.size < LEAST or t[-1] <= t[0]:
        return None
    if t.size > most:
        picked = np.linspace(0, t.size - 1, most).astype(int)
        t, v = t[picked], v[picked]
    half = t.size // 2
    gaps = t[-half:] - t[:half]
    slope = float(np.median((v[-half:] - v[:half])[gaps > 0] / gaps[gaps > 0]))
    line = slope * (t - t[-1])
    level = float(np.median(v - line))
    moved = abs(slope) * (t[-1] - t[0])
    rest = spread(v - line)
    steady = moved / (moved + 2 * rest) if moved > 0 else 0.0
    return Trend(slope=slope, level=level, end=float(t[-1]), steady=steady)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bend:
    """A series that was level until `start` (epoch seconds) and then follows a line."""

    start: float
    trend: Trend


def bend(times: Floats, values: Floats) -> Bend | None:
    """Return the best fit of "level, then a line" by least squares, None if it is too short.

    `trend.steady` is the share of the variance it explains. Source: Hinkley 1971, two-phase
    regression.
    """
    if times.size < 4 or times[-1] <= times[0]:
        return None
    t = (times - times[0]) / (times[-1] - times[0])
    total = float(((values - values.mean()) ** 2).sum())
    knees = t[:-2]
    ramps = np.maximum(0.0, t[None, :] - knees[:, None])
    ramps = ramps - ramps.mean(axis=1, keepdims=True)
    slopes = (ramps * (values - values.mean())).sum(axis=1) / (ramps**2).sum(axis=1)
    rest = ((values - values.mean() - slopes[:, None] * ramps) ** 2).sum(axis=1)
    best = int(np.argmin(rest))
    slope = float(slopes[best]) / float(times[-1] - times[0])
    line = Trend(
        slope=slope,
        level=float(values.mean() + slopes[best] * ramps[best, -1]),
        end=float(times[-1]),
        steady=max(0.0, 1.0 - float(rest[best]) / total) if total > 0 else 0.0,
    )
    return Bend(start=float(times[best]), trend=line)


def odd_one_out(levels: Mapping[str, float], *, floor: float, ratio: float = 1.0) -> str | None:
    """Return the one whose level is far above all its peers', None if none or several are.

    Far: beyond the largest of `floor`, `ratio` of the peers' median, and four times their spread.
    """
    if len(levels) < 2:
        return None
    ordered = sorted(levels, key=lambda name: (levels[name], name))
    top, peers = ordered[-1], [levels[name] for name in ordered[:-1]]
    level = median(peers)
    far = max(floor, ratio * abs(level), 4 * spread(peers))
    return top if levels[top] - max(peers) > 0.5 * far and levels[top] - level > far else None


def between(times: Sequence[float], values: ArrayLike, start: float, end: float) -> Floats:
    """Return the finite values with start <= time < end."""
    t, v = clean(times, values)
    return v[(t >= start) & (t < end)]
