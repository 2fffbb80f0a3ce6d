"""One at a time through the door of an environment: what is ruled on is what will be there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from bot.domain.errors import Unavailable
from bot.domain.ports import ActionStore
from bot.domain.time import Clock

HELD = timedelta(seconds=30)  # what a crash leaves closed; ruling and writing it down takes < 1 s
PAUSE_S = 0.02
TRIES = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Between a ruling and its record nobody else is ruled on.

    Otherwise many small actions, all ruled on at one moment, would not see each other, and what
    they take away together would be more than is allowed.
    """

    actions: ActionStore
    wall: Clock

    @asynccontextmanager
    async def alone(self, environment: str, key: str) -> AsyncIterator[None]:
        """Let nobody else through while the block runs.

        Raises: Unavailable: others are being ruled on here all the time; nothing was done.
        """
        name = f"{environment}/door"
        if not await self._opened(name, key):
            raise Unavailable("door", f"others act in {environment} at this moment")
        try:
            yield
        finally:
            await self.actions.unlock(name, holder=key)

    async def _opened(self, name: str, key: str) -> bool:
        for _ in range(TRIES):
            now = self.wall.now()
            if await self.actions.lock(name, holder=key, until=now + HELD, now=now):
                return True
            await asyncio.sleep(PAUSE_S)
        return False
