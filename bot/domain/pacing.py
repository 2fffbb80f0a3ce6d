"""How fast a vendor may be called, by all replicas together."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A steady rate, and how many calls may come at once after a quiet time."""

    per_s: float
    burst: float

    def __post_init__(self) -> None:
        if self.per_s <= 0 or self.burst < 1:
            raise ValueError("a rate lets at least one call through")


class Pacing(Protocol):
    """Turns of a shared budget, one for each key."""

    async def turn(self, key: str, rate: Rate, *, longest_s: float) -> float:
        """Take the next turn and return in how many seconds it is.

        Raises: Transient: the next turn is later than `longest_s`, and was not taken; Unavailable.
        """
        ...

    async def hold(self, key: str, rate: Rate, seconds: float) -> None:
        """Let nobody have a turn for so long: the vendor said so. Raises: Unavailable."""
        ...
