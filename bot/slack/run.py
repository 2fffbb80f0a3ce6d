"""Runs the Bolt app: over Socket Mode, or as a route of an HTTP server."""

import asyncio
from http import HTTPStatus

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.domain.errors import NotConfigured
from bot.slack.web import Web

MAX_BODY = 1_000_000  # bytes of one delivery; Slack's own are far smaller


async def run_socket_mode(app: AsyncApp, app_token: str, stop: asyncio.Event) -> None:
    """Listen over Socket Mode until `stop` is set; the client reconnects by itself.

    Raises: NotConfigured: no app token, or Slack refuses it. Unavailable: Slack cannot be reached.
    """
    if not app_token.startswith("xapp-"):
        raise NotConfigured("Socket Mode needs an app-level token that starts with xapp-")
    handler = AsyncSocketModeHandler(app, app_token)
    try:
        await Web(timeout_s=30.0).call("apps.connections.open", handler.connect_async)
        await stop.wait()
    finally:
        await handler.close_async()


def http_routes(app: AsyncApp, signing_secret: str, path: str = "/slack/events") -> list[BaseRoute]:
    """Return the route for Slack's deliveries; a wrong signature is answered with 401.

    Raises: NotConfigured without a signing secret: everybody could sign.
    """
    if not signing_secret:
        raise NotConfigured("HTTP mode needs the signing secret of the Slack app")
    handler = AsyncSlackRequestHandler(app)

    async def deliver(request: Request) -> Response:
        if not await _fits(request):
            return PlainTextResponse("too large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        try:
            return await handler.handle(request)
        except ValueError:
            return PlainTextResponse("not readable", HTTPStatus.BAD_REQUEST)

    return [Route(path, deliver, methods=["POST"])]


async def _fits(request: Request) -> bool:
    """Read the body, but not more than is allowed."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return False
    request._body = bytes(body)
    return True
