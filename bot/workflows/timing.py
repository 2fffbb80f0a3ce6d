"""The engine's source of time: waits and due times follow it; production's is the wall."""

import asyncio
from datetime import UTC, datetime
from typing import Protocol

GLANCE_S = 20.0  # a wall clock that was set is noticed after so long at most


class Timekeeper(Protocol):
    """Tells the time and waits for it. Tests hand in one that they drive."""

    def now(self) -> datetime:
        """Return the present moment, aware UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait so long. A clock that is set meanwhile neither ends nor prolongs the wait."""
        ...

    async def until(self, moment: datetime) -> None:
        """Wait until the clock shows that moment, or is set back: then look again what is next."""
        ...


class WallTime:
    """The wall clock; lengths are measured by the machine's monotonic clock."""

    def now(self) -> datetime:
        """Return the present moment, aware UTC."""
        return datetime.now(UTC)  # noqa: TID251 - this is the clock

    async def sleep(self, seconds: float) -> None:
        """Wait so long."""
        await asyncio.sleep(max(0.0, seconds))

    async def until(self, moment: datetime) -> None:
        """Look at the clock every few seconds."""
        before = now = self.now()
        while before <= now < moment:
            await asyncio.sleep(min((moment - now).total_seconds(), GLANCE_S))
            before, now = now, self.now()
