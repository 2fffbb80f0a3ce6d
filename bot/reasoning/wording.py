"""How numbers, times and answers read: plain words, units, and a comparison."""

from collections.abc import Sequence
from datetime import datetime

from bot.domain.diagnosis import Hypothesis, Ranked, RuledOut, Status
from bot.domain.snapshot import BlindSpot, Signal

NOUNS = {
    Signal.REQUEST_RATE: "requests",
    Signal.ERROR_RATIO: "errors",
    Signal.LATENCY_P50: "p50",
    Signal.LATENCY_P99: "p99",
    Signal.CPU_CORES: "CPU",
    Signal.CPU_OF_LIMIT: "CPU of its limit",
    Signal.CPU_THROTTLED: "CPU throttling",
    Signal.MEMORY_BYTES: "memory",
    Signal.MEMORY_OF_LIMIT: "memory of its limit",
    Signal.MEMORY_FRAGMENTATION: "memory fragmentation",
    Signal.EVICTIONS: "evictions",
    Signal.CACHE_HIT_RATIO: "cache hits",
    Signal.RESTARTS: "restarts",
    Signal.READY_PODS: "ready pods",
    Signal.DESIRED_PODS: "desired pods",
    Signal.POOL_OF_LIMIT: "connections of the pool",
    Signal.POOL_WAITERS: "callers waiting for the pool",
    Signal.CONNECTIONS_OF_LIMIT: "connections of the server's limit",
    Signal.QUEUE_DEPTH: "queued messages",
    Signal.DISK_OF_LIMIT: "disk used",
    Signal.CERTIFICATE_EXPIRES_IN: "certificate's remaining time",
    Signal.NODE_CPU: "node CPU",
    Signal.NODE_MEMORY: "node memory",
    Signal.DB_QUERY_P99: "query p99",
    Signal.DB_QUERY_RATE: "queries",
    Signal.EDGE_RATE: "calls",
    Signal.EDGE_ERROR_RATIO: "errors of calls",
    Signal.EDGE_LATENCY_P99: "p99 of calls",
    Signal.GC_TIME: "time in garbage collection",
    Signal.HEAP_OF_LIMIT: "heap of its limit",
    Signal.THREADS_OF_LIMIT: "busy workers of the limit",
    Signal.FILES_OF_LIMIT: "open files of the limit",
    Signal.LOCK_WAITERS: "sessions waiting for a lock",
    Signal.CONSUMERS: "consumers",
    Signal.PRODUCED_RATE: "messages in",
    Signal.CONSUMED_RATE: "messages out",
    Signal.QUOTA_OF_LIMIT: "quota used",
    Signal.PACKETS_IN: "packets in",
    Signal.PACKETS_OUT: "packets out",
    Signal.TCP_RETRANSMITS: "TCP segments sent again",
}
_RATIOS = frozenset({
    Signal.ERROR_RATIO, Signal.CPU_OF_LIMIT, Signal.CPU_THROTTLED, Signal.MEMORY_OF_LIMIT,
    Signal.CACHE_HIT_RATIO, Signal.POOL_OF_LIMIT, Signal.CONNECTIONS_OF_LIMIT, Signal.DISK_OF_LIMIT,
    Signal.NODE_CPU, Signal.NODE_MEMORY, Signal.EDGE_ERROR_RATIO, Signal.GC_TIME,
    Signal.QUOTA_OF_LIMIT, Signal.HEAP_OF_LIMIT, Signal.THREADS_OF_LIMIT, Signal.FILES_OF_LIMIT,
})  # fmt: skip
_UNITS = {"1/s": "/s", "req/s": "/s", "count": "", "1": "", "messages": "", "ratio": ""}
_BYTES = ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))


def noun(signal: str) -> str:
    """Return what people call a signal."""
    return NOUNS[Signal(signal)] if signal in NOUNS else signal.replace("_", " ")


def quantity(value: float, unit: str = "", signal: str = "") -> str:
    """Return a number as a person would write it: "4.1 s", "5.2 %", "312 MiB", "47 /s"."""
    if signal in _RATIOS or unit == "%":
        return f"{_short(100 * value)} %"
    if unit in ("s", "seconds"):
        return duration(value)
    if unit in ("B", "bytes"):
        return _bytes(value)
    word = _UNITS.get(unit, unit)
    return f"{_short(value)} {word}".rstrip()


def duration(seconds: float) -> str:
    """Return a duration in the unit that suits it: "35 ms", "4.1 s", "3 min", "2 h", "5 days"."""
    size = abs(seconds)
    for limit, divisor, name in (
        (1, 1e-3, "ms"),
        (120, 1, "s"),
        (7200, 60, "min"),
        (172800, 3600, "h"),
    ):
        if size < limit:
            return f"{_short(seconds / divisor)} {name}"
    return f"{_short(seconds / 86400)} days"


def clock(moment: datetime, now: datetime) -> str:
    """Return "14:03", with the date when it is not today's (UTC)."""
    return (
        f"{moment:%H:%M}"
        if moment.date() == now.date()
        else f"{moment:%b} {moment.day} {moment:%H:%M}"
    )


def listed(items: Sequence[str], last: str = "and", most: int = 4) -> str:
    """Return "a, b and c"; what goes beyond `most` is counted."""
    shown = list(items[:most])
    if len(items) > most:
        shown.append(f"{len(items) - most} more")
    return (
        f" {last} ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)
    )


def named(hypothesis: Hypothesis) -> str:
    """Return a cause and its place in words: "memory leak in checkout"."""
    place = hypothesis.object.partition("/")[2] or hypothesis.object
    return f"{hypothesis.cause.replace('_', ' ')} in {place}"


def summary(
    status: Status,
    ranked: Sequence[Ranked],
    causes: Sequence[Ranked],
    ruled_out: Sequence[RuledOut],
    blind: Sequence[BlindSpot],
) -> str:
    """Return the answer in one to four sentences, answer first."""
    if status is Status.ROOT_CAUSE:
        first, *others = (c.hypothesis.summary for c in causes)
        return " ".join([first, *(f"Also, independent of it: {o}" for o in others)])
    if status is Status.HEALTHY:
        return ranked[0].hypothesis.summary
    return _unknown(ranked, ruled_out, blind)


def _unknown(
    ranked: Sequence[Ranked], ruled_out: Sequence[RuledOut], blind: Sequence[BlindSpot]
) -> str:
    parts = ["I don't know yet."]
    likely = [f"{named(r.hypothesis)} ({100 * r.confidence:.0f} %)" for r in ranked[:2]]
    if likely:
        parts.append(f"Most likely {listed(likely, 'or')}.")
    if ruled_out:
        parts.append(f"Ruled out: {listed([r.what for r in ruled_out])}.")
    if blind:
        parts.append(
            f"What would tell: {listed([b.wanted for b in blind])}, which I could not read."
        )
    return " ".join(parts)


def _bytes(value: float) -> str:
    for size, name in _BYTES:
        if abs(value) >= size:
            return f"{_short(value / size)} {name}"
    return f"{_short(value)} B"


def _short(value: float) -> str:
    """Three significant digits at most, no exponent, no trailing zeros."""
    if value != value or value in (float("inf"), float("-inf")):
        return "unknown"
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2
    text = f"{value:.{digits}f}"
    if float(text) == 0 and value:
        text = f"{value:.1g}" if size >= 1e-4 else "0"
    return text.rstrip("0").rstrip(".") if "." in text else text
