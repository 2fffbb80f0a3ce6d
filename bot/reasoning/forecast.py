"""When something fills up: by its trend, and with the daily cycle that is still to come."""

from dataclasses import dataclass

import numpy as np

from bot.domain.snapshot import Series
from bot.reasoning import series as statistics
from bot.reasoning.series import Floats

DAY_S = 86400.0
_STEP_S = 300.0
_HORIZON_S = DAY_S
_NOW_S = 1800.0  # what counts as the present
_PEAK = 1.5  # times the present traffic: less is no peak


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """The traffic to come within a day, if it repeats yesterday's: how much more, and when."""

    factor: float  # of the present rate
    at: float  # epoch seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """How much a series grew, beyond its daily cycle where a day of it is known."""

    amount: float  # in the series' unit
    over_s: float  # within this time
    steady: bool


def growth(one: Series) -> Growth | None:
    """Return how much a series grew: against the same hour a day ago, else along its trend."""
    times, values = statistics.clean(one.times, one.values)
    trend = statistics.trend(one.times, one.values)
    if trend is None:
        return None
    drift = _drift(times, values)
    if drift is not None:
        return Growth(amount=drift, over_s=DAY_S, steady=True)
    length = float(times[-1] - times[0])
    return Growth(amount=trend.slope * length, over_s=length, steady=trend.steady > 0.5)


def coming_peak(traffic: Series, now: float) -> Peak | None:
    """Return the peak of the next day, None without a day of history or without a peak."""
    times, values = statistics.clean(traffic.times, traffic.values)
    if times.size < statistics.LEAST or times[-1] - times[0] < 0.8 * DAY_S:
        return None
    present = statistics.median(values[times > times[-1] - _NOW_S])
    ahead, rates = _yesterday(times, values, now)
    if present <= 0 or not rates.size:
        return None
    top = int(np.argmax(rates))
    factor = float(rates[top] / present)
    return Peak(factor=factor, at=float(ahead[top])) if factor >= _PEAK else None


def when_full(share: Series, now: float, *, limit: float = 1.0) -> float | None:
    """Return the epoch second at which a share reaches `limit` within a day, None if it doesn't.

    With more than a day of history the next day repeats the last one plus its drift (the seasonal
    naive method with drift: Hyndman and Athanasopoulos, Forecasting, 5.2); else the trend goes on.
    """
    times, values = statistics.clean(share.times, share.values)
    if times.size < statistics.LEAST:
        return None
    drift = _drift(times, values)
    if drift is None:
        trend = statistics.trend(share.times, share.values)
        reached = trend.reaches(limit) if trend is not None and trend.slope > 0 else None
        return max(reached, now) if reached is not None and reached < now + _HORIZON_S else None
    ahead, before = _yesterday(times, values, now)
    over = np.flatnonzero(before + drift >= limit)
    return float(ahead[over[0]]) if over.size else None


def _drift(times: Floats, values: Floats) -> float | None:
    """Return how much higher the present is than the same hour a day ago, if that is known."""
    if times.size < statistics.LEAST or times[-1] - times[0] < DAY_S + _NOW_S:
        return None
    present = values[times > times[-1] - _NOW_S]
    end = times[-1] - DAY_S
    past = values[(times > end - _NOW_S) & (times <= end)]
    if not present.size or not past.size:
        return None
    return statistics.median(present) - statistics.median(past)


def _yesterday(times: Floats, values: Floats, now: float) -> tuple[Floats, Floats]:
    """Return the moments of the next day, and the values a day before each."""
    ahead = now + np.arange(_STEP_S, _HORIZON_S, _STEP_S)
    back = ahead - DAY_S
    known = (back >= times[0]) & (back <= times[-1])
    return ahead[known], np.interp(back[known], times, values)
