"""The signal catalogue: which PromQL gives each signal, by the metrics that exist.

A template is plain PromQL. When it is rendered, every `{…}` gets the environment's matchers, every
`[2m]` the range that the step needs, and every `by (…)` the label of a breakdown that is asked for.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
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
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One way to get a signal.

    `needs`: metrics that must exist. `source`: templates of one signal and one source are
    alternatives, the first that has its metrics is used; different sources are all asked.
    `service`: labels that may name the service, the first that is there wins; "pod" means the pod's
    workload. `reduce`: how pods become one service ("" when the query does it). `labels`: series
    label → metric label.
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


_OTEL = {"pod": "pod", "version": "service_version", "route": "http_route"}
_ISTIO = {"version": "destination_version", "pod": "pod"}
_PLAIN = {"pod": "pod", "version": "version"}
_POD = ("service_name", "pod")
_EXPORTER = ("service_name", "app_kubernetes_io_name", "pod", "service", "instance")
_EXPORTER_BY = "service_name, app_kubernetes_io_name, namespace, pod, service, instance"
_NODE = ("node", "instance")


def _ratio(bad: str, every: str) -> str:
    return f"({bad} or {every} * 0) / {every}"


def _requests() -> Iterator[Template]:
    yield from _server(
        "http_server_request_duration_seconds", 'http_response_status_code=~"5.."',
        service="service_name", breakdowns=_OTEL,
    )  # fmt: skip
    yield from _server(
        "istio_request_duration_milliseconds", 'response_code=~"5.."',
        where='reporter="destination"',
        service="destination_workload", breakdowns=_ISTIO, scale=" / 1000",
        namespace="destination_workload_namespace",
    )  # fmt: skip
    yield from _server(
        "http_request_duration_seconds", 'status=~"5.."', service="service", breakdowns=_PLAIN,
        others=("app", "job"),
    )  # fmt: skip
    total = "sum by (service, app, job)(rate(http_requests_total{}[2m]))"
    bad = 'sum by (service, app, job)(rate(http_requests_total{status=~"5.."}[2m]))'
    by_code = 'sum by (service, app, job)(rate(http_requests_total{code=~"5.."}[2m]))'
    red = ("service", "app", "job")
    yield Template(signal=Signal.REQUEST_RATE, needs=("http_requests_total",), promql=total,
                   service=red, breakdowns=_PLAIN)  # fmt: skip
    yield Template(signal=Signal.ERROR_RATIO, needs=("http_requests_total",), service=red,
                   promql=_ratio(f"({bad} or {by_code})", total), breakdowns=_PLAIN)  # fmt: skip


def _server(  # noqa: PLR0913 - the columns of one metric family
    family: str, errors: str, *, service: str, breakdowns: Mapping[str, str], where: str = "",
    scale: str = "", namespace: str = "namespace", others: tuple[str, ...] = (),
) -> Iterator[Template]:  # fmt: skip
    names = (service, *others)
    by = ", ".join(names)
    both = ",".join(filter(None, (where, errors)))
    total = f"sum by ({by})(rate({family}_count{{{where}}}[2m]))"
    bad = f"sum by ({by})(rate({family}_count{{{both}}}[2m]))"
    buckets = f"sum by (le, {by})(rate({family}_bucket{{{where}}}[2m]))"
    rows = (
        (Signal.REQUEST_RATE, f"{family}_count", total),
        (Signal.ERROR_RATIO, f"{family}_count", _ratio(bad, total)),
        (Signal.LATENCY_P50, f"{family}_bucket", f"histogram_quantile(0.5, {buckets}){scale}"),
        (Signal.LATENCY_P99, f"{family}_bucket", f"histogram_quantile(0.99, {buckets}){scale}"),
    )
    for signal, metric, promql in rows:
        yield Template(signal=signal, needs=(metric,), promql=promql, service=names,
                       breakdowns=breakdowns, namespace=namespace)  # fmt: skip


def _edges() -> Iterator[Template]:
    yield from _calls(
        "http_client_request_duration_seconds", 'http_response_status_code=~"5.."',
        caller="service_name", callee="server_address", breakdowns=_OTEL,
    )  # fmt: skip
    yield from _calls(
        "istio_request_duration_milliseconds", 'response_code=~"5..|0"', where='reporter="source"',
        caller="source_workload", callee="destination_workload", scale=" / 1000",
        namespace="source_workload_namespace", breakdowns={"version": "source_version"},
    )  # fmt: skip


def _calls(  # noqa: PLR0913 - the columns of one metric family
    family: str, errors: str, *, caller: str, callee: str, breakdowns: Mapping[str, str],
    where: str = "", scale: str = "", namespace: str = "namespace",
) -> Iterator[Template]:  # fmt: skip
    both = ",".join(filter(None, (where, errors)))
    total = f"sum by ({caller}, {callee})(rate({family}_count{{{where}}}[2m]))"
    bad = f"sum by ({caller}, {callee})(rate({family}_count{{{both}}}[2m]))"
    buckets = f"sum by (le, {caller}, {callee})(rate({family}_bucket{{{where}}}[2m]))"
    rows = (
        (Signal.EDGE_RATE, f"{family}_count", total),
        (Signal.EDGE_ERROR_RATIO, f"{family}_count", _ratio(bad, total)),
        (
            Signal.EDGE_LATENCY_P99,
            f"{family}_bucket",
            f"histogram_quantile(0.99, {buckets}){scale}",
        ),
    )
    for signal, metric, promql in rows:
        yield Template(signal=signal, needs=(metric,), promql=promql, service=(caller,),
                       labels={"peer": callee}, breakdowns=breakdowns,
                       namespace=namespace)  # fmt: skip


def _database() -> Iterator[Template]:
    family = "db_client_operation_duration_seconds"
    by = "service_name, server_address"
    more = {**_OTEL, "operation": "db_operation_name"}
    yield Template(
        signal=Signal.DB_QUERY_RATE, needs=(f"{family}_count",), labels={"peer": "server_address"},
        promql=f"sum by ({by})(rate({family}_count{{}}[2m]))", breakdowns=more,
    )  # fmt: skip
    yield Template(
        signal=Signal.DB_QUERY_P99, needs=(f"{family}_bucket",), labels={"peer": "server_address"},
        promql=f"histogram_quantile(0.99, sum by (le, {by})(rate({family}_bucket{{}}[2m])))",
        breakdowns=more,
    )  # fmt: skip
    pool = {"labels": {"resource": "pool_name"}, "breakdowns": {"pod": "pod"}, "source": "pool"}
    used, most = "db_client_connections_usage", "db_client_connections_max"
    yield Template(
        signal=Signal.POOL_OF_LIMIT, needs=(used, most), **pool,  # type: ignore[arg-type]  # one row
        promql=f'sum by (service_name, pool_name)({used}{{state="used"}})'
        f" / sum by (service_name, pool_name)({most}{{}})",
    )  # fmt: skip
    waiting = "db_client_connections_pending_requests"
    yield Template(
        signal=Signal.POOL_WAITERS, needs=(waiting,), **pool,  # type: ignore[arg-type]  # one row
        promql=f"sum by (service_name, pool_name)({waiting}{{}})",
    )  # fmt: skip


def _containers() -> Iterator[Template]:
    real = 'container!="",container!="POD"'
    cpu = "container_cpu_usage_seconds_total"
    memory = "container_memory_working_set_bytes"
    limits = "kube_pod_container_resource_limits"
    periods = "container_cpu_cfs_periods_total"
    throttled = "container_cpu_cfs_throttled_periods_total"
    restarts = "kube_pod_container_status_restarts_total"
    by = "by (namespace, pod)"
    each = "by (namespace, pod, container)"
    rows = (
        (Signal.CPU_CORES, (cpu,), "sum", f"sum {by}(rate({cpu}{{{real}}}[2m]))"),
        (Signal.CPU_OF_LIMIT, (cpu, limits), "max",
         f"max {by}(sum {each}(rate({cpu}{{{real}}}[2m]))"
         f' / max {each}({limits}{{resource="cpu"}}))'),
        (Signal.CPU_THROTTLED, (periods, throttled), "max",
         f"sum {by}(rate({throttled}{{{real}}}[2m])) / sum {by}(rate({periods}{{{real}}}[2m]))"),
        (Signal.MEMORY_BYTES, (memory,), "sum", f"sum {by}({memory}{{{real}}})"),
        (Signal.MEMORY_OF_LIMIT, (memory, limits), "max",
         f"max {by}(max {each}({memory}{{{real}}})"
         f' / max {each}({limits}{{resource="memory"}}))'),
        (Signal.RESTARTS, (restarts,), "sum", f"sum {by}({restarts}{{}})"),
    )  # fmt: skip
    for signal, needs, reduce, promql in rows:
        yield Template(signal=signal, needs=needs, promql=promql, reduce=reduce, service=_POD,
                       source="container", breakdowns={"pod": "pod"})  # fmt: skip


def _workloads() -> Iterator[Template]:
    rows = (
        ("deployment", "kube_deployment_status_replicas_available",
         "kube_deployment_spec_replicas"),
        ("statefulset", "kube_statefulset_status_replicas_ready", "kube_statefulset_replicas"),
        ("daemonset", "kube_daemonset_status_number_ready",
         "kube_daemonset_status_desired_number_scheduled"),
    )  # fmt: skip
    for label, ready, desired in rows:
        for signal, metric in ((Signal.READY_PODS, ready), (Signal.DESIRED_PODS, desired)):
            yield Template(signal=signal, needs=(metric,), service=(label,), source=label,
                           promql=f"max by (namespace, {label})({metric}{{}})")  # fmt: skip


def _exporters() -> Iterator[Template]:
    def by(operator: str, metric: str) -> str:
        return f"{operator} by ({_EXPORTER_BY})({metric})"

    hits = by("sum", "rate(redis_keyspace_hits_total{}[2m])")
    misses = by("sum", "rate(redis_keyspace_misses_total{}[2m])")
    used, most = "redis_memory_used_bytes", "redis_memory_max_bytes"
    clients, clients_max = "redis_connected_clients", "redis_config_maxclients"
    backends, backends_max = "pg_stat_activity_count", "pg_settings_max_connections"
    rows: tuple[tuple[Signal, str, tuple[str, ...], str, dict[str, str]], ...] = (
        (Signal.MEMORY_OF_LIMIT, "redis", (used, most),
         f"{by('max', used + '{}')} / ({by('max', most + '{}')} > 0)", {"resource": "maxmemory"}),
        (Signal.MEMORY_FRAGMENTATION, "redis", ("redis_mem_fragmentation_ratio",),
         by("max", "redis_mem_fragmentation_ratio{}"), {}),
        (Signal.EVICTIONS, "redis", ("redis_evicted_keys_total",),
         by("sum", "rate(redis_evicted_keys_total{}[2m])"), {}),
        (Signal.CACHE_HIT_RATIO, "redis",
         ("redis_keyspace_hits_total", "redis_keyspace_misses_total"),
         f"{hits} / ({hits} + {misses})", {}),
        (Signal.CONNECTIONS_OF_LIMIT, "redis", (clients, clients_max),
         f"{by('max', clients + '{}')} / {by('max', clients_max + '{}')}", {}),
        (Signal.CONNECTIONS_OF_LIMIT, "postgres", (backends, backends_max),
         f"{by('sum', backends + '{}')} / {by('max', backends_max + '{}')}", {}),
    )  # fmt: skip
    for signal, source, needs, promql, fixed in rows:
        yield Template(signal=signal, source=source, needs=needs, promql=promql, fixed=fixed,
                       service=_EXPORTER, reduce="max", breakdowns={"pod": "pod"})  # fmt: skip
    queue = "rabbitmq_queue_messages_ready"
    yield Template(
        signal=Signal.QUEUE_DEPTH, needs=(queue,), source="rabbitmq", service=_EXPORTER,
        promql=f"sum by (queue, {_EXPORTER_BY})({queue}{{}})", reduce="sum",
        labels={"resource": "queue"},
    )  # fmt: skip


def _infrastructure() -> Iterator[Template]:
    by = "by (node, instance)"
    free, size = "node_filesystem_avail_bytes", "node_filesystem_size_bytes"
    real = 'fstype!~"tmpfs|overlay|squashfs|ramfs"'
    yield Template(
        signal=Signal.NODE_CPU, needs=("node_cpu_seconds_total",), source="node", service=_NODE,
        promql=f'1 - avg {by}(rate(node_cpu_seconds_total{{mode="idle"}}[2m]))', namespace="",
    )  # fmt: skip
    yield Template(
        signal=Signal.NODE_MEMORY, source="node", service=_NODE, namespace="",
        needs=("node_memory_MemAvailable_bytes", "node_memory_MemTotal_bytes"),
        promql=f"1 - max {by}(node_memory_MemAvailable_bytes{{}})"
        f" / max {by}(node_memory_MemTotal_bytes{{}})",
    )  # fmt: skip
    yield Template(
        signal=Signal.DISK_OF_LIMIT, needs=(free, size), source="node", service=_NODE, namespace="",
        promql=f"1 - max by (node, instance, mountpoint)({free}{{{real}}})"
        f" / max by (node, instance, mountpoint)({size}{{{real}}})",
        labels={"resource": "mountpoint"},
    )  # fmt: skip
    used, most = "kubelet_volume_stats_used_bytes", "kubelet_volume_stats_capacity_bytes"
    claim = "by (namespace, pod, service_name, persistentvolumeclaim)"
    yield Template(
        signal=Signal.DISK_OF_LIMIT, needs=(used, most), source="volume",
        promql=f"max {claim}({used}{{}}) / max {claim}({most}{{}})",
        service=("service_name", "pod", "persistentvolumeclaim"),
        labels={"resource": "persistentvolumeclaim"},
    )  # fmt: skip
    yield Template(
        signal=Signal.CERTIFICATE_EXPIRES_IN, needs=("probe_ssl_earliest_cert_expiry",),
        promql="min by (service_name, instance)(probe_ssl_earliest_cert_expiry{}) - time()",
        service=("service_name", "instance"), labels={"resource": "instance"}, namespace="",
        source="probe",
    )  # fmt: skip


def _quotas() -> Iterator[Template]:
    metric, by = "kube_resourcequota", "by (namespace, resourcequota, resource)"
    yield Template(
        signal=Signal.QUOTA_OF_LIMIT, needs=(metric,), source="quota", service=("namespace",),
        promql=f'max {by}({metric}{{type="used"}}) / (max {by}({metric}{{type="hard"}}) > 0)',
        labels={"resource": "resource"}, reduce="max",
    )  # fmt: skip


def _runtimes() -> Iterator[Template]:
    """Garbage collection, heap, workers and file descriptors, as each runtime's client tells."""
    rows = (
        (Signal.GC_TIME, ("jvm_gc_pause_seconds_sum",), "sum", "rate({0}{{}}[2m])"),
        (Signal.GC_TIME, ("jvm_gc_duration_seconds_sum",), "sum", "rate({0}{{}}[2m])"),
        (Signal.GC_TIME, ("nodejs_gc_duration_seconds_sum",), "sum", "rate({0}{{}}[2m])"),
        (Signal.GC_TIME, ("go_gc_duration_seconds_sum",), "sum", "rate({0}{{}}[2m])"),
        (Signal.HEAP_OF_LIMIT, ("jvm_memory_used_bytes", "jvm_memory_max_bytes"), "sum",
         '{0}{{area="heap"}}'),
        (Signal.HEAP_OF_LIMIT, ("jvm_memory_used_bytes", "jvm_memory_limit_bytes"), "sum",
         '{0}{{jvm_memory_type="heap"}}'),
        (Signal.THREADS_OF_LIMIT,
         ("tomcat_threads_busy_threads", "tomcat_threads_config_max_threads"),
         "sum", "{0}{{}}"),
        (Signal.THREADS_OF_LIMIT, ("executor_active_threads", "executor_pool_max_threads"), "sum",
         "{0}{{}}"),
        (Signal.THREADS_OF_LIMIT, ("phpfpm_active_processes", "phpfpm_total_processes"), "sum",
         "{0}{{}}"),
        (Signal.FILES_OF_LIMIT, ("process_open_fds", "process_max_fds"), "max", "{0}{{}}"),
    )  # fmt: skip
    for signal, needs, operator, selector in rows:
        terms = [f"{operator} by ({_EXPORTER_BY})({selector.format(m)})" for m in needs]
        yield Template(signal=signal, needs=needs, promql=" / ".join(terms), source="runtime",
                       service=_EXPORTER, reduce="max", breakdowns={"pod": "pod"})  # fmt: skip


