"""Log templates as a strict Elasticsearch on loopback gives them."""

import json
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
from bot.domain.time import Window
from tests.fakes.loopback import Asked, Loopback, Reply, loopback
from tools.clients import elasticsearch as client_module
from tools.clients.elasticsearch import value_at
from tools.read.logs import elasticsearch as tool_module
from tools.read.logs.elasticsearch import ElasticsearchLogs
from tools.read.logs.pods import PodLogs

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
WINDOW = Window.last(600, before=NOON)
KEY = "cGxhaW46a2V5"
ECS = {
    "@timestamp": "date",
    "message": "text",
    "service.name": "keyword",
    "kubernetes.pod.name": "keyword",
    "kubernetes.namespace": "keyword",
    "log.level": "keyword",
}
FLUENT_BIT = {
    "@timestamp": "date",
    "log": "text",
    "kubernetes.pod_name": "text",
    "kubernetes.pod_name.keyword": "keyword",
    "kubernetes.namespace_name": "text",
    "kubernetes.namespace_name.keyword": "keyword",
}


@dataclass
class Engine:
    """An index with a mapping and documents; `shards` and `timed_out` go into every answer."""

    mapping: dict[str, str]
    documents: list[dict[str, Any]] = field(default_factory=list)
    broken: dict[str, Reply] = field(default_factory=dict)
    timed_out: bool = False
    failed_shards: int = 0
    searches: list[dict[str, Any]] = field(default_factory=list)

    def put(self, seconds_before: float, **fields: Any) -> None:
        at = NOON - timedelta(seconds=seconds_before)
        self.documents.append({"@timestamp": at.isoformat().replace("+00:00", "Z"), **fields})

    def __call__(self, asked: Asked) -> Reply:
        if asked.headers.get("Authorization") != f"ApiKey {KEY}":
            return Reply(status=401, body={"error": {"type": "security_exception"}})
        for path, reply in self.broken.items():
            if path in asked.path:
                return reply
        if asked.path == "/":
            return Reply(body={"version": {"number": "8.15.0"}})
        return self._index(asked)

    def _index(self, asked: Asked) -> Reply:
        if {"ignore_unavailable", "allow_no_indices"} - set(asked.query):
            return Reply(status=404, body={"error": {"type": "index_not_found_exception"}})
        if asked.path.endswith("/_field_caps"):
            names = asked.query["fields"].split(",")
            caps = {n: {t: {"type": t}} for n, t in self.mapping.items() if n in names}
            if "kubernetes.labels.app" in names:
                caps["kubernetes.labels.app"] = {"object": {"type": "object"}}
            return Reply(body={"indices": ["logs-1"] if self.mapping else [], "fields": caps})
        return self._search(asked.json)

    def _search(self, body: dict[str, Any]) -> Reply:
        self.searches.append(body)
        known = {"size", "timeout", "track_total_hits", "query", "sort", "_source"}
        if set(body) - known or body["size"] > 10_000:
            return Reply(status=400, body={"error": {"type": "parsing_exception"}})
        filters = body["query"]["bool"]["filter"]
        found = [
            (n, d) for n, d in enumerate(self.documents) if all(self._fits(d, f) for f in filters)
        ]
        found.sort(key=lambda one: millis(one[1]), reverse=True)
        hits = [
            {"_index": "logs-1", "_id": str(n), "_source": d, "sort": [millis(d)]}
            for n, d in found[: body["size"]]
        ]
        shards = {"total": 3, "successful": 3 - self.failed_shards, "failed": self.failed_shards}
        return Reply(body={"timed_out": self.timed_out, "_shards": shards, "hits": {"hits": hits}})

    def _fits(self, document: dict[str, Any], query: dict[str, Any]) -> bool:
        ((kind, body),) = query.items()
        if kind == "bool":
            assert body["minimum_should_match"] == 1
            return any(self._fits(document, q) for q in body["should"])
        if kind == "simple_query_string":
            words = re.findall(r"\w+", body["query"])
            said = " ".join(value_at(document, f) for f in body["fields"]).lower()
            return any(w in said for w in words)
        ((name, wanted),) = body.items()
        if kind == "range":
            at = millis(document)
            upper = at < wanted["lt"] if "lt" in wanted else at <= wanted["lte"]
            return bool(wanted["gte"] <= at and upper and wanted["format"] == "epoch_millis")
        assert self.mapping[name] == "keyword", "exact matches need a keyword"
        value = value_at(document, name.removesuffix(".keyword"))
        return value in wanted if kind == "terms" else value.startswith(wanted)


def millis(document: dict[str, Any]) -> int:
    return round(datetime.fromisoformat(document["@timestamp"]).timestamp() * 1000)


