"""Runs the sandbox's application with uvicorn on loopback."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette

from bot.sandbox.workspace.state import Workspace


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one. Raises: OSError: the port is taken.

    It listens at once: who connects before the server is up waits instead of being refused.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # TCP_NODELAY
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
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
    """Serve until told to stop; `ready` is called with the URL once connecting works.

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
    """Serve on this event loop while the block runs; yields the URL.

    The workspace learns its URL before the start and is closed before the end. Signals are left
    alone. Raises: RuntimeError: the application did not start.
    """
    listener = bind(host, port)
    url = f"http://{host}:{listener.getsockname()[1]}"
    if workspace is not None:
        workspace.url = url
    server = configured(app)
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup(sockets=[listener])
    if server.should_exit:
        raise RuntimeError("the sandbox's application did not start; the log says why")
    try:
        yield url
    finally:
        if workspace is not None:
            await workspace.close()
        await server.shutdown(sockets=[listener])
        for _ in range(3):  # whose answer took too long, and who was still being accepted
            for connection in list(server.server_state.connections):
                connection.transport.abort()
            await asyncio.sleep(0.01)
