"""Which metrics give which signal, of each library and exporter; several servers; objectives."""

from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.domain.environment import Environment, Tier
from bot.domain.errors import NotConfigured, Unavailable
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import Signal
from bot.domain.time import Window
from tests.fakes.loopback import Asked, Reply, loopback
from tools.read.prometheus.alerts import PrometheusAlerts
from tools.read.prometheus.catalogue import TEMPLATES, templates_for
from tools.read.prometheus.objectives import PrometheusObjectives
from tools.read.prometheus.series import PrometheusSeries

WINDOW = Window.last(1800, before=datetime(2026, 1, 1, 12, tzinfo=UTC))
RED = (Signal.REQUEST_RATE, Signal.ERROR_RATIO, Signal.LATENCY_P99)


class Server:
    """A Prometheus: `matrices` and `vectors` answer the queries that have their key in them."""

    def __init__(self, *names: str, **matrices: Any) -> None:
        self.names, self.matrices = names, matrices
        self.vectors: dict[str, list[Any]] = {}
        self.alerts: Reply = success({"alerts": []})
        self.build: Reply = success({"version": "2.24.0"})
        self.broken = False
        self.headers: list[Any] = []
        self.queries: list[str] = []

    def __call__(self, asked: Asked) -> Reply:
        self.headers.append(asked.headers)
        if self.broken:
            return Reply(status=503)
        fixed = {
            "/api/v1/label/__name__/values": success(self.names),
            "/api/v1/alerts": self.alerts,
            "/api/v1/status/buildinfo": self.build,
        }
        if asked.path in fixed:
            return fixed[asked.path]
        promql = asked.query["query"]
        self.queries.append(promql)
        kind = "vector" if asked.path == "/api/v1/query" else "matrix"
        answers = self.vectors if kind == "vector" else self.matrices
        found = [one for key, many in answers.items() if key in promql for one in many]
        return success({"resultType": kind, "result": found})


def success(data: Any) -> Reply:
    return Reply(body={"status": "success", "data": data})


def line(*values: float, **labels: str) -> dict[str, Any]:
    return {"metric": labels, "values": [[1000 + 15 * n, str(v)] for n, v in enumerate(values)]}


def value(number: float, **labels: str) -> dict[str, Any]:
    return {"metric": labels, "value": [1000, str(number)]}


def environment(**settings: Any) -> Environment:
    return Environment(
        name="prod",
        tier=Tier.PRODUCTION,
        namespaces=("shop",),
        connections={"prometheus": settings},
    )


def need(*names: str, fact: Fact = Fact.SERIES, services: tuple[str, ...] = ()) -> Need:
    return Need(fact=fact, window=WINDOW, names=names, services=services)


async def read(kind: Any, asked: Need, *servers: Server, **more: Any) -> Any:
    with ExitStack() as stack:
        urls = [stack.enter_context(loopback(server)).url for server in servers]
        if len(urls) == 1:
            settings = {"url": urls[0], **more}
        else:
            settings = {"servers": {f"s{n}": {"url": u, **more} for n, u in enumerate(urls)}}
        tool = kind.for_environment(environment(**settings))
        return await tool.read(asked)


@pytest.mark.parametrize(
    ("family", "unit"),
    [
        ("http_server_request_duration_seconds", ""),
        ("http_server_duration_milliseconds", "/ 1000"),
        ("http_server_duration_seconds", ""),
        ("http_server_duration", "/ 1000"),
        ("rpc_server_duration_milliseconds", "/ 1000"),
        ("rpc_server_call_duration_seconds", ""),
        ("http_server_requests_seconds", ""),
        ("http_request_duration_seconds", ""),
        ("flask_http_request_duration_seconds", ""),
        ("istio_request_duration_milliseconds", "/ 1000"),
    ],
)
def test_a_histogram_gives_rate_errors_and_latency_in_seconds(family: str, unit: str) -> None:
    found = templates_for(RED, frozenset({f"{family}_count", f"{family}_bucket"}))
    by_signal = {t.signal: t.promql for t in found}
    assert set(by_signal) == set(RED)
    assert by_signal[Signal.LATENCY_P99].endswith(unit)
    assert ("/ 1000" in by_signal[Signal.LATENCY_P99]) == bool(unit)