def _queues_and_locks() -> Iterator[Template]:
    lag = "kafka_consumergroup_lag"
    group = "by (consumergroup, topic)"
    queue = f"by (queue, {_EXPORTER_BY})"
    kafka = (
        (Signal.QUEUE_DEPTH, lag, f"sum {group}({lag}{{}})"),
        (Signal.CONSUMED_RATE, "kafka_consumergroup_current_offset",
         f"sum {group}(rate(kafka_consumergroup_current_offset{{}}[2m]))"),
        (Signal.CONSUMERS, "kafka_consumergroup_members",
         "sum by (consumergroup)(kafka_consumergroup_members{})"),
    )  # fmt: skip
    for signal, metric, promql in kafka:
        yield Template(signal=signal, needs=(metric,), promql=promql, source="kafka",
                       service=("consumergroup",), labels={"resource": "topic"})  # fmt: skip
    offset = "kafka_topic_partition_current_offset"
    yield Template(signal=Signal.PRODUCED_RATE, needs=(offset,), source="kafka",
                   promql=f"sum by (topic)(rate({offset}{{}}[2m]))", service=("topic",),
                   labels={"resource": "topic"})  # fmt: skip
    rabbit = (
        (Signal.PRODUCED_RATE, "rabbitmq_queue_messages_published_total", "rate({0}{{}}[2m])"),
        (Signal.CONSUMED_RATE, "rabbitmq_queue_messages_ack_total", "rate({0}{{}}[2m])"),
        (Signal.CONSUMERS, "rabbitmq_queue_consumers", "{0}{{}}"),
    )
    for signal, metric, text in rabbit:
        yield Template(signal=signal, needs=(metric,), source="rabbitmq", service=_EXPORTER,
                       promql=f"sum {queue}({text.format(metric)})", reduce="sum",
                       labels={"resource": "queue"})  # fmt: skip
    waits = (
        ("postgres", "pg_stat_activity_count", '{0}{{wait_event_type="Lock"}}'),
        ("mysql", "mysql_global_status_innodb_row_lock_current_waits", "{0}{{}}"),
    )
    for source, metric, text in waits:
        yield Template(signal=Signal.LOCK_WAITERS, needs=(metric,), source=source,
                       promql=f"sum by ({_EXPORTER_BY})({text.format(metric)})",
                       service=_EXPORTER, reduce="sum")  # fmt: skip


