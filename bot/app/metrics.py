"""Measurements of the bot for Prometheus: what this replica does, and what all have done together.

What is counted in SQL is the same from every replica (take the `max`); what has a `_total` and a
system, step or action is this process's own. Labels come from closed sets, and are cut off when
they don't: a name from data never becomes a series.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from bot.domain.telemetry import Telemetry, Unwatched
from bot.storage.tallies import Counts, Tally

if TYPE_CHECKING:  # a tenth of a second, which `--help` need not take
    from prometheus_client import CollectorRegistry
    from prometheus_client.metrics_core import Metric

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
MOST_VALUES = 100  # of one label; what comes later is "other"
BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
OTHER = "other"
ANSWERED = frozenset(("ok", "limited"))


class Names:
    """Keeps a label's values few."""

    def __init__(self, most: int = MOST_VALUES) -> None:
        self._known: set[str] = set()
        self._most = most

    def of(self, value: str) -> str:
        """Return the value without its running number; "other" once there are too many."""
        name = value.rstrip("0123456789 ") or OTHER
        if name not in self._known and len(self._known) >= self._most:
            return OTHER
        self._known.add(name)
        return name


class Metrics:
    """`Telemetry` as Prometheus' own client keeps it; spans go on to `traces`."""

    def __init__(self, *, version: str, traces: Telemetry | None = None) -> None:
        from prometheus_client import (
            CollectorRegistry,
            Counter,
            Gauge,
            Histogram,
            PlatformCollector,
            ProcessCollector,
        )

        self.registry = CollectorRegistry()
        self._traces = traces or Unwatched()
        self._operations, self._steps = Names(), Names()
        self._failing: dict[str, float] = {}
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        kept: dict[str, Any] = {"registry": self.registry}
        self._calls = Counter(
            "sre_bot_calls", "Calls to other systems", ("system", "operation", "outcome"), **kept
        )
        self._call_seconds = Histogram(
            "sre_bot_call_seconds", "How long they took", ("system",), buckets=BUCKETS, **kept
        )
        self._waits = Counter(
            "sre_bot_held_back_seconds", "Time that calls waited for a limit", ("system",), **kept
        )
        self._step_tries = Counter(
            "sre_bot_steps", "Tries of the durable steps", ("step", "outcome"), **kept
        )
        self._step_seconds = Histogram(
            "sre_bot_step_seconds", "How long a try took", ("step",), buckets=BUCKETS, **kept
        )
        self._ends = Counter(
            "sre_bot_workflows", "Workflows that came to their end", ("kind", "end"), **kept
        )
        self._rulings = Counter(
            "sre_bot_rulings", "Rulings of the policy", ("action", "stage", "verdict"), **kept
        )
        self._requests = Counter(
            "sre_bot_requests", "Answers of the HTTP door", ("path", "status"), **kept
        )
        self._request_seconds = Histogram(
            "sre_bot_request_seconds", "How long they took", ("path",), buckets=BUCKETS, **kept
        )
        self.ready = Gauge("sre_bot_ready", "Whether a part is ready (1)", ("part",), **kept)
        self.alive = Gauge(
            "sre_bot_heartbeat_timestamp_seconds", "When the watcher last went round", **kept
        )
        self.beats = Counter(
            "sre_bot_heartbeats", "Pings of the dead-man's switch", ("outcome",), **kept
        )
        self.lag = Gauge("sre_bot_loop_lag_seconds", "How late the event loop was", **kept)
        Gauge("sre_bot_info", "The version that runs", ("version",), **kept).labels(version).set(1)

    def beside(self, name: str, pid: int | None) -> None:
        """Measure another process of the bot too: `sre_bot_<name>_process_…`."""
        from prometheus_client import ProcessCollector

        if pid is not None:
            ProcessCollector(f"sre_bot_{name}", lambda: pid, registry=self.registry)

    def called(self, system: str, operation: str, outcome: str, seconds: float) -> None:
        """Count a call to another system."""
        self._calls.labels(system, self._operations.of(operation), outcome).inc()
        self._call_seconds.labels(system).observe(seconds)
        if outcome in ANSWERED:
            self._failing.pop(system, None)
        else:
            self._failing.setdefault(system, time.monotonic())

    def away(self) -> Mapping[str, float]:
        """Return the systems of which nothing answered since a call failed, for how many s."""
        now = time.monotonic()
        return {system: now - since for system, since in self._failing.items()}

    def waited(self, system: str, operation: str, seconds: float) -> None:  # noqa: ARG002 - as the protocol has it
        """Count time that a call was held back so that a limit is kept."""
        self._waits.labels(system).inc(seconds)

    def stage(self, name: str, outcome: str, seconds: float) -> None:
        """Count a try of a durable step."""
        step = self._steps.of(name)
        self._step_tries.labels(step, outcome).inc()
        self._step_seconds.labels(step).observe(seconds)

    def ended(self, kind: str, end: str) -> None:
        """Count a workflow's end."""
        self._ends.labels(kind, end).inc()

    def ruled(self, action: str, stage: str, verdict: str) -> None:
        """Count a ruling of the policy."""
        self._rulings.labels(action, stage, verdict).inc()

    def answered(self, path: str, status: int, seconds: float) -> None:
        """Count a request that the bot's own HTTP door answered."""
        self._requests.labels(path, status).inc()
        self._request_seconds.labels(path).observe(seconds)

    def span(
        self, name: str, *, trace: str = "", **attributes: str | int | float
    ) -> AbstractContextManager[None]:
        """Return a block of a trace."""
        return self._traces.span(name, trace=trace, **attributes)

    def text(self, extra: Iterable["Metric"] = ()) -> bytes:
        """Return everything in Prometheus' text format."""
        from prometheus_client import generate_latest

        return generate_latest(self.registry) + generate_latest(_registered(extra))


