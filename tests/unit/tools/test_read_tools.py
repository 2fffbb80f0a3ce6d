"""Objects, rollouts, logs, traces and the change feed, each on a server of the test's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.environment import Environment, Tier
from bot.domain.errors import Unavailable, UnknownName
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import ChangeKind
from bot.domain.time import Window
from tests.fakes.kubernetes_api import Cluster, shop
from tests.fakes.loopback import Answer, Asked, Loopback, Reply, loopback
from tools.contract import ReadTool
from tools.read.changes.feed import FeedChanges
from tools.read.changes.rollouts import RolloutChanges
from tools.read.kubernetes.objects import KubernetesObjects
from tools.read.logs.loki import LokiLogs
from tools.read.logs.pods import PodLogs
from tools.read.traces.edges import JaegerEdges
from tools.read.traces.spans import JaegerSpans

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
WINDOW = Window.last(600, before=NOON)


@contextmanager
def tool_on(kind: type[ReadTool], system: str, answer: Answer) -> Iterator[tuple[Any, Loopback]]:
    with loopback(answer) as server:
        environment = Environment(
            name="prod",
            tier=Tier.PRODUCTION,
            namespaces=("shop",),
            connections={system: {"url": server.url}},
        )
        tool = kind.for_environment(environment)
        assert tool is not None
        yield tool, server


def need(fact: Fact, *names: str, services: tuple[str, ...] = (), window: Window = WINDOW) -> Need:
    return Need(fact=fact, window=window, names=names, services=services)


async def test_objects_of_the_default_set_are_read_redacted() -> None:
    cluster = shop()
    with tool_on(KubernetesObjects, "kubernetes", cluster.answer) as (tool, server):
        found = await tool.read(need(Fact.OBJECTS))
        asked = {a.path for a in server.asked}
    kinds = {o.kind for o in found.objects}
    assert {"Deployment", "ReplicaSet", "Pod", "ConfigMap"} <= kinds
    config = found.find("ConfigMap", "web-config")
    assert config.body["data"]["POOL"] == "5"
    assert "hunter22" not in str(found)
    assert "s3cr3t" not in str(found)
    assert config.source.query == "kubectl get configmaps -n shop"
    assert not [path for path in asked if "secret" in path]


async def test_objects_of_a_service_are_kept_and_others_left() -> None:
    cluster = shop()
    cluster.put("ConfigMap", "other-config", data={})
    with tool_on(KubernetesObjects, "kubernetes", cluster.answer) as (tool, _):
        found = await tool.read(need(Fact.OBJECTS, "ConfigMap", services=("web",)))
    assert [o.name for o in found.objects] == ["web-config"]


async def test_kinds_that_may_not_be_read_are_blind_spots() -> None:
    cluster = shop()
    cluster.forbidden = {("GET", "pods")}
    with tool_on(KubernetesObjects, "kubernetes", cluster.answer) as (tool, _):
        found = await tool.read(need(Fact.OBJECTS, "Pod", "ConfigMap", "Secret", "Wheel"))
    reasons = {b.wanted: b.reason for b in found.blind_spots}
    assert [o.name for o in found.objects] == ["web-config"]
    assert 'resources: ["pods"]' in reasons["objects of kind Pod"]
    assert "secrets are never read" in reasons["objects of kind Secret"]
    assert "Wheel" in reasons["objects of kind Wheel"]


async def test_a_cluster_that_does_not_answer_is_unavailable() -> None:
    with (
        tool_on(KubernetesObjects, "kubernetes", lambda _: Reply(status=500)) as (tool, _),
        pytest.raises(Unavailable),
    ):
        await tool.read(need(Fact.OBJECTS))


async def test_replica_sets_tell_deploys() -> None:
    cluster = shop()
    window = Window.last(3600, before=datetime(2026, 1, 1, 2, 30, tzinfo=UTC))
    with tool_on(RolloutChanges, "kubernetes", cluster.answer) as (tool, _):
        (change,) = (await tool.read(need(Fact.CHANGES, window=window))).changes
        later = await tool.read(need(Fact.CHANGES))
        flags = await tool.read(need(Fact.CHANGES, "flag", window=window))
    assert (change.kind, change.service, change.object) == (
        ChangeKind.DEPLOY,
        "web",
        "deployment/web",
    )
    assert (change.before, change.after) == ("v1", "v2")
    assert "+    image: registry/web:v2" in (change.diff or "")
    assert "s3cr3t" not in (change.diff or "")
    assert later.changes == flags.changes == ()


class Pods:
    """A cluster whose one pod has logs, of this run and of the one before."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        state = {
            "name": "web",
            "restartCount": 2,
            "ready": False,
            "state": {"running": {}},
        }
        self.cluster.get("Pod", "web-2-a")["status"] = {"containerStatuses": [state]}

    def __call__(self, asked: Asked) -> Reply:
        if not asked.path.endswith("/log"):
            return self.cluster.answer(asked)
        if asked.query.get("previous"):
            return Reply(body=b"2026-01-01T11:59:00.123456789Z fatal: out of memory\n")
        lines = [
            "2026-01-01T11:45:00Z order 1 failed",
            "2026-01-01T11:55:00.5Z order 2 failed",
            "2026-01-01T11:56:00Z order 3 failed",
            "2026-01-01T11:20:00Z too old",
            "no time at all \xff",
        ]
        return Reply(body="\n".join(lines).encode("latin-1"))


