"""How the workspace delivers: one socket each, retries, reconnects, a backlog, and signed HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.sandbox.server import bind
from bot.sandbox.server import running as serving
from bot.sandbox.workspace.delivery import Delivery
from bot.sandbox.workspace.limits import Limits
from bot.sandbox.workspace.records import App
from bot.sandbox.workspace.socket import drop_all, refresh
from bot.sandbox.workspace.webhook import Webhook, sign
from tests.fakes.workspace import QUICK, Running, running_workspace

pytestmark = pytest.mark.integration

APP_TOKEN = "xapp-sandbox-app"


@asynccontextmanager
async def raw_socket(running: Running) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Open Socket Mode as a client of our own and read its hello."""
    answer = await running.web_client(APP_TOKEN).apps_connections_open(app_token=APP_TOKEN)
    async with running.http.ws_connect(answer["url"]) as socket:
        assert (await socket.receive_json())["type"] == "hello"
        yield socket


async def acknowledge(socket: aiohttp.ClientWebSocketResponse, **payload: Any) -> dict[str, Any]:
    """Read the next envelope and acknowledge it."""
    envelope: dict[str, Any] = await socket.receive_json(timeout=5)
    answer = {"envelope_id": envelope["envelope_id"]} | ({"payload": payload} if payload else {})
    await socket.send_json(answer)
    return envelope


async def settled(running: Running) -> None:
    async with asyncio.timeout(5):
        while running.workspace.delivery.under_way:  # noqa: ASYNC110 - state is polled
            await asyncio.sleep(0.01)


async def test_a_mention_is_two_events_with_everything_that_bolt_needs() -> None:
    async with running_workspace() as running, raw_socket(running) as socket:
        ts = await running.say("@sre-bot why is #team-shop <slow> & @rosa sad?")
        mention = await acknowledge(socket)
        message = await acknowledge(socket)
        await settled(running)
    event = mention["payload"]["event"]
    text = "<@U0SREBOT> why is <#C0SHOP> &lt;slow&gt; &amp; <@U0RESPONDER> sad?"
    assert (mention["type"], event["type"], event["text"]) == ("events_api", "app_mention", text)
    assert (event["ts"], event["event_ts"], event["channel"]) == (ts, ts, "C0INCIDENTS")
    assert {"user", "team", "blocks", "client_msg_id"} <= event.keys()
    assert message["payload"]["event"]["channel_type"] == "channel"
    assert mention["payload"]["event_id"] != message["payload"]["event_id"]
    assert mention["payload"]["authorizations"][0]["user_id"] == "U0SREBOT"


async def test_a_channel_without_the_bot_stays_private() -> None:
    async with running_workspace() as running, raw_socket(running) as socket:
        await running.say("@sre-bot hello?", channel="C0GENERAL")
        await running.say("here", channel="C0SHOP")
        envelope = await acknowledge(socket)
    assert envelope["payload"]["event"]["channel"] == "C0SHOP"


async def test_an_unacknowledged_event_comes_again_with_the_same_event_id() -> None:
    limits = replace(QUICK, ack_s=0.05)
    async with running_workspace(limits=limits) as running, raw_socket(running) as socket:
        await running.say("hello")
        first = await socket.receive_json(timeout=5)
        again = await acknowledge(socket)
        await settled(running)
    assert first["retry_attempt"] == 0
    assert (again["retry_attempt"], again["retry_reason"]) == (1, "timeout")
    assert again["payload"]["event_id"] == first["payload"]["event_id"]
    assert again["envelope_id"] != first["envelope_id"]


async def test_slack_gives_up_after_three_retries() -> None:
    limits = replace(QUICK, ack_s=0.02)
    async with running_workspace(limits=limits) as running, raw_socket(running) as socket:
        await running.say("hello")
        attempts = [(await socket.receive_json(timeout=5))["retry_attempt"] for _ in range(4)]
        await settled(running)
        assert attempts == [0, 1, 2, 3]
        assert [p["event"]["text"] for p in running.workspace.delivery.dropped] == ["hello"]


async def test_each_envelope_goes_to_one_of_several_sockets() -> None:
    async with (
        running_workspace() as running,
        raw_socket(running) as one,
        raw_socket(running) as two,
    ):
        for number in range(4):
            await running.say(str(number))
        got = [await acknowledge(one), await acknowledge(two)]
        got += [await acknowledge(one), await acknowledge(two)]
        await settled(running)
    assert {e["payload"]["event"]["text"] for e in got} == {"0", "1", "2", "3"}


async def test_events_wait_for_a_socket_and_then_come_in_order() -> None:
    async with running_workspace() as running:
        for number in range(3):
            await running.say(str(number))
        async with raw_socket(running) as socket:
            got = [(await acknowledge(socket))["payload"]["event"]["text"] for _ in range(3)]
    assert got == ["0", "1", "2"]


async def test_events_that_wait_too_long_are_dropped() -> None:
    async with running_workspace(limits=replace(QUICK, offline_s=0.05)) as running:
        await running.say("hello")
        await settled(running)
        assert len(running.workspace.delivery.dropped) == 1


async def test_the_backlog_is_bounded() -> None:
    delivery = Delivery(App(), Limits(backlog=10))
    for number in range(25):
        delivery.emit({"n": number})
    assert (delivery.under_way, len(delivery.dropped)) == (10, 15)
    await delivery.close()


