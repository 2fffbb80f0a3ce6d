"""Runs the Bolt app: over Socket Mode, or as a route of an HTTP server."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.adapter.starlette.async_handler import (
    to_async_bolt_request,
    to_starlette_response,
)
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.domain.errors import NotConfigured, Transient
from bot.domain.redaction import redact
from bot.slack.app import GARBAGE
from bot.slack.web import Web

_LOG = logging.getLogger(__name__)
LONGEST_PAUSE_S = 30.0  # between two tries to connect at the start
MAX_BODY = 1_000_000  # bytes of one delivery; Slack's own are far smaller


class SocketModeHandler(AsyncSocketModeHandler):
    """Bolt's handler, which survives payloads that Bolt cannot parse."""

    async def handle(self, client: SocketModeClient, req: SocketModeRequest) -> None:  # type: ignore[override] # as Bolt does
        """Dispatch one envelope; garbage is acknowledged, so that it does not come again."""
        try:
            await super().handle(client, req)
        except GARBAGE as error:
            _LOG.warning("an envelope could not be read: %s", redact(repr(error)))
            answer = SocketModeResponse(envelope_id=req.envelope_id)
            await client.send_socket_mode_response(answer)


async def run_socket_mode(
    app: AsyncApp,
    app_token: str,
    stop: asyncio.Event,
    *,
    connected: Callable[[], None] | None = None,
    seen: Callable[[Callable[[], Awaitable[bool]]], None] | None = None,
) -> None:
    """Listen over Socket Mode until `stop` is set; the client reconnects by itself.

    `connected` is called once, when the first connection stands; `seen` is given what tells later
    whether there is one.
    While Slack cannot be reached at the start, it tries again.
    Raises: NotConfigured: no app token, or Slack refuses it.
    """
    if not app_token.startswith("xapp-"):
        raise NotConfigured("Socket Mode needs an app-level token that starts with xapp-")
    handler = SocketModeHandler(app, app_token)
    connecting = asyncio.create_task(_connect(handler, app_token))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((connecting, stopping), return_when=asyncio.FIRST_COMPLETED)
        if connecting.done():
            connecting.result()
            if seen is not None:
                seen(handler.client.is_connected)
            if connected is not None:
                connected()
        await stopping
    finally:
        connecting.cancel()
        stopping.cancel()
        await handler.close_async()  # type: ignore[no-untyped-call] # Bolt has no annotation here


async def _connect(handler: SocketModeHandler, app_token: str) -> None:
    """Connect, and while Slack cannot be reached, try again ever more slowly.

    The first address is fetched here: the client itself would retry a refused token for ever.
    """
    web, client = Web(), handler.app.client
    open_connection = partial(client.apps_connections_open, app_token=app_token)
    pause_s = 1.0
    while True:
        try:
            opened = await web.call("apps.connections.open", open_connection)
            handler.client.wss_uri = str(opened["url"])
            break
        except Transient as problem:
            _LOG.warning("no connection to Slack yet: %s", redact(str(problem)))
        await asyncio.sleep(pause_s)
        pause_s = min(LONGEST_PAUSE_S, pause_s * 2)
    await handler.connect_async()  # type: ignore[no-untyped-call] # Bolt has no annotation here


def http_routes(app: AsyncApp, signing_secret: str, path: str = "/slack/events") -> list[BaseRoute]:
    """Return the route for Slack's deliveries; a wrong signature is answered with 401.

    Raises: NotConfigured without a signing secret: everybody could sign.
    """
    if not signing_secret:
        raise NotConfigured("HTTP mode needs the signing secret of the Slack app")

    async def deliver(request: Request) -> Response:
        body = await _read(request)
        if body is None:
            return PlainTextResponse("too large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        try:
            delivery = to_async_bolt_request(request, body)
        except GARBAGE:
            return PlainTextResponse("not readable", HTTPStatus.BAD_REQUEST)
        return to_starlette_response(await app.async_dispatch(delivery))

    return [Route(path, deliver, methods=["POST"])]


async def _read(request: Request) -> bytes | None:
    """Return the body; None when it is larger than allowed."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return None
    return bytes(body)
