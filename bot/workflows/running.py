"""Inside a workflow: its steps, each journaled, and none begun by a replica that lost its seat."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

from dbos import DBOS

from bot.domain.codec import decode, encode
from bot.domain.errors import SreBotError
from bot.workflows.patience import persistently
from bot.workflows.timing import Timekeeper

T = TypeVar("T")

UNFORESEEN = 10  # tries of a step that fails with an error that is none of ours: a bug

Send = Callable[..., Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What the engine hands to the workflows that it runs."""

    time: Timekeeper
    send: Send  # as Engine.send
    fence: Callable[[], None]  # does not return if another replica may do this by now


AROUND: ContextVar[Around] = ContextVar("around")


async def step(
    name: str,
    kind: type[T],
    work: Callable[[], Awaitable[T]],
    *,
    attempts: int | None = None,
    large: bool = False,
) -> T:
    """Run `work` as a step and return its result; after a crash, what the journal says it returned.

    `Transient` errors are tried again for as long as `Patience` has it, unforeseen ones a few
    times; other domain errors end the workflow: work that can be refused returns that as a value.
    `large`: it may be megabytes, which are written and read beside the event loop.
    """
    fence = AROUND.get().fence

    async def fenced() -> T:
        fence()
        return await work()

    async def body() -> Any:
        result = await persistently(name, fenced, attempts=attempts)
        return await asyncio.to_thread(encode, result) if large else encode(result)

    options: Any = {
        "name": name,
        "retries_allowed": attempts is None,
        "max_attempts": UNFORESEEN,
        "interval_seconds": 0.5,
        "backoff_rate": 2.0,
        "should_retry": lambda error: not isinstance(error, SreBotError),
    }
    written = await DBOS.run_step_async(options, body)
    return await asyncio.to_thread(decode, kind, written) if large else decode(kind, written)


async def do(
    name: str, work: Callable[[], Awaitable[None]], *, attempts: int | None = None
) -> None:
    """Run `work` as a step that returns nothing."""

    async def body() -> bool:
        await work()
        return True

    await step(name, bool, body, attempts=attempts)


async def patched(change: str) -> bool:
    """Whether this run takes the changed path; one that was past this place before doesn't."""
    return bool(await DBOS.patch_async(change))