@pytest.mark.parametrize(
    "names",
    [
        ("grpc_server_handled_total", "grpc_server_handling_seconds_bucket"),
        ("response_total", "response_latency_ms_bucket"),
        ("traces_spanmetrics_calls_total", "traces_spanmetrics_latency_bucket"),
        (
            "traces_span_metrics_calls_total",
            "traces_span_metrics_duration_milliseconds_bucket",
        ),
        (
            "nginx_ingress_controller_requests",
            "nginx_ingress_controller_request_duration_seconds_bucket",
        ),
        ("traefik_service_requests_total", "traefik_service_request_duration_seconds_bucket"),
        (
            "envoy_cluster_upstream_rq_total",
            "envoy_cluster_upstream_rq_xx",
            "envoy_cluster_upstream_rq_time_bucket",
        ),
        (
            "django_http_responses_total_by_status_total",
            "django_http_requests_latency_seconds_by_view_method_bucket",
        ),
    ],
)
def test_counters_with_a_histogram_of_their_own_do_too(names: tuple[str, ...]) -> None:
    assert {t.signal for t in templates_for(RED, frozenset(names))} == set(RED)


@pytest.mark.parametrize(
    ("signal", "names"),
    [
        (Signal.LATENCY_P99, ["http_server_requests_seconds"]),
        (Signal.POOL_OF_LIMIT, ["hikaricp_connections_active", "hikaricp_connections_max"]),
        (Signal.POOL_WAITERS, ["hikaricp_connections_pending"]),
        (Signal.POOL_OF_LIMIT, ["go_sql_in_use_connections", "go_sql_max_open_connections"]),
        (Signal.EDGE_RATE, ["traces_service_graph_request_total"]),
        (Signal.CPU_OF_LIMIT, ["container_cpu_usage_seconds_total",
                               "kube_pod_container_resource_limits_cpu_cores"]),
        (Signal.CPU_OF_LIMIT, ["container_cpu_usage_seconds_total", "container_spec_cpu_quota",
                               "container_spec_cpu_period"]),
        (Signal.MEMORY_OF_LIMIT, ["container_memory_working_set_bytes",
                                  "container_spec_memory_limit_bytes"]),
        (Signal.CPU_CORES, ["k8s_pod_cpu_usage"]),
        (Signal.CONNECTIONS_OF_LIMIT, ["mysql_global_status_threads_connected",
                                       "mysql_global_variables_max_connections"]),
        (Signal.CONNECTIONS_OF_LIMIT, ["pg_stat_database_numbackends",
                                       "pg_settings_max_connections"]),
        (Signal.CONNECTIONS_OF_LIMIT, ["mongodb_ss_connections"]),
        (Signal.MEMORY_OF_LIMIT, ["memcached_current_bytes", "memcached_limit_bytes"]),
        (Signal.QUEUE_DEPTH, ["kminion_kafka_consumer_group_topic_lag"]),
        (Signal.QUEUE_DEPTH, ["rabbitmq_detailed_queue_messages_ready"]),
        (Signal.GC_TIME, ["jvm_gc_collection_seconds_sum"]),
        (Signal.HEAP_OF_LIMIT, ["jvm_memory_bytes_used", "jvm_memory_bytes_max"]),
        (Signal.HEAP_OF_LIMIT, ["go_memstats_heap_inuse_bytes", "go_gc_gomemlimit_bytes"]),
        (Signal.THREADS_OF_LIMIT, ["jetty_threads_busy", "jetty_threads_config_max"]),
        (Signal.NODE_CPU, ["container_cpu_usage_seconds_total", "machine_cpu_cores"]),
        (Signal.NODE_MEMORY, ["container_memory_working_set_bytes", "machine_memory_bytes"]),
        (Signal.CERTIFICATE_EXPIRES_IN, ["certmanager_certificate_expiration_timestamp_seconds"]),
    ],
)  # fmt: skip
def test_a_signal_is_found_by_the_metrics_that_exist(signal: Signal, names: list[str]) -> None:
    assert templates_for((signal,), frozenset(names))
    assert not templates_for((signal,), frozenset(names[1:]))


def test_no_template_can_be_told_from_another_of_its_source_by_nothing() -> None:
    keys = [(t.signal, t.source, t.needs, t.promql) for t in TEMPLATES]
    assert len(keys) == len(set(keys))


