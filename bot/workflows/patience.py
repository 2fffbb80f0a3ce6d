"""Tries a step's work again while its trouble is transient: soon at first, then for a day."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import count
from typing import TypeVar

from bot.domain.errors import Transient, Unavailable
from bot.domain.redaction import redact
from bot.domain.telemetry import telemetry

T = TypeVar("T")
DOUBLINGS = 30  # more make no difference, and a float has an end
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a step is tried, in wall seconds. A system may well be away for hours."""

    first_s: float = 0.5
    longest_s: float = 30.0  # between two tries; so late what came back is noticed at most
    most_s: float = 86_400.0  # then the workflow ends with the error
    one_try_s: float = 900.0  # the deadline of one try; the longest settling takes ten minutes

    def pause_s(self, failed: int, asked_s: float = 0.0) -> float:
        """Return the wait after so many tries failed: doubled each time, or what was asked for."""
        doubled = self.first_s * 2.0 ** min(failed - 1, DOUBLINGS)
        return min(self.longest_s, max(doubled, asked_s))


PATIENCE: ContextVar[Patience] = ContextVar("patience", default=Patience())  # noqa: B039 - frozen


async def persistently(
    name: str, work: Callable[[], Awaitable[T]], *, attempts: int | None = None
) -> T:
    """Return what the work returns; what is transient is tried again, `attempts` times at most.

    Raises: what the work raised last; anything that is not transient at once.
    """
    patience, began = PATIENCE.get(), time.monotonic()
    for attempt in count(1):
        try:
            return await _measured(name, attempt, work, patience.one_try_s)
        except Transient as error:
            late = time.monotonic() - began >= patience.most_s
            if late or (attempts is not None and attempt >= attempts):
                raise
            wait = patience.pause_s(attempt, error.retry_after_s)
            _LOG.warning("%s failed, again in %.1f s: %s", name, wait, redact(str(error)))
        await asyncio.sleep(wait)
    raise AssertionError("counting has no end")


async def _measured(name: str, attempt: int, work: Callable[[], Awaitable[T]], seconds: float) -> T:
    began, outcome = time.monotonic(), "failed"
    try:
        with telemetry().span(name, attempt=attempt):
            result = await _in_time(name, work, seconds)
        outcome = "done"
    finally:
        telemetry().stage(name, outcome, time.monotonic() - began)
    return result


async def _in_time(name: str, work: Callable[[], Awaitable[T]], seconds: float) -> T:
    deadline = asyncio.timeout(seconds)
    try:
        async with deadline:
            return await work()
    except TimeoutError as late:
        if not deadline.expired():
            raise
        raise Unavailable(name, f"not done after {seconds:g} s") from late
