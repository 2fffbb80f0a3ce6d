"""Functions over range vectors: rates with Prometheus' extrapolation, *_over_time."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from bot.sandbox.world.noise import Bools, Floats, Ints
from bot.sandbox.world.promql.values import FailedQuery, Vector, Windows

CELLS = 40_000_000


def prepared(windows: Windows) -> tuple[Floats, Bools, Floats, Floats]:
    """Return (count, any, first position, last position) of the samples per series and step."""
    has = ~np.isnan(windows.values)
    counts = np.concatenate([np.zeros((len(has), 1)), has.cumsum(axis=1)], axis=1)
    low, high = windows.low, np.maximum(windows.high, windows.low - 1)
    count = counts[:, high + 1] - counts[:, low]
    size = has.shape[1]
    places = np.arange(size)
    forward = np.where(has, places, size)
    nexts = np.minimum.accumulate(forward[:, ::-1], axis=1)[:, ::-1]
    prevs = np.maximum.accumulate(np.where(has, places, -1), axis=1)
    if not size:
        nothing = np.zeros((len(has), len(low)))
        return count, nothing > 0, nothing, nothing
    first = nexts[:, np.minimum(low, size - 1)]
    last = prevs[:, np.clip(high, 0, size - 1)]
    return count, count > 0, np.clip(first, 0, size - 1), np.clip(last, 0, size - 1)


def _take(windows: Windows, at: Floats) -> Floats:
    rows = np.arange(len(windows.values))[:, None]
    out: Floats = windows.values[rows, at.astype(int)]
    return out


def extrapolated(windows: Windows, *, counter: bool, per_second: bool) -> Vector:
    """Return rate, increase or delta. Source: Prometheus 2.42, functions.go, extrapolatedRate."""
    whole: Bools = ~np.any(np.isnan(windows.values), axis=1)
    values = np.zeros((len(whole), len(windows.low)))
    present = np.zeros(values.shape, dtype=bool)
    for rows, picked in ((whole, _all_samples), (~whole, _some_samples)):
        if rows.any():
            part = replace(windows, values=windows.values[rows])
            values[rows], present[rows] = _rate(part, picked(part), counter)
    if per_second:
        values = values / windows.range_s
    return _vector(windows, values, present)


Picked = tuple[Floats, Ints, Ints, Floats, Floats]  # count, first, last, value at first, at last


def _all_samples(windows: Windows) -> Picked:
    """Return what `_some_samples` does, for series without gaps: the same for all of them."""
    size = windows.values.shape[1]
    low, high = np.minimum(windows.low, size - 1), np.clip(windows.high, 0, size - 1)
    count = (windows.high - windows.low + 1).astype(float)[None, :]
    return count, low[None, :], high[None, :], windows.values[:, low], windows.values[:, high]


def _some_samples(windows: Windows) -> Picked:
    count, _, first, last = prepared(windows)
    a, b = first.astype(np.int64), last.astype(np.int64)
    return count, a, b, _take(windows, first), _take(windows, last)


def _rate(windows: Windows, picked: Picked, counter: bool) -> tuple[Floats, Bools]:
    count, first, last, v_first, v_last = picked
    enough: Bools = count >= 2
    change = v_last - v_first
    if counter:
        drops = _drops(windows)
        if drops.any():
            rows = np.arange(len(drops))[:, None]
            change = change + drops[rows, last] - drops[rows, first]
    t_first, t_last = windows.times[first], windows.times[last]
    span = np.where(enough, t_last - t_first, 1.0)
    average = span / np.maximum(count - 1.0, 1.0)
    to_start, to_end = t_first - windows.starts, windows.ends - t_last
    if counter:
        with np.errstate(divide="ignore", invalid="ignore"):
            zero = span * (v_first / change)
        use = (change > 0) & (v_first >= 0) & (zero < to_start)
        to_start = np.where(use, zero, to_start)
    limit = average * 1.1
    reach = span + np.where(to_start < limit, to_start, average / 2.0)
    reach = reach + np.where(to_end < limit, to_end, average / 2.0)
    return np.where(enough, change * (reach / span), 0.0), enough & np.ones(
        change.shape, dtype=bool
    )


def _drops(windows: Windows) -> Floats:
    """Return, per sample, how much was lost to counter resets up to it."""
    if not (np.diff(windows.values, axis=1) < 0).any() and not np.isnan(windows.values).any():
        return np.zeros((1, 1))
    filled = windows.values.copy()
    has = ~np.isnan(filled)
    places = np.maximum.accumulate(np.where(has, np.arange(filled.shape[1]), 0), axis=1)
    filled = np.nan_to_num(np.take_along_axis(filled, places, axis=1))
    lost = np.where(filled[:, 1:] < filled[:, :-1], filled[:, :-1], 0.0)
    lost = np.where(has[:, 1:], lost, 0.0)
    out: Floats = np.concatenate([np.zeros((len(filled), 1)), lost.cumsum(axis=1)], axis=1)
    return out


def instant_change(windows: Windows, *, per_second: bool) -> Vector:
    """Return irate or idelta: the last two samples only."""
    count, _, _, last = prepared(windows)
    enough = count >= 2
    if not enough.any():
        return _vector(windows, np.zeros(count.shape), enough)
    has = ~np.isnan(windows.values)
    prevs = np.maximum.accumulate(np.where(has, np.arange(has.shape[1]), 0), axis=1)
    rows = np.arange(len(has))[:, None]
    before = prevs[rows, np.maximum(last.astype(int) - 1, 0)]
    a, b = _take(windows, before), _take(windows, last)
    change = b - a
    if per_second:
        change = np.where(b < a, b, change)
        gap = windows.times[last.astype(int)] - windows.times[before]
        with np.errstate(divide="ignore", invalid="ignore"):
            change = change / gap
    return _vector(windows, np.where(enough, change, 0.0), enough)


def resets(windows: Windows, *, changes: bool) -> Vector:
    """Return how often a counter fell (or a value changed) in the range."""
    _, some, first, last = prepared(windows)
    values = windows.values
    has = ~np.isnan(values)
    places = np.maximum.accumulate(np.where(has, np.arange(values.shape[1]), 0), axis=1)
    filled = np.take_along_axis(values, places, axis=1)
    with np.errstate(invalid="ignore"):
        step = filled[:, 1:] != filled[:, :-1] if changes else filled[:, 1:] < filled[:, :-1]
    step = step & ~np.isnan(filled[:, :-1]) & has[:, 1:]
    sums = np.concatenate([np.zeros((len(values), 1)), step.cumsum(axis=1)], axis=1)
    rows = np.arange(len(values))[:, None]
    return _vector(windows, sums[rows, last.astype(int)] - sums[rows, first.astype(int)], some)


def over_time(windows: Windows, reduce: Callable[[Floats], Floats]) -> Vector:
    """Reduce the samples [series, steps, samples] of every range, NaN where there is none."""
    width = int(max(0, (windows.high - windows.low + 1).max(initial=0)))
    _, some, _, _ = prepared(windows)
    out = np.zeros(some.shape)
    if not width or not some.any():
        return _vector(windows, out, some)
    if len(windows.labels) * width > CELLS:
        raise FailedQuery("query processing would load too many samples into memory")
    chunk = max(1, CELLS // 8 // max(1, len(windows.labels) * width))
    for start in range(0, some.shape[1], chunk):
        part = slice(start, start + chunk)
        places = windows.low[part, None] + np.arange(width)[None, :]
        inside = places <= windows.high[part, None]
        places = np.clip(places, 0, windows.values.shape[1] - 1)
        taken = np.where(inside[None, :, :], windows.values[:, places], np.nan)
        out[:, part] = reduce(taken)
    return _vector(windows, np.where(some, out, 0.0), some)


def regression(windows: Windows, ahead_s: float | None) -> Vector:
    """Return deriv (None) or predict_linear: least squares over the range."""
    count, _, _, _ = prepared(windows)
    enough = count >= 2
    out = np.zeros(count.shape)
    for step in range(count.shape[1]):
        low, high = int(windows.low[step]), int(windows.high[step])
        if high <= low:
            continue
        out[:, step] = _line(windows, low, high, (float(windows.ends[step]), ahead_s))
    return _vector(windows, np.where(enough, out, 0.0), enough)


def _line(windows: Windows, low: int, high: int, at: tuple[float, float | None]) -> Floats:
    end, ahead = at
    y = windows.values[:, low : high + 1]
    has = ~np.isnan(y)
    t0 = end if ahead is not None else windows.times[low]
    x = np.where(has, windows.times[low : high + 1] - t0, 0.0)
    y = np.where(has, y, 0.0)
    n = np.maximum(has.sum(axis=1), 1)
    cov = (x * y).sum(axis=1) - x.sum(axis=1) * y.sum(axis=1) / n
    var = (x * x).sum(axis=1) - x.sum(axis=1) ** 2 / n
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = cov / var
    out: Floats = slope
    if ahead is not None:
        out = (y.sum(axis=1) / n - slope * x.sum(axis=1) / n) + slope * ahead
    return out


def _vector(windows: Windows, values: Floats, present: Bools) -> Vector:
    labels = [{k: v for k, v in row.items() if k != "__name__"} for row in windows.labels]
    return Vector(labels=labels, values=values, present=present)
