"""What a person taught counts from the next alert on, whatever was being read meanwhile."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.domain.environment import Environment, Tier
from bot.domain.incident import Judged, Lesson
from bot.domain.signal import Severity
from bot.workflows.maps import Maps, Sources
from tests.unit.remediation.office import START, FakeClock
from tests.unit.workflows.ward import FakeGraph

PATIENCE_S = 10.0


def lesson(name: str) -> Lesson:
    return Lesson(
        id=name, environment="prod", service="checkout", signature="checkout is slow", noise=True,
        worst=Severity.HIGH, by="<@U1>", at=START,
    )  # fmt: skip


@dataclass
class Store:
    """Lessons are read at once; verdicts when the test lets them."""

    taught: list[Lesson] = field(default_factory=list)
    reads: int = 0
    reading: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def lessons(self, environment: str, since: datetime) -> Sequence[Lesson]:
        self.reads += 1
        return tuple(self.taught)

    async def judged(self, environment: str, since: datetime) -> Sequence[Judged]:
        self.reading.set()
        await self.go_on.wait()
        return ()


class Calls:
    """Nobody calls anybody."""

    async def known(self, environment: str, since: datetime) -> Sequence[tuple[str, str]]:
        return ()

    async def learn(self, environment: str, pairs: object, at: datetime) -> None:
        """Do nothing."""


def maps(store: Store) -> Maps:
    clock = FakeClock()
    graph: Any = FakeGraph(clock)
    place = Environment(name="prod", tier=Tier.PRODUCTION, namespaces=("shop",))
    return Maps(
        Sources(
            environments={"prod": place}, collectors={"prod": graph}, calls=Calls(),
            store=store, world=clock, wall=clock,  # type: ignore[arg-type]
        )
    )  # fmt: skip


async def test_a_lesson_that_comes_while_lessons_are_read_is_not_lost() -> None:
    store = Store(taught=[lesson("old")])
    known = maps(store)
    asked = asyncio.create_task(known.place("prod"))
    async with asyncio.timeout(PATIENCE_S):
        await store.reading.wait()
        store.taught.append(lesson("new"))
        known.taught("prod")
        store.go_on.set()
        place = await asked
    assert [one.id for one in place.lessons] == ["old", "new"]
    assert [one.id for one in (await known.place("prod")).lessons] == ["old", "new"]
    assert store.reads == 2, "fresh for a while"


async def test_a_reading_that_comes_late_does_not_undo_a_newer_one() -> None:
    store = Store()
    known = maps(store)
    late = asyncio.create_task(known.place("prod"))
    async with asyncio.timeout(PATIENCE_S):
        await store.reading.wait()
        store.taught.append(lesson("new"))
        known.taught("prod")
        held, store.go_on = store.go_on, asyncio.Event()
        store.go_on.set()
        await known.place("prod")
        held.set()
        place = await late
    assert [one.id for one in place.lessons] == ["new"]
    assert store.reads == 2, "what the newer one read is fresh"
