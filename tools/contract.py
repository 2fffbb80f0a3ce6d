"""What a tool is. A tool's file carries everything others need to know of it."""

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Self, TypeVar

from bot.domain.action import ActionCall, ActionFacts, Applied, DryRun, Target
from bot.domain.environment import Environment
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import Snapshot, Source

ArgsT = TypeVar("ArgsT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One query that a read tool made: what "show steps" lists, whatever came of it."""

    source: Source
    took_s: float
    found: str  # "12 series", "timed out after 5 s"


@dataclass(frozen=True, slots=True)
class _Reading:
    queries: list[Query]
    until: float  # on the monotonic clock


_READING: ContextVar[_Reading | None] = ContextVar("sre_bot_reading", default=None)


@contextmanager
def recorded_queries(*, within_s: float = math.inf) -> Iterator[list[Query]]:
    """Yield the list to which the queries made below this call (tasks included) are added.

    After `within_s` seconds a tool should hand over what it has: `seconds_left` tells it.
    """
    reading = _Reading([], time.monotonic() + within_s)
    token = _READING.set(reading)
    try:
        yield reading.queries
    finally:
        _READING.reset(token)


def seconds_left() -> float | None:
    """Return how long the tool at work may still take, None when nobody waits for it."""
    reading = _READING.get()
    if reading is None or reading.until == math.inf:
        return None
    return max(0.0, reading.until - time.monotonic())


def record_query(query: Query) -> None:
    """Note a query that was made; without a recorder nothing is kept."""
    reading = _READING.get()
    if reading is not None:
        reading.queries.append(query)


class ReadTool(ABC):
    """Reads one kind of fact from one system of one environment."""

    name: ClassVar[str]  # unique: "prometheus.series"
    system: ClassVar[str]  # as people call it: "metrics", "Kubernetes", "logs", "traces", "changes"
    answers: ClassVar[Fact]
    timeout_s: ClassVar[float] = 6.0

    @classmethod
    @abstractmethod
    def for_environment(cls, environment: Environment) -> Self | None:
        """Return the tool bound to an environment, None when its system is not configured there."""

    @abstractmethod
    async def read(self, need: Need) -> Snapshot:
        """Return a partial snapshot that answers the need.

        Raises: Unavailable: the system did not answer; Malformed: it answered nonsense.
        """

    @abstractmethod
    async def check(self) -> str:
        """Return one line on what is reachable: "Prometheus 2.42, 214 series".

        Used by `sre-bot doctor`. Raises: Unavailable.
        """


class Action(ABC, Generic[ArgsT]):
    """One thing that can be done, in one system of one environment. Built by the gateway only."""

    facts: ClassVar[ActionFacts]

    @classmethod
    @abstractmethod
    def for_environment(cls, environment: Environment) -> Self | None:
        """Return the action bound to an environment.

        None when its system is not configured there.
        """

    @classmethod
    @abstractmethod
    def parse(cls, arguments: Any) -> ArgsT:
        """Return checked arguments. Raises: Malformed: names the field and what was expected."""

    @abstractmethod
    async def target(self, args: ArgsT) -> Target:
        """Read the live object.

        Raises: UnknownName, Unavailable, Refused (forbidden: names the rule).
        """

    @abstractmethod
    async def dry_run(self, args: ArgsT) -> DryRun:
        """Ask the system what would change, without changing it."""

    @abstractmethod
    async def inverse(self, args: ArgsT, target: Target) -> ActionCall | None:
        """Return the call that takes it back, captured before acting.

        None: cannot be taken back.
        """

    @abstractmethod
    async def find(self, args: ArgsT, key: str) -> Applied | None:
        """Read back whether this key acted already; None if it did not."""

    async def begun(self, args: ArgsT, key: str) -> bool:  # noqa: ARG002 - for those of two writes
        """Read back whether this key acted in part: then `apply` under it does what is missing.

        An action of one write never did.
        """
        return False

    @abstractmethod
    async def apply(self, args: ArgsT, target: Target, key: str) -> Applied:
        """Act once under `key`, only if the live object still is `target` (uid, spec hash).

        Raises: Conflict: it changed; Unavailable: not known whether it acted (read back with
        `find`).
        """
