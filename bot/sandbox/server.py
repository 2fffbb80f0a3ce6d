"""Runs the sandbox's application with uvicorn on loopback."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette

from bot.sandbox.workspace.state import Workspace

_START_S = 15.0


def bind(host: str, port: int) -> socket.socket:
    """Return a bound socket; port 0 takes a free one. Raises: OSError: the port is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def configured(app: Starlette) -> uvicorn.Server:
    """Return a server: no access log (tokens may be in URLs), and a quick end."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            ws="websockets-sansio",
            ws_ping_interval=None,
            timeout_graceful_shutdown=2,
            lifespan="on",
        )
    )


async def serve(
    workspace: Workspace,
    app: Starlette,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    ready: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve until the process is told to stop; `ready` is called with the URL before the start.

    Raises: OSError: the port is taken.
    """
    listener = bind(host, port)
    workspace.url = f"http://{host}:{listener.getsockname()[1]}"
    ready(workspace.url)
    try:
        await configured(app).serve(sockets=[listener])
    finally:
        listener.close()


@asynccontextmanager
async def running(
    app: Starlette,
    *,
    workspace: Workspace | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
) -> AsyncIterator[str]:
    """Serve in a task of this event loop while the block runs; yields the URL.

    The workspace learns its URL before the start and is closed before the end.
    """
    listener = bind(host, port)
    url = f"http://{host}:{listener.getsockname()[1]}"
    if workspace is not None:
        workspace.url = url
    server = configured(app)
    # `_serve` is `serve` without taking over the process's signal handlers.
    task = asyncio.create_task(server._serve([listener]))
    try:
        async with asyncio.timeout(_START_S):
            while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn has no event
                await asyncio.sleep(0.005)
        yield url
    finally:
        if workspace is not None:
            await workspace.close()
        server.should_exit = True
        await task
        listener.close()
