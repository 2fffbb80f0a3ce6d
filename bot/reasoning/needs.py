"""What to look at first, and how to ask for more. Windows end where the question's ends."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from bot.domain.diagnosis import Question
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import Signal, Snapshot
from bot.domain.time import Window

BASELINE_S = 3600.0  # how much before the asked window is looked at, to know what is usual
CHANGES_S = 6 * 3600.0  # deploys and flags of the last hours are suspects
OLD_CHANGES_S = 7 * 86400.0  # a setting can take days to hurt
DAY_S = 26 * 3600.0  # one daily cycle and a bit, for peaks and slow growth

RED = (
    Signal.REQUEST_RATE, Signal.ERROR_RATIO, Signal.LATENCY_P50, Signal.LATENCY_P99,
)  # fmt: skip
EDGES = (Signal.EDGE_RATE, Signal.EDGE_ERROR_RATIO, Signal.EDGE_LATENCY_P99)
SATURATION = (
    Signal.CPU_CORES, Signal.CPU_OF_LIMIT, Signal.CPU_THROTTLED, Signal.MEMORY_BYTES,
    Signal.MEMORY_OF_LIMIT, Signal.MEMORY_FRAGMENTATION, Signal.EVICTIONS, Signal.CACHE_HIT_RATIO,
    Signal.RESTARTS, Signal.READY_PODS, Signal.DESIRED_PODS, Signal.POOL_OF_LIMIT,
    Signal.POOL_WAITERS, Signal.CONNECTIONS_OF_LIMIT, Signal.QUEUE_DEPTH, Signal.DISK_OF_LIMIT,
    Signal.CERTIFICATE_EXPIRES_IN, Signal.NODE_CPU, Signal.NODE_MEMORY, Signal.DB_QUERY_P99,
    Signal.DB_QUERY_RATE, Signal.GC_TIME, Signal.HEAP_OF_LIMIT, Signal.THREADS_OF_LIMIT,
    Signal.FILES_OF_LIMIT, Signal.LOCK_WAITERS, Signal.CONSUMERS, Signal.PRODUCED_RATE,
    Signal.CONSUMED_RATE, Signal.PACKETS_IN, Signal.PACKETS_OUT, Signal.TCP_RETRANSMITS,
)  # fmt: skip
SLOW_MOVING = (
    Signal.REQUEST_RATE, Signal.MEMORY_OF_LIMIT, Signal.MEMORY_FRAGMENTATION, Signal.DISK_OF_LIMIT,
    Signal.CONNECTIONS_OF_LIMIT, Signal.EVICTIONS, Signal.CACHE_HIT_RATIO, Signal.QUOTA_OF_LIMIT,
    Signal.FILES_OF_LIMIT, Signal.NODE_MEMORY,
)  # fmt: skip
OPTIONAL = frozenset(set(SATURATION) | set(SLOW_MOVING)) - {Signal.REQUEST_RATE}
"""Signals that many systems simply don't have."""

Key = tuple[str, Window, tuple[str, ...], tuple[str, ...]]


def first_round(question: Question) -> tuple[Need, ...]:
    """Return what every investigation looks at: everything, so that a victim's cause is seen."""
    window = with_baseline(question)
    recent = Window.last(CHANGES_S, before=question.window.end)
    day = Window.last(DAY_S, before=question.window.end)
    return (
        Need(fact=Fact.SERIES, window=window, names=RED, reason="traffic, errors, latency"),
        Need(fact=Fact.SERIES, window=window, names=EDGES, reason="calls between services"),
        Need(fact=Fact.SERIES, window=window, names=SATURATION, reason="what is running full"),
        Need(fact=Fact.SERIES, window=day, names=SLOW_MOVING, reason="the daily cycle and growth"),
        Need(fact=Fact.OBJECTS, window=window, reason="state of the workloads"),
        Need(fact=Fact.CHANGES, window=_longer(window, recent), reason="what changed lately"),
        Need(
            fact=Fact.CHANGES,
            window=Window.last(OLD_CHANGES_S, before=question.window.end),
            names=("config", "flag"),
            reason="settings that hurt late",
        ),
        Need(fact=Fact.EDGES, window=window, reason="who calls whom"),
        Need(fact=Fact.ALERTS, window=window, reason="what fires"),
        Need(fact=Fact.OBJECTIVES, window=window, reason="what is promised"),
    )


def unanswered(snapshot: Snapshot, question: Question) -> tuple[Need, ...]:
    """Return the first round's needs to ask again: nothing can be judged without them."""
    seen = {s.signal for s in snapshot.series}
    if not snapshot.blind_spots:
        return ()
    return tuple(
        need
        for need in first_round(question)
        if need.fact is Fact.SERIES and need.names in (RED, EDGES) and not set(need.names) & seen
    )


def with_baseline(question: Question) -> Window:
    """Return the asked window with an hour before it (two at least in all), to compare with."""
    start = min(
        question.window.start - timedelta(seconds=BASELINE_S),
        question.window.end - timedelta(seconds=2 * BASELINE_S),
    )
    return Window(start=start, end=question.window.end)


def of_services(
    fact: Fact,
    question: Question,
    services: Iterable[str],
    *,
    reason: str,
    names: Sequence[str] = (),
) -> Need:
    """Return a need for one kind of fact about some services, over the window with its baseline."""
    return Need(
        fact=fact,
        window=with_baseline(question),
        services=tuple(sorted(set(services))),
        names=tuple(names),
        reason=reason,
    )


def key(need: Need) -> Key:
    """Return what makes two needs the same: everything but the reason."""
    return (need.fact.value, need.window, need.services, need.names)


def fresh(needs: Iterable[Need], asked: set[Key]) -> tuple[Need, ...]:
    """Return the needs nobody asked for yet, each once, in a fixed order."""
    unique = {key(n): n for n in needs if key(n) not in asked}
    return tuple(
        unique[k] for k in sorted(unique, key=lambda k: (k[0], k[1].start, k[1].end, k[2], k[3]))
    )


def _longer(one: Window, other: Window) -> Window:
    return one if one.seconds >= other.seconds else other
