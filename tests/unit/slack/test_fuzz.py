"""Whatever Slack (or somebody else) sends, over HTTP or Socket Mode, nothing breaks."""

import asyncio
import hashlib
import hmac
import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette

from bot.slack.app import create_app_at
from bot.slack.desk import Desk, SlackOptions
from bot.slack.run import SocketModeHandler, http_routes
from tests.unit.intake.doorway import send
from tests.unit.slack.fakes import CHANNEL, TOKEN, FakeSlack, FakeTeammate
from tests.unit.slack.samples import click_body, command_body, mention_body, submission_body
from tests.unit.slack.test_alerts import Kept, posted

QUICK, LONG = 500, 5_000  # examples of each of the four properties
SLOW = (HealthCheck.too_slow, HealthCheck.large_base_example)
CLICK = '{"click_id":"c","team":"T0TEST","channel":"C0INCIDENTS","message_ts":"1.1",'
METADATA = CLICK + '"thread_ts":"1.1","user":"U0ROSA","subject":"inv-1-p1","reason":""}'
GOOD: tuple[dict[str, Any], ...] = (
    mention_body(), mention_body("p99 is up", type="message"), posted("[FIRING:1] HighLatency"),
    posted("", attachments=[{"color": "good", "title": "x", "fields": [{"title": "a"}]}]),
    mention_body(type="app_home_opened"), click_body("approve"), click_body("verdict_right"),
    click_body("reject"), click_body("show_steps"), click_body("undo"),
    submission_body("reject_reason", METADATA, "no"),
    submission_body("verdict_comment", METADATA, "no"),
    submission_body("ask_something", METADATA, "why"),
    command_body("status"), command_body("ask why is checkout slow"),
    {"type": "url_verification", "challenge": "x"}, {"type": "hello"}, {"type": "shortcut"},
)  # fmt: skip
WORDS = st.sampled_from(
    ["", "\x00", "\ud800", "T0TEST", "C0INCIDENTS", "U0ROSA", "U0SREBOT", "message",
     "block_actions", "event_callback", "view_submission", "1700000000.000100", "approve",
     "[FIRING] x", "x" * 9_000,
     "bot_message", "9" * 13 + ".1", "<@U0SREBOT> stop", "{}", "[" * 500]
)  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(WORDS | st.sampled_from(["id", "ts", "text", "type"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def spoiled(draw: st.DrawFn) -> Any:
    """Return a payload of Slack's with one place replaced or taken away, or one of no sense."""
    if draw(st.integers(0, 5)) == 0:
        return draw(VALUES)
    copy = json.loads(json.dumps(draw(st.sampled_from(GOOD))))
    place: Any = copy
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            return copy
        key = draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or draw(st.integers(0, 3)) == 0:
            break
        place = place[key]
    if draw(st.booleans()):
        del place[key]
    else:
        place[key] = draw(VALUES)
    return copy


class Line(SocketModeClient):
    """The connection that acknowledgements go to."""

    def __init__(self) -> None:
        self.logger = logging.getLogger("line")

    async def send_socket_mode_response(self, response: Any) -> None:
        assert response.envelope_id == "E1"


@dataclass
class Office:
    """The bot's human layer on one event loop, with what it did."""

    loop: asyncio.AbstractEventLoop
    desk: Desk
    teammate: FakeTeammate
    inbox: Kept
    handler: SocketModeHandler
    door: Starlette

    def socket(self, payload: dict[str, Any]) -> None:
        """Deliver an envelope; nothing is raised, and a listener's failure would be said."""

        async def deliver() -> None:
            request = SocketModeRequest(type="events_api", envelope_id="E1", payload=payload)
            await self.handler.handle(Line(), request)
            await self.desk.settle()

        self.loop.run_until_complete(deliver())

    def http(self, body: bytes, headers: dict[str, str]) -> int:
        async def deliver() -> int:
            answer = await send(self.door, "/slack/events", body, headers)
            await self.desk.settle()
            return answer.status

        return self.loop.run_until_complete(deliver())


async def handling(bolt: AsyncApp) -> SocketModeHandler:
    return SocketModeHandler(bolt, "xapp-test")


@contextmanager
def opened() -> Iterator[Office]:
    loop, slack, teammate, inbox = asyncio.new_event_loop(), FakeSlack(), FakeTeammate(), Kept()
    loop.run_until_complete(slack.start())
    try:
        client = AsyncWebClient(token=TOKEN, base_url=f"{slack.url}api/")
        options = SlackOptions(signing_secret="secret", incident_channels=frozenset({CHANNEL}))
        desk = Desk(teammate=teammate, client=client, options=options)
        desk.inbox = inbox  # type: ignore[assignment] # only what is put
        bolt = create_app_at(desk)
        door = Starlette(routes=http_routes(bolt, "secret"))
        handler = loop.run_until_complete(handling(bolt))
        try:
            yield Office(loop, desk, teammate, inbox, handler, door)
        finally:
            loop.run_until_complete(handler.close_async())  # type: ignore[no-untyped-call] # Bolt's
    finally:
        loop.run_until_complete(slack.stop())
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def as_slack_posts(payload: Any) -> tuple[bytes, str]:
    """Return the body and its type: events as JSON, clicks and modals in a form, commands bare."""
    text = json.dumps(payload)
    kind = payload.get("type") if isinstance(payload, dict) else None
    if kind in ("block_actions", "view_submission", "shortcut"):
        return f"payload={quote_plus(text)}".encode(), "application/x-www-form-urlencoded"
    if isinstance(payload, dict) and "command" in payload:
        pairs = (f"{k}={quote_plus(str(v), errors='replace')}" for k, v in payload.items())
        return "&".join(pairs).encode("utf-8", "replace"), "application/x-www-form-urlencoded"
    return text.encode(), "application/json"


def signed(body: bytes, secret: str = "secret", age_s: int = 0) -> dict[str, str]:
    """Return Slack's headers over the raw bytes, which need not be UTF-8."""
    stamp = str(int(time.time()) - age_s)
    mac = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256)
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={mac.hexdigest()}"}


@contextmanager
def heard() -> Iterator[Callable[[], str]]:
    """Yield what returns all that the human layer logged since it was asked last."""
    lines: list[str] = []

    def said() -> str:
        taken = "\n".join(lines)
        lines.clear()  # each example is judged by its own
        return taken

    listener = logging.Handler()
    listener.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("bot.slack").addHandler(listener)
    try:
        yield said
    finally:
        logging.getLogger("bot.slack").removeHandler(listener)


def over_socket_mode(examples: int) -> None:
    with opened() as office, heard() as said:

        @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=SLOW)
        @given(spoiled())
        def run(payload: Any) -> None:
            office.socket(payload if isinstance(payload, dict) else {"type": payload})
            assert "a listener failed" not in said()

        run()


def over_http(examples: int) -> None:
    with opened() as office:

        @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=SLOW)
        @given(spoiled())
        def run(payload: Any) -> None:
            body, kind = as_slack_posts(payload)
            assert office.http(body, {**signed(body), "Content-Type": kind}) < 500

        run()


