"""When something fills up: by its trend, and with the daily traffic that is still to come."""

from dataclasses import dataclass

import numpy as np

from bot.domain.snapshot import Series
from bot.reasoning import series as statistics
from bot.reasoning.series import Floats

DAY_S = 86400.0
_STEP_S = 300.0
_HORIZON_S = DAY_S
_PEAK = 1.5  # times the present traffic: less is no peak


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """The traffic to come within a day, if it repeats yesterday's: how much more, and when."""

    factor: float  # of the present rate
    at: float  # epoch seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Full:
    """When a share of a limit reaches it."""

    at: float  # epoch seconds
    by_traffic: bool  # the growth follows the traffic, not the clock


def coming_peak(traffic: Series, now: float) -> Peak | None:
    """Return the peak of the next day, None without a day of history or without a peak."""
    times, values = statistics.clean(traffic.times, traffic.values)
    if times.size < statistics.LEAST or times[-1] - times[0] < 0.8 * DAY_S:
        return None
    present = statistics.median(values[times > times[-1] - 1800.0])
    ahead, rates = _yesterday(times, values, now)
    if present <= 0 or not rates.size:
        return None
    top = int(np.argmax(rates))
    factor = float(rates[top] / present)
    return Peak(factor=factor, at=float(ahead[top])) if factor >= _PEAK else None


def when_full(
    share: Series, traffic: Series | None, now: float, *, limit: float = 1.0
) -> Full | None:
    """Return when a growing share reaches `limit` within a day, None if it doesn't.

    Growth either follows the clock, or the requests served; whichever line fits the history better
    is continued, the requests as they came a day before.
    """
    times, values = statistics.clean(share.times, share.values)
    if times.size < statistics.LEAST:
        return None
    by_clock = statistics.trend(times.tolist(), values)
    if by_clock is None or by_clock.slope <= 0:
        return None
    if traffic is not None and (found := _by_requests(times, values, traffic, now, limit)):
        return found
    reached = by_clock.reaches(limit)
    if reached is None or reached > now + _HORIZON_S:
        return None
    return Full(at=max(reached, now), by_traffic=False)


def _by_requests(
    times: Floats, values: Floats, traffic: Series, now: float, limit: float
) -> Full | None:
    """Continue the line over served requests, if it fits better than the line over time."""
    rt, rv = statistics.clean(traffic.times, traffic.values)
    if rt.size < statistics.LEAST or rt[-1] - rt[0] < 0.8 * DAY_S:
        return None
    served = np.concatenate([[0.0], np.cumsum(np.diff(rt) * (rv[1:] + rv[:-1]) / 2)])
    inside = (times >= rt[0]) & (times <= rt[-1])
    if inside.sum() < statistics.LEAST:
        return None
    done = np.interp(times[inside], rt, served)
    line = statistics.trend(done.tolist(), values[inside])
    clock = statistics.trend(times[inside].tolist(), values[inside])
    if line is None or clock is None or line.slope <= 0 or line.steady <= clock.steady:
        return None
    ahead, rates = _yesterday(rt, rv, now)
    if not ahead.size:
        return None
    level = line.level + line.slope * np.cumsum(rates * _STEP_S)
    over = np.flatnonzero(level >= limit)
    return Full(at=float(ahead[over[0]]), by_traffic=True) if over.size else None


def _yesterday(times: Floats, values: Floats, now: float) -> tuple[Floats, Floats]:
    """Return the moments of the next day and the rates of a day before them."""
    ahead = now + np.arange(_STEP_S, _HORIZON_S, _STEP_S)
    back = ahead - DAY_S
    known = (back >= times[0]) & (back <= times[-1])
    return ahead[known], np.interp(back[known], times, values)
