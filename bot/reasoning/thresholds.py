"""How far each signal must move before it counts: what an SRE would look at twice."""

import math
from dataclasses import dataclass, replace

from bot.domain.snapshot import Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """A move counts from the largest of `floor` (unit), `ratio` of the usual, `sigmas` spreads.

    `lasts_s`: and when it was there that long, seconds.
    """

    floor: float
    ratio: float = 0.0
    sigmas: float = 5.0
    direction: int = 1
    lasts_s: float = 0.0


RED = frozenset({Signal.ERROR_RATIO, Signal.LATENCY_P50, Signal.LATENCY_P99})
"""What a service's users suffer, by its own measure."""

_LATENCY = Tolerance(floor=0.010, ratio=0.5, sigmas=6.0)
_RATE = Tolerance(floor=0.5, ratio=0.5, sigmas=6.0)
_ERRORS = Tolerance(floor=0.005, ratio=1.0, sigmas=6.0)
_SHARE = Tolerance(floor=0.15, ratio=0.3)

TOLERANCES: dict[str, Tolerance] = {
    Signal.ERROR_RATIO: _ERRORS,
    Signal.EDGE_ERROR_RATIO: _ERRORS,
    Signal.LATENCY_P50: Tolerance(floor=0.004, ratio=0.5, sigmas=6.0),
    Signal.LATENCY_P99: _LATENCY,
    Signal.EDGE_LATENCY_P99: _LATENCY,
    Signal.DB_QUERY_P99: _LATENCY,
    Signal.REQUEST_RATE: _RATE,
    Signal.EDGE_RATE: _RATE,
    Signal.DB_QUERY_RATE: _RATE,
    Signal.CPU_OF_LIMIT: _SHARE,
    Signal.CPU_THROTTLED: Tolerance(floor=0.1, ratio=0.5),
    Signal.MEMORY_OF_LIMIT: Tolerance(floor=0.1, ratio=0.15),
    Signal.POOL_OF_LIMIT: _SHARE,
    Signal.POOL_WAITERS: Tolerance(floor=1.0, ratio=1.0),
    Signal.CONNECTIONS_OF_LIMIT: _SHARE,
    Signal.QUEUE_DEPTH: Tolerance(floor=50.0, ratio=1.0),
    Signal.CACHE_HIT_RATIO: Tolerance(floor=0.1, direction=-1),
    Signal.EVICTIONS: Tolerance(floor=1.0, ratio=1.0),
    Signal.RESTARTS: Tolerance(floor=0.9),
    Signal.READY_PODS: Tolerance(floor=0.9, direction=-1),
    Signal.NODE_CPU: Tolerance(floor=0.15, ratio=0.25),
    Signal.NODE_MEMORY: Tolerance(floor=0.1, ratio=0.15),
    Signal.GC_TIME: Tolerance(floor=0.05, ratio=1.0),
    Signal.HEAP_OF_LIMIT: Tolerance(floor=0.15, ratio=0.15),
    Signal.THREADS_OF_LIMIT: _SHARE,
    Signal.FILES_OF_LIMIT: _SHARE,
    Signal.LOCK_WAITERS: Tolerance(floor=2.0, ratio=1.0),
    Signal.CONSUMERS: Tolerance(floor=0.9, direction=-1),
    Signal.PRODUCED_RATE: _RATE,
    Signal.CONSUMED_RATE: replace(_RATE, ratio=0.3, direction=-1),
}

RATE_OF: dict[str, str] = {
    Signal.ERROR_RATIO: Signal.REQUEST_RATE,
    Signal.LATENCY_P50: Signal.REQUEST_RATE,
    Signal.LATENCY_P99: Signal.REQUEST_RATE,
    Signal.EDGE_ERROR_RATIO: Signal.EDGE_RATE,
    Signal.EDGE_LATENCY_P99: Signal.EDGE_RATE,
    Signal.DB_QUERY_P99: Signal.DB_QUERY_RATE,
}
"""How many requests are behind a ratio or a quantile."""

_ERRORS_AT_LEAST = 3.0
_QUANTILE_NOISE = 5.0  # relative error of a p99 from n requests is about 5 / sqrt(n), heavy-tailed
_SLOW_AT_LEAST = 5.0  # requests in the tail: fewer are anybody's bad luck
_TAIL = 0.01  # of the requests are beyond a p99

FULL = 0.9  # of a limit: from here on requests wait
HOT_NODE = 0.85  # of a node's CPU: from here on neighbours feel each other


def for_sample(wanted: Tolerance, rate: float, window_s: float, signal: str) -> Tolerance:
    """Return the tolerance for a ratio or quantile of `rate` requests a second over `window_s`.

    Wider for fewer requests. And a single slow request lifts a p99 of few for as long as it is in
    the window, so there it must last until several must have been slow.
    """
    count = max(rate * window_s, 1.0)
    if signal in (Signal.ERROR_RATIO, Signal.EDGE_ERROR_RATIO):
        return replace(wanted, floor=max(wanted.floor, _ERRORS_AT_LEAST / count))
    wider = replace(wanted, ratio=wanted.ratio + _QUANTILE_NOISE / math.sqrt(count))
    if signal == Signal.LATENCY_P50:
        return wider
    windows = math.ceil(_SLOW_AT_LEAST / max(1.0, _TAIL * count))
    return replace(wider, lasts_s=(windows - 1) * window_s)


def tolerance_of(signal: str) -> Tolerance | None:
    """Return a signal's tolerance, None for one that is judged in another way."""
    return TOLERANCES.get(signal)
