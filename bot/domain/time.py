"""Moments and spans of time. Naive datetimes are refused everywhere."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Half-open [start, end), aware UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a window needs aware datetimes")
        if self.end < self.start:
            raise ValueError("a window ends after it starts")

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return (self.end - self.start).total_seconds()

    @classmethod
    def last(cls, seconds: float, *, before: datetime) -> "Window":
        """Return the `seconds` before `before`."""
        return cls(start=before - timedelta(seconds=seconds), end=before)


class Clock(Protocol):
    """The only source of time.

    Production reads the wall, the sandbox runs faster, tests drive it.
    """

    def now(self) -> datetime:
        """Return the present moment of the watched world, aware UTC."""
        ...

    def wall_seconds(self, seconds: float) -> float:
        """Return how long `seconds` of the watched world take on a wall clock."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaledClock:
    """A clock that runs `rate` times as fast as the wall since `origin`.

    Rate 1 is the wall itself.
    """

    origin: datetime
    rate: float = 1.0

    def now(self) -> datetime:
        """Return the present moment of the watched world, aware UTC."""
        wall = datetime.now(UTC)  # noqa: TID251 - this is the clock
        return self.origin + (wall - self.origin) * self.rate

    def wall_seconds(self, seconds: float) -> float:
        """Return how long `seconds` of the watched world take on a wall clock."""
        return seconds / self.rate


def wall_clock() -> ScaledClock:
    """Return the clock of people and senders, which no watched world drives."""
    return ScaledClock(origin=datetime(2000, 1, 1, tzinfo=UTC))