def tallied(tally: Tally, unfinished: int) -> Iterator["Metric"]:
    """Yield what all replicas have done together, and what waits."""
    yield _counted("investigations", "By status; running: no answer yet", ("status",),
                   _named(tally.investigations, "running"))  # fmt: skip
    yield _counted("executions", "Uses of the door", ("action", "status", "kind"), tally.executions)
    yield _counted("outcomes", "What verification saw", ("outcome",), tally.outcomes)
    yield _counted("decisions", "What people decided", ("choice",), tally.decisions)
    gauges = {
        "inbox_waiting": ("Signals that nobody has dealt with", tally.inbox_waiting),
        "inbox_age_seconds": ("Age of the oldest of them", tally.inbox_age_s),
        "dead_letters": ("What came in, could not be used and waits", tally.dead_letters),
        "messages_unsent": ("Messages meant to be posted and not known to be", tally.unsent),
        "workflows_unfinished": ("Workflows not at their end", unfinished),
        "kill_switch": ("Whether the bot is stopped (1)", int(tally.stopped)),
    }
    for name, (words, value) in gauges.items():
        yield _gauge(name, words, (), {(): value})
    yield _gauge("incidents", "By state", ("state",), tally.incidents)


def _named(counts: Counts, empty: str) -> Counts:
    return {tuple(value or empty for value in labels): n for labels, n in counts.items()}


def _counted(name: str, words: str, labels: tuple[str, ...], counts: Counts) -> "Metric":
    from prometheus_client.core import CounterMetricFamily

    family = CounterMetricFamily(f"sre_bot_{name}", words, labels=labels)
    for values, count in sorted(counts.items()):
        family.add_metric(values, count)
    return family


def _gauge(
    name: str, words: str, labels: tuple[str, ...], values: Mapping[tuple[str, ...], float]
) -> "Metric":
    from prometheus_client.core import GaugeMetricFamily

    family = GaugeMetricFamily(f"sre_bot_{name}", words, labels=labels)
    for key, value in sorted(values.items()):
        family.add_metric(key, value)
    return family


class _Once:
    """A collector of families that are made already."""

    def __init__(self, families: Iterable["Metric"]) -> None:
        self._families = tuple(families)

    def collect(self) -> Iterable["Metric"]:
        """Return them."""
        return self._families


def _registered(families: Iterable["Metric"]) -> "CollectorRegistry":
    from prometheus_client import CollectorRegistry

    registry = CollectorRegistry()
    registry.register(_Once(families))
    return registry