async def test_what_a_killed_bot_had_not_acknowledged_goes_to_the_next_one() -> None:
    async with running_workspace() as running:
        async with raw_socket(running) as socket:
            await running.say("hello")
            first = await socket.receive_json(timeout=5)
        async with raw_socket(running) as socket:
            again = await acknowledge(socket)
    assert again["payload"]["event_id"] == first["payload"]["event_id"]
    assert again["retry_reason"] == "connection_failed"


async def test_a_click_that_nobody_acknowledges_is_said_to_the_page() -> None:
    async with running_workspace(limits=replace(QUICK, ack_s=0.05)) as running:
        said = {"user": "U0RESPONDER", "channel": "C0INCIDENTS", "command": "/sre", "text": ""}
        answer = await running.post("commands", **said)
    assert answer == {"ok": False, "error": "not_acknowledged"}


async def test_a_socket_opens_with_a_fresh_ticket_only() -> None:
    async with running_workspace() as running:
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await running.http.ws_connect(f"{running.url}/slack/socket?ticket=made-up")


async def test_nonsense_from_the_client_is_ignored() -> None:
    async with running_workspace() as running, raw_socket(running) as socket:
        for text in ("", "{", "[]", '{"envelope_id": 7}', '{"envelope_id": "x"}', "[" * 90_000):
            await socket.send_str(text)
        await running.say("still there")
        assert (await acknowledge(socket))["payload"]["event"]["text"] == "still there"


async def test_a_connection_ends_with_warning_and_refresh() -> None:
    limits = replace(QUICK, socket_ttl_s=0.1)
    async with running_workspace(limits=limits) as running, raw_socket(running) as socket:
        said = [await socket.receive_json(timeout=5) for _ in range(2)]
        end = await socket.receive(timeout=5)
    assert [m["reason"] for m in said] == ["warning", "refresh_requested"]
    assert end.type is aiohttp.WSMsgType.CLOSE


@pytest.mark.parametrize("how", ["refresh", "drop"])
async def test_an_unmodified_bolt_app_comes_back_and_misses_nothing(how: str) -> None:
    heard: list[str] = []
    async with running_workspace() as running:
        app = AsyncApp(client=running.web_client(), signing_secret="s")

        @app.event("message")
        async def message(event: dict[str, Any]) -> None:
            heard.append(event["text"])

        handler = AsyncSocketModeHandler(app, APP_TOKEN, ping_interval=0.2)
        await handler.connect_async()
        try:
            await running.say("before")
            await settled(running)
            if how == "refresh":
                await refresh(running.workspace, running.workspace.delivery.sockets[0], 0.0)
            else:
                await drop_all(running.workspace)
            await running.say("after")
            await settled(running)
        finally:
            await handler.close_async()
    assert heard == ["before", "after"]


def receiver(endpoint: Any) -> Starlette:
    """Return an app whose request URL is /slack/events."""
    return Starlette(routes=[Route("/slack/events", endpoint, methods=["POST"])])


async def test_http_mode_is_signed_as_bolt_demands() -> None:
    heard: list[str] = []
    app = AsyncApp(token="xoxb-sandbox-bot", signing_secret="sandbox-signing-secret")
    handler = AsyncSlackRequestHandler(app)

    @app.event("app_mention")
    async def mention(event: dict[str, Any]) -> None:
        heard.append(event["text"])

    @app.command("/sre")
    async def command(ack: Any) -> None:
        await ack("Ready")

    async def endpoint(request: Request) -> Response:
        return await handler.handle(request)

    async with serving(receiver(endpoint)) as url:
        slack_app = App(request_url=f"{url}/slack/events")
        assert await Webhook(slack_app).verify_url()
        async with running_workspace(app=slack_app) as running:
            app.client.base_url = f"{running.url}/slack/api/"
            await running.say("@sre-bot hello")
            await settled(running)
            said = {"user": "U0RESPONDER", "channel": "C0INCIDENTS", "command": "/sre", "text": ""}
            assert (await running.post("commands", **said))["ok"]
            assert (await running.messages(user="U0RESPONDER"))[-1]["text"] == "Ready"
    assert heard == ["<@U0SREBOT> hello"]


@pytest.mark.parametrize(("no_retry", "tries"), [(False, 3), (True, 1)])
async def test_http_mode_retries_with_its_headers(no_retry: bool, tries: int) -> None:
    seen: list[tuple[str | None, str | None]] = []
    ids: list[str] = []

    async def endpoint(request: Request) -> Response:
        body = await request.body()
        stamp = request.headers["x-slack-request-timestamp"]
        signature = sign("sandbox-signing-secret", stamp, body)
        assert request.headers["x-slack-signature"] == signature
        headers = request.headers
        seen.append((headers.get("x-slack-retry-num"), headers.get("x-slack-retry-reason")))
        ids.append(json.loads(body)["event_id"])
        status = 200 if len(seen) == 3 else 500
        stop = {"X-Slack-No-Retry": "1"} if no_retry else {}
        return PlainTextResponse("", status_code=status, headers=stop)

    async with serving(receiver(endpoint)) as url:
        slack_app = App(request_url=f"{url}/slack/events")
        async with running_workspace(app=slack_app) as running:
            await running.say("hello")
            await settled(running)
    assert seen == [(None, None), ("1", "http_error"), ("2", "http_error")][:tries]
    assert len(set(ids)) == 1


async def test_an_app_that_is_not_there_is_tried_again_and_then_dropped() -> None:
    listener = bind("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    listener.close()
    async with running_workspace(app=App(request_url=url)) as running:
        await running.say("hello")
        await settled(running)
        assert len(running.workspace.delivery.dropped) == 1
