"""A span of time in which nothing runs by itself; an approved mitigation passes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from bot.domain.time import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """One freeze window. `environment` "" means every one."""

    id: str
    environment: str
    window: Window
    reason: str
    by: str = ""  # actor id; "" for windows of older versions

    def is_on(self, at: datetime) -> bool:
        """Whether it covers this moment."""
        return self.window.start <= at < self.window.end

    @property
    def words(self) -> str:
        """Return "f1c9a2 · prod · 2026-11-27 18:00 to 2026-11-30 06:00 UTC · reason"."""
        start, end = (t.astimezone(UTC) for t in (self.window.start, self.window.end))
        day = "" if start.date() == end.date() else f"{end:%Y-%m-%d} "
        span = f"{start:%Y-%m-%d %H:%M} to {day}{end:%H:%M} UTC"
        who = f", by {self.by}" if self.by else ""
        return f"{self.id} · {self.environment or 'everywhere'} · {span} · {self.reason}{who}"


class FreezeStore(Protocol):
    """Freeze windows, as people set and lift them."""

    async def add_freeze(self, freeze: Freeze) -> None:
        """Keep a window; one of the same id is replaced."""
        ...

    async def freeze(self, freeze_id: str) -> Freeze | None:
        """Return a window, over or not."""
        ...

    async def freezes(self, at: datetime) -> Sequence[Freeze]:
        """Return the windows that are on or ahead at this moment, the earliest first."""
        ...

    async def lift_freeze(self, freeze_id: str, at: datetime) -> None:
        """End a window at this moment; one that is ahead never begins."""
        ...
