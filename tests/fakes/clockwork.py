"""A clock that a test drives: nothing waits on the wall, and time passes when the test says so."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta


@dataclass
class DrivenTime:
    """`Timekeeper` whose `advance` ends the waits that it passes."""

    at: datetime = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)  # a Monday
    _ran_s: float = 0.0  # how long it ran; being set does not count
    sleepers: int = 0  # lengths that are being waited for
    begun: int = 0  # lengths that were ever waited for
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        end = self._ran_s + seconds
        self.sleepers += 1
        self.begun += 1
        try:
            while self._ran_s < end:
                await self._changed.wait()
        finally:
            self.sleepers -= 1

    async def until(self, moment: datetime) -> None:
        before = self.at
        while before <= self.at < moment:
            before = self.at
            await self._changed.wait()

    def advance(self, **length: float) -> None:
        """Let time pass: `advance(days=7)`."""
        passed = timedelta(**length)
        assert passed >= timedelta(0)
        self._ran_s += passed.total_seconds()
        self.set(self.at + passed)

    def set(self, at: datetime) -> None:
        """Set the clock, as an administrator or NTP does: no time passes."""
        self.at = at
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