TEMPLATES: tuple[Template, ...] = (
    *_requests(), *_edges(), *_database(), *_containers(), *_workloads(), *_exporters(),
    *_infrastructure(), *_runtimes(), *_queues_and_locks(), *_quotas(),
)  # fmt: skip


def templates_for(signals: Sequence[Signal], metrics: frozenset[str]) -> tuple[Template, ...]:
    """Return the templates to ask: per signal and source, the first whose metrics all exist."""
    chosen: dict[tuple[Signal, str], Template] = {}
    for template in TEMPLATES:
        key = (template.signal, template.source)
        if template.signal in signals and key not in chosen and metrics.issuperset(template.needs):
            chosen[key] = template
    return tuple(chosen.values())


_SELECTOR = re.compile(r"\{([^{}]*)\}")
_BY = re.compile(r"by \(([^)]*)\)")


def render(template: Template, *, matchers: Sequence[str], range_s: int, by: str = "") -> str:
    """Return the PromQL to send. `matchers` go into every selector, `by` into every grouping."""
    scope = ",".join(matchers)
    text = _SELECTOR.sub(
        lambda found: "{" + ",".join(filter(None, (found.group(1), scope))) + "}", template.promql
    )
    text = text.replace("{}", "").replace("[2m]", f"[{_duration(range_s)}]")
    return _BY.sub(rf"by (\1, {by})", text) if by else text


def _duration(seconds: int) -> str:
    return f"{seconds // 60}m" if seconds % 60 == 0 else f"{seconds}s"
