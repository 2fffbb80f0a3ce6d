"""Change events as a strict PagerDuty on loopback tells them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.domain.environment import Environment, Tier
from bot.domain.errors import Malformed, NotConfigured, Refused, SreBotError, Unavailable
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import ChangeKind
from bot.domain.time import Window
from tests.fakes.loopback import Asked, Reply, loopback
from tools.read.changes.pagerduty import PagerDutyChanges

TOKEN = "u+plain-t0k3n"
WINDOW = Window.last(3600, before=datetime(2026, 1, 1, 12, tzinfo=UTC))


def event(number: int, summary: Any = "Deployed v2", **more: Any) -> dict[str, Any]:
    return {
        "id": f"01E{number}",
        "type": "change_event",
        "summary": summary,
        "timestamp": "2026-01-01T11:30:00.000Z",
        "services": [{"id": "P1", "type": "service_reference", "summary": "Cart API"}],
        "links": [{"href": "https://ci.example/7", "text": "build"}],
        "custom_details": {"version": "v2", "api_token": "hunter22"},
        **more,
    }


@dataclass
class PagerDuty:
    events: list[Any]
    broken: Reply | None = None
    queries: list[dict[str, str]] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Reply:
        if self.broken:
            return self.broken
        if asked.headers.get("Authorization") != f"Token token={TOKEN}":
            return Reply(status=401, body={"error": {"message": "Unauthorized", "code": 2006}})
        known = {"since", "until", "limit", "offset", "integration_ids[]", "team_ids[]"}
        accepted = asked.headers.get("Accept") == "application/vnd.pagerduty+json;version=2"
        if asked.path != "/change_events" or set(asked.query) - known or not accepted:
            return Reply(status=404)
        self.queries.append(asked.query)
        limit, offset = int(asked.query["limit"]), int(asked.query["offset"])
        if limit > 100:
            return Reply(status=400, body={"error": {"message": "Invalid Input Provided"}})
        page = self.events[offset : offset + limit]
        more = offset + limit < len(self.events)
        return Reply(body={"change_events": page, "limit": limit, "offset": offset, "more": more})


@contextmanager
def tool_on(server: PagerDuty, tmp_path: Path, **settings: Any) -> Iterator[PagerDutyChanges]:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    with loopback(server) as running:
        connection = {"url": running.url, "token_file": str(token), **settings}
        tool = PagerDutyChanges.for_environment(environment(connection))
        assert tool
        yield tool


def environment(connection: Any) -> Environment:
    return Environment(
        name="prod",
        tier=Tier.PRODUCTION,
        namespaces=("shop",),
        connections={"pagerduty": connection},
    )


def need(*names: str, services: tuple[str, ...] = ()) -> Need:
    return Need(fact=Fact.CHANGES, window=WINDOW, names=names, services=services)


async def test_change_events_become_changes_of_our_services(tmp_path: Path) -> None:
    server = PagerDuty([event(1)])
    with tool_on(server, tmp_path, services={"cart": "P1"}) as tool:
        (change,) = (await tool.read(need())).changes
        assert (await tool.read(need(services=("web",)))).changes == ()
        assert await tool.check() == "PagerDuty change events can be read"
    assert (change.id, change.kind, change.service) == ("pagerduty-01E1", ChangeKind.DEPLOY, "cart")
    assert change.at == datetime(2026, 1, 1, 11, 30, tzinfo=UTC)
    assert change.link == "https://ci.example/7"
    assert "version: v2" in (change.diff or "")
    assert "hunter22" not in str(change)
    assert server.queries[0]["since"] == "2026-01-01T11:00:00Z"


@pytest.mark.parametrize(
    ("summary", "details", "kind"),
    [
        ("Feature flag new-ranking switched on", {}, ChangeKind.FLAG),
        ("Toggled fast-path", {}, ChangeKind.FLAG),
        ("Configuration of cart updated", {}, ChangeKind.CONFIG),
        ("Scaled cart to 3", {}, ChangeKind.SCALE),
        ("terraform apply of prod", {}, ChangeKind.INFRASTRUCTURE),
        ("Build 7", {"kind": "Config"}, ChangeKind.CONFIG),
        ("Build 7", {"kind": "coup"}, ChangeKind.DEPLOY),
        ("Build 7", None, ChangeKind.DEPLOY),
    ],
)
async def test_the_kind_is_read_from_details_or_words(
    tmp_path: Path, summary: str, details: Any, kind: ChangeKind
) -> None:
    with tool_on(PagerDuty([event(1, summary, custom_details=details)]), tmp_path) as tool:
        found = await tool.read(need())
        others = await tool.read(need("commit"))
    assert [c.kind for c in found.changes] == [kind]
    assert others.changes == ()


async def test_an_event_of_several_services_is_a_change_of_each(tmp_path: Path) -> None:
    services = [{"id": "P1", "summary": "cart"}, {"id": "P2", "summary": "web"}, 3, {}]
    with tool_on(PagerDuty([event(1, services=services)]), tmp_path) as tool:
        found = await tool.read(need())
    assert [(c.id, c.service) for c in found.changes] == [
        ("pagerduty-01E1-cart", "cart"),
        ("pagerduty-01E1-web", "web"),
    ]


async def test_every_page_is_read_up_to_a_limit_that_is_told(tmp_path: Path) -> None:
    with tool_on(PagerDuty([event(n) for n in range(730)]), tmp_path) as tool:
        found = await tool.read(need())
    assert len(found.changes) == 500
    assert found.blind_spots[0].reason == "looked at the first 500, there are more"


async def test_damaged_events_are_counted_and_hostile_ones_harmless(tmp_path: Path) -> None:
    events = [
        event(1, timestamp="yesterday"),
        event(2, timestamp="2026-01-01T11:30:00"),
        {},
        event(3, links=[{"href": "javascript:alert(1)"}, 4], services="x", custom_details=[1]),
        event(4, summary=None, links=None, services=None, custom_details={"a": {"b": [1]}}),
        event(5, timestamp="2020-01-01T00:00:00Z"),
    ]
    with tool_on(PagerDuty(events), tmp_path) as tool:
        found = await tool.read(need())
    assert [c.id for c in found.changes] == ["pagerduty-01E3", "pagerduty-01E4"]
    assert found.changes[0].link is None
    assert [b.reason for b in found.blind_spots] == ["3 have no id or no time"]


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(status=401), Refused),
        (Reply(status=403), Refused),
        (Reply(status=429), Unavailable),
        (Reply(status=503, body=f"for {TOKEN}".encode()), Unavailable),
        (Reply(status=400, body=f"for {TOKEN}".encode()), Malformed),
        (Reply(body=b"<html>"), Malformed),
        (Reply(body=[1]), Malformed),
        (Reply(body={"change_events": [1]}), Malformed),
        (Reply(drop=True), Unavailable),
    ],
)
async def test_failures_are_sorted_and_hold_no_token(
    tmp_path: Path, reply: Reply, error: type[SreBotError]
) -> None:
    with tool_on(PagerDuty([], broken=reply), tmp_path) as tool:
        with pytest.raises(error) as raised:
            await tool.read(need())
        assert TOKEN not in str(raised.value)
        with pytest.raises(error):
            await tool.check()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"services": ["cart"]}, r"connections\.pagerduty\.services"),
        ({"integrations": "P1"}, r"connections\.pagerduty\.integrations"),
        ({"url": "pagerduty"}, r"connections\.pagerduty\.url"),
        ({"token_file": "/nowhere"}, r"connections\.pagerduty\.token_file"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, wrong: Any, said: str) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    with pytest.raises(NotConfigured, match=said):
        PagerDutyChanges.for_environment(environment({"token_file": str(token), **wrong}))


def test_without_a_token_nothing_is_read() -> None:
    assert PagerDutyChanges.for_environment(environment({"routing_key_file": "/x"})) is None
