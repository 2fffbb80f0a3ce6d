"""Series, alerts and objectives from a Prometheus that answers what the test says."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain.environment import Environment, Tier
from bot.domain.errors import Malformed, Unavailable
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import Signal
from bot.domain.time import Window
from tests.fakes.loopback import Asked, Reply, loopback
from tools.read.prometheus.alerts import PrometheusAlerts
from tools.read.prometheus.catalogue import TEMPLATES, render, templates_for
from tools.read.prometheus.objectives import PrometheusObjectives
from tools.read.prometheus.series import PrometheusSeries, aligned, step_for
from tools.read.prometheus.template import UNITS

NOW = datetime(2026, 1, 1, 12, 0, 7, tzinfo=UTC)
WINDOW = Window.last(1800, before=NOW)
OTEL = [
    "http_server_request_duration_seconds_count",
    "http_server_request_duration_seconds_bucket",
    "http_client_request_duration_seconds_count",
    "http_client_request_duration_seconds_bucket",
    "container_cpu_usage_seconds_total",
    "redis_memory_used_bytes",
    "redis_memory_max_bytes",
]

NODES = ["node_cpu_seconds_total", "node_memory_MemAvailable_bytes", "node_memory_MemTotal_bytes"]
PODS = [
    "container_memory_working_set_bytes",
    "kube_pod_container_resource_limits",
    "kube_pod_container_status_restarts_total",
    "kube_deployment_status_replicas_available",
    "kube_deployment_spec_replicas",
]


class Server:
    """A Prometheus with some metrics; `matrix` answers every range query."""

    def __init__(self, names: list[str], matrix: Any = (), broken: str = "") -> None:
        self.names, self.matrix, self.broken = names, list(matrix), broken
        self.alerts: list[Any] = []
        self.vectors: dict[str, list[Any]] = {}
        self.queries: list[Asked] = []

    def __call__(self, asked: Asked) -> Reply:
        if asked.path == "/api/v1/label/__name__/values":
            return success(self.names)
        if asked.path == "/api/v1/alerts":
            return success({"alerts": self.alerts})
        self.queries.append(asked)
        promql = asked.query["query"]
        if self.broken and self.broken in promql:
            return Reply(status=503, body=b"down")
        if asked.path == "/api/v1/query":
            found = next((v for k, v in self.vectors.items() if promql.startswith(k)), [])
            return success({"resultType": "vector", "result": found})
        return success({"resultType": "matrix", "result": self.matrix})


def success(data: Any) -> Reply:
    return Reply(body={"status": "success", "data": data})


def environment(url: str, **more: Any) -> Environment:
    return Environment(
        name="prod",
        tier=Tier.PRODUCTION,
        namespaces=("shop", "pay"),
        connections={"prometheus": {"url": url, **more}},
    )


def need(*names: str, services: tuple[str, ...] = (), window: Window = WINDOW) -> Need:
    return Need(fact=Fact.SERIES, window=window, names=names, services=services)


async def read(server: Server, asked: Need, **more: Any) -> Any:
    with loopback(server) as running:
        tool = PrometheusSeries.for_environment(environment(running.url, **more))
        assert tool
        return await tool.read(asked)


def point_series(metric: dict[str, str], *values: Any) -> dict[str, Any]:
    return {"metric": metric, "values": [[1000 + 15 * n, v] for n, v in enumerate(values)]}


async def test_one_query_serves_all_services() -> None:
    server = Server(OTEL, [point_series({"service_name": s}, "1", "2") for s in ("cart", "pay")])
    found = await read(server, need("request_rate"))
    assert len(server.queries) == 1
    assert [(s.service, s.values, s.unit) for s in found.series] == [
        ("cart", (1.0, 2.0), "1/s"),
        ("pay", (1.0, 2.0), "1/s"),
    ]
    source = found.series[0].source
    assert source.query == server.queries[0].query["query"]
    assert 'namespace=~"shop|pay|"' in source.query
    assert "/graph?g0.expr=sum+by" in source.link


async def test_services_are_filtered_and_edges_kept_by_either_end() -> None:
    matrix = [
        point_series({"service_name": "a", "server_address": "b.shop.svc:80"}, "1"),
        point_series({"service_name": "b", "server_address": "c"}, "1"),
        point_series({"service_name": "c", "server_address": "d"}, "1"),
    ]
    found = await read(Server(OTEL, matrix), need("edge_rate", services=("b",)))
    assert [(s.service, s.labels["peer"]) for s in found.series] == [("a", "b"), ("b", "c")]


async def test_pods_become_services_unless_pods_are_asked_for() -> None:
    matrix = [
        point_series({"namespace": "shop", "pod": "cart-6c9f7d8b5-x2k4q"}, "1", "2"),
        point_series({"namespace": "shop", "pod": "cart-6c9f7d8b5-zzzzz"}, "10", "20"),
    ]
    found = await read(Server(OTEL, matrix), need("cpu_cores"))
    assert [(s.service, s.values, dict(s.labels)) for s in found.series] == [
        ("cart", (11.0, 22.0), {})
    ]
    found = await read(Server(OTEL, matrix), need("cpu_cores:pod"))
    assert [(s.service, s.labels["pod"][-5:], s.values) for s in found.series] == [
        ("cart", "x2k4q", (1.0, 2.0)),
        ("cart", "zzzzz", (10.0, 20.0)),
    ]


async def test_a_breakdown_goes_into_every_grouping() -> None:
    server = Server(OTEL, [point_series({"service_name": "a", "service_version": "v2"}, "1")])
    found = await read(server, need("error_ratio:version"))
    promql = server.queries[0].query["query"]
    assert promql.count("by (service_name, service_version)") == promql.count("by (") == 3
    assert found.series[0].labels == {"version": "v2"}


async def test_gaps_and_infinities_are_left_out() -> None:
    matrix = [
        point_series({"service_name": "a"}, "NaN", "+Inf", "-Inf", "3"),
        point_series({"service_name": "b"}, "NaN"),
        point_series({}, "1"),
    ]
    found = await read(Server(OTEL, matrix), need("latency_p99"))
    assert [(s.service, s.times, s.values) for s in found.series] == [("a", (1045.0,), (3.0,))]


async def test_signals_without_metrics_are_blind_spots_only_when_asked_for_by_name() -> None:
    found = await read(Server(OTEL), need("queue_depth", "no_such_signal", "request_rate:node"))
    assert [b.wanted for b in found.blind_spots] == [
        "queue_depth",
        "request_rate:node",
        "no_such_signal",
    ]
    assert (await read(Server(OTEL), need())).blind_spots == ()


async def test_what_fails_is_a_blind_spot_and_the_rest_is_there() -> None:
    server = Server(OTEL, [point_series({"service_name": "a"}, "1")], broken="_bucket")
    found = await read(server, need("request_rate", "latency_p99"))
    assert [s.signal for s in found.series] == ["request_rate"]
    assert "HTTP 503" in found.blind_spots[0].reason
    assert found.blind_spots[0].wanted == "latency_p99 from metrics"
    assert len([q for q in server.queries if "_bucket" in q.query["query"]]) == 2, "tried twice"


async def test_when_everything_fails_the_tool_says_so() -> None:
    with pytest.raises(Unavailable):
        await read(Server(OTEL, broken="rate"), need("request_rate"))


@pytest.mark.parametrize(
    "matrix",
    [
        [{"metric": "x", "values": []}],
        [{"metric": {"service_name": "a"}, "values": [["x", "y"]]}],
        [{"metric": {"service_name": "a"}, "values": [[1]]}],
        [{"metric": {"service_name": "a"}, "value": None}],
        ["x"],
    ],
)
async def test_a_matrix_that_is_none_is_malformed(matrix: Any) -> None:
    with pytest.raises(Malformed):
        await read(Server(OTEL, matrix), need("request_rate"))


async def test_a_shared_prometheus_is_narrowed_by_matchers() -> None:
    server = Server(OTEL)
    await read(server, need("error_ratio"), matchers={"cluster": "eu-1"})
    promql = server.queries[0].query["query"]
    assert promql.count('cluster="eu-1"') == promql.count("{") == 3


async def test_the_default_set_stays_within_its_budget_of_queries() -> None:
    server = Server(sorted({metric for t in TEMPLATES for metric in t.needs}))
    await read(server, need())
    assert len(server.queries) <= 92  # with every library and exporter there is
    usual = Server([*OTEL, *NODES, *PODS])
    await read(usual, need())
    assert len(usual.queries) <= 20
    assert all(int(q.query["step"]) * 121 >= 1800 for q in server.queries)


def test_every_signal_has_a_template_and_a_unit() -> None:
    assert {t.signal for t in TEMPLATES} == set(Signal) == set(UNITS)


@pytest.mark.parametrize("signal", [Signal.REQUEST_RATE, Signal.LATENCY_P99, Signal.ERROR_RATIO])
def test_istio_and_plain_metrics_stand_in_for_opentelemetry(signal: Signal) -> None:
    istio = frozenset(
        {"istio_request_duration_milliseconds_count", "istio_request_duration_milliseconds_bucket"}
    )
    red = frozenset({"http_requests_total", "http_request_duration_seconds_bucket"})
    assert "istio" in templates_for((signal,), istio)[0].promql
    assert "http_request" in templates_for((signal,), red)[0].promql
    first, second = templates_for((signal,), istio | red | frozenset(OTEL))
    assert "http_server" in first.promql
    assert "http_request" in second.promql, "services may write either; the mesh sees them anyway"


def test_the_packets_of_a_pod_are_counted_by_its_sandbox_not_by_its_containers() -> None:
    counted = frozenset({"container_network_receive_packets_total"})
    (template,) = templates_for((Signal.PACKETS_IN,), counted)
    assert 'pod!=""' in template.promql
    assert "container!=" not in template.promql, "cAdvisor gives the network no container"
    assert templates_for((Signal.PACKETS_OUT,), counted) == ()


def test_retransmissions_bear_the_name_of_the_node_where_it_is_known() -> None:
    segments = "node_netstat_Tcp_RetransSegs"
    named, bare = (
        templates_for((Signal.TCP_RETRANSMITS,), frozenset(there))[0]
        for there in ({segments, "node_uname_info"}, {segments})
    )
    assert "nodename" in named.promql
    assert "nodename" not in bare.promql


def test_every_template_renders_to_valid_promql() -> None:
    import promql_parser

    for template in TEMPLATES:
        for by in ("", *template.breakdowns.values()):
            text = render(template, matchers=['namespace=~"shop|"'], range_s=900, by=by)
            promql_parser.parse(text)
            assert "[2m]" not in text


@pytest.mark.parametrize("seconds", [60, 1800, 7200, 26 * 3600, 30 * 86400])
def test_no_series_has_many_more_points_than_wanted(seconds: int) -> None:
    window = Window.last(seconds, before=NOW)
    step = step_for(window)
    grid = aligned(window, step)
    assert grid.seconds / step <= 121
    assert grid.end.timestamp() % step == 0


async def test_alerts_of_the_environment_are_read() -> None:
    server = Server([])
    server.alerts = [
        {
            "labels": {
                "alertname": "Slow",
                "service_name": "cart",
                "severity": "page",
                "namespace": "shop",
            },
            "annotations": {"summary": "p99 high for bob@shop.example"},
            "state": "firing",
            "activeAt": "2026-01-01T11:58:00Z",
        },
        {"labels": {"alertname": "Elsewhere", "namespace": "other"}},
        {"labels": None, "annotations": 3, "activeAt": "yesterday"},
    ]
    with loopback(server) as running:
        tool = PrometheusAlerts.for_environment(environment(running.url))
        assert tool
        found = (await tool.read(Need(fact=Fact.ALERTS, window=WINDOW))).alerts
    assert [a.name for a in found] == ["Slow", "unnamed"]
    assert (found[0].service, found[0].severity) == ("cart", "page")
    assert found[0].summary == "p99 high for [e-mail]"
    assert found[0].started_at == datetime(2026, 1, 1, 11, 58, tzinfo=UTC)
    assert found[1].started_at is None


async def test_objectives_come_with_their_burn_rate() -> None:
    server = Server([*OTEL, "slo:objective:ratio", "slo:latency_threshold:seconds"])
    server.vectors = {
        "slo:objective:ratio": [{"metric": {"service_name": "cart"}, "value": [1, "0.999"]}],
        "slo:latency": [{"metric": {"service_name": "cart"}, "value": [1, "0.5"]}],
        "(sum": [{"metric": {"service_name": "cart"}, "value": [1, "0.018"]}],
    }
    with loopback(server) as running:
        tool = PrometheusObjectives.for_environment(environment(running.url))
        assert tool
        found = (await tool.read(Need(fact=Fact.OBJECTIVES, window=WINDOW))).objectives
    errors, latency = found
    assert (errors.signal, errors.target_ratio) == ("error_ratio", 0.999)
    assert errors.burn_rate == pytest.approx(18)
    assert (latency.signal, latency.threshold, latency.burn_rate) == ("latency_p99", 0.5, None)


async def test_without_rules_there_are_no_objectives() -> None:
    server = Server(OTEL)
    with loopback(server) as running:
        tool = PrometheusObjectives.for_environment(environment(running.url))
        assert tool
        assert (await tool.read(Need(fact=Fact.OBJECTIVES, window=WINDOW))).objectives == ()
    assert server.queries == []
