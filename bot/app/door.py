"""An HTTP server as both processes of the bot have one, and what counts its answers."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from socket import socket

import uvicorn
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.domain.telemetry import Telemetry

LEAVE_WITHIN_S = 8  # wall, for what is being answered when the server stops
# An idle connection: longer than load balancers keep theirs (mostly 60 s). Who closes it first may
# cross with a request, which is lost then.
KEPT_S = 75


class Measured:
    """Counts what the application inside answers, by route: an unknown path is "other"."""

    def __init__(self, inside: ASGIApp, routes: Sequence[BaseRoute], by: Telemetry) -> None:
        self._inside, self._by = inside, by
        self._routes = [route for route in routes if isinstance(route, Route)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
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
async def served(app: ASGIApp, listener: socket) -> AsyncIterator[None]:
    """Serve at a bound socket while the block runs; what is being answered then is finished.

    No WebSockets and no events of the server's life: the application sees requests only.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        proxy_headers=False,  # the door's address is loopback's: anybody's word would count
        server_header=False,
        timeout_graceful_shutdown=LEAVE_WITHIN_S,
        timeout_keep_alive=KEPT_S,
    )
    listener.listen()  # from here on nobody is turned away, though the server still starts
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve([listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await task
        listener.close()
