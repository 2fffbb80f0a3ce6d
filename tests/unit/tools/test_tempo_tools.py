"""Spans and edges as a strict Tempo on loopback tells them, in every notation that it has had."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from bot.domain.environment import Environment, Tier
from bot.domain.errors import Malformed, NotConfigured, Refused, SreBotError, Unavailable
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import Source
from bot.domain.time import Window
from tests.fakes.loopback import Asked, Loopback, Reply, loopback
from tools.clients.tempo import quoted
from tools.read.traces import tempo as tool_module
from tools.read.traces.otlp import spans_of
from tools.read.traces.tempo import TempoEdges, TempoSpans

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
WINDOW = Window.last(600, before=NOON)
SOURCE = Source(system="tempo", query="x")
PASSWORD = "plain-passw0rt"


def b64(number: int, size: int = 8) -> str:
    return base64.b64encode(number.to_bytes(size, "big")).decode()


def attribute(key: str, value: Any) -> dict[str, Any]:
    kind = "intValue" if isinstance(value, int) else "stringValue"
    return {"key": key, "value": {kind: value}}


def raw(number: int, parent: int = 0, **more: Any) -> dict[str, Any]:
    start = int(NOON.timestamp() * 1e9)
    attributes = [attribute(k, v) for k, v in more.pop("attributes", {}).items()]
    return {
        "traceId": b64(7, 16),
        "spanId": b64(number),
        "parentSpanId": b64(parent) if parent else "",
        "name": "GET /cart",
        "kind": "SPAN_KIND_SERVER",
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + 1_500_000),
        "attributes": attributes,
        "status": {},
        **more,
    }


def batch(service: str, *spans: Any, **about: str) -> dict[str, Any]:
    attributes = [attribute("service.name", service), *(attribute(k, v) for k, v in about.items())]
    return {"resource": {"attributes": attributes}, "scopeSpans": [{"spans": list(spans)}]}


@dataclass
class TempoServer:
    """`traces` by id; `second`: whether it has the newer way to read one."""

    traces: dict[str, list[Any]]
    second: bool = True
    services: list[str] = field(default_factory=lambda: ["web", "cart"])
    partial: bool = False
    broken: dict[str, Reply] = field(default_factory=dict)
    searched: list[str] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Reply:
        basic = base64.b64encode(f"bot:{PASSWORD}".encode()).decode()
        if asked.headers.get("Authorization") != f"Basic {basic}":
            return Reply(status=401)
        if asked.headers.get("X-Scope-OrgID") != "shop":
            return Reply(status=401, body=b"no org id")
        for path, reply in self.broken.items():
            if asked.path.startswith(path):
                return reply
        return self._answer(asked)

    def _answer(self, asked: Asked) -> Reply:
        path = unquote(asked.path)
        if path == "/api/status/buildinfo":
            return Reply(body={"version": "2.8.1"})
        assert int(asked.query["start"]) < int(asked.query["end"]) < 2_000_000_000
        if path == "/api/search":
            return self._search(asked)
        if path == "/api/v2/search/tag/resource.service.name/values" and self.second:
            return Reply(
                body={"tagValues": [{"type": "string", "value": s} for s in self.services]}
            )
        if path == "/api/search/tag/service.name/values":
            return Reply(body={"tagValues": self.services})
        return self._trace(path)

    def _search(self, asked: Asked) -> Reply:
        if set(asked.query) - {"q", "limit", "start", "end", "spss"}:
            return Reply(status=400, body=b"unknown parameter")
        self.searched.append(asked.query["q"])
        ids = list(self.traces)[: int(asked.query["limit"])]
        return Reply(body={"traces": [{"traceID": i, "durationMs": 7} for i in ids], "metrics": {}})

    def _trace(self, path: str) -> Reply:
        version, _, name = path.removeprefix("/api/").rpartition("traces/")
        batches = self.traces.get(name)
        if batches is None or (version and not self.second):
            return Reply(status=404, body=b"trace not found")
        if not version:
            return Reply(body={"batches": batches})
        status = {"status": "PARTIAL", "message": "too large"} if self.partial else {}
        return Reply(body={"trace": {"resourceSpans": batches}, **status})


SHOP = {
    "7": [
        batch("web", raw(1), raw(2, 1, kind="SPAN_KIND_CLIENT")),
        batch(
            "cart",
            raw(
                3,
                2,
                status={"code": "STATUS_CODE_ERROR", "message": "no route"},
                attributes={"http.status_code": 500, "db.password": "hunter22"},
                events=[
                    {
                        "name": "exception",
                        "attributes": [attribute("exception.message", "order 4711 not found")],
                    },
                    {"name": "retry 3"},
                ],
            ),
            raw(4, 3, kind=3, attributes={"server.address": "cart-db.shop.svc:5432"}),
            **{"k8s.pod.name": "cart-0"},
        ),
    ]
}


@contextmanager
def tool_on(
    kind: Any, server: TempoServer, tmp_path: Path, **more: Any
) -> Iterator[tuple[Any, Loopback]]:
    secret = tmp_path / "password"
    secret.write_text(PASSWORD)
    with loopback(server) as running:
        settings = {"url": running.url, "username": "bot", "password_file": str(secret)}
        tool = kind.for_environment(environment({**settings, "tenant": "shop", **more}))
        assert tool
        yield tool, running


def environment(settings: Any) -> Environment:
    return Environment(
        name="prod", tier=Tier.PRODUCTION, namespaces=("shop",), connections={"tempo": settings}
    )


def need(fact: Fact = Fact.SPANS, *services: str) -> Need:
    return Need(fact=fact, window=WINDOW, services=services)


@pytest.mark.parametrize("second", [True, False])
async def test_spans_of_a_service_are_read_once(tmp_path: Path, second: bool) -> None:
    server = TempoServer(SHOP, second=second)
    with tool_on(TempoSpans, server, tmp_path, link_url="https://g.example/x") as (tool, running):
        found = await tool.read(need(Fact.SPANS, "cart"))
        reads = [a.path for a in running.asked if "/traces/" in a.path]
    spans = {s.span_id: s for s in found.spans}
    assert len(found.spans) == 4
    failed = spans[f"{3:016x}"]
    assert (failed.service, failed.error, failed.pod) == ("cart", True, "cart-0")
    assert failed.parent_id == f"{2:016x}"
    assert failed.duration_s == pytest.approx(0.0015)
    assert failed.events == ("error: order <*> not found", "retry <*>")
    assert failed.attributes["http.status_code"] == "500"
    assert failed.attributes["span.kind"] == "server"
    assert spans[f"{1:016x}"].parent_id is None
    assert failed.source.link == "https://g.example/x?query=7"
    assert "hunter22" not in str(found)
    assert len(reads) == (1 if second else 2)
    assert sorted(server.searched) == [
        '{ resource.service.name = "cart" && status = error }',
        '{ resource.service.name = "cart" }',
    ]


@pytest.mark.parametrize("second", [True, False])
async def test_without_services_the_first_few_are_looked_at(tmp_path: Path, second: bool) -> None:
    server = TempoServer(SHOP, second=second, services=[f"s{n}" for n in range(11)])
    with tool_on(TempoSpans, server, tmp_path) as (tool, _):
        found = await tool.read(need())
    assert len(server.searched) == 16
    assert [b.reason for b in found.blind_spots] == ["11 services, looked at 8"]


async def test_edges_come_from_parents_and_from_calls_out_of_sight(tmp_path: Path) -> None:
    server = TempoServer(SHOP)
    with tool_on(TempoEdges, server, tmp_path) as (tool, _):
        found = await tool.read(need(Fact.EDGES))
        some = await tool.read(need(Fact.EDGES, "web"))
        assert await tool.check() == "Tempo 2.8.1, the service graph is sampled"
    assert [(e.caller, e.callee, e.calls) for e in found.edges] == [
        ("web", "cart", None),
        ("cart", "cart-db", None),
    ]
    assert [(e.caller, e.callee) for e in some.edges] == [("web", "cart")]
    assert found.blind_spots == ()
    assert server.searched == ["{ }", '{ resource.service.name = "web" }']


async def test_a_sampled_graph_says_that_rare_calls_may_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tool_module, "MAX_TRACES", 2)
    server = TempoServer({f"{n:032x}": SHOP["7"] for n in range(1, 6)}, partial=True)
    with tool_on(TempoEdges, server, tmp_path) as (tool, _):
        found = await tool.read(need(Fact.EDGES))
    assert [b.reason for b in found.blind_spots] == [
        "some traces were too large to be given whole",
        "taken from 2 traces: rare calls may be missing",
    ]


async def test_a_trace_that_cannot_be_read_is_a_blind_spot(tmp_path: Path) -> None:
    server = TempoServer({**SHOP, "8": []}, broken={"/api/v2/traces/8": Reply(status=500)})
    with tool_on(TempoSpans, server, tmp_path) as (tool, _):
        found = await tool.read(need(Fact.SPANS, "cart"))
    assert len(found.spans) == 4
    assert [b.wanted for b in found.blind_spots] == ["trace 8"]


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(status=401, body=PASSWORD.encode()), Refused),
        (Reply(status=403), Refused),
        (Reply(status=429), Unavailable),
        (Reply(status=500, body=f"for {PASSWORD}".encode()), Unavailable),
        (Reply(status=400, body=f"for {PASSWORD}".encode()), Malformed),
        (Reply(body=b"<html>"), Malformed),
        (Reply(body=[1]), Malformed),
        (Reply(body={"traces": 3}), Malformed),
        (Reply(body={"traces": [3]}), Malformed),
        (Reply(drop=True), Unavailable),
    ],
)
@pytest.mark.parametrize(("kind", "fact"), [(TempoSpans, Fact.SPANS), (TempoEdges, Fact.EDGES)])
async def test_failures_are_sorted_and_hold_no_password(
    tmp_path: Path, kind: Any, fact: Fact, reply: Reply, error: type[SreBotError]
) -> None:
    server = TempoServer(SHOP, broken={"/api/search": reply})
    with tool_on(kind, server, tmp_path) as (tool, _), pytest.raises(error) as raised:
        await tool.read(need(fact, "cart"))
    assert PASSWORD not in str(raised.value)


async def test_ids_of_traces_are_checked_before_they_get_into_a_path(tmp_path: Path) -> None:
    server = TempoServer({"../../x": [], "7?a=b": [], **SHOP})
    with tool_on(TempoSpans, server, tmp_path) as (tool, running):
        await tool.read(need(Fact.SPANS, "cart"))
        assert {a.path for a in running.asked if "traces" in a.path} == {"/api/v2/traces/7"}


def test_damaged_spans_are_skipped_and_the_others_kept() -> None:
    spans = [
        raw(1),
        raw(2, spanId="???"),
        raw(3, spanId=None),
        raw(4, startTimeUnixNano="soon"),
        raw(5, startTimeUnixNano=10**40, endTimeUnixNano=10**40),
        raw(6, attributes={}, events=3, status=4, kind=[1], name=None),
        {},
        "x",
    ]
    document = {"batches": [batch("cart", *spans), {"resource": 3}, batch("", raw(9)), 7]}
    found = list(spans_of(document, SOURCE))
    assert [s.span_id for s in found] == [f"{1:016x}", f"{6:016x}"]
    assert found[1].attributes == {"span.kind": "[1]"}
    nothings: list[dict[str, Any]] = [
        {},
        {"trace": 3},
        {"batches": 3},
        {"batches": [{"scopeSpans": [{}]}]},
    ]
    for nothing in nothings:
        assert list(spans_of(nothing, SOURCE)) == []


def test_ids_in_hexadecimal_and_the_oldest_notation_are_read_too() -> None:
    span = raw(1, traceId="AB" * 16, spanId="cd" * 8, kind=2, status={"code": 2})
    old = {
        "resource": {"attributes": [attribute("service.name", "cart")]},
        "instrumentationLibrarySpans": [{"spans": [span]}],
    }
    (found,) = spans_of({"batches": [old]}, SOURCE)
    assert (found.trace_id, found.span_id, found.error) == ("ab" * 16, "cd" * 8, True)


def test_a_name_cannot_leave_its_quotes() -> None:
    assert quoted('a" } || { "\\') == '"a\\" } || { \\"\\\\"'


def test_two_credentials_at_once_are_refused(tmp_path: Path) -> None:
    secret = tmp_path / "x"
    secret.write_text("x")
    both = {"url": "http://x", "token_file": str(secret), "password_file": str(secret)}
    with pytest.raises(NotConfigured, match=r"connections\.tempo has both"):
        TempoSpans.for_environment(environment(both))