def shop() -> Engine:
    engine = Engine(ECS)
    for number in range(3):
        engine.put(
            60 + number,
            message=f"order {number} failed",
            service={"name": "cart"},
            kubernetes={"namespace": "shop", "pod": {"name": "cart-0"}},
            log={"level": "ERROR"},
        )
    engine.put(700, **{"message": "order 7 failed", "service.name": "cart", **nested("shop")})
    engine.put(50, message="hello", service={"name": "web"}, **nested("shop"))
    engine.put(50, message="order 9 failed", service={"name": "cart"}, **nested("elsewhere"))
    return engine


def nested(namespace: str) -> dict[str, Any]:
    return {"kubernetes": {"namespace": namespace}}


@contextmanager
def tool_on(
    engine: Engine, tmp_path: Path, system: str = "elasticsearch", **more: Any
) -> Iterator[tuple[ElasticsearchLogs, Loopback]]:
    key = tmp_path / "key"
    key.write_text(KEY)
    with loopback(engine) as running:
        settings = {"url": running.url, "api_key_file": str(key), **more}
        tool = ElasticsearchLogs.for_environment(environment(settings, system))
        assert tool
        yield tool, running


def environment(settings: Any, system: str = "elasticsearch") -> Environment:
    return Environment(
        name="prod", tier=Tier.PRODUCTION, namespaces=("shop",), connections={system: settings}
    )


def need(*services: str) -> Need:
    return Need(fact=Fact.LOGS, window=WINDOW, services=services)


async def test_lines_become_templates_with_the_window_before(tmp_path: Path) -> None:
    with tool_on(shop(), tmp_path, link_url="https://kibana.example/") as (tool, _):
        found = await tool.read(need("cart"))
    (template,) = found.logs
    assert (template.service, template.template) == ("cart", "order <*> failed")
    assert (template.count, template.baseline_count, template.level) == (3, 1, "error")
    assert template.pod == "cart-0"
    assert template.source.query.endswith("kubernetes.namespace: (shop) and service.name: (cart)")
    assert (template.source.link or "").startswith("https://kibana.example/app/discover#/?_g=")
    assert found.blind_spots == ()


async def test_without_services_only_trouble_is_read(tmp_path: Path) -> None:
    engine = shop()
    engine.put(40, message="odd", service={"name": "web"}, log={"level": "FATAL"}, **nested("shop"))
    with tool_on(engine, tmp_path) as (tool, _):
        found = await tool.read(need())
    assert {(t.service, t.template) for t in found.logs} == {
        ("cart", "order <*> failed"),
        ("web", "odd"),
    }


async def test_fluent_bits_fields_are_found_and_pods_name_the_service(tmp_path: Path) -> None:
    engine = Engine(FLUENT_BIT)
    for pod in ("cart-6c9f7d8b5-x2k4q", "cart-db-0"):
        about = {"namespace_name": "shop", "pod_name": pod}
        engine.put(60, log="it failed", kubernetes=about)
    with tool_on(engine, tmp_path, "opensearch") as (tool, _):
        found = await tool.read(need("cart"))
        assert await tool.check() == (
            f"OpenSearch 8.15.0, {client_module.INDEX}: the service is in no field: "
            "pods' names are used"
        )
    assert [(t.service, t.pod, t.count) for t in found.logs] == [
        ("cart", "cart-6c9f7d8b5-x2k4q", 1)
    ]


async def test_fields_and_indices_can_be_set(tmp_path: Path) -> None:
    engine = Engine({"@timestamp": "date", "text": "text", "app": "keyword"})
    engine.put(60, text="it failed", app="cart")
    fields = {"message": "text", "service": ["app"]}
    with tool_on(engine, tmp_path, index="shop-*", fields=fields) as (tool, server):
        found = await tool.read(need("cart"))
        assert {a.path.split("/")[1] for a in server.asked} == {"shop-*"}
    assert [t.service for t in found.logs] == ["cart"]
    assert found.blind_spots[0].reason.startswith("no field names the namespace")


async def test_every_page_is_read_once_even_where_moments_are_equal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tool_module, "PAGE", 3)
    engine = Engine(ECS)
    for number in range(10):
        engine.put(
            60 + number // 2, message="it failed", service={"name": "cart"}, **nested("shop")
        )
    with tool_on(engine, tmp_path) as (tool, _):
        found = await tool.read(need("cart"))
    assert [(t.count, t.baseline_count) for t in found.logs] == [(10, 0)]
    assert found.blind_spots == ()


async def test_too_many_lines_are_said_and_not_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tool_module, "PAGE", 3)
    engine = Engine(ECS)
    for _ in range(9):
        engine.put(60, message="it failed", service={"name": "cart"}, **nested("shop"))
    with tool_on(engine, tmp_path) as (tool, _):
        found = await tool.read(need("cart"))
    assert found.logs[0].baseline_count is None
    assert "looked at the newest 3" in found.blind_spots[0].reason


