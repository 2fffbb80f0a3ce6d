"""Runs a vendor's blocking calls in threads of their own, retrying a read once."""

import asyncio
import contextvars
import functools
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from bot.domain.errors import Unavailable

T = TypeVar("T")

RETRY_PAUSE_S = 0.1


class Threads:
    """A bulkhead: at most `workers` blocking calls at once, in threads of this system's own.

    So many more may wait for a thread; beyond that a call is refused at once: a system that hangs
    must not collect work without end, and holds up nobody but those who ask it.
    """

    def __init__(self, name: str, *, workers: int = 16, waiting: int = 256) -> None:
        self._name, self._most = name, workers + waiting
        self._pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix=f"sre-bot-{name}")
        self._inside: set[Future[Any]] = set()

    async def run(self, call: Callable[..., T], *args: object) -> T:
        """Return what `call(*args)` returns; cancelled, the call is left to its own timeout.

        Raises: Unavailable: too many calls wait already.
        """
        if len(self._inside) >= self._most:
            raise Unavailable(self._name, "too many calls wait for it already")
        context = contextvars.copy_context()
        future = self._pool.submit(context.run, functools.partial(call, *args))
        self._inside.add(future)
        future.add_done_callback(self._inside.discard)
        return await asyncio.wrap_future(future)


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
