"""The two doors: Socket Mode and HTTP, with signatures, garbage and reconnects."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import WSMsgType, web
from slack_sdk.signature import SignatureVerifier
from starlette.applications import Starlette

from bot.domain.errors import NotConfigured
from bot.slack.app import create_app_at
from bot.slack.desk import Desk
from bot.slack.run import http_routes, run_socket_mode
from tests.unit.slack.fakes import FakeSlack, FakeTeammate
from tests.unit.slack.samples import mention_body


async def post(app: Starlette, body: bytes, headers: dict[str, str]) -> int:
    """Send one request through the ASGI interface and return the status."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/slack/events", "query_string": b"",
        "headers": [(k.lower().encode(), v.encode()) for k, v in headers.items()],
    }  # fmt: skip
    await app(scope, receive, send)
    return int(sent[0]["status"])


def signed(body: bytes, secret: str = "secret", age_s: int = 0) -> dict[str, str]:
    stamp = str(int(time.time()) - age_s)
    signature = SignatureVerifier(secret).generate_signature(timestamp=stamp, body=body)
    return {
        "Content-Type": "application/json",
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": signature or "",
    }


class TestHttp:
    @pytest.fixture
    def door(self, desk: Desk) -> Starlette:
        return Starlette(routes=http_routes(create_app_at(desk), "secret"))

    async def test_a_signed_delivery_is_taken(
        self, door: Starlette, teammate: FakeTeammate
    ) -> None:
        body = json.dumps(mention_body()).encode()
        assert await post(door, body, signed(body)) == 200
        assert list(teammate.mentions) == ["Ev1"]

    async def test_a_wrong_an_old_and_a_missing_signature_are_refused(
        self, door: Starlette, teammate: FakeTeammate
    ) -> None:
        body = json.dumps(mention_body()).encode()
        assert await post(door, body, signed(body, "other")) == 401
        assert await post(door, body, signed(body, age_s=3600)) == 401
        assert await post(door, body, {"Content-Type": "application/json"}) == 401
        assert teammate.heard == 0

    async def test_a_database_that_is_down_makes_slack_deliver_again(
        self, door: Starlette, teammate: FakeTeammate
    ) -> None:
        teammate.slow_s = 30
        body = json.dumps(mention_body()).encode()
        assert await post(door, body, signed(body)) == 503

    @pytest.mark.parametrize(
        "body", [b"\xff\xfe", b"[1]", b'"x"', b"{", b'{"user": 7}', b"payload=%7B", b"", b"null"]
    )
    async def test_garbage_is_refused_without_an_error(
        self, door: Starlette, teammate: FakeTeammate, body: bytes
    ) -> None:
        sign = signed(body.decode(errors="ignore").encode())
        for headers in (sign, {"Content-Type": "application/x-www-form-urlencoded"}):
            assert await post(door, body, headers) in (200, 400, 401)
        assert teammate.heard == 0

    async def test_more_than_a_megabyte_is_refused(self, door: Starlette) -> None:
        assert await post(door, b"x" * 1_000_001, {}) == 413

    def test_without_a_signing_secret_there_is_no_door(self, desk: Desk) -> None:
        with pytest.raises(NotConfigured):
            http_routes(create_app_at(desk), "")


class SocketServer:
    """Slack's half of Socket Mode: hands out envelopes and collects acknowledgements."""

    def __init__(self, slack: FakeSlack) -> None:
        self.slack = slack
        self.acks: list[str] = []
        self.connections = 0
        self.sockets: list[web.WebSocketResponse] = []
        self.url = ""

    async def start(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_get("/link", self.link)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"ws://127.0.0.1:{site._server.sockets[0].getsockname()[1]}/link"  # type: ignore[union-attr]
        return runner

    async def link(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.connections += 1
        self.sockets.append(socket)
        await socket.send_json({"type": "hello", "num_connections": 1})
        async for message in socket:
            if message.type == WSMsgType.TEXT:
                self.acks.append(json.loads(message.data)["envelope_id"])
        return socket

    async def send(self, envelope_id: str, payload: Any) -> None:
        await self.sockets[-1].send_json(
            {"type": "events_api", "envelope_id": envelope_id, "payload": payload}
        )

    async def until(self, condition: Any) -> None:
        for _ in range(300):
            if condition():
                return
            await asyncio.sleep(0.02)
        raise AssertionError("did not happen")


class TestSocketMode:
    @pytest.fixture
    async def server(self, slack: FakeSlack) -> AsyncIterator[SocketServer]:
        server = SocketServer(slack)
        runner = await server.start()
        slack.on_apps_connections_open = lambda args: {"ok": True, "url": server.url}  # type: ignore[attr-defined]
        yield server
        await runner.cleanup()

    async def test_events_are_acknowledged_once_taken_and_garbage_is_survived(
        self, server: SocketServer, desk: Desk, teammate: FakeTeammate
    ) -> None:
        stop, connected = asyncio.Event(), asyncio.Event()
        app = create_app_at(desk)
        task = asyncio.create_task(run_socket_mode(app, "xapp-test", stop, connected=connected.set))
        await asyncio.wait_for(connected.wait(), 5)
        await server.until(lambda: server.sockets)
        await server.send("garbage", {"type": "block_actions", "user": 7})
        await server.send("e1", mention_body())
        await server.until(lambda: {"garbage", "e1"} <= set(server.acks))
        assert list(teammate.mentions) == ["Ev1"]
        await server.sockets[-1].close()  # Slack drops the connection
        await server.until(lambda: server.connections == 2)
        await server.send("e2", {**mention_body(), "event_id": "Ev2"})
        await server.until(lambda: "e2" in server.acks)
        stop.set()
        await asyncio.wait_for(task, 5)

    async def test_a_slack_that_is_away_at_the_start_is_tried_again(
        self, server: SocketServer, slack: FakeSlack, desk: Desk
    ) -> None:
        slack.fail["apps.connections.open"] = [(500, {"ok": False, "error": "internal_error"}, {})]
        stop, connected = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(
            run_socket_mode(create_app_at(desk), "xapp-test", stop, connected=connected.set)
        )
        await asyncio.wait_for(connected.wait(), 10)
        stop.set()
        await asyncio.wait_for(task, 5)

    @pytest.mark.parametrize("token", ["", "xoxb-bot"])
    async def test_a_missing_or_wrong_app_token_is_named(self, desk: Desk, token: str) -> None:
        with pytest.raises(NotConfigured, match="xapp-"):
            await run_socket_mode(create_app_at(desk), token, asyncio.Event())

    async def test_a_refused_app_token_is_named(
        self, server: SocketServer, slack: FakeSlack, desk: Desk
    ) -> None:
        slack.fail["apps.connections.open"] = [(200, {"ok": False, "error": "invalid_auth"}, {})]
        with pytest.raises(NotConfigured, match="invalid_auth"):
            await run_socket_mode(create_app_at(desk), "xapp-test", asyncio.Event())
