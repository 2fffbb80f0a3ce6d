"""The alerts that are there already: the shop's own rules, and burn rates over two windows.

The shop's: more than 2 % failed, or p99 above its objective, over two minutes, for two minutes.
Burn rates of a 99.9 % objective: 14.4 times over an hour and five minutes, 6 times over six hours
and half an hour. Source: Google, The Site Reliability Workbook, chapter 5.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bot.sandbox.silent.counting import BEFORE, STEP_S, WINDOW, Counted
from bot.sandbox.world.noise import Bools, Floats

FAILED, FOR_S = 0.02, 120.0
BURNS = ((3600.0, 300.0, 14.4), (21600.0, 1800.0, 6.0))
BUDGET = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An alert began to fire."""

    at: float
    service: str
    rule: str


class Alerting:
    """Evaluates the rules, day after day. `thresholds`: worst acceptable p99 by service, s."""

    def __init__(self, thresholds: Mapping[str, float]) -> None:
        self._thresholds = thresholds
        self._past: dict[str, tuple[Floats, Floats]] = {}

    def day(self, counted: Counted) -> list[Alert]:
        """Return the alerts that began to fire."""
        out: list[Alert] = []
        for row, (kind, service, _) in enumerate(counted.names):
            if kind != "service":
                continue
            n, x = np.nan_to_num(counted.requests[row]), np.nan_to_num(counted.failed[row])
            with np.errstate(invalid="ignore", divide="ignore"):
                failing = x / n > FAILED
                slow = counted.p99[row] > self._thresholds.get(service, np.inf)
            rules = (("failed", _held(failing)), ("p99", _held(slow)),
                     ("burn", self._burning(service, n, x)))  # fmt: skip
            for rule, firing in rules:
                starts = firing & ~np.concatenate([[False], firing[:-1]])
                starts[:BEFORE] = False
                out += [Alert(at=t, service=service, rule=rule) for t in counted.times[starts]]
        return sorted(out, key=lambda a: a.at)

    def _burning(self, service: str, n: Floats, x: Floats) -> Bools:
        """Windows overlap WINDOW times, which leaves ratios as they are."""
        long = int(BURNS[-1][0] / STEP_S)
        empty = (np.zeros(long), np.zeros(long))
        past = self._past.get(service, empty)
        n, x = (np.concatenate([p, v[BEFORE:]]) for p, v in zip(past, (n, x), strict=True))
        self._past[service] = (n[-long:], x[-long:])
        burning = np.zeros(len(n), dtype=bool)
        for slow_s, fast_s, times in BURNS:
            both = [_ratio(n, x, s) > times * BUDGET for s in (slow_s, fast_s)]
            burning |= both[0] & both[1]
        return burning[long - BEFORE :]


def _ratio(n: Floats, x: Floats, seconds: float) -> Floats:
    steps = int(seconds / STEP_S)
    sums = []
    for counts in (x, n):
        total = np.concatenate([np.zeros(steps), np.cumsum(counts)])
        sums.append(total[steps:] - total[:-steps])
    enough = sums[1] / WINDOW >= 100.0
    out: Floats = np.where(enough, sums[0] / np.maximum(sums[1], 1.0), 0.0)
    return out


def _held(true: Bools) -> Bools:
    """Return where something was true for as long as the rule wants."""
    steps = int(FOR_S / STEP_S)
    out = true.copy()
    for back in range(1, steps + 1):
        out[back:] &= true[:-back]
        out[:back] = False
    return out
