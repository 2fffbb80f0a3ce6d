"""The sandbox as a process of its own: it says where it listens, and it ends when told to."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

pytestmark = pytest.mark.integration

PROGRAM = """
import asyncio
from datetime import UTC, datetime
from bot.domain.time import ScaledClock
from bot.sandbox.app import create_app
from bot.sandbox.server import serve
from bot.sandbox.workspace.state import Workspace

workspace = Workspace(ScaledClock(origin=datetime.now(UTC)))
ready = lambda url: print(url, flush=True)
asyncio.run(serve(workspace, create_app(workspace), ready=ready))
"""


@asynccontextmanager
async def process() -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert started.stdout
    try:
        async with asyncio.timeout(30):
            url = (await started.stdout.readline()).decode().strip()
        yield started, url
    finally:
        if started.returncode is None:
            started.kill()
        await started.wait()


async def test_it_serves_the_page_and_ends_on_a_signal_while_a_page_listens() -> None:
    async with process() as (started, url), aiohttp.ClientSession() as http:
        async with http.get(f"{url}/") as reply:
            assert (reply.status, reply.content_type) == (200, "text/html")
        async with http.get(f"{url}/client/events?user=U0ADMIN") as events:
            assert b"hello" in await events.content.readline()
            started.send_signal(signal.SIGTERM)
            async with asyncio.timeout(10):
                _, errors = await started.communicate()
        assert b"xoxb" not in errors
        assert b"Traceback" not in errors
