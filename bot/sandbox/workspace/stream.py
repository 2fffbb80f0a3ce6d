"""The page's event stream: everything that happens, fanned out to whoever looks."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

_MOST_WAITING = 1000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Listener:
    user: str  # "" sees everybody's
    queue: "asyncio.Queue[dict[str, Any] | None]" = field(
        default_factory=lambda: asyncio.Queue(_MOST_WAITING)
    )


class Stream:
    """Bounded fan-out: a listener that does not read hears `resync` and its stream ends.

    The page then connects again and reads everything anew.
    """

    def __init__(self) -> None:
        self._listeners: list[_Listener] = []

    def publish(self, event: dict[str, Any], *, only_for: str = "") -> None:
        """Tell all listeners, or those of one person."""
        for listener in self._listeners:
            if only_for and listener.user and listener.user != only_for:
                continue
            if listener.queue.full():
                while not listener.queue.empty():
                    listener.queue.get_nowait()
                listener.queue.put_nowait({"type": "resync"})
                listener.queue.put_nowait(None)
            listener.queue.put_nowait(event)

    async def listen(self, user: str = "") -> AsyncIterator[dict[str, Any]]:
        """Yield `hello`, then every event from then on, until the stream closes."""
        listener = _Listener(user=user)
        listener.queue.put_nowait({"type": "hello"})
        self._listeners.append(listener)
        try:
            while (event := await listener.queue.get()) is not None:
                yield event
        finally:
            self._listeners.remove(listener)

    @property
    def listeners(self) -> int:
        """How many are listening."""
        return len(self._listeners)

    def close(self) -> None:
        """End every listener's stream."""
        for listener in self._listeners:
            while listener.queue.full():
                listener.queue.get_nowait()
            listener.queue.put_nowait(None)
