"""How a template's count changed against the equally long window before: new, more, fewer, gone."""

import math
from dataclasses import dataclass
from enum import StrEnum

_SIGMAS = 3.0
_FACTOR = 2.0


class Trend(StrEnum):
    """What became of a template."""

    NEW = "new"
    MORE = "more"
    SAME = "same"
    FEWER = "fewer"
    GONE = "gone"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A template's trend, how many times as frequent it is, and how sure that is, in sigmas."""

    trend: Trend
    ratio: float  # of the counts, each with half a line added
    sigmas: float


def change(count: int, before: int | None) -> Change:
    """Return how a count changed. Two Poisson counts, compared by the square-root transform.

    Source: Anscombe 1948: 2·sqrt(n + 3/8) has a variance of one, so their difference has two.
    """
    if before is None:
        return Change(trend=Trend.UNKNOWN, ratio=1.0, sigmas=0.0)
    ratio = (count + 0.5) / (before + 0.5)
    sigmas = 2.0 * (math.sqrt(count + 0.375) - math.sqrt(before + 0.375)) / math.sqrt(2.0)
    return Change(trend=_trend(count, before, ratio, sigmas), ratio=ratio, sigmas=sigmas)


def _trend(count: int, before: int, ratio: float, sigmas: float) -> Trend:
    if not before:
        return Trend.NEW if count else Trend.SAME
    if not count:
        return Trend.GONE
    if sigmas >= _SIGMAS and ratio >= _FACTOR:
        return Trend.MORE
    if sigmas <= -_SIGMAS and ratio <= 1.0 / _FACTOR:
        return Trend.FEWER
    return Trend.SAME
