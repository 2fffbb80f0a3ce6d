"""The frozen facts of one window of time: all that reasoning may look at.

Every fact carries a `Source`, so that each statement made of it can be cited. Kubernetes objects
stay in the API's own JSON: `object.body["spec"]["replicas"]`, as `kubectl` shows it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.domain.time import Window

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a fact came from: enough to run the same query again."""

    system: str  # "prometheus", "kubernetes", "loki", "jaeger", "changes", …
    query: str  # as a person would type it: PromQL, LogQL, "kubectl get pods -n shop"
    window: Window | None = None
    link: str | None = None


class Signal(StrEnum):
    """What a series measures, in the field's words.

    Units are in the comment and in `Series.unit`.
    """

    REQUEST_RATE = "request_rate"  # 1/s
    ERROR_RATIO = "error_ratio"  # 0..1
    LATENCY_P50 = "latency_p50"  # s
    LATENCY_P99 = "latency_p99"  # s
    CPU_CORES = "cpu_cores"  # cores used
    CPU_OF_LIMIT = "cpu_of_limit"  # 0..1
    CPU_THROTTLED = "cpu_throttled"  # 0..1 of periods
    MEMORY_BYTES = "memory_bytes"  # B, working set
    MEMORY_OF_LIMIT = "memory_of_limit"  # 0..1
    MEMORY_FRAGMENTATION = "memory_fragmentation"  # ratio, of a cache
    EVICTIONS = "evictions"  # 1/s, of a cache
    CACHE_HIT_RATIO = "cache_hit_ratio"  # 0..1
    RESTARTS = "restarts"  # count since pod start
    READY_PODS = "ready_pods"  # count
    DESIRED_PODS = "desired_pods"  # count
    POOL_OF_LIMIT = "pool_of_limit"  # 0..1 of a connection, thread or worker pool
    POOL_WAITERS = "pool_waiters"  # callers waiting for a pool
    CONNECTIONS_OF_LIMIT = "connections_of_limit"  # 0..1 of a server's connection limit
    QUEUE_DEPTH = "queue_depth"  # messages
    DISK_OF_LIMIT = "disk_of_limit"  # 0..1
    CERTIFICATE_EXPIRES_IN = "certificate_expires_in"  # s, negative when expired
    NODE_CPU = "node_cpu"  # 0..1 of allocatable
    NODE_MEMORY = "node_memory"  # 0..1 of allocatable
    DB_QUERY_P99 = "db_query_p99"  # s
    DB_QUERY_RATE = "db_query_rate"  # 1/s
    EDGE_RATE = "edge_rate"  # 1/s, calls of `service` to labels["peer"], seen by the caller
    EDGE_ERROR_RATIO = "edge_error_ratio"  # 0..1, same
    EDGE_LATENCY_P99 = "edge_latency_p99"  # s, same
    GC_TIME = "gc_time"  # 0..1 of the time, in garbage collection
    HEAP_OF_LIMIT = "heap_of_limit"  # 0..1 of the runtime's largest heap
    THREADS_OF_LIMIT = "threads_of_limit"  # 0..1 of a server's worker threads or processes
    FILES_OF_LIMIT = "files_of_limit"  # 0..1 of the open file descriptors allowed
    LOCK_WAITERS = "lock_waiters"  # sessions of a database that wait for a lock
    CONSUMERS = "consumers"  # count, of a queue or consumer group
    PRODUCED_RATE = "produced_rate"  # 1/s, messages into a queue or topic
    QUOTA_OF_LIMIT = "quota_of_limit"  # 0..1 of a namespace's quota; `service`: the namespace
    CONSUMED_RATE = "consumed_rate"  # 1/s, messages taken out of it
    PACKETS_IN = "network_receive_packets"  # 1/s, of pods
    PACKETS_OUT = "network_transmit_packets"  # 1/s, of pods
    TCP_RETRANSMITS = "tcp_retransmits"  # 1/s, segments that a node sends again


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One time series. `times` are epoch seconds, ascending; `values` in `unit`, same length.

    `service` is the workload's name, or a node's for node signals. `labels` may hold `pod`,
    `version`, `peer` (the callee of an edge signal), `node`, `resource` (which pool, disk,
    certificate or queue). A signal outside the catalogue keeps its own name in `signal`.
    """

    signal: str
    service: str
    times: tuple[float, ...]
    values: tuple[float, ...]
    unit: str
    source: Source
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class KubernetesObject:
    """One object as the API (or a recorded kubectl output, parsed back) shows it."""

    kind: str  # "Pod", "Deployment", "Node", "Event", …
    namespace: str  # "" for cluster-scoped kinds
    name: str
    body: Json  # the API's JSON: apiVersion, kind, metadata, spec, status, …
    source: Source

    @property
    def labels(self) -> Mapping[str, str]:
        """Labels of the object's metadata."""
        found: Mapping[str, str] = (self.body.get("metadata") or {}).get("labels") or {}
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class LogTemplate:
    """Log lines of one workload that say the same, masked and counted within the window."""

    service: str
    pod: str | None
    container: str | None
    previous: bool  # from the container's previous run
    level: str  # "error", "warning", "info", "" if unknown
    template: str  # variable parts as <*>
    example: str  # one whole line, redacted
    count: int
    baseline_count: int | None  # in the equally long window before, None if unknown
    first_at: datetime | None
    last_at: datetime | None
    source: Source
    domain: str = ""  # what a line of trouble is about (storage, timeout …), as `bot.logs` sorts it


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One span of a trace. Times are aware UTC; duration in seconds."""

    trace_id: str
    span_id: str
    parent_id: str | None
    service: str
    operation: str
    start: datetime
    duration_s: float
    error: bool
    attributes: Mapping[str, str]
    source: Source
    events: tuple[str, ...] = ()  # log templates written within it: "error: no route <*> found"
    pod: str = ""


class ChangeKind(StrEnum):
    """What changed."""

    DEPLOY = "deploy"
    COMMIT = "commit"
    CONFIG = "config"
    FLAG = "flag"
    SCALE = "scale"
    INFRASTRUCTURE = "infrastructure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something that somebody changed. `before`/`after` are versions, values or revisions."""

    id: str
    kind: ChangeKind
    service: str  # what it changed: workload, config map's owner, flag's owner
    object: str  # "deployment/checkout", "configmap/payment-config", "flag/new-ranking"
    at: datetime
    summary: str
    before: str | None
    after: str | None
    diff: str | None  # unified diff or key: old → new lines, if known
    link: str | None
    source: Source
    revertible: bool = True
    files: tuple[str, ...] = ()  # paths that a commit touches, if known
    commits: tuple[str, ...] = ()  # full hashes that a deploy brought, if known


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """`caller` calls `callee`, seen in traces or configuration."""

    caller: str
    callee: str
    calls: int | None
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """The result of a connectivity check made by somebody else, not by reasoning."""

    target: str  # service, host or node
    port: int | None
    ok: bool
    detail: str
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeComponent:
    """State of a node's or the control plane's component.

    Kubelet, container runtime, kube-proxy, …
    """

    node: str
    component: str
    running: bool
    detail: str
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An alert that fires or fired in the window."""

    name: str
    service: str | None
    severity: str
    summary: str
    started_at: datetime | None
    labels: Mapping[str, str]
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """A service-level objective.

    `threshold` is the worst acceptable value of `signal`, in its unit.
    """

    service: str
    signal: str
    threshold: float
    target_ratio: float  # 0.999
    burn_rate: float | None  # 1 spends the budget exactly in its period
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class PastIncident:
    """What an earlier incident turned out to be: a prior for this one."""

    id: str
    cause: str
    object: str
    service: str
    at: datetime
    confirmed: bool
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindSpot:
    """Something that should have been looked at and could not be."""

    system: str
    reason: str  # "timed out after 5 s"
    wanted: str  # "traces of checkout, 14:00-14:30"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All facts of one investigation so far.

    `merge` returns a new one; nothing is changed in place.
    """

    environment: str
    window: Window
    now: datetime
    objects: tuple[KubernetesObject, ...] = ()
    series: tuple[Series, ...] = ()
    logs: tuple[LogTemplate, ...] = ()
    spans: tuple[Span, ...] = ()
    changes: tuple[Change, ...] = ()
    edges: tuple[Edge, ...] = ()
    probes: tuple[Probe, ...] = ()
    components: tuple[NodeComponent, ...] = ()
    alerts: tuple[Alert, ...] = ()
    objectives: tuple[Objective, ...] = ()
    past: tuple[PastIncident, ...] = ()
    blind_spots: tuple[BlindSpot, ...] = ()
    looked_at: tuple[str, ...] = ()  # systems that answered: "metrics", "changes", …

    def kind(self, kind: str) -> Iterator[KubernetesObject]:
        """Yield the objects of one Kubernetes kind."""
        return (o for o in self.objects if o.kind == kind)

    def find(self, kind: str, name: str, namespace: str | None = None) -> KubernetesObject | None:
        """Return the object of that kind and name, or None."""
        return next(
            (o for o in self.kind(kind) if o.name == name and namespace in (None, o.namespace)),
            None,
        )

    def signal(self, signal: str, service: str | None = None) -> Iterator[Series]:
        """Yield the series of one signal, of one service or of all."""
        return (s for s in self.series if s.signal == signal and service in (None, s.service))

    def merge(self, other: "Snapshot") -> "Snapshot":
        """Return the facts of both, this one's environment, window and now."""
        joined = {name: getattr(self, name) + getattr(other, name) for name in FACTS}
        joined["looked_at"] = tuple(dict.fromkeys(joined["looked_at"]))
        joined["edges"] = tuple({(e.caller, e.callee): e for e in joined["edges"]}.values())
        return replace(self, **joined)


FACTS = (
    "objects", "series", "logs", "spans", "changes", "edges", "probes", "components", "alerts",
    "objectives", "past", "blind_spots", "looked_at",
)  # fmt: skip