async def test_services_of_another_library_are_found_too_and_none_twice() -> None:
    server = Server(
        "http_server_request_duration_seconds_count",
        "http_server_requests_seconds_count",
        http_server_request_duration=[line(1, service_name="cart"), line(2, service_name="web")],
        http_server_requests_seconds=[
            line(3, application="billing"),
            line(9, application="web-metrics"),
        ],
    )
    found = await read(PrometheusSeries, need("request_rate"), server)
    assert [(s.service, s.values) for s in found.series] == [
        ("cart", (1.0,)),
        ("web", (2.0,)),
        ("billing", (3.0,)),
    ]


@pytest.mark.parametrize(
    ("names", "labels", "service"),
    [
        (["http_server_request_duration_seconds_count", "target_info"], {"job": "shop/cart"},
         "cart"),
        (["envoy_cluster_upstream_rq_total"],
         {"envoy_cluster_name": "outbound|80||cart.shop.svc.cluster.local"}, "cart"),
        (["traefik_service_requests_total"], {"exported_service": "shop-cart-8080@kubernetescrd"},
         "cart"),
        (["traefik_service_requests_total"], {"service": "web@docker"}, "web"),
        (["nginx_ingress_controller_requests"], {"exported_service": "cart"}, "cart"),
    ],
)  # fmt: skip
async def test_jobs_and_backends_name_the_service(
    names: list[str], labels: dict[str, str], service: str
) -> None:
    server = Server(*names, rate=[line(1, **labels)])
    found = await read(PrometheusSeries, need("request_rate"), server)
    assert {s.service for s in found.series} == {service}


async def test_several_servers_are_put_together() -> None:
    apps = Server(
        "http_requests_total",
        "process_open_fds",
        "process_max_fds",
        http_requests=[line(1, service="cart"), line(1, 2, service="web")],
    )
    twin = Server("http_requests_total", http_requests=[line(1, 2, 3, service="cart")])
    infra = Server("node_cpu_seconds_total", node_cpu=[line(0.5, node="n1")])
    wanted = need("request_rate", "node_cpu", "queue_depth")
    found = await read(PrometheusSeries, wanted, apps, twin, infra)
    assert {(s.signal, s.service, len(s.values)) for s in found.series} == {
        ("request_rate", "cart", 3),
        ("request_rate", "web", 2),
        ("node_cpu", "n1", 1),
    }
    assert [b.wanted for b in found.blind_spots] == ["queue_depth"]


async def test_one_server_that_fails_is_a_blind_spot_and_all_an_error() -> None:
    apps = Server("http_requests_total", http_requests=[line(1, service="cart")])
    down = Server()
    down.broken = True
    found = await read(PrometheusSeries, need("request_rate"), apps, down)
    assert len(found.series) == 1
    assert [(b.wanted, b.reason) for b in found.blind_spots] == [
        ("metrics of s1", "Prometheus: HTTP 503")
    ]
    with pytest.raises(Unavailable):
        await read(PrometheusSeries, need("request_rate"), down, down)


async def test_doctor_hears_each_server_by_name() -> None:
    one, other = Server("a", "b"), Server("c")
    other.build = Reply(status=400, body=b'unsupported path requested: "/api/v1/status/buildinfo"')
    with loopback(one) as first, loopback(other) as second:
        servers = {"apps": {"url": first.url}, "infra": {"url": second.url}}
        tool = PrometheusSeries.for_environment(environment(servers=servers))
        assert tool
        assert await tool.check() == (
            "apps: Prometheus 2.24.0, 2 metrics; infra: Prometheus's API, 1 metrics"
        )
        other.broken = True
        other.names = ()
        tool = PrometheusSeries.for_environment(environment(servers=servers))
        assert tool
        with pytest.raises(Unavailable, match="infra: Prometheus: HTTP 503"):
            await tool.check()


@pytest.mark.parametrize("missing", [404, 400])
async def test_alerts_of_victoriametrics_are_at_vmalert(missing: int) -> None:
    store, vmalert = Server(), Server()
    store.alerts = Reply(status=missing, body=b'unsupported path requested: "/api/v1/alerts"')
    vmalert.alerts = success({"alerts": [{"labels": {"alertname": "Slow", "service": "cart"}}]})
    with pytest.raises(Unavailable, match="alerts_url"):
        await read(PrometheusAlerts, need(fact=Fact.ALERTS), store)
    with loopback(vmalert) as running:
        more = {"alerts_url": running.url + "/"}
        found = await read(PrometheusAlerts, need(fact=Fact.ALERTS), store, **more)
    assert [(a.name, a.service) for a in found.alerts] == [("Slow", "cart")]


