"""A bot that dies: between any two of its steps, and then does nothing more until it is restarted.

What `kill -9` leaves is what was written before it; the simulation kills it in the same way.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


class Death(BaseException):
    """The process is gone: nothing below may catch it, and nothing it tries has an effect."""


@dataclass
class Life:
    """One process. `left`: after how many more effects it dies; 0: it does not."""

    left: int = 0
    dead: bool = False

    def alive(self) -> None:
        """Raise Death if it is dead."""
        if self.dead:
            raise Death

    def beat(self) -> None:
        """Count an effect. Raises: Death: it was the last one."""
        self.alive()
        if self.left > 0:
            self.left -= 1
            self.dead = self.left == 0
            self.alive()


class Mortal:
    """A store as one process has it: what a dead one asks for does not happen."""

    def __init__(self, store: object, life: Life) -> None:
        self._store, self._life = store, life

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return the store's method, for as long as the process lives."""
        method = getattr(self._store, name)

        async def call(*arguments: Any, **named: Any) -> Any:
            self._life.alive()
            found = await method(*arguments, **named)
            self._life.beat()
            return found

        return call
