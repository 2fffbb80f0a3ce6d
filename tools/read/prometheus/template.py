"""What a template of the signal catalogue is, and the units of signals."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.domain.snapshot import Signal

UNITS: Mapping[Signal, str] = {
    Signal.REQUEST_RATE: "1/s", Signal.ERROR_RATIO: "ratio", Signal.LATENCY_P50: "s",
    Signal.LATENCY_P99: "s", Signal.CPU_CORES: "cores", Signal.CPU_OF_LIMIT: "ratio",
    Signal.CPU_THROTTLED: "ratio", Signal.MEMORY_BYTES: "B", Signal.MEMORY_OF_LIMIT: "ratio",
    Signal.MEMORY_FRAGMENTATION: "ratio", Signal.EVICTIONS: "1/s", Signal.CACHE_HIT_RATIO: "ratio",
    Signal.RESTARTS: "count", Signal.READY_PODS: "count", Signal.DESIRED_PODS: "count",
    Signal.POOL_OF_LIMIT: "ratio", Signal.POOL_WAITERS: "count",
    Signal.CONNECTIONS_OF_LIMIT: "ratio", Signal.QUEUE_DEPTH: "messages",
    Signal.DISK_OF_LIMIT: "ratio", Signal.CERTIFICATE_EXPIRES_IN: "s", Signal.NODE_CPU: "ratio",
    Signal.NODE_MEMORY: "ratio", Signal.DB_QUERY_P99: "s", Signal.DB_QUERY_RATE: "1/s",
    Signal.EDGE_RATE: "1/s", Signal.EDGE_ERROR_RATIO: "ratio", Signal.EDGE_LATENCY_P99: "s",
    Signal.GC_TIME: "ratio", Signal.HEAP_OF_LIMIT: "ratio", Signal.THREADS_OF_LIMIT: "ratio",
    Signal.FILES_OF_LIMIT: "ratio", Signal.LOCK_WAITERS: "count", Signal.CONSUMERS: "count",
    Signal.PRODUCED_RATE: "1/s", Signal.CONSUMED_RATE: "1/s", Signal.QUOTA_OF_LIMIT: "ratio",
    Signal.PACKETS_IN: "1/s", Signal.PACKETS_OUT: "1/s", Signal.TCP_RETRANSMITS: "1/s",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One way to get a signal.

    `needs`: metrics that must exist. `source`: templates of one signal and one source are
    alternatives, the first that has its metrics is used; different sources are all asked.
    `service`: labels that may name the service, the first that is there wins; "pod" means the pod's
    workload. `reduce`: how pods become one service ("" when the query does it). `labels`: series
    label → metric label. `own`: written by the service itself, so that others may use another
    alternative: those are asked too, for services that the first does not know.
    `breakdowns`: what can be asked for as "signal:breakdown" → the metric label that is added.
    """

    signal: Signal
    needs: tuple[str, ...]
    promql: str
    source: str = "requests"
    service: tuple[str, ...] = ("service_name",)
    reduce: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    breakdowns: Mapping[str, str] = field(default_factory=dict)
    namespace: str = "namespace"  # the label that holds it, "" when the metric has none
    fixed: Mapping[str, str] = field(default_factory=dict)  # labels that every series gets
    own: bool = False


POD = ("service_name", "pod")
EXPORTER = ("service_name", "app_kubernetes_io_name", "pod", "service", "instance")
EXPORTER_BY = "service_name, app_kubernetes_io_name, namespace, pod, service, instance"
NODE = ("node", "nodename", "instance")


def ratio(bad: str, every: str) -> str:
    """Return the ratio of two rates that is 0, not a gap, where nothing is bad."""
    return f"({bad} or {every} * 0) / {every}"
