"""Every read tool gives up a slow server, cuts a huge answer, and tries a quick failure twice."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.domain.environment import Environment, Tier
from bot.domain.errors import Malformed, SreBotError, Unavailable
from bot.domain.needs import Fact, Need
from bot.domain.time import Window
from tests.fakes.loopback import Asked, Loopback, Reply, loopback
from tools.clients import http as http_client
from tools.clients.change_events import ChangeEvents
from tools.clients.datadog import Datadog
from tools.clients.elasticsearch import Elasticsearch
from tools.clients.github import GitHub
from tools.clients.jaeger import Jaeger
from tools.clients.kubernetes import Kubernetes
from tools.clients.loki import Loki
from tools.clients.prometheus import Prometheus
from tools.clients.tempo import Tempo
from tools.contract import ReadTool, recorded_queries
from tools.read.changes.datadog import DatadogChanges
from tools.read.changes.github import GitHubChanges
from tools.read.changes.pagerduty import PagerDutyChanges
from tools.read.changes.rollouts import RolloutChanges
from tools.read.datadog.alerts import DatadogAlerts
from tools.read.datadog.series import DatadogSeries
from tools.read.kubernetes.objects import KubernetesObjects
from tools.read.logs.datadog import DatadogLogs
from tools.read.logs.elasticsearch import ElasticsearchLogs
from tools.read.logs.loki import LokiLogs
from tools.read.logs.pods import PodLogs
from tools.read.prometheus.alerts import PrometheusAlerts
from tools.read.prometheus.series import PrometheusSeries
from tools.read.traces.edges import JaegerEdges
from tools.read.traces.tempo import TempoEdges, TempoSpans

WINDOW = Window.last(600, before=datetime(2026, 1, 1, 12, tzinfo=UTC))
SYSTEMS = ("prometheus", "loki", "elasticsearch", "jaeger", "tempo", "kubernetes")
Build = Callable[[Environment, float], ReadTool]


def of(kind: Any, client: Any, *parts: str) -> Build:
    def build(environment: Environment, timeout_s: float) -> ReadTool:
        made = client.of(environment, *parts, timeout_s=timeout_s)
        several = client is Prometheus
        found: ReadTool = kind(environment, (made,) if several else made)
        return found

    return build


TOOLS: dict[str, Build] = {
    "series": of(PrometheusSeries, Prometheus),
    "alerts": of(PrometheusAlerts, Prometheus),
    "datadog series": of(DatadogSeries, Datadog, "metrics"),
    "datadog logs": of(DatadogLogs, Datadog, "logs"),
    "datadog events": of(DatadogChanges, Datadog, "events"),
    "datadog alerts": of(DatadogAlerts, Datadog, "events"),
    "loki": of(LokiLogs, Loki),
    "elasticsearch": of(ElasticsearchLogs, Elasticsearch),
    "jaeger": of(JaegerEdges, Jaeger),
    "tempo spans": of(TempoSpans, Tempo),
    "tempo edges": of(TempoEdges, Tempo),
    "github": of(GitHubChanges, GitHub),
    "pagerduty": of(PagerDutyChanges, ChangeEvents),
    "kubernetes objects": of(KubernetesObjects, Kubernetes),
    "kubernetes logs": of(PodLogs, Kubernetes),
    "kubernetes rollouts": of(RolloutChanges, Kubernetes),
}


@pytest.fixture
def place(tmp_path: Path) -> Callable[[Loopback], Environment]:
    """Return an environment all of whose systems are one server."""
    key = tmp_path / "key"
    key.write_text("plainkey")
    file = str(key)

    def build(server: Loopback) -> Environment:
        url = {"url": server.url}
        return Environment(
            name="prod",
            tier=Tier.PRODUCTION,
            namespaces=("shop",),
            connections={
                **dict.fromkeys(SYSTEMS, url),
                "datadog": {**url, "api_key_file": file, "app_key_file": file},
                "github": {**url, "token_file": file, "repositories": {"cart": "shop/cart"}},
                "pagerduty": {**url, "token_file": file},
            },
        )

    return build


def need(tool: ReadTool) -> Need:
    services = ("cart",) if tool.answers in (Fact.SPANS, Fact.EDGES, Fact.LOGS) else ()
    return Need(fact=tool.answers, window=WINDOW, services=services)


@pytest.mark.parametrize("name", TOOLS)
async def test_a_slow_server_is_given_up_and_not_asked_again(
    name: str, place: Callable[[Loopback], Environment], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.asking.QUICK_S", 0.1)
    done = threading.Event()

    def stall(_: Asked) -> Reply:
        done.wait(2.0)
        return Reply(drop=True)

    with loopback(stall) as server:
        tool = TOOLS[name](place(server), 0.3)
        with pytest.raises(Unavailable, match=r"timed out after 0\.3 s"):
            await tool.read(need(tool))
        done.set()
        paths = [a.path for a in server.asked]
        assert len(paths) <= 2, "at most two queries at once, none a second time"


@pytest.mark.parametrize("name", TOOLS)
async def test_a_quick_failure_is_tried_twice_and_recorded(
    name: str, place: Callable[[Loopback], Environment]
) -> None:
    with loopback(lambda _: Reply(status=503)) as server:
        tool = TOOLS[name](place(server), 5.0)
        with recorded_queries() as queries, pytest.raises(Unavailable):
            await tool.read(need(tool))
        asked = [(a.method, a.path, tuple(a.query.items()), a.body) for a in server.asked]
    assert max(asked.count(one) for one in asked) == 2
    assert queries
    assert all("503" in query.found for query in queries)


@pytest.mark.parametrize("name", TOOLS)
@pytest.mark.parametrize("body", [b" " * 50_000, b"[" * 8000, b'{"a": 1', b"\xff\xfe", b"null"])
async def test_huge_deep_and_broken_answers_are_refused(
    name: str,
    body: bytes,
    place: Callable[[Loopback], Environment],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http_client.BoundedSession.__init__, "__kwdefaults__", {"max_bytes": 9000})
    with loopback(lambda _: Reply(body=body)) as server:
        tool = TOOLS[name](place(server), 5.0)
        with pytest.raises(SreBotError) as raised:
            await tool.read(need(tool))
    assert isinstance(raised.value, Malformed)
    assert len(str(raised.value)) < 500
