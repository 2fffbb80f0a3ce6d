"""Series, log templates and changes as a strict Datadog on loopback gives them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.environment import Environment, Tier
from bot.domain.errors import Malformed, NotConfigured, Refused, SreBotError, Unavailable
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import ChangeKind
from bot.domain.time import Window
from tests.fakes.loopback import Answer, Asked, Loopback, Reply, loopback
from tools.clients import datadog as client_module
from tools.clients.datadog import Datadog
from tools.read.changes.datadog import DatadogChanges
from tools.read.datadog.alerts import DatadogAlerts
from tools.read.datadog.series import DatadogSeries
from tools.read.logs.datadog import DatadogLogs
from tools.read.logs.pods import PodLogs

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
WINDOW = Window.last(600, before=NOON)
API_KEY, APP_KEY = "plainapikey", "plainappkey"
NAMES = ["trace.flask.request", "trace.flask.request.hits", "kubernetes.cpu.usage.total"]
QUERY = re.compile(r",(?![^{]*})(?![^(]*\))")


@dataclass
class Server:
    """`series` answers each query that has one of its keys in it."""

    names: list[str] = field(default_factory=lambda: list(NAMES))
    series: dict[str, list[Any]] = field(default_factory=dict)
    logs: list[Any] = field(default_factory=list)
    events: list[Any] = field(default_factory=list)
    meta: dict[str, Any] = field(default_factory=dict)
    broken: dict[str, Reply] = field(default_factory=dict)
    queries: list[str] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Reply:
        keys = (asked.headers.get("DD-API-KEY"), asked.headers.get("DD-APPLICATION-KEY"))
        if keys != (API_KEY, APP_KEY):
            return Reply(status=403, body={"errors": ["Forbidden"]})
        for path, reply in self.broken.items():
            if path in asked.path:
                return reply
        answers: dict[tuple[str, str], Answer] = {
            ("GET", "/api/v1/validate"): lambda _: Reply(body={"valid": True}),
            ("GET", "/api/v1/metrics"): self._names,
            ("GET", "/api/v1/query"): self._query,
            ("POST", "/api/v2/logs/events/search"): lambda a: self._page(a, self.logs),
            ("POST", "/api/v2/events/search"): lambda a: self._page(a, self.events),
        }
        found = answers.get((asked.method, asked.path))
        return found(asked) if found else Reply(status=404, body={"errors": ["Not found"]})

    def _names(self, asked: Asked) -> Reply:
        int(asked.query["from"])
        return Reply(body={"from": asked.query["from"], "metrics": self.names})

    def _query(self, asked: Asked) -> Reply:
        assert int(asked.query["to"]) - int(asked.query["from"]) == 600
        queries = QUERY.split(asked.query["query"])
        self.queries += queries
        series = [
            {**one, "query_index": index}
            for index, query in enumerate(queries)
            for key, found in self.series.items()
            if key in query
            for one in found
        ]
        return Reply(body={"status": "ok", "series": series})

    def _page(self, asked: Asked, items: list[Any]) -> Reply:
        body = asked.json
        if set(body) - {"filter", "sort", "page", "options"} or body["page"]["limit"] > 1000:
            return Reply(status=400, body={"errors": ["Invalid parameters"]})
        self.queries.append(body["filter"]["query"])
        start, end = (datetime.fromisoformat(body["filter"][k]) for k in ("from", "to"))
        inside = [i for i in items if start <= when(i, start) < end]
        first = int(body["page"].get("cursor", "0"))
        last = first + body["page"]["limit"]
        after = {"page": {"after": str(last)}} if last < len(inside) else {}
        return Reply(body={"data": inside[first:last], "meta": {**self.meta, **after}})


def when(item: Any, otherwise: datetime) -> datetime:
    try:
        return datetime.fromisoformat(item["attributes"]["timestamp"])
    except (KeyError, TypeError, ValueError):
        return otherwise


def points(*values: Any) -> list[list[Any]]:
    start = NOON.timestamp() * 1000 - 600_000
    return [[start + 15_000 * n, value] for n, value in enumerate(values)]


def of(tags: str, *values: Any) -> dict[str, Any]:
    return {"tag_set": tags.split(), "pointlist": points(*values)}


def log(seconds_before: float, message: str, **more: Any) -> dict[str, Any]:
    at = (NOON - timedelta(seconds=seconds_before)).isoformat()
    attributes = {"timestamp": at, "message": message, "service": "cart", "status": "error"}
    return {"id": "x", "type": "log", "attributes": {**attributes, **more}}


def event(title: str, **more: Any) -> dict[str, Any]:
    tags = ["env:prod", "service:cart"]
    inner = {"title": title, **more}
    attributes = {"timestamp": "2026-01-01T11:55:00.000Z", "tags": tags, "attributes": inner}
    return {"id": f"e-{title[:12]}", "type": "event", "attributes": attributes}


@contextmanager
def tool_on(
    kind: Any, server: Server, tmp_path: Path, **more: Any
) -> Iterator[tuple[Any, Loopback]]:
    with loopback(server) as running:
        tool = kind.for_environment(environment(keys(tmp_path, url=running.url, **more)))
        assert tool
        yield tool, running


def keys(tmp_path: Path, **more: Any) -> dict[str, Any]:
    for name, text in (("api", API_KEY), ("app", APP_KEY)):
        (tmp_path / name).write_text(text)
    files = {"api_key_file": str(tmp_path / "api"), "app_key_file": str(tmp_path / "app")}
    return {**files, **more}


def environment(settings: Any, **others: Any) -> Environment:
    return Environment(
        name="prod",
        tier=Tier.PRODUCTION,
        namespaces=("shop", "pay"),
        connections={"datadog": settings, **others},
    )


def need(fact: Fact, *names: str, services: tuple[str, ...] = ()) -> Need:
    return Need(fact=fact, window=WINDOW, names=names, services=services)


async def test_signals_are_found_by_which_metrics_exist(tmp_path: Path) -> None:
    server = Server(
        series={
            "hits{": [of("service:cart", 1, None, 3), of("service:N/A", 1), of("service:web", 5)],
            "cpu.usage": [of("kube_deployment:cart kube_stateful_set:N/A", 0.5)],
        }
    )
    with tool_on(DatadogSeries, server, tmp_path) as (tool, running):
        found = await tool.read(need(Fact.SERIES))
        asked = [a for a in running.asked if a.path == "/api/v1/query"]
    rates = {s.service: s for s in found.series if s.signal == "request_rate"}
    assert set(rates) == {"cart", "web"}
    assert rates["cart"].values == (1.0, 3.0)
    assert rates["cart"].times == (NOON.timestamp() - 600, NOON.timestamp() - 570)
    assert rates["cart"].unit == "1/s"
    assert rates["cart"].source.query == (
        "sum:trace.flask.request.hits{env:prod} by {service}.as_rate()"
    )
    (cpu,) = [s for s in found.series if s.signal == "cpu_cores"]
    assert (cpu.service, cpu.values) == ("cart", (0.5,))
    assert "{env:prod AND kube_namespace IN (shop,pay)}" in cpu.source.query
    assert len(asked) == 1, "Datadog counts requests: six queries go in one"
    assert found.blind_spots == ()


async def test_breakdowns_and_services_are_kept_apart(tmp_path: Path) -> None:
    tags = ("service:cart version:v1", "service:cart version:v2", "service:web version:v1")
    server = Server(series={"p99:": [of(t, 0.5) for t in tags]})
    wanted = need(Fact.SERIES, "latency_p99:version", "queue_depth", "x", services=("cart",))
    with tool_on(DatadogSeries, server, tmp_path) as (tool, _):
        found = await tool.read(wanted)
    assert [s.labels["version"] for s in found.series] == ["v1", "v2"]
    assert "by {service,version}" in server.queries[0]
    assert [b.wanted for b in found.blind_spots] == ["queue_depth", "x"]


@pytest.mark.parametrize(
    "raw",
    [
        {"query_index": 99, "tag_set": ["service:cart"], "pointlist": points(1)},
        {"query_index": "0", "tag_set": ["service:cart"], "pointlist": points(1)},
        {"query_index": 0, "tag_set": None, "pointlist": points(1)},
        {"query_index": 0, "tag_set": ["service:cart"], "pointlist": points(float("nan"))},
        {"query_index": 0, "tag_set": ["service:cart"], "pointlist": None},
    ],
)
async def test_series_without_an_owner_or_points_are_left_out(tmp_path: Path, raw: Any) -> None:
    answer = Reply(body={"status": "ok", "series": [raw]})
    with tool_on(DatadogSeries, Server(broken={"/query": answer}), tmp_path) as (tool, _):
        assert (await tool.read(need(Fact.SERIES))).series == ()


async def test_log_lines_become_templates_with_the_window_before(tmp_path: Path) -> None:
    tags = ["pod_name:cart-6c9f7d8b5-x2k4q", "kube_container_name:app"]
    server = Server(
        logs=[
            *(log(60 + n, f"order {n} failed for password=hunter22hunter") for n in range(3)),
            log(700, "order 7 failed for password=x"),
            log(50, "it broke", service=None, tags=tags, status="warn"),
        ]
    )
    with tool_on(DatadogLogs, server, tmp_path) as (tool, _):
        found = await tool.read(need(Fact.LOGS, services=("cart", 'odd "name')))
        await tool.read(need(Fact.LOGS))
        assert "Datadog logs of env:prod" in await tool.check()
    orders, broke = sorted(found.logs, key=lambda t: -t.count)
    assert (orders.count, orders.baseline_count, orders.level) == (3, 1, "error")
    assert (broke.service, broke.container, broke.level) == ("cart", "app", "warning")
    assert "hunter22" not in str(found)
    assert server.queries[0] == (
        'env:prod kube_namespace:(shop OR pay) service:(cart OR "odd \\"name")'
    )
    assert server.queries[-2].endswith("status:(error OR warn OR critical OR alert OR emergency)")
    assert (orders.source.link or "").startswith("https://app.datadoghq.com/logs?query=env")


async def test_every_page_of_logs_is_read_up_to_a_limit_that_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "PAGE", 4)
    server = Server(logs=[log(60, "it failed") for _ in range(20)], meta={"status": "timeout"})
    with tool_on(DatadogLogs, server, tmp_path) as (tool, _):
        whole = await tool.read(need(Fact.LOGS, services=("cart",)))
        server.logs *= 2
        part = await tool.read(need(Fact.LOGS, services=("cart",)))
    assert [t.count for t in whole.logs] == [20]
    assert [b.reason for b in whole.blind_spots] == ["the search ran out of time"]
    assert "looked at the newest 20" in part.blind_spots[1].reason


@pytest.mark.parametrize(
    ("title", "more", "kind"),
    [
        ("Deployed v2 of cart", {}, ChangeKind.DEPLOY),
        ("New release", {"service": "undefined"}, ChangeKind.DEPLOY),
        ("feature flag fast-path on", {}, ChangeKind.FLAG),
        ("Configuration reloaded", {}, ChangeKind.CONFIG),
        ("Scaled to 3 replicas", {}, ChangeKind.SCALE),
        ("x", {"changed_resource": {"name": "f", "type": "feature_flag"}}, ChangeKind.FLAG),
        ("Backup done", {}, None),
    ],
)
async def test_events_that_tell_of_changes_are_changes(
    tmp_path: Path, title: str, more: Any, kind: ChangeKind | None
) -> None:
    with tool_on(DatadogChanges, Server(events=[event(title, **more)]), tmp_path) as (tool, _):
        found = await tool.read(need(Fact.CHANGES))
        other = await tool.read(need(Fact.CHANGES, services=("web",)))
        assert await tool.check() == "Datadog events of env:prod -source:alert"
    assert [c.kind for c in found.changes] == ([kind] if kind else [])
    assert all(c.service == "cart" for c in found.changes)
    assert other.changes == ()


async def test_a_tracked_change_has_what_it_was_and_became(tmp_path: Path) -> None:
    one = event(
        "ranking changed",
        changed_resource={"name": "ranking", "type": "feature_flag"},
        prev_value={"enabled": False, "api_token": "hunter22"},
        new_value={"enabled": True},
        impacted_resources=[{"name": "cart", "type": "service"}, 3],
    )
    damaged = [{}, {"id": "1", "attributes": 3}, event("deploy", changed_resource=[1])]
    damaged[2]["attributes"]["timestamp"] = "yesterday"
    with tool_on(DatadogChanges, Server(events=[one, *damaged]), tmp_path) as (tool, _):
        (change,) = (await tool.read(need(Fact.CHANGES, "flag"))).changes
    assert change.object == "flag/ranking"
    assert (change.before, change.after) == (None, None), "no variant that could be set back"
    assert '"enabled": false' in (change.diff or "")
    assert '+{"enabled": true}' in (change.diff or "")
    assert "hunter22" not in str(change)


def fired(status: str, minute: int, group: str = "cart", **more: Any) -> dict[str, Any]:
    about = {"monitor": {"id": 7, "name": "Slow"}, "status": status, "aggregation_key": group}
    one = event(f"[{status}] p99 of {group} for bob@shop.example", **about, **more)
    one["attributes"]["timestamp"] = f"2026-01-01T11:{minute}:00.000Z"
    one["attributes"]["tags"] = ["env:prod", f"service:{group}", "source:alert", "odd"]
    return one


async def test_monitors_that_fire_are_alerts_and_recovered_ones_are_not(tmp_path: Path) -> None:
    events = [
        fired("ok", 58, "web"),
        fired("error", 57),
        fired("error", 55, "web"),
        fired("warn", 54, "pay", service="payment"),
        {"id": "1", "attributes": 3},
    ]
    with tool_on(DatadogAlerts, Server(events=events), tmp_path) as (tool, _):
        found = await tool.read(need(Fact.ALERTS))
        some = await tool.read(need(Fact.ALERTS, services=("payment",)))
        assert await tool.check() == "Datadog alerts of env:prod source:alert"
    assert [(a.name, a.service, a.severity) for a in found.alerts] == [
        ("Slow", "cart", "critical"),
        ("Slow", "payment", "warning"),
    ]
    assert found.alerts[0].started_at == datetime(2026, 1, 1, 11, 57, tzinfo=UTC)
    assert found.alerts[0].labels["service"] == "cart"
    assert "bob@" not in str(found)
    assert [a.service for a in some.alerts] == ["payment"]


READS = [
    (DatadogSeries, Fact.SERIES),
    (DatadogLogs, Fact.LOGS),
    (DatadogChanges, Fact.CHANGES),
    (DatadogAlerts, Fact.ALERTS),
]


@pytest.mark.parametrize(("kind", "fact"), READS)
@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(status=401), Refused),
        (Reply(status=403, body={"errors": ["Forbidden"]}), Refused),
        (Reply(status=429, headers={"X-RateLimit-Reset": "9"}), Unavailable),
        (Reply(status=500, body=f"for {APP_KEY}".encode()), Unavailable),
        (Reply(status=400, body=f"for {API_KEY}".encode()), Malformed),
        (Reply(body=b"<html>"), Malformed),
        (Reply(body=[1]), Malformed),
        (Reply(body={"data": 3, "series": 3, "metrics": 3}), Malformed),
        (Reply(body={"data": [3], "series": [3], "metrics": 3}), Malformed),
        (Reply(drop=True), Unavailable),
    ],
)
async def test_failures_are_sorted_and_hold_no_key(
    tmp_path: Path, kind: Any, fact: Fact, reply: Reply, error: type[SreBotError]
) -> None:
    with tool_on(kind, Server(broken={"/api": reply}), tmp_path) as (tool, _):
        with pytest.raises(error) as raised:
            await tool.read(need(fact))
        assert API_KEY not in str(raised.value)
        assert APP_KEY not in str(raised.value)
        with pytest.raises(error):
            await tool.check()


async def test_a_query_that_datadog_does_not_take_is_malformed(tmp_path: Path) -> None:
    wrong = Reply(body={"status": "error", "error": "Rule 'scope_expr' didn't match"})
    with (
        tool_on(DatadogSeries, Server(broken={"/query": wrong}), tmp_path) as (tool, _),
        pytest.raises(Malformed, match="scope_expr"),
    ):
        await tool.read(need(Fact.SERIES))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"site": "https://x/?"}, r"connections\.datadog\.site"),
        ({"read": ["traces"]}, r"connections\.datadog\.read"),
        ({"read": "logs"}, r"connections\.datadog\.read"),
        ({"tags": ["env:prod"]}, r"connections\.datadog\.tags"),
        ({"tags": {"env": "prod} OR {"}}, r"connections\.datadog\.tags"),
        ({"app_key_file": ""}, "both api_key_file and app_key_file"),
        ({"api_key_file": "/nowhere"}, r"connections\.datadog\.api_key_file"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, wrong: Any, said: str) -> None:
    with pytest.raises(NotConfigured, match=said):
        DatadogLogs.for_environment(environment(keys(tmp_path, **wrong)))


def test_only_the_parts_that_are_to_be_read_are(tmp_path: Path) -> None:
    place = environment(keys(tmp_path, read=["logs"], site="us5.datadoghq.com"))
    assert DatadogLogs.for_environment(place)
    assert DatadogSeries.for_environment(place) is None
    assert DatadogChanges.for_environment(place) is None
    client = Datadog.of(place, "logs")
    assert client
    both = environment(keys(tmp_path), kubernetes={"url": "http://127.0.0.1:9"})
    assert PodLogs.for_environment(both) is None
    assert client.link("logs", "x", WINDOW).startswith("https://us5.datadoghq.com/logs?")
