"""The database's threads are its own: neither holds up the rest, nor the other way."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.domain.errors import Unavailable
from bot.storage.database import CONNECTIONS, Database


async def test_blocked_threads_elsewhere_do_not_hold_up_the_database() -> None:
    """As when no name resolves: the event loop's own threads all wait for an answer."""
    loop, release = asyncio.get_running_loop(), threading.Event()
    pool = ThreadPoolExecutor(2)
    loop.set_default_executor(pool)
    stuck = [asyncio.create_task(asyncio.to_thread(release.wait)) for _ in range(8)]
    database = Database("sqlite://")
    try:
        assert await asyncio.wait_for(database.run(lambda _: 42), 2.0) == 42
    finally:
        release.set()
        await asyncio.gather(*stuck)
        database.close()


async def test_more_than_may_wait_is_refused_at_once_and_later_taken_again() -> None:
    release = threading.Event()
    database = Database("sqlite://", waiting=3)
    work = [
        asyncio.create_task(database.run(lambda _: release.wait(5))) for _ in range(CONNECTIONS + 3)
    ]
    await asyncio.sleep(0.05)
    began = time.monotonic()
    with pytest.raises(Unavailable, match="too many"):
        await database.run(lambda _: 1)
    assert time.monotonic() - began < 0.5
    release.set()
    await asyncio.gather(*work)
    assert await database.run(lambda _: 1) == 1
    database.close()
    with pytest.raises(Unavailable, match="closed"):
        await database.run(lambda _: 1)
