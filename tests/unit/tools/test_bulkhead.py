"""Each system's blocking calls have threads of their own, and a bounded number that wait."""

import asyncio
import threading

import pytest

from bot.domain.errors import Unavailable
from tools.clients.threads import Threads


async def test_a_system_that_hangs_holds_up_no_other() -> None:
    release = threading.Event()
    hanging, healthy = Threads("hanging", workers=2), Threads("healthy", workers=2)
    stuck = [asyncio.create_task(hanging.run(release.wait)) for _ in range(20)]
    try:
        assert await asyncio.wait_for(healthy.run(sum, (1, 2)), 2.0) == 3
    finally:
        release.set()
        assert await asyncio.gather(*stuck) == [True] * 20


async def test_what_would_wait_without_end_is_refused() -> None:
    release = threading.Event()
    threads = Threads("hanging", workers=1, waiting=2)
    stuck = [asyncio.create_task(threads.run(release.wait)) for _ in range(3)]
    await asyncio.sleep(0.02)
    with pytest.raises(Unavailable, match="hanging: too many calls wait"):
        await threads.run(sum, (1, 2))
    stuck[-1].cancel()  # one that waited gives up: its place is free again
    await asyncio.sleep(0.02)
    waits = asyncio.create_task(threads.run(sum, (1, 2)))
    release.set()
    assert await waits == 3
    await asyncio.gather(*stuck, return_exceptions=True)
