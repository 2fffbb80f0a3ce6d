"""The signal catalogue of Datadog: which query gives each signal, by the metrics that exist.

A `{}` of a query gets the environment's scope; `%` stands for the operation of a trace metric.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bot.domain.snapshot import Signal

RATIO, COUNT, PER_S = "ratio", "count", "1/s"
MAX_OPERATIONS = 4
# Operations that are the entry of a request into a service, as Datadog's tracers call them.
ENTRIES = (
    "http.server.request", "server.request", "web.request", "http.request", "servlet.request",
    "express.request", "flask.request", "django.request", "fastapi.request", "starlette.request",
    "rack.request", "rails.request", "aspnet_core.request", "aspnet.request", "gin.request",
    "netty.request", "grpc.server", "laravel.request", "symfony.request", "next.request",
    "spring.handler", "akka_http.request", "undertow_http.request", "jetty.request",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One way to get a signal. `service`: tags that may name it; `labels`: label → tag."""

    signal: Signal
    needs: tuple[str, ...]
    query: str
    unit: str
    service: tuple[str, ...] = ("service",)
    source: str = "trace"
    labels: Mapping[str, str] = field(default_factory=dict)
    breakdowns: Mapping[str, str] = field(default_factory=dict)


_WORKLOAD = ("kube_deployment", "kube_stateful_set", "kube_daemon_set")
_BY = "by {kube_deployment,kube_stateful_set,kube_daemon_set}"
_OWNED = ("service", "kube_deployment", "kube_stateful_set", "host")
_BY_OWNER = "by {service,kube_deployment,kube_stateful_set,host}"


def _requests(operation: str) -> Iterator[Template]:
    base = f"trace.{operation}"
    hits = f"sum:{base}.hits{{}} by {{service}}.as_rate()"
    errors = f"default_zero(sum:{base}.errors{{}} by {{service}}.as_rate())"
    rows = (
        (Signal.REQUEST_RATE, (f"{base}.hits",), hits, PER_S),
        (Signal.ERROR_RATIO, (f"{base}.hits",), f"{errors}/{hits}", RATIO),
        (Signal.LATENCY_P50, (base,), f"p50:{base}{{}} by {{service}}", "s"),
        (Signal.LATENCY_P99, (base,), f"p99:{base}{{}} by {{service}}", "s"),
    )
    for signal, needs, query, unit in rows:
        yield Template(signal=signal, needs=needs, query=query, unit=unit, source=operation,
                       breakdowns={"version": "version", "pod": "pod_name"})  # fmt: skip


def _kubernetes() -> Iterator[Template]:
    ready, wanted = "replicas_available", "replicas_desired"
    state = "kubernetes_state.deployment"
    rows = (
        (Signal.CPU_CORES, ("kubernetes.cpu.usage.total",),
         f"sum:kubernetes.cpu.usage.total{{}} {_BY}/1000000000", "cores"),
        (Signal.CPU_OF_LIMIT, ("kubernetes.cpu.usage.total", "kubernetes.cpu.limits"),
         f"sum:kubernetes.cpu.usage.total{{}} {_BY}/1000000000/sum:kubernetes.cpu.limits{{}} {_BY}",
         RATIO),
        (Signal.MEMORY_BYTES, ("kubernetes.memory.working_set",),
         f"sum:kubernetes.memory.working_set{{}} {_BY}", "B"),
        (Signal.MEMORY_BYTES, ("kubernetes.memory.usage",),
         f"sum:kubernetes.memory.usage{{}} {_BY}", "B"),
        (Signal.MEMORY_OF_LIMIT, ("kubernetes.memory.usage_pct",),
         f"max:kubernetes.memory.usage_pct{{}} {_BY}", RATIO),
        (Signal.RESTARTS, ("kubernetes.containers.restarts",),
         f"sum:kubernetes.containers.restarts{{}} {_BY}", COUNT),
        (Signal.READY_PODS, (f"{state}.{ready}",),
         f"max:{state}.{ready}{{}} by {{kube_deployment}}", COUNT),
        (Signal.DESIRED_PODS, (f"{state}.{wanted}",),
         f"max:{state}.{wanted}{{}} by {{kube_deployment}}", COUNT),
    )  # fmt: skip
    for signal, needs, query, unit in rows:
        yield Template(signal=signal, needs=needs, query=query, unit=unit, service=_WORKLOAD,
                       source="kubernetes", breakdowns={"pod": "pod_name"})  # fmt: skip


