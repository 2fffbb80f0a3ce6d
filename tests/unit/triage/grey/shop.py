"""A small company as its metrics show it: steady, noisy, and ill where a test wants it."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from bot.triage.grey.streams import LAGS_S, Kind, Look, Stream
from bot.triage.grey.watcher import Watcher

START = 1_789_948_800.0  # a Monday, 00:00 UTC
DAY = 86400.0
STEP_S = 30.0
PODS = ("web-7d9f-a", "web-7d9f-b", "web-7d9f-c", "web-7d9f-d")
STREAMS = (
    Stream(kind=Kind.CALL, service="front", other="web"),
    Stream(kind=Kind.CALL, service="jobs", other="web"),
    Stream(kind=Kind.CALL, service="web", other="store"),
    *(Stream(kind=Kind.POD, service="web", other=pod) for pod in PODS),
    Stream(kind=Kind.SERVICE, service="front"),
    Stream(kind=Kind.SERVICE, service="store"),
    Stream(kind=Kind.SERVICE, service="web"),
)
Ill = Callable[[Stream, float], float]


def never(_stream: Stream, _at: float) -> float:
    return 0.0


@dataclass
class Shop:
    """`failing` gives the share of a stream's requests that fail beyond the usual 0.01 %,
    `slower` what is added to the logarithm of its p99, `busier` the factor on its requests."""

    failing: Ill = never
    slower: Ill = never
    busier: Callable[[float], float] = lambda at: 1.0
    per_step: float = 200.0  # requests of a service in 30 s
    streams: tuple[Stream, ...] = STREAMS
    seed: int = 1
    _steps: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)

    def looks(self, start: float, seconds: float) -> Iterator[Look]:
        """Yield a look each 30 s; the first window is of the steps before `start`."""
        random = np.random.default_rng([self.seed, int(start)])
        back = 4 + round(LAGS_S[-1] / STEP_S)
        moments = start + STEP_S * np.arange(-back + 1, round(seconds / STEP_S) + 1)
        share = np.array([0.25 if s.kind is Kind.POD else 1.0 for s in self.streams])
        busy = np.array([self.busier(t) for t in moments])
        n = random.poisson(self.per_step * share[:, None] * busy[None, :])
        bad = np.array([[self.failing(s, t) for t in moments] for s in self.streams])
        x = random.binomial(n, 1e-4 + bad)
        slow = np.array([[self.slower(s, t) for t in moments] for s in self.streams])
        p99 = 0.2 * np.exp(random.normal(0.0, 0.08, n.shape) + slow)
        sums = [np.cumsum(v, axis=1) for v in (n, x)]
        lags = np.array([round(lag / STEP_S) for lag in LAGS_S])
        for i in range(back - 1, len(moments)):
            at = i - lags
            requests, failed = (s[:, at] - np.where(at >= 4, s[:, at - 4], 0) for s in sums)
            yield Look(
                at=float(moments[i]), streams=self.streams, requests=requests.astype(float),
                failed=failed.astype(float), p99=p99[:, at],
            )  # fmt: skip


@cache
def _taught() -> Watcher:
    watcher = Watcher("prod")
    for look in Shop().looks(START, 1.2 * DAY):
        if look.at % 120 == 0:
            watcher.learn(look)
    return watcher


def taught() -> Watcher:
    """Return a watcher that knows what is usual; its next look is at START + 1.2 days."""
    return deepcopy(_taught())


NEXT = START + 1.2 * DAY