async def test_failed_shards_and_time_outs_are_blind_spots(tmp_path: Path) -> None:
    engine = shop()
    engine.timed_out, engine.failed_shards = True, 2
    with tool_on(engine, tmp_path) as (tool, _):
        found = await tool.read(need("cart"))
    assert found.logs[0].baseline_count is None
    assert [b.reason for b in found.blind_spots] == [
        "the search ran out of time, lines may be missing",
        "2 of 3 shards failed",
    ]


@pytest.mark.parametrize(
    ("mapping", "said"),
    [({}, "no index matches"), ({"@timestamp": "date"}, "holds the message")],
)
async def test_logs_that_cannot_be_understood_are_unavailable(
    tmp_path: Path, mapping: dict[str, str], said: str
) -> None:
    with tool_on(Engine(mapping), tmp_path) as (tool, _):
        with pytest.raises(Unavailable, match=said):
            await tool.read(need())
        with pytest.raises(Unavailable, match=said):
            await tool.check()


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(status=401), Refused),
        (Reply(status=403, body={"error": {"reason": KEY}}), Refused),
        (Reply(status=429), Unavailable),
        (Reply(status=503, body=f"for {KEY}".encode()), Unavailable),
        (Reply(status=400, body=f"for {KEY}".encode()), Malformed),
        (Reply(body=b"<html>"), Malformed),
        (Reply(body=[1]), Malformed),
        (Reply(body={}), Malformed),
        (Reply(body={"hits": {"hits": 3}, "fields": 3}), Malformed),
        (Reply(body={"hits": {"hits": [3]}, "fields": [3]}), Malformed),
        (Reply(body={"hits": {"hits": [{"_source": {}, "sort": []}]}, "fields": []}), Malformed),
        (Reply(body={"hits": {"hits": [{"_source": 3, "sort": [1]}]}}), Malformed),
        (Reply(drop=True), Unavailable),
    ],
)
@pytest.mark.parametrize("path", ["/_search", "/_field_caps"])
async def test_failures_are_sorted_and_hold_no_key(
    tmp_path: Path, path: str, reply: Reply, error: type[SreBotError]
) -> None:
    engine = Engine(ECS, broken={path: reply})
    with tool_on(engine, tmp_path) as (tool, _), pytest.raises(error) as raised:
        await tool.read(need("cart"))
    assert KEY not in str(raised.value)


async def test_hostile_documents_are_harmless(tmp_path: Path) -> None:
    engine = Engine(ECS)
    engine.put(60, service={"name": "cart"}, **nested("shop"))
    secret = "password=hunter22hunter"
    engine.put(61, message=[secret, 1], service={"name": ["cart"]}, **nested("shop"))
    engine.put(62, message={"a": 1}, service={"name": "cart"}, log=[], **nested("shop"))
    engine.put(63, message="x" * 100_000, service={"name": "cart"}, **nested("shop"))
    with tool_on(engine, tmp_path) as (tool, _):
        found = await tool.read(need("cart"))
    assert "hunter22" not in str(found)
    assert len(json.dumps([t.example for t in found.logs])) < 10_000


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"index": "../_all"}, r"connections\.elasticsearch\.index"),
        ({"index": "logs?x=1"}, r"connections\.elasticsearch\.index"),
        ({"fields": ["message"]}, r"connections\.elasticsearch\.fields"),
        ({"fields": {"sevrice": "x"}}, "no meaning `sevrice`"),
        ({"api_key_file": "/nowhere"}, r"connections\.elasticsearch\.api_key_file"),
    ],
)
def test_a_wrong_setting_is_named(wrong: Any, said: str) -> None:
    with pytest.raises(NotConfigured, match=said):
        ElasticsearchLogs.for_environment(environment({"url": "http://127.0.0.1:9", **wrong}))


def test_pods_are_not_read_where_a_store_has_the_logs() -> None:
    both = {"kubernetes": {"url": "http://127.0.0.1:9"}}
    for store in ("elasticsearch", "opensearch"):
        connections = {**both, store: {"url": "http://127.0.0.1:9"}}
        place = Environment(
            name="x", tier=Tier.STAGING, namespaces=("shop",), connections=connections
        )
        assert PodLogs.for_environment(place) is None


@pytest.mark.parametrize(
    ("document", "value"),
    [
        ({"a.b.c": 1}, "1"),
        ({"a": {"b": {"c": "x"}}}, "x"),
        ({"a.b": {"c": "x"}}, "x"),
        ({"a": {"b.c": "x"}}, "x"),
        ({"a": {"b": {"c": None}}}, ""),
        ({"a": 3}, ""),
        ({}, ""),
    ],
)
def test_dots_may_be_levels_or_letters(document: Any, value: str) -> None:
    assert value_at(document, "a.b.c") == value
