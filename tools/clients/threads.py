"""Runs a vendor's blocking calls in threads of their own, retrying a read once."""

import asyncio
import contextvars
import functools
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from bot.domain.errors import Unavailable

T = TypeVar("T")

RETRY_PAUSE_S = 0.1


class Threads:
    """At most `workers` blocking calls at once, apart from the event loop's own few threads."""

    def __init__(self, name: str, *, workers: int = 16) -> None:
        self._pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix=f"sre-bot-{name}")

    async def run(self, call: Callable[..., T], *args: object) -> T:
        """Return what `call(*args)` returns; cancelled, the call is left to its own timeout."""
        context = contextvars.copy_context()
        bound = functools.partial(context.run, call, *args)
        return await asyncio.get_running_loop().run_in_executor(self._pool, bound)


async def twice(call: Callable[[], Awaitable[T]], *, quick_s: float) -> T:
    """Return the call's result; if it fails as Unavailable within `quick_s`, try once more.

    A slow failure (a timeout) is not tried again: the caller has no time left for a second one.
    """
    started = time.monotonic()
    try:
        return await call()
    except Unavailable as error:
        if time.monotonic() - started > quick_s or error.retry_after_s > quick_s:
            raise
    await asyncio.sleep(RETRY_PAUSE_S)
    return await call()
