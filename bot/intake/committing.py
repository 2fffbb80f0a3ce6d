"""Signals of concurrent requests share one transaction; what does not fit the queue is refused."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.errors import Unavailable
from bot.domain.signal import Signal

Arrived = tuple[Signal, datetime]
RETRY_PAUSE_S = 0.05


class Store(Protocol):
    """Where signals are committed, on the calling thread."""

    def put_now(self, signals: Sequence[Arrived]) -> list[int]:
        """Commit them in one transaction. Raises: Unavailable: none was kept."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """How much may wait for the database, and how long."""

    signals: int = 20_000  # waiting or being committed
    batch: int = 1_000  # signals of one transaction; a larger delivery is one by itself
    patience_s: float = 4.0  # wall; PagerDuty waits five seconds for an answer


@dataclass(frozen=True, slots=True)
class _Waiting:
    signals: Sequence[Arrived]
    kept: asyncio.Future[None]


class GroupCommit:
    """Commits what waits, all together, while the next requests line up.

    One thread of its own writes, so that slow calls elsewhere do not hold up the door.
    """

    def __init__(self, store: Store, queue: Queue | None = None) -> None:
        self._store, self._queue = store, queue or Queue()
        self._waiting: list[_Waiting] = []
        self._count = 0
        self._writer: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sre-bot-inbox")

    @property
    def length(self) -> int:
        """How many signals wait to be committed."""
        return self._count

    async def put(self, signals: Sequence[Signal], at: datetime) -> None:
        """Return when they are committed.

        Raises: Unavailable: the queue is full or the database does not answer. Send them again:
        what was committed after all is known by its key.
        """
        if not signals:
            return
        if self._count + len(signals) > self._queue.signals and self._count:
            raise Unavailable("inbox", "too much waits already", retry_after_s=2.0)
        loop = asyncio.get_running_loop()
        mine = _Waiting([(signal, at) for signal in signals], loop.create_future())
        self._waiting.append(mine)
        self._count += len(signals)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        try:
            await asyncio.wait_for(asyncio.shield(mine.kept), self._queue.patience_s)
        except TimeoutError:
            raise Unavailable("inbox", "the database takes too long") from None

    async def close(self) -> None:
        """Wait until everything that waits is committed or refused, and end the thread."""
        if self._writer is not None:
            await self._writer
        self._thread.shutdown()

    async def _write(self) -> None:
        """Commit batch after batch until nothing waits."""
        while self._waiting:
            batch = self._next()
            problem = await self._commit([s for waiting in batch for s in waiting.signals])
            for waiting in batch:
                self._count -= len(waiting.signals)
                _settle(waiting.kept, problem)

    def _next(self) -> list[_Waiting]:
        """Take from the front as much as one transaction holds, at least one delivery."""
        size = taken = 0
        for waiting in self._waiting:
            size += len(waiting.signals)
            if taken and size > self._queue.batch:
                break
            taken += 1
        batch, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return batch

    async def _commit(self, signals: Sequence[Arrived]) -> BaseException | None:
        """Commit, and once more after a failure: a deadlock, or a connection that went stale."""
        problem = await self._once(signals)
        if not isinstance(problem, Unavailable):
            return problem
        await asyncio.sleep(RETRY_PAUSE_S)
        return await self._once(signals)

    async def _once(self, signals: Sequence[Arrived]) -> BaseException | None:
        """Return what went wrong, whatever it is: each of the senders must be told."""
        loop = asyncio.get_running_loop()
        writing = loop.run_in_executor(self._thread, self._store.put_now, signals)
        await asyncio.wait((writing,))
        return writing.exception()


def _settle(kept: asyncio.Future[None], problem: BaseException | None) -> None:
    if kept.done():
        return
    if problem is None:
        kept.set_result(None)
    else:
        kept.set_exception(problem)
        kept.exception()  # seen, also when nobody waits for it any more
