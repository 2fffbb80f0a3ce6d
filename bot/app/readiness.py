"""Whether the bot is ready, part by part, and what is not: looked at sparingly."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from bot.domain.errors import SreBotError
from bot.domain.redaction import redact

READY = ""
LOOK_EVERY_S = 1.0
WITHIN_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Something the bot needs. `look` raises a domain error that says what is wrong with it.

    Without a vital part no work can be taken. Slack is not vital once it was reached: pages and
    alerts must still be taken in while it is away, and are told when it is back.
    """

    name: str
    look: Callable[[], Awaitable[object]]
    vital: bool = True


@dataclass(slots=True)
class Readiness:
    """Looks at all parts at once. A look that hangs is not begun a second time."""

    parts: tuple[Part, ...]
    within_s: float = WITHIN_S
    every_s: float = LOOK_EVERY_S
    _looking: dict[str, "asyncio.Task[object]"] = field(default_factory=dict)
    _seen: dict[str, str] = field(default_factory=dict)
    _at: float = float("-inf")
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def now(self) -> Mapping[str, str]:
        """Return for each part "" when it is ready, else why not; at most a second old."""
        async with self._lock:
            if time.monotonic() - self._at >= self.every_s:
                words = await asyncio.gather(*(self._look(part) for part in self.parts))
                self._seen = dict(zip((p.name for p in self.parts), words, strict=True))
                self._at = time.monotonic()
            return self._seen

    def vital(self, seen: Mapping[str, str]) -> bool:
        """Whether work can be taken."""
        return all(seen.get(part.name) == READY for part in self.parts if part.vital)

    async def _look(self, part: Part) -> str:
        task = self._looking.get(part.name)
        if task is None or task.done():
            task = asyncio.ensure_future(_quiet(part.look))
            self._looking[part.name] = task
        done, _ = await asyncio.wait({task}, timeout=self.within_s)
        return str(task.result()) if done else f"did not answer within {self.within_s:g} s"

    async def close(self) -> None:
        """Give up the looks that still hang."""
        for task in self._looking.values():
            task.cancel()
        await asyncio.gather(*self._looking.values(), return_exceptions=True)


async def _quiet(look: Callable[[], Awaitable[object]]) -> object:
    try:
        await look()
    except SreBotError as error:
        return redact(str(error)) or type(error).__name__
    return READY
