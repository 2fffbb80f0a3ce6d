"""The sandbox's PromQL gives what a real Prometheus gives over the same samples."""

import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests

from bot.sandbox.world.prometheus import formatting
from bot.sandbox.world.promql.evaluator import Evaluator, parse
from bot.sandbox.world.promql.values import BadQuery, FailedQuery
from bot.sandbox.world.series.registry import SiteStorage
from tests.fakes.driven import DrivenWorld
from tests.fakes.prometheus import serving, write_past

pytestmark = pytest.mark.integration

SPAN_S = 2400
SERVICES = ("checkout", "payment", "cart")
EXPORTED = (
    '{__name__=~"http_server_request_duration_seconds_.*",service_name=~"checkout|payment"}',
    '{__name__=~"http_client_request_duration_seconds_count",service_name="checkout"}',
    '{__name__=~"container_cpu_usage_seconds_total|container_memory_working_set_bytes",'
    'container=~"checkout|payment|cart"}',
    '{__name__=~"kube_pod_container_resource_limits|kube_pod_info|kube_deployment_.*|slo:.*|up"}',
    '{__name__=~"db_client_connections_usage|db_client_connections_max",service_name="checkout"}',
    '{__name__=~"node_cpu_seconds_total|node_memory_.*|redis_.*"}',
)
BUCKET = "http_server_request_duration_seconds_bucket"
COUNT = "http_server_request_duration_seconds_count"
QUERIES = (
    f"histogram_quantile(0.99, sum by (le, service_name) (rate({BUCKET}[2m])))",
    f"histogram_quantile(0.5, sum by (le, service_name) (rate({BUCKET}[5m])))",
    f"histogram_quantile(0.9, rate({BUCKET}[3m]))",
    f"histogram_quantile(1.5, sum by (le) (rate({BUCKET}[2m])))",
    f"sum by (service_name) (rate({COUNT}[2m]))",
    f"sum without (pod, http_response_status_code) (increase({COUNT}[4m]))",
    f'sum by (service_name) (rate({COUNT}{{http_response_status_code=~"5.."}}[2m]))'
    f" / sum by (service_name) (rate({COUNT}[2m]))",
    f"irate({COUNT}[1m])",
    f"rate({COUNT}[45s])",
    f"rate({COUNT}[7m] offset 3m)",
    f"rate({COUNT}[20s])",
    f"rate({COUNT}[10s])",
    "delta(container_memory_working_set_bytes[5m])",
    "deriv(container_memory_working_set_bytes[5m])",
    "predict_linear(container_memory_working_set_bytes[10m], 3600)",
    "avg_over_time(container_memory_working_set_bytes[3m])",
    "max_over_time(container_memory_working_set_bytes[3m]) - "
    "min_over_time(container_memory_working_set_bytes[3m])",
    "quantile_over_time(0.9, container_memory_working_set_bytes[4m])",
    "stddev_over_time(container_memory_working_set_bytes[4m])",
    "count_over_time(up[2m])",
    "sum_over_time(up[2m])",
    "last_over_time(redis_memory_used_bytes[5m])",
    "changes(kube_deployment_status_replicas_available[30m])",
    f"resets({COUNT}[30m])",
    "topk(3, container_memory_working_set_bytes)",
    "bottomk(2, container_memory_working_set_bytes) by (container)",
    "quantile(0.75, container_memory_working_set_bytes)",
    "stddev(container_memory_working_set_bytes)",
    "count by (container) (container_memory_working_set_bytes)",
    "group by (container) (container_memory_working_set_bytes)",
    "sum by (namespace, pod) (rate(container_cpu_usage_seconds_total[2m])) / on (namespace, pod) "
    'group_left () max by (namespace, pod) (kube_pod_container_resource_limits{resource="cpu"})',
    "container_memory_working_set_bytes * on (pod) "
    "group_left (node, created_by_name) kube_pod_info",
    "kube_pod_info * on (pod) group_right () container_memory_working_set_bytes",
    "sum by (service_name, pool_name) (db_client_connections_usage{state='used'})"
    " / sum by (service_name, pool_name) (db_client_connections_max)",
    "1 - sum by (node) (rate(node_cpu_seconds_total{mode='idle'}[2m]))"
    " / sum by (node) (rate(node_cpu_seconds_total[2m]))",
    "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes < 0.6",
    "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes > bool 0.6",
    "kube_deployment_spec_replicas == kube_deployment_status_replicas_available",
    "kube_deployment_spec_replicas unless kube_deployment_status_replicas_available > 2",
    "kube_deployment_spec_replicas > 3 or kube_deployment_status_replicas_available < 3",
    "kube_deployment_spec_replicas and on (deployment) kube_deployment_spec_replicas > 2",
    "absent(up{pod='nobody',job=~'x.*'})",
    "absent(up)",
    "absent_over_time(up{pod='nobody'}[5m])",
    "clamp(node_memory_MemAvailable_bytes, 1e9, 5e9)",
    "clamp_max(up, 0.5)",
    "abs(-up) + ceil(up / 3) - floor(up / 3)",
    "round(container_memory_working_set_bytes / 1e6, 5)",
    "label_replace(up, 'service', '$1', 'pod', '([a-z]+)-.*')",
    "label_join(kube_deployment_spec_replicas, 'both', '/', 'namespace', 'deployment')",
    "scalar(sum(up)) * 2",
    "vector(time())",
    "time() - 5",
    "sum(up) / 0",
    "-sum(up) / 0",
    "0 * sum(up) / 0",
    "sum(up) % 7 ^ 2",
    "2 ^ 3 ^ 2",
    "max_over_time(sum(up)[5m:1m])",
    f"avg_over_time(sum(rate({COUNT}[1m]))[5m:30s])",
    "rate(node_cpu_seconds_total{mode='user'}[5m] offset -1m)",
    "up @ end() - up @ start()",
    "timestamp(up)",
    "sgn(up - 0.5)",
    "sort_desc(kube_deployment_spec_replicas)",
    "minute() + hour() * 60",
    "{__name__=~'slo:.*'}",
    "sum({__name__=~'redis_keyspace_(hits|misses)_total'})",
    "redis_connected_clients != 0",
    "ln(redis_connected_clients) + exp(up) - sqrt(up)",
    "avg(up) by (job)",
)
WRONG = (
    "sum(", "rate(up)", "foo(1)", "up[5m] + 1", "1 + bool 2", "{}", "up{a=~'('}",
    "up + on (namespace) up", "label_replace(up, '1x', 'a', 'b', 'c')", "sum(up", "up{",
)  # fmt: skip


