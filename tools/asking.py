"""Makes the queries of a read tool: timed, tried twice, recorded, and partial when some fail."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence, Sized
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from bot.domain.errors import SreBotError, Transient
from bot.domain.snapshot import BlindSpot, Source
from tools.clients.threads import twice
from tools.contract import Query, record_query, seconds_left

T = TypeVar("T")

QUICK_S = 1.5  # a failure later than this is not tried again


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask(Generic[T]):
    """One query: `call` runs it, `found` says in words what came back, `wanted` what for."""

    source: Source
    call: Callable[[], Awaitable[T]]
    found: Callable[[T], str]
    wanted: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(Generic[T]):
    """What came back of several queries: the results in order, and what could not be seen."""

    results: tuple[tuple[Source, T], ...]
    blind_spots: tuple[BlindSpot, ...]


async def ask(query: Ask[T]) -> T:
    """Run one query, twice if it fails quickly, and record it. Raises: what the call raises."""
    started = time.monotonic()
    try:
        result = await twice(query.call, quick_s=QUICK_S)
    except SreBotError as error:
        record_query(_record(query.source, started, str(error)))
        raise
    except asyncio.CancelledError:
        record_query(_record(query.source, started, "stopped at the deadline"))
        raise
    record_query(_record(query.source, started, query.found(result)))
    return result


async def ask_all(queries: Sequence[Ask[T]]) -> Answered[T]:
    """Run queries together; those that fail, or are not done in time, become blind spots.

    Raises: the first error if all fail.
    """
    outcomes = await _in_time([_caught(q) for q in queries])
    results = tuple(
        (query.source, outcome[0])
        for query, outcome in zip(queries, outcomes, strict=True)
        if isinstance(outcome, tuple)
    )
    errors = [
        (query, outcome)
        for query, outcome in zip(queries, outcomes, strict=True)
        if isinstance(outcome, SreBotError)
    ]
    if errors and not results:
        raise errors[0][1]
    spots = tuple(
        BlindSpot(system=q.source.system, reason=str(error), wanted=q.wanted) for q, error in errors
    )
    return Answered(results=results, blind_spots=spots)


async def _in_time(
    calls: Sequence[Coroutine[Any, Any, tuple[T] | SreBotError]],
) -> list[tuple[T] | SreBotError]:
    """Return the outcomes of calls made together, late ones as errors."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    if not tasks:
        return []
    try:
        await asyncio.wait(tasks, timeout=seconds_left())
        late = Transient("not done in time")
        return [task.result() if task.done() else late for task in tasks]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)  # so that they are recorded


async def _caught(query: Ask[T]) -> tuple[T] | SreBotError:
    try:
        return (await ask(query),)
    except SreBotError as error:
        return error


def _record(source: Source, started: float, found: str) -> Query:
    return Query(source=source, took_s=round(time.monotonic() - started, 4), found=found)


def counted(noun: str) -> Callable[[Sized], str]:
    """Return a function that says "12 series" of twelve things; `noun` is the plural."""
    return lambda things: f"{len(things)} {noun}"