async def test_credentials_and_tenants_go_with_every_query_and_into_no_text(
    tmp_path: Path,
) -> None:
    secret = tmp_path / "password"
    secret.write_text("plain-passw0rt")
    server = Server("http_requests_total")
    more = {"username": "bot", "password_file": str(secret), "tenant": "shop"}
    await read(PrometheusSeries, need("request_rate"), server, **more)
    assert all(h["X-Scope-OrgID"] == "shop" for h in server.headers)
    assert all(h["Authorization"].startswith("Basic ") for h in server.headers)

    def echo(asked: Asked) -> Reply:
        if asked.path.endswith("/values"):
            return success(["http_requests_total"])
        said = {"status": "error", "error": f"bad plain-passw0rt {asked.headers['Authorization']}"}
        return Reply(status=400, body=said)

    with loopback(echo) as running:
        tool = PrometheusSeries.for_environment(environment(url=running.url, **more))
        assert tool
        with pytest.raises(Exception, match="400") as raised:
            await tool.read(need("request_rate"))
    assert "passw0rt" not in str(raised.value)
    assert "Ym90O" not in str(raised.value)


@pytest.mark.parametrize(
    ("servers", "said"),
    [
        ([], "servers must be an object"),
        ({}, "servers must be an object"),
        ({"a": {"url": "x"}}, r"prometheus\.servers\.a\.url"),
        ({"a": 3}, r"prometheus\.servers\.a must be an object"),
        ({"a": {"url": "http://x", "matchers": 3}}, r"prometheus\.servers\.a\.matchers"),
    ],
)
def test_a_wrong_setting_of_one_server_is_named(servers: Any, said: str) -> None:
    with pytest.raises(NotConfigured, match=said):
        PrometheusSeries.for_environment(environment(servers=servers))


async def test_sloths_objectives_carry_its_own_burn_rate() -> None:
    server = Server("slo:objective:ratio", "slo:current_burn_rate:ratio")
    good = {"sloth_service": "cart", "sloth_slo": "requests-availability"}
    slow = {"sloth_service": "cart", "sloth_slo": "requests-latency"}
    server.vectors = {
        "slo:objective:ratio": [value(0.999, **good), value(0.95, **slow)],
        "slo:current_burn_rate": [value(18, **good), value(2, **slow)],
    }
    found = (await read(PrometheusObjectives, need(fact=Fact.OBJECTIVES), server)).objectives
    assert [(o.service, o.signal, o.target_ratio, o.burn_rate) for o in found] == [
        ("cart", "error_ratio", 0.999, 18.0),
        ("cart", "slo:requests-latency", 0.95, 2.0),
    ]


async def test_pyrras_objectives_burn_by_its_counters() -> None:
    server = Server("pyrra_objective", "pyrra_errors_total", "pyrra_requests_total")
    cart = {"slo": "cart-errors", "service": "cart"}
    server.vectors = {
        "pyrra_objective": [value(0.99, **cart), value(0.9, slo="web-errors")],
        "pyrra_errors_total": [value(0.05, **cart)],
    }
    found = (await read(PrometheusObjectives, need(fact=Fact.OBJECTIVES), server)).objectives
    assert [(o.service, o.burn_rate) for o in found] == [
        ("cart", pytest.approx(5)),
        ("web-errors", None),
    ]


async def test_damaged_values_of_rules_are_left_out() -> None:
    server = Server("slo:objective:ratio")
    server.vectors = {
        "slo:objective:ratio": [
            {"metric": {"service": "a"}, "value": [1]},
            {"metric": {"service": "b"}, "value": [1, "NaN"]},
            {"metric": {}, "value": [1, "0.9"]},
            {"metric": {"service": "c"}},
            value(1.0, service="d"),
        ]
    }
    found = (await read(PrometheusObjectives, need(fact=Fact.OBJECTIVES), server)).objectives
    assert [(o.service, o.burn_rate) for o in found] == [("d", None)]