class Restricted(SiteStorage):
    """The exported samples only, without staleness markers: what a backfilled Prometheus has."""

    stale = False

    def __init__(self, world: DrivenWorld, start: float, end: float) -> None:
        running = world.running
        super().__init__(running.scope, running.table, end)
        self.first = math.ceil(start / self.step_s)
        self.end = int(end // self.step_s)
        self.names = export_names()

    def select(self, matchers: Any, indices: Any) -> Any:
        labels, values = super().select(matchers, indices)
        values = values.copy()
        values[:, (indices < self.first) | (indices > self.end)] = np.nan
        keep = [i for i, row in enumerate(labels) if self.exported(row)]
        return [labels[i] for i in keep], values[keep]

    def exported(self, row: dict[str, str]) -> bool:
        return any(keep(row) for keep in self.names)


def export_names() -> list[Any]:
    from bot.sandbox.world.prometheus.api import _selector
    from bot.sandbox.world.promql.matching import predicate

    return [predicate(_selector(text)) for text in EXPORTED]


@pytest.fixture(scope="module")
def world() -> DrivenWorld:
    """An incident with a rollout in the window, so that series begin and end."""
    return DrivenWorld("decoy-deploy", seed=1)


@pytest.fixture(scope="module")
def span(world: DrivenWorld) -> tuple[float, float]:
    end = math.floor(world.running.now() / 60.0) * 60.0
    return end - SPAN_S, end


@pytest.fixture(scope="module")
def prometheus(
    world: DrivenWorld, span: tuple[float, float], tmp_path_factory: Any, prometheus_program: str
) -> Iterator[str]:
    place: Path = tmp_path_factory.mktemp("prometheus")
    write_past(prometheus_program, place, exposition(Restricted(world, *span), span))
    (place / "prometheus.yml").write_text("global: {}\n")
    with serving(prometheus_program, place, "--storage.tsdb.retention.time=3650d") as url:
        yield url


def exposition(storage: Restricted, span: tuple[float, float]) -> str:
    indices = np.arange(storage.first, storage.end + 1)
    out: list[str] = []
    rows: dict[str, list[str]] = {}
    from bot.sandbox.world.prometheus.api import _selector

    for text in EXPORTED:
        labels, values = storage.select(_selector(text), indices)
        for row, column in zip(labels, values, strict=True):
            shown = ",".join(f'{k}="{v}"' for k, v in row.items() if k != "__name__")
            name = row["__name__"]
            rows.setdefault(name, []).extend(
                f"{name}{{{shown}}} {formatting.number(float(v))} {int(i * storage.step_s)}"
                for i, v in zip(indices, column, strict=True)
                if not math.isnan(v)
            )
    for name, lines in rows.items():
        out.append(f"# TYPE {name} unknown")
        out.extend(lines)
    return "\n".join([*out, "# EOF\n"])


def ours(storage: Restricted, query: str, times: Any, *, ranged: bool) -> Any:
    found = Evaluator(storage, times).evaluate(parse(query))
    if ranged:
        return formatting.ranged(found, times)
    return formatting.instant(found, float(times[0]))


def theirs(url: str, query: str, times: Any, *, ranged: bool) -> Any:
    if ranged:
        params = {"query": query, "start": times[0], "end": times[-1], "step": times[1] - times[0]}
        answer = requests.get(f"{url}/api/v1/query_range", params=params, timeout=20)
    else:
        params = {"query": query, "time": times[0]}
        answer = requests.get(f"{url}/api/v1/query", params=params, timeout=20)
    assert answer.ok, answer.text
    return answer.json()["data"]


def flat(data: Any) -> Any:
    """Return {labels: [(time, value)]} (order does not count), or the bare scalar."""
    if data["resultType"] in ("scalar", "string"):
        return {(): [tuple(data["result"])]}
    return {
        tuple(sorted(row["metric"].items())): [
            tuple(p) for p in row.get("values", [row.get("value")])
        ]
        for row in data["result"]
    }


def assert_same(query: str, mine: Any, real: Any) -> None:
    assert mine["resultType"] == real["resultType"], query
    a, b = flat(mine), flat(real)
    assert a.keys() == b.keys(), (query, list(a.keys() ^ b.keys())[:4])
    for key, points in b.items():
        assert [p[0] for p in a[key]] == [p[0] for p in points], (query, key)
        for (at, x), (_, y) in zip(a[key], points, strict=True):
            same = x == y or math.isclose(float(x), float(y), rel_tol=1e-7, abs_tol=1e-9)
            assert same, (query, key, at, x, y)


@pytest.mark.parametrize("query", QUERIES)
def test_a_range_query_gives_what_prometheus_gives(
    world: DrivenWorld, prometheus: str, span: tuple[float, float], query: str
) -> None:
    start, end = span
    for first, step in ((start + 600.0, 15.0), (start + 607.0, 37.0), (start - 120.0, 60.0)):
        times = np.round(first + step * np.arange(int((end - first) / step) + 1), 3)
        storage = Restricted(world, *span)
        mine = ours(storage, query, times, ranged=True)
        assert_same(query, mine, theirs(prometheus, query, times, ranged=True))


@pytest.mark.parametrize("query", [*QUERIES, "'text'", "1 + 1", "up[1m]"])
def test_an_instant_query_gives_what_prometheus_gives(
    world: DrivenWorld, prometheus: str, span: tuple[float, float], query: str
) -> None:
    for ago in (30.0, 731.5):
        times = np.array([round(span[1] - ago, 3)])
        mine = ours(Restricted(world, *span), query, times, ranged=False)
        assert_same(query, mine, theirs(prometheus, query, times, ranged=False))


def test_random_queries_give_what_prometheus_gives(
    world: DrivenWorld, prometheus: str, span: tuple[float, float]
) -> None:
    draw = random.Random(20260304)
    storage = Restricted(world, *span)
    for _ in range(60):
        query = random_query(draw, 3)
        first = span[0] + draw.uniform(300, 900)
        times = np.round(first + draw.choice((15.0, 30.0, 41.0)) * np.arange(20), 3)
        try:
            mine = ours(storage, query, times, ranged=True)
        except FailedQuery:
            with pytest.raises(AssertionError):
                theirs(prometheus, query, times, ranged=True)
            continue
        assert_same(query, mine, theirs(prometheus, query, times, ranged=True))


def random_query(draw: random.Random, depth: int) -> str:
    if depth == 0:
        metric = draw.choice(("up", "container_memory_working_set_bytes", COUNT,
                              "kube_deployment_spec_replicas",
                              "redis_memory_used_bytes"))  # fmt: skip
        seconds = draw.choice((17, 30, 60, 90, 300, 425))
        offset = draw.choice(("", "", " offset 90s"))
        over = draw.choice(("", "", "rate", "increase", "delta", "max_over_time", "avg_over_time",
                            "count_over_time", "irate", "sum_over_time"))  # fmt: skip
        return f"{over}({metric}[{seconds}s]{offset})" if over else f"{metric}{offset}"
    inner = random_query(draw, depth - 1)
    kind = draw.randrange(5)
    if kind == 0:
        op = draw.choice(("sum", "avg", "max", "min", "count"))
        labels = draw.choice(("pod", "service_name, pod", "namespace", "deployment"))
        return f"{op} {draw.choice(('by', 'without'))} ({labels}) ({inner})"
    if kind == 1:
        return f"({inner}) {draw.choice('+-*/')} {draw.choice((2, 0.5, 100))}"
    if kind == 2:
        return f"({inner}) {draw.choice(('>', '<', '>=', '!=', '> bool'))} {draw.choice((0, 1, 3))}"
    return random_pair(draw, inner) if kind == 4 else f"{draw.choice(('abs', 'sqrt'))}({inner})"


def random_pair(draw: random.Random, inner: str) -> str:
    op = draw.choice(("and", "or", "unless", "/"))
    return f"({inner}) {op} ({inner})"


@pytest.mark.parametrize("query", WRONG)
def test_what_prometheus_refuses_is_refused(
    world: DrivenWorld, prometheus: str, span: tuple[float, float], query: str
) -> None:
    times = np.array([span[1] - 30.0])
    real = requests.get(
        f"{prometheus}/api/v1/query", params={"query": query, "time": times[0]}, timeout=20
    )
    assert real.status_code in (400, 422)
    with pytest.raises((BadQuery, FailedQuery)):
        ours(Restricted(world, *span), query, times, ranged=False)