async def test_logs_of_unwell_pods_come_with_their_previous_run() -> None:
    with tool_on(PodLogs, "kubernetes", Pods(shop())) as (tool, server):
        found = await tool.read(need(Fact.LOGS))
        asked = [a.query for a in server.asked if a.path.endswith("/log")]
    counts = {(t.template, t.previous): (t.count, t.baseline_count) for t in found.logs}
    assert counts["order <*> failed", False] == (2, 1)
    assert counts["fatal: out of memory", True] == (1, 0)
    assert ("too old", False) not in counts
    assert found.logs[0].service == "web"
    assert asked[0]["sinceTime"] == "2026-01-01T11:40:00Z"
    assert asked[0]["limitBytes"]


async def test_a_log_that_the_node_lost_is_a_blind_spot_and_no_line() -> None:
    pods = Pods(shop())

    def answer(asked: Asked) -> Reply:
        if asked.path.endswith("/log") and asked.query.get("previous"):
            return Reply(body=b"unable to retrieve container logs for containerd://0123abcd")
        return pods(asked)

    with tool_on(PodLogs, "kubernetes", answer) as (tool, _server):
        found = await tool.read(need(Fact.LOGS))
    assert not [t for t in found.logs if "unable" in t.template]
    assert any("lost it" in spot.reason for spot in found.blind_spots)


def stream(at: datetime, text: str, **labels: str) -> dict[str, Any]:
    return {"stream": labels, "values": [[str(int(at.timestamp() * 1e9)), text]]}


class LokiServer:
    def __init__(self, now: list[Any], before: list[Any]) -> None:
        self.now, self.before = now, before

    def __call__(self, asked: Asked) -> Reply:
        if asked.path.endswith("/labels"):
            return Reply(body={"status": "success", "data": ["namespace", "service_name", "pod"]})
        in_window = int(asked.query["end"]) > int(WINDOW.start.timestamp() * 1e9)
        return Reply(body={"data": {"result": self.now if in_window else self.before}})


async def test_loki_lines_become_templates_with_the_window_before() -> None:
    at = NOON - timedelta(seconds=60)
    now = [stream(at, f"order {n} failed", service_name="cart", pod="cart-0") for n in range(3)]
    before = [stream(at - timedelta(seconds=600), "order 7 failed", service_name="cart")]
    with tool_on(LokiLogs, "loki", LokiServer(now, before)) as (tool, _):
        found = await tool.read(need(Fact.LOGS, services=("cart",)))
        everywhere = await tool.read(need(Fact.LOGS))
    (template,) = found.logs
    assert (template.service, template.count, template.baseline_count) == ("cart", 3, 1)
    assert template.source.query == '{namespace=~"shop", service_name=~"cart"}'
    assert "(?i)(error|warn" in everywhere.logs[0].source.query
    assert found.blind_spots == ()


async def test_too_many_lines_are_said_and_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    from tools.read.logs import loki

    monkeypatch.setattr(loki, "PAGE", 1)
    at = NOON - timedelta(seconds=60)
    now = [stream(at, "order 1 failed", service_name="cart")]
    with tool_on(LokiLogs, "loki", LokiServer(now, [])) as (tool, _):
        found = await tool.read(need(Fact.LOGS, services=("cart",)))
    assert found.logs[0].baseline_count is None
    assert "too many lines" in found.blind_spots[0].reason


def raw_span(span: str, **more: Any) -> dict[str, Any]:
    return {
        "traceID": "t1",
        "spanID": span,
        "processID": "p1",
        "operationName": "GET /cart",
        "startTime": int(NOON.timestamp() * 1e6),
        "duration": 1500,
        "tags": [],
        "references": [],
        **more,
    }


class JaegerServer:
    def __init__(self, traces: list[Any], edges: list[Any]) -> None:
        self.traces, self.edges = traces, edges

    def __call__(self, asked: Asked) -> Reply:
        data: Any = {
            "/api/services": ["cart", "web"],
            "/api/dependencies": self.edges,
            "/api/traces": self.traces,
        }[asked.path]
        return Reply(body={"data": data})


WRITTEN = [
    {
        "fields": [
            {"key": "event", "value": "exception"},
            {"key": "exception.type", "value": "Boom"},
            {"key": "exception.message", "value": "order 4711 lost"},
        ]
    },
    {"fields": [{"key": "message", "value": "retry 3"}]},
    {"fields": []},
]


