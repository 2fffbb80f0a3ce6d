"""Waits of a workflow: for a message or for time to pass, by the engine's clock.

The end of a wait is journaled, so it survives a restart. While a process lives its waits are
lengths, which a clock that is set does not change; after a restart the journaled moment counts.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from contextvars import Context
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from dbos import DBOS

from bot.domain.errors import SreBotError
from bot.domain.redaction import redact
from bot.workflows.running import AROUND, Around, step

LOG = logging.getLogger(__name__)
RINGS = "$rings"  # the field of the message with which a wait ends itself
NEVER_S = 10 * 365 * 86_400.0  # the engine's own timeout, which reads the wall, is not used
RETRY_S = 2.0  # wall


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """A wait and its end. The id is random; it is in the journal."""

    id: str
    ends: datetime

    def left_s(self, now: datetime, length_s: float) -> float:
        """Return what is left of it, never more than it had in all."""
        return max(0.0, min(length_s, (self.ends - now).total_seconds()))


async def receive(topic: str, *, timeout_s: float) -> Any:
    """Wait for a message on a topic; None after the timeout. The deadline survives a restart."""
    length_s = max(0.0, timeout_s)
    wait = await _begin("wait for a message", length_s)
    async with _ringing(wait, topic, length_s):
        while True:
            message = await DBOS.recv_async(topic, timeout_seconds=NEVER_S)
            rings = message.get(RINGS) if isinstance(message, dict) else None
            if rings is None:
                return message
            if rings == wait.id:  # else it is of an earlier wait, which a message had ended
                return None


async def pause(seconds: float) -> None:
    """Wait; the end of the wait survives a restart."""
    length_s = max(0.0, seconds)
    wait = await _begin("pause", length_s)
    time = AROUND.get().time
    await time.sleep(wait.left_s(time.now(), length_s))


async def _begin(name: str, length_s: float) -> Wait:
    time = AROUND.get().time

    async def begin() -> Wait:
        return Wait(id=uuid4().hex, ends=time.now() + timedelta(seconds=length_s))

    return await step(name, Wait, begin)


@asynccontextmanager
async def _ringing(wait: Wait, topic: str, length_s: float) -> AsyncIterator[None]:
    """Have the workflow get a message at the end of the wait, unless the block ends before."""
    around, workflow_id = AROUND.get(), str(DBOS.workflow_id)
    left_s = wait.left_s(around.time.now(), length_s)
    ring = _ring(around, left_s, (workflow_id, topic), wait)
    # the context is empty, so that it is no part of the workflow: no step of it
    timer = asyncio.get_running_loop().create_task(ring, context=Context())
    try:
        yield
    finally:
        timer.cancel()
        with suppress(asyncio.CancelledError):
            await timer


async def _ring(around: Around, left_s: float, to: tuple[str, str], wait: Wait) -> None:
    await around.time.sleep(left_s)
    while True:
        try:
            await around.send(*to, {RINGS: wait.id}, key=wait.id)
        except SreBotError as error:
            LOG.warning("a wait could not be ended yet: %s", redact(str(error)))
            await asyncio.sleep(RETRY_S)
        else:
            return
