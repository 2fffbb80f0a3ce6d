"""The series tool against a real Prometheus, over history written by promtool."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from bot.domain.environment import Environment, Tier
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import Signal
from bot.domain.time import Window
from tests.fakes.prometheus import serving, write_past
from tools.read.prometheus.catalogue import TEMPLATES, render
from tools.read.prometheus.objectives import PrometheusObjectives
from tools.read.prometheus.series import PrometheusSeries

pytestmark = pytest.mark.integration

STEP = 15
MINUTES = 90
POD = "cart-6c9f7d8b5-x2k4q"


def openmetrics(end: int) -> str:
    """Return 90 minutes of two services: cart fails one request in ten, web none."""
    samples: dict[str, list[str]] = {}
    for n, at in enumerate(range(end - MINUTES * 60, end + 1, STEP)):
        for service, rate, bad in (("cart", 10, 1), ("web", 20, 0)):
            base = f'namespace="shop",service_name="{service}",service_version="v2"'
            for code, per_s in (("200", rate - bad), ("500", bad)):
                if not per_s:
                    continue
                labels = f'{base},http_response_status_code="{code}"'
                count = per_s * STEP * n
                for le, share in (("0.1", 0.5), ("0.5", 0.9), ("1", 1.0), ("+Inf", 1.0)):
                    add(
                        samples,
                        "http_server_request_duration_seconds_bucket",
                        f'{labels},le="{le}"',
                        count * share,
                        at,
                    )
                add(samples, "http_server_request_duration_seconds_count", labels, count, at)
        add(
            samples,
            "container_cpu_usage_seconds_total",
            f'namespace="shop",pod="{POD}",container="cart"',
            0.4 * STEP * n,
            at,
        )
        add(
            samples,
            "kube_pod_container_resource_limits",
            f'namespace="shop",pod="{POD}",container="cart",resource="cpu"',
            0.5,
            at,
        )
        add(samples, "node_cpu_seconds_total", 'node="n1",mode="idle"', 0.75 * STEP * n, at)
        add(samples, "probe_ssl_earliest_cert_expiry", 'instance="https://web:443"', end + 600, at)
        add(samples, "slo:objective:ratio", 'service_name="cart"', 0.99, at)
        others(samples, n, at)
    lines = []
    for name, found in sorted(samples.items()):
        lines += [f"# TYPE {name} unknown", *found]
    return "\n".join([*lines, "# EOF", ""])


def others(samples: dict[str, list[str]], n: int, at: int) -> None:
    """Add what others write: Micrometer, old OpenTelemetry, a pool, a node of an exporter."""
    spring = 'namespace="shop",application="billing",job="jobs"'
    for status, per_s in (("200", 6), ("503", 2)):
        labels = f'{spring},status="{status}"'
        add(samples, "http_server_requests_seconds_count", labels, per_s * STEP * n, at)
    old = 'namespace="shop",service_name="mail",http_status_code="200"'
    for le, share in (("100", 0.5), ("500", 1.0), ("+Inf", 1.0)):
        labels = f'{old},le="{le}"'
        add(samples, "http_server_duration_milliseconds_bucket", labels, 4 * STEP * n * share, at)
    add(samples, "http_server_duration_milliseconds_count", old, 4 * STEP * n, at)
    pool = 'namespace="shop",application="billing",pool="main"'
    add(samples, "hikaricp_connections_active", pool, 9, at)
    add(samples, "hikaricp_connections_max", pool, 10, at)
    add(samples, "node_memory_MemAvailable_bytes", 'instance="10.0.0.7:9100"', 25, at)
    add(samples, "node_memory_MemTotal_bytes", 'instance="10.0.0.7:9100"', 100, at)
    add(samples, "node_uname_info", 'instance="10.0.0.7:9100",nodename="worker-7"', 1, at)
    bare = 'namespace="shop",pod="queue-5b7f9c6d4-7hj2m",container=""'  # no runtime told of more
    whole = 'namespace="shop",pod="cart-6c9f7d8b5-x2k4q",container=""'
    for labels, cores, cut in ((bare, 0.2, 6), (whole, 0.7, 3)):
        add(samples, "container_cpu_usage_seconds_total", labels, cores * STEP * n, at)
        add(samples, "container_cpu_cfs_periods_total", labels, 10 * STEP * n, at)
        add(samples, "container_cpu_cfs_throttled_periods_total", labels, cut * STEP * n, at)
    add(samples, "container_network_receive_packets_total",
        f'{whole},interface="eth0"', 30 * STEP * n, at)  # fmt: skip
    add(samples, "node_netstat_Tcp_RetransSegs", 'instance="10.0.0.7:9100"', 7 * STEP * n, at)


def add(samples: dict[str, list[str]], name: str, labels: str, value: float, at: int) -> None:
    samples.setdefault(name, []).append(f"{name}{{{labels}}} {value} {at}")


@pytest.fixture(scope="module")
def end() -> datetime:
    now = datetime.now(UTC).timestamp()
    return datetime.fromtimestamp(now - now % 60 - 600, tz=UTC)


@pytest.fixture(scope="module")
def prometheus(
    prometheus_program: str, tmp_path_factory: pytest.TempPathFactory, end: datetime
) -> Iterator[str]:
    """Yield the URL of a Prometheus with that history."""
    folder = tmp_path_factory.mktemp("prometheus")
    (folder / "prometheus.yml").write_text("global: {scrape_interval: 1h}\n")
    write_past(prometheus_program, folder, openmetrics(int(end.timestamp())))
    with serving(prometheus_program, folder, "--storage.tsdb.retention.time=30d") as url:
        yield url


@pytest.fixture
def environment(prometheus: str) -> Environment:
    return Environment(
        name="prod",
        tier=Tier.PRODUCTION,
        namespaces=("shop",),
        connections={"prometheus": {"url": prometheus}},
    )


async def test_signals_have_the_values_that_were_written(
    environment: Environment, end: datetime
) -> None:
    tool = PrometheusSeries.for_environment(environment)
    assert tool
    window = Window.last(1800, before=end)
    found = await tool.read(Need(fact=Fact.SERIES, window=window))
    last = {(s.signal, s.service): s.values[-1] for s in found.series}
    assert last[Signal.REQUEST_RATE, "cart"] == pytest.approx(10)
    assert last[Signal.REQUEST_RATE, "web"] == pytest.approx(20)
    assert last[Signal.ERROR_RATIO, "cart"] == pytest.approx(0.1)
    assert last[Signal.ERROR_RATIO, "web"] == 0, "no failure is a ratio of 0, not a gap"
    assert last[Signal.LATENCY_P50, "cart"] == pytest.approx(0.1)
    assert last[Signal.LATENCY_P99, "cart"] == pytest.approx(0.95)
    assert last[Signal.CPU_CORES, "cart"] == pytest.approx(0.4)
    assert last[Signal.CPU_OF_LIMIT, "cart"] == pytest.approx(0.8)
    assert last[Signal.CPU_CORES, "queue"] == pytest.approx(0.2), "its containers are not told"
    assert last[Signal.CPU_THROTTLED, "queue"] == pytest.approx(0.6)
    assert last[Signal.PACKETS_IN, "cart"] == pytest.approx(30)
    assert last[Signal.TCP_RETRANSMITS, "worker-7"] == pytest.approx(7)
    assert last[Signal.REQUEST_RATE, "billing"] == pytest.approx(8)
    assert last[Signal.ERROR_RATIO, "billing"] == pytest.approx(0.25)
    assert last[Signal.REQUEST_RATE, "mail"] == pytest.approx(4)
    assert last[Signal.LATENCY_P50, "mail"] == pytest.approx(0.1), "milliseconds are seconds here"
    assert last[Signal.POOL_OF_LIMIT, "billing"] == pytest.approx(0.9)
    assert last[Signal.NODE_MEMORY, "worker-7"] == pytest.approx(0.75)
    assert last[Signal.NODE_CPU, "n1"] == pytest.approx(0.25)
    assert last[Signal.CERTIFICATE_EXPIRES_IN, "web"] == pytest.approx(600)
    assert all(len(s.values) == 121 for s in found.series)
    assert found.blind_spots == ()
    assert "Prometheus 2." in await tool.check()


async def test_breakdowns_carry_their_label(environment: Environment, end: datetime) -> None:
    tool = PrometheusSeries.for_environment(environment)
    assert tool
    need = Need(
        fact=Fact.SERIES,
        window=Window.last(1800, before=end),
        names=("latency_p99:version", "cpu_cores:pod"),
    )
    found = await tool.read(need)
    labels = {(s.signal, s.service): dict(s.labels) for s in found.series}
    assert labels[Signal.LATENCY_P99, "cart"] == {"version": "v2"}
    assert labels[Signal.CPU_CORES, "cart"] == {"pod": POD}


async def test_objectives_burn_as_fast_as_requests_fail(
    environment: Environment, end: datetime
) -> None:
    tool = PrometheusObjectives.for_environment(environment)
    assert tool
    found = await tool.read(Need(fact=Fact.OBJECTIVES, window=Window.last(1800, before=end)))
    (objective,) = found.objectives
    assert objective.burn_rate == pytest.approx(10)


async def test_a_real_server_accepts_every_template(
    environment: Environment, end: datetime
) -> None:
    from tools.clients.prometheus import Prometheus

    client = Prometheus.of(environment)
    assert client
    window = Window.last(1800, before=end)
    for template in TEMPLATES:
        for by in ("", *template.breakdowns.values()):
            promql = render(template, matchers=['namespace=~"shop|"'], range_s=120, by=by)
            await client.range(promql, window, 60)
