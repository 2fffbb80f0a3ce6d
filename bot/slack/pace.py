"""Edits of one message, at most one every few seconds: the last state wins and is always sent."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bot.domain.errors import SreBotError
from bot.domain.redaction import redact
from bot.slack.views.blocks import Message

Send = Callable[[Message], Awaitable[None]]
_KEEP = 1_000  # messages whose last edit is remembered
_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class _Slot:
    """The pace of one message."""

    pending: Message | None = None
    last_at: float = float("-inf")  # the loop's clock
    task: asyncio.Task[None] | None = None


@dataclass(slots=True)
class Pace:
    """Coalesces edits per key. All calls belong to one event loop."""

    interval_s: float = 3.0
    _slots: dict[str, _Slot] = field(default_factory=dict)

    def touched(self, key: str) -> None:
        """Note that the message was posted or edited just now."""
        self._slot(key).last_at = asyncio.get_running_loop().time()

    def busy(self, key: str) -> bool:
        """Whether an edit of this message still waits for its turn."""
        slot = self._slots.get(key)
        return slot is not None and slot.task is not None and not slot.task.done()

    async def edit(self, key: str, message: Message, send: Send, *, wait: bool) -> None:
        """Send the message when its turn comes; an older one that still waits is dropped.

        With `wait`, return when this state or a newer one was sent, and raise what sending raised.
        Without, return at once; a failure is logged, because a newer state follows.
        """
        slot = self._slot(key)
        slot.pending = message
        if slot.task is None or slot.task.done():
            slot.task = asyncio.create_task(self._drain(slot, send))
            slot.task.add_done_callback(_retrieve)
        if wait:
            await asyncio.shield(slot.task)

    async def _drain(self, slot: _Slot, send: Send) -> None:
        loop = asyncio.get_running_loop()
        while slot.pending is not None:
            await asyncio.sleep(max(0.0, slot.last_at + self.interval_s - loop.time()))
            message, slot.pending = slot.pending, None
            slot.last_at = loop.time()
            await send(message)
            slot.last_at = loop.time()

    def _slot(self, key: str) -> _Slot:
        if key not in self._slots and len(self._slots) >= _KEEP:
            self._forget()
        return self._slots.setdefault(key, _Slot())

    def _forget(self) -> None:
        due = asyncio.get_running_loop().time() - self.interval_s
        idle = [
            key
            for key, slot in self._slots.items()
            if (slot.task is None or slot.task.done()) and slot.last_at < due
        ]
        for key in idle:
            del self._slots[key]


def _retrieve(task: asyncio.Task[None]) -> None:
    if task.cancelled():
        return
    error = task.exception()
    if isinstance(error, SreBotError):
        _LOG.warning("an edit was not sent: %s", redact(str(error)))
    elif error is not None:
        _LOG.error("an edit failed: %s", redact(repr(error)))
