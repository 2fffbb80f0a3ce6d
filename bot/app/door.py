"""The HTTP door: health, metrics, webhooks, and Slack in HTTP mode, on one port."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.domain.telemetry import Telemetry, telemetry
from bot.settings import Settings


class Measured:
    """Counts what the application inside answers, by route: an unknown path is "other"."""

    def __init__(self, inside: ASGIApp, routes: Sequence[BaseRoute], by: Telemetry) -> None:
        self._inside, self._by = inside, by
        self._routes = [route for route in routes if isinstance(route, Route)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._inside(scope, receive, send)
            return
        began, status = time.monotonic(), 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
            await send(message)

        try:
            await self._inside(scope, receive, sending)
        finally:
            self._by.answered(self._path(scope), status, time.monotonic() - began)

    def _path(self, scope: Scope) -> str:
        matching = (r.path for r in self._routes if r.matches(scope)[0] is not Match.NONE)
        return next(matching, "other")


@asynccontextmanager
async def served(settings: Settings, routes: Sequence[BaseRoute]) -> AsyncIterator[int]:
    """Serve the HTTP door while the block runs; yields the port."""
    config = uvicorn.Config(
        Measured(Starlette(routes=list(routes)), routes, telemetry()),
        host=settings.http_host,
        port=settings.http_port,
        log_config=None,
        access_log=False,
        lifespan="off",
    )
    listener = config.bind_socket()
    listener.listen()  # from here on nobody is turned away, though the server still starts
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve([listener]))
    try:
        yield int(listener.getsockname()[1])
    finally:
        server.should_exit = True
        await task
        listener.close()