def from_strangers(examples: int) -> None:
    with opened() as office:
        bodies = st.binary(max_size=40) | spoiled().map(lambda p: as_slack_posts(p)[0])
        kinds = st.sampled_from(["application/json", "application/x-www-form-urlencoded", "x"])

        @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=SLOW)
        @given(bodies, kinds, st.sampled_from(["none", "other", "old", "moved"]))
        def run(body: bytes, kind: str, how: str) -> None:
            headers = {
                "none": {}, "other": signed(body, "other"), "old": signed(body, age_s=3600),
                "moved": signed(body + b" "),
            }[how]  # fmt: skip
            assert 400 <= office.http(body, {**headers, "Content-Type": kind}) < 500

        run()
        assert (office.teammate.heard, office.teammate.strays, office.inbox.signals) == (0, [], [])


def without_sense(examples: int) -> None:
    with opened() as office:

        @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=SLOW)
        @given(st.binary(max_size=60) | VALUES.map(lambda v: json.dumps(v).encode()))
        def run(body: bytes) -> None:
            for kind in ("application/json", "application/x-www-form-urlencoded"):
                assert office.http(body, {**signed(body), "Content-Type": kind}) < 500

        run()
        assert (office.teammate.heard, office.inbox.signals) == (0, [])


PROPERTIES = pytest.mark.parametrize(
    "holds", [over_socket_mode, over_http, from_strangers, without_sense]
)


@PROPERTIES
def test_no_payload_breaks_anything_or_passes_for_one_of_slacks(holds: Any) -> None:
    holds(QUICK)


@pytest.mark.long
@PROPERTIES
def test_many_more_do_neither(holds: Any) -> None:
    holds(LONG)
