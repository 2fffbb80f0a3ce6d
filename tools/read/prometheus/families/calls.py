"""What services call: each other, databases, and the pools of connections that they keep.

Names: OpenTelemetry (new, old), Istio, Tempo's service graph, HikariCP, Go's database/sql.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bot.domain.snapshot import Signal
from tools.read.prometheus.template import Template, ratio

_OTEL = {"pod": "pod", "version": "service_version", "route": "http_route"}
_GRPC = 'rpc_grpc_status_code=~"2|4|12|13|14|15"'
_NEW = 'http_response_status_code=~"5.."'
_OLD = 'http_status_code=~"5.."'
_MS = " / 1000"
_APP = ("service_name", "application", "service", "app", "job")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Family:
    """Calls as the caller sees them. `failed`: a metric of its own for failures."""

    count: str
    bucket: str
    errors: str
    callee: str
    caller: str = "service_name"
    failed: str = ""
    where: str = ""
    scale: str = ""
    namespace: str = "namespace"
    breakdowns: Mapping[str, str] = field(default_factory=lambda: _OTEL)
    own: bool = True


def _otel(family: str, errors: str, callee: str, scale: str = "") -> _Family:
    return _Family(count=f"{family}_count", bucket=f"{family}_bucket", errors=errors,
                   callee=callee, scale=scale)  # fmt: skip


FAMILIES = (
    _otel("http_client_request_duration_seconds", _NEW, "server_address"),
    _otel("http_client_duration_milliseconds", _OLD, "net_peer_name", _MS),
    _otel("http_client_duration_seconds", _OLD, "net_peer_name"),
    _otel("http_client_duration", _OLD, "net_peer_name", _MS),
    _otel("rpc_client_duration_milliseconds", _GRPC, "server_address", _MS),
    _otel("rpc_client_duration_seconds", _GRPC, "server_address"),
    _Family(
        count="istio_request_duration_milliseconds_count",
        bucket="istio_request_duration_milliseconds_bucket",
        errors='response_code=~"5..|0"', where='reporter="source"', scale=_MS,
        caller="source_workload", callee="destination_workload",
        namespace="source_workload_namespace", breakdowns={"version": "source_version"},
        own=False,
    ),
    _Family(
        count="traces_service_graph_request_total",
        failed="traces_service_graph_request_failed_total", errors="",
        bucket="traces_service_graph_request_client_seconds_bucket",
        caller="client", callee="server", namespace="", breakdowns={}, own=False,
    ),
)  # fmt: skip


def templates() -> Iterator[Template]:
    """Yield the templates of calls, databases and pools."""
    for family in FAMILIES:
        yield from _of(family)
    yield from _database("db_client_operation_duration_seconds", "server_address")
    yield from _database("db_client_operation_duration", "server_address", _MS)
    yield from _pools()


def _of(family: _Family) -> Iterator[Template]:
    by = f"{family.caller}, {family.callee}"
    both = ",".join(filter(None, (family.where, family.errors)))
    total = f"sum by ({by})(rate({family.count}{{{family.where}}}[2m]))"
    bad = f"sum by ({by})(rate({family.failed or family.count}{{{both}}}[2m]))"
    buckets = f"sum by (le, {by})(rate({family.bucket}{{{family.where}}}[2m]))"
    failing = (family.count, family.failed) if family.failed else (family.count,)
    rows = (
        (Signal.EDGE_RATE, (family.count,), total),
        (Signal.EDGE_ERROR_RATIO, failing, ratio(bad, total)),
        (Signal.EDGE_LATENCY_P99, (family.bucket,),
         f"histogram_quantile(0.99, {buckets}){family.scale}"),
    )  # fmt: skip
    for signal, needs, promql in rows:
        yield Template(signal=signal, needs=needs, promql=promql, service=(family.caller,),
                       labels={"peer": family.callee}, breakdowns=family.breakdowns,
                       namespace=family.namespace, own=family.own)  # fmt: skip


def _database(family: str, callee: str, scale: str = "") -> Iterator[Template]:
    by = f"service_name, {callee}"
    more = {**_OTEL, "operation": "db_operation_name"}
    yield Template(
        signal=Signal.DB_QUERY_RATE, needs=(f"{family}_count",), labels={"peer": callee},
        promql=f"sum by ({by})(rate({family}_count{{}}[2m]))", breakdowns=more,
    )  # fmt: skip
    yield Template(
        signal=Signal.DB_QUERY_P99, needs=(f"{family}_bucket",), labels={"peer": callee},
        promql=f"histogram_quantile(0.99, sum by (le, {by})(rate({family}_bucket{{}}[2m]))){scale}",
        breakdowns=more,
    )  # fmt: skip


def _pools() -> Iterator[Template]:
    otel, app = "service_name", ", ".join(_APP)
    rows = (
        ("db_client_connections_usage", '{state="used"}', "db_client_connections_max",
         "db_client_connections_pending_requests", otel, "pool_name"),
        ("db_client_connection_count", '{db_client_connection_state="used"}',
         "db_client_connection_max", "db_client_connection_pending_requests", otel,
         "db_client_connection_pool_name"),
        ("hikaricp_connections_active", "{}", "hikaricp_connections_max",
         "hikaricp_connections_pending", app, "pool"),
        ("go_sql_in_use_connections", "{}", "go_sql_max_open_connections", "", app, "db_name"),
        ("go_sql_stats_connections_in_use", "{}", "go_sql_stats_connections_max_open", "", app,
         "db_name"),
    )  # fmt: skip
    for used, state, most, waiting, owner, pool in rows:
        by = f"by ({owner}, {pool})"
        service = (otel,) if owner == otel else _APP
        about = {"resource": pool}
        yield Template(
            signal=Signal.POOL_OF_LIMIT, needs=(used, most), source="pool", service=service,
            promql=f"sum {by}({used}{state}) / (sum {by}({most}{{}}) > 0)", labels=about,
            breakdowns={"pod": "pod"}, own=True,
        )  # fmt: skip
        if waiting:
            yield Template(
                signal=Signal.POOL_WAITERS, needs=(waiting,), source="pool", service=service,
                promql=f"sum {by}({waiting}{{}})", labels=about, breakdowns={"pod": "pod"},
                own=True,
            )  # fmt: skip
    bouncer = "pgbouncer_pools_client_waiting_connections"
    yield Template(
        signal=Signal.POOL_WAITERS, needs=(bouncer,), source="pgbouncer", service=("database",),
        promql=f"sum by (database)({bouncer}{{}})", labels={"resource": "database"},
    )  # fmt: skip