async def test_spans_are_read_once_and_damaged_ones_skipped() -> None:
    failed = [{"key": "error", "value": True}, {"key": "db.password", "value": "hunter22"}]
    child = [{"refType": "CHILD_OF", "spanID": "s1"}]
    spans = [
        raw_span("s1"),
        raw_span("s2", tags=failed, references=child, logs=WRITTEN),
        raw_span("s3", duration="long"),
        raw_span("s4", startTime=1e40),
        "nonsense",
        {},
    ]
    pod = [{"key": "k8s.pod.name", "value": "cart-0"}]
    processes = {"p1": {"serviceName": "cart", "tags": pod}, "p2": {"tags": 3}, "p3": None}
    trace = {"traceID": "t1", "spans": spans, "processes": processes}
    with tool_on(JaegerSpans, "jaeger", JaegerServer([trace, trace, {}], [])) as (tool, server):
        found = await tool.read(need(Fact.SPANS, services=("cart",)))
    first, second = found.spans
    assert (first.service, first.duration_s, first.error) == ("cart", 0.0015, False)
    assert (second.parent_id, second.error) == ("s1", True)
    assert "hunter22" not in str(found)
    assert second.source.link == f"{server.url}/trace/t1"
    assert second.pod == "cart-0"
    assert second.events == ("error: Boom: order <*> lost", "retry <*>")


async def test_edges_touch_the_services_asked_for() -> None:
    edges = [
        {"parent": "web", "child": "cart", "callCount": 7},
        {"parent": "cart", "child": "db"},
        {"parent": "x", "child": "y", "callCount": "many"},
        {"parent": "", "child": None},
    ]
    with tool_on(JaegerEdges, "jaeger", JaegerServer([], edges)) as (tool, _):
        every = (await tool.read(need(Fact.EDGES))).edges
        some = (await tool.read(need(Fact.EDGES, services=("cart",)))).edges
    assert [(e.caller, e.callee, e.calls) for e in every] == [
        ("web", "cart", 7),
        ("cart", "db", None),
        ("x", "y", None),
    ]
    assert len(some) == 2


async def test_without_computed_dependencies_edges_come_from_sampled_spans() -> None:
    spans = [
        raw_span("s1", processID="p1"),
        raw_span("s2", processID="p2", references=[{"refType": "CHILD_OF", "spanID": "s1"}]),
        raw_span(
            "s3",
            processID="p2",
            tags=[
                {"key": "span.kind", "value": "client"},
                {"key": "peer.service", "value": "cart-db"},
            ],
        ),
    ]
    processes = {"p1": {"serviceName": "web"}, "p2": {"serviceName": "cart"}}
    trace = {"traceID": "t1", "spans": spans, "processes": processes}
    with tool_on(JaegerEdges, "jaeger", JaegerServer([trace], [])) as (tool, _):
        found = await tool.read(need(Fact.EDGES))
        some = await tool.read(need(Fact.EDGES, services=("web",)))
    assert [(e.caller, e.callee, e.calls) for e in found.edges] == [
        ("web", "cart", None),
        ("cart", "cart-db", None),
    ]
    assert [(e.caller, e.callee) for e in some.edges] == [("web", "cart")]
    assert "rare calls may be missing" in found.blind_spots[0].reason


def raw_change(name: str = "c1", **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "kind": "deploy",
        "service": "cart",
        "object": "deployment/cart",
        "at": "2026-01-01T11:55:00Z",
        "summary": "v2",
        "before": "v1",
        "after": "v2",
        "diff": "+password=hunter22",
        "link": "https://git.example/c1",
        **more,
    }


async def test_changes_are_read_and_damaged_ones_named() -> None:
    changes = [
        raw_change(),
        raw_change("c2", kind="flag", service="web", at="2026-01-01T13:54:00+02:00", diff=None),
        raw_change("c3", kind="coup"),
        raw_change("c4", at="2026-01-01T11:55:00"),
        raw_change("c5", at=None),
        raw_change("", id=None),
        raw_change("c6", link="javascript:alert(1)"),
    ]
    with tool_on(FeedChanges, "changes", lambda _: Reply(body={"changes": changes})) as (tool, s):
        found = await tool.read(need(Fact.CHANGES))
        flags = await tool.read(need(Fact.CHANGES, "flag"))
        of_web = await tool.read(need(Fact.CHANGES, services=("web",)))
        query = s.asked[0].query
    assert [c.id for c in found.changes] == ["c2", "c1", "c6"]
    assert found.changes[0].at == datetime(2026, 1, 1, 11, 54, tzinfo=UTC)
    assert "hunter22" not in str(found.changes)
    assert found.changes[2].link is None
    assert len(found.blind_spots) == 4
    assert [c.id for c in flags.changes] == [c.id for c in of_web.changes] == ["c2"]
    assert query == {"since": "2026-01-01T11:50:00Z", "until": "2026-01-01T12:00:00Z"}


async def test_an_unknown_feed_is_told() -> None:
    with (
        tool_on(FeedChanges, "changes", lambda _: Reply(status=404)) as (tool, _),
        pytest.raises(UnknownName),
    ):
        await tool.read(need(Fact.CHANGES))
