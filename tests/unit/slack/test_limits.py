"""Slack's limits are kept by all replicas together, and what it asks of one holds for all."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.errors import Transient, Unavailable
from bot.domain.pacing import Rate
from bot.domain.telemetry import Unwatched, watched
from bot.slack.limits import CHANNEL, METHODS, limit_of
from bot.slack.web import Web
from tests.unit.slack.fakes import CHANNEL as ROOM
from tests.unit.slack.fakes import ROOT, TOKEN, FakeSlack

TIERS: Mapping[str, int] = {
    "chat.update": 50, "conversations.replies": 50, "conversations.history": 50,
    "chat.postEphemeral": 100, "files.upload": 20, "users.info": 100, "views.open": 100,
    "views.publish": 100, "views.update": 100,
}  # fmt: skip


@dataclass
class FakePacing:
    """Turns that a test hands out."""

    waits: list[float] = field(default_factory=list)
    turns: list[str] = field(default_factory=list)
    held: dict[str, float] = field(default_factory=dict)
    down: bool = False

    async def turn(self, key: str, rate: Rate, *, longest_s: float) -> float:
        if self.down:
            raise Unavailable("database", "gone")
        self.turns.append(key)
        wait = max(self.waits.pop(0) if self.waits else 0.0, self.held.get(key, 0.0))
        if wait > longest_s:
            raise Transient(f"{key}: its limit is used up", retry_after_s=wait)
        return wait

    async def hold(self, key: str, rate: Rate, seconds: float) -> None:
        if self.down:
            raise Unavailable("database", "gone")
        self.held[key] = seconds


@dataclass
class Heard(Unwatched):
    """Remembers calls and waits."""

    calls: list[tuple[str, str]] = field(default_factory=list)
    waits: list[tuple[str, float]] = field(default_factory=list)

    def called(self, system: str, operation: str, outcome: str, seconds: float) -> None:
        self.calls.append((operation, outcome))

    def waited(self, system: str, operation: str, seconds: float) -> None:
        self.waits.append((operation, seconds))


async def post(web: Web, client: AsyncWebClient) -> None:
    """Say hello in the incident's thread."""
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "hello"}}]

    async def send() -> object:
        return await client.chat_postMessage(
            channel=ROOM, thread_ts=ROOT, text="hello", blocks=blocks
        )

    await web.call("chat.postMessage", send, channel=ROOM)


@pytest.mark.parametrize(("method", "per_minute"), TIERS.items())
def test_no_minute_has_more_calls_than_the_tier_allows(method: str, per_minute: int) -> None:
    rate = METHODS[method]
    assert rate.burst + 60 * rate.per_s <= per_minute


def test_a_channel_takes_a_message_a_second() -> None:
    assert limit_of("chat.postMessage", "C1") == ("slack chat.postMessage C1", CHANNEL)
    assert CHANNEL.per_s <= 1
    assert limit_of("auth.test", "") is None


async def test_a_call_waits_for_its_turn(client: AsyncWebClient, slack: FakeSlack) -> None:
    slack.users["U0ROSA"] = {"id": "U0ROSA"}
    pacing, heard = FakePacing(waits=[0.05]), Heard()
    loop = asyncio.get_running_loop()
    began = loop.time()
    with watched(heard):
        await Web(pacing=pacing).call("users.info", lambda: client.users_info(user="U0ROSA"))
    assert loop.time() - began >= 0.05
    assert pacing.turns == ["slack users.info"]
    assert (heard.calls, heard.waits) == ([("users.info", "ok")], [("users.info", 0.05)])


async def test_a_turn_too_far_off_is_left_to_the_caller(
    client: AsyncWebClient, slack: FakeSlack
) -> None:
    web = Web(longest_wait_s=1.0, pacing=FakePacing(waits=[30.0]))
    with pytest.raises(Transient) as late:
        await web.call("users.info", lambda: client.users_info(user="U0ROSA"))
    assert late.value.retry_after_s == 30
    assert slack.calls == []


async def test_a_429_holds_back_the_other_replicas(
    client: AsyncWebClient, slack: FakeSlack
) -> None:
    slack.fail["chat.postMessage"] = [(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": "1"})]  # fmt: skip  # noqa: E501
    pacing, heard = FakePacing(), Heard()

    with watched(heard):
        await post(Web(pacing=pacing), client)
    assert pacing.held == {f"slack chat.postMessage {ROOM}": 1.0}
    assert [outcome for _, outcome in heard.calls] == ["limited", "ok"]
    assert len(slack.messages) == 1


async def test_people_are_told_also_when_the_limits_cannot_be_shared(
    slack: FakeSlack,
) -> None:
    client = AsyncWebClient(token=TOKEN, base_url=f"{slack.url}api/")
    web = Web(pacing=FakePacing(down=True))
    await post(web, client)
    assert len(slack.messages) == 1


@pytest.mark.parametrize(("status", "outcome"), [(500, "error"), (200, "error")])
async def test_failures_are_counted(
    client: AsyncWebClient, slack: FakeSlack, status: int, outcome: str
) -> None:
    slack.fail["users.info"] = [(status, {"ok": False, "error": "internal_error"}, {})]
    heard = Heard()
    with watched(heard), pytest.raises(Unavailable):
        await Web().call("users.info", lambda: client.users_info(user="U0ROSA"))
    assert heard.calls == [("users.info", outcome)]