def _servers() -> Iterator[Template]:
    rows: tuple[tuple[Signal, str, tuple[str, ...], str, str], ...] = (
        (Signal.MEMORY_OF_LIMIT, "redis", ("redis.mem.used", "redis.mem.maxmemory"),
         f"max:redis.mem.used{{}} {_BY_OWNER}/max:redis.mem.maxmemory{{}} {_BY_OWNER}", RATIO),
        (Signal.MEMORY_FRAGMENTATION, "redis", ("redis.mem.fragmentation_ratio",),
         f"max:redis.mem.fragmentation_ratio{{}} {_BY_OWNER}", RATIO),
        (Signal.EVICTIONS, "redis", ("redis.keys.evicted",),
         f"sum:redis.keys.evicted{{}} {_BY_OWNER}.as_rate()", PER_S),
        (Signal.CONNECTIONS_OF_LIMIT, "postgres", ("postgresql.percent_usage_connections",),
         f"max:postgresql.percent_usage_connections{{}} {_BY_OWNER}", RATIO),
        (Signal.CONNECTIONS_OF_LIMIT, "mysql",
         ("mysql.net.connections", "mysql.net.max_connections_available"),
         f"max:mysql.net.connections{{}} {_BY_OWNER}"
         f"/max:mysql.net.max_connections_available{{}} {_BY_OWNER}", RATIO),
        (Signal.HEAP_OF_LIMIT, "jvm", ("jvm.heap_memory", "jvm.heap_memory_max"),
         f"max:jvm.heap_memory{{}} {_BY_OWNER}/max:jvm.heap_memory_max{{}} {_BY_OWNER}", RATIO),
    )  # fmt: skip
    for signal, source, needs, query, unit in rows:
        yield Template(signal=signal, needs=needs, query=query, unit=unit, service=_OWNED,
                       source=source)  # fmt: skip
    lag = "kafka.consumer_lag"
    yield Template(signal=Signal.QUEUE_DEPTH, needs=(lag,), unit="messages", source="kafka",
                   query=f"sum:{lag}{{}} by {{consumer_group,topic}}",
                   service=("consumer_group",), labels={"resource": "topic"})  # fmt: skip
    depth = "rabbitmq.queue.messages_ready"
    yield Template(signal=Signal.QUEUE_DEPTH, needs=(depth,), unit="messages", source="rabbitmq",
                   query=f"sum:{depth}{{}} by {{service,rabbitmq_queue}}",
                   service=("service", "rabbitmq_queue"),
                   labels={"resource": "rabbitmq_queue"})  # fmt: skip


def _nodes() -> Iterator[Template]:
    rows: tuple[tuple[Signal, str, str, dict[str, str]], ...] = (
        (Signal.NODE_CPU, "system.cpu.idle", "1-avg:system.cpu.idle{} by {host}/100", {}),
        (Signal.NODE_MEMORY, "system.mem.pct_usable",
         "1-avg:system.mem.pct_usable{} by {host}", {}),
        (Signal.DISK_OF_LIMIT, "system.disk.in_use",
         "max:system.disk.in_use{} by {host,device}", {"resource": "device"}),
    )  # fmt: skip
    for signal, metric, query, labels in rows:
        yield Template(signal=signal, needs=(metric,), query=query, unit=RATIO, service=("host",),
                       source="node", labels=labels)  # fmt: skip


FIXED: tuple[Template, ...] = (*_kubernetes(), *_servers(), *_nodes())


def templates_for(signals: Sequence[Signal], metrics: frozenset[str]) -> tuple[Template, ...]:
    """Return the templates to ask: per signal and source, the first whose metrics all exist."""
    entries = [e for e in ENTRIES if f"trace.{e}.hits" in metrics][:MAX_OPERATIONS]
    every: Iterable[Template] = (*(t for e in entries for t in _requests(e)), *FIXED)
    chosen: dict[tuple[Signal, str], Template] = {}
    for template in every:
        key = (template.signal, template.source)
        if template.signal in signals and key not in chosen and metrics.issuperset(template.needs):
            chosen[key] = template
    return tuple(chosen.values())


_GROUPING = re.compile(r"by \{([^}]*)\}")


def render(template: Template, *, scope: str, by: str = "") -> str:
    """Return the query to send: `scope` goes into every selection, `by` into every grouping."""
    text = template.query.replace("{}", "{" + scope + "}")
    return _GROUPING.sub(rf"by {{\1,{by}}}", text) if by else text
