"""A wait ends once, at its time or with a message, whatever happens to process and clock."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.errors import Unavailable
from bot.workflows.engine import Engine, pause, receive
from tests.fakes.clockwork import DrivenTime

PATIENCE_S = 20.0
HOUR = 3600.0


@dataclass
class Room:
    """An engine whose workflows wait for an hour; it can be restarted."""

    folder: Path
    time: DrivenTime = field(default_factory=DrivenTime)
    heard: list[Any] = field(default_factory=list)

    def open(self) -> None:
        self.engine = Engine(
            f"sqlite:///{self.folder / 'journal.sqlite'}", poll_s=0.01, time=self.time
        )
        self.engine.register("one", self._one)
        self.engine.register("two", self._two)
        self.engine.register("pause", self._pause)
        self.engine.launch()

    async def _one(self) -> Any:
        return await receive("topic", timeout_s=HOUR)

    async def _two(self) -> list[Any]:
        return [await receive("topic", timeout_s=HOUR), await receive("topic", timeout_s=HOUR)]

    async def _pause(self) -> str:
        await pause(HOUR)
        return "went on"

    async def waits(self, *, nth: int = 1) -> None:
        """Let everything that can happen without time happen, up to the nth wait at least."""
        for _ in range(200):  # on a slow machine a workflow takes long to come to its wait
            if self.time.sleepers and self.time.begun >= nth:
                break
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.3)

    async def ended(self, workflow_id: str) -> Any:
        async with asyncio.timeout(PATIENCE_S):
            return await self.engine.result(workflow_id)

    async def crash(self) -> None:
        self.engine.close()
        await asyncio.sleep(0)


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    room = Room(tmp_path)
    room.open()
    yield room
    room.engine.close()


async def test_a_wait_ends_at_its_time_and_not_before(room: Room) -> None:
    await room.engine.start("one", "w")
    await room.waits()
    room.time.advance(seconds=HOUR - 1)
    await room.waits()
    assert await room.engine.alive("w")
    room.time.advance(seconds=1)
    assert await room.ended("w") is None


async def test_a_message_ends_it_and_the_next_wait_has_its_own_time(room: Room) -> None:
    await room.engine.start("two", "w")
    await room.waits()
    room.time.advance(seconds=HOUR / 2)
    await room.engine.send("w", "topic", {"choice": "approve"}, key="click")
    await room.waits(nth=2)
    room.time.advance(seconds=HOUR / 2)  # the first wait would end now
    await room.waits()
    assert await room.engine.alive("w")
    room.time.advance(seconds=HOUR / 2)
    assert await room.ended("w") == [{"choice": "approve"}, None]


async def test_a_message_that_comes_twice_under_one_key_counts_once(room: Room) -> None:
    await room.engine.start("two", "w")
    for _ in range(2):
        await room.engine.send("w", "topic", 1, key="click")
    await room.waits(nth=2)
    room.time.advance(seconds=HOUR)
    assert await room.ended("w") == [1, None]


async def test_the_end_of_an_earlier_wait_does_not_end_a_later_one(room: Room) -> None:
    await room.engine.start("two", "w")
    await room.waits()
    await room.engine.send("w", "topic", {"$rings": "of an earlier wait"}, key="stale")
    await room.waits()
    assert await room.engine.alive("w")
    await room.engine.send("w", "topic", "a", key="a")
    await room.engine.send("w", "topic", "b", key="b")
    assert await room.ended("w") == ["a", "b"]


@pytest.mark.parametrize("kind", ["one", "pause"])
async def test_a_clock_that_is_set_ends_no_wait_and_prolongs_none(room: Room, kind: str) -> None:
    await room.engine.start(kind, "w")
    await room.waits()
    room.time.set(room.time.at + timedelta(days=1))
    await room.waits()
    assert await room.engine.alive("w")
    room.time.set(room.time.at - timedelta(days=2))
    room.time.advance(seconds=HOUR)
    assert await room.ended("w") in (None, "went on")


@pytest.mark.parametrize("kind", ["one", "pause"])
async def test_the_time_in_which_nothing_ran_counts(room: Room, kind: str) -> None:
    await room.engine.start(kind, "w")
    await room.waits()
    await room.crash()
    room.time.advance(seconds=HOUR - 1)
    room.open()
    await room.waits()
    assert await room.engine.alive("w")
    room.time.advance(seconds=1)
    assert await room.ended("w") in (None, "went on")


async def test_a_clock_that_was_set_back_while_nothing_ran_does_not_prolong_a_wait(
    room: Room,
) -> None:
    await room.engine.start("one", "w")
    await room.waits()
    await room.crash()
    room.time.set(room.time.at - timedelta(days=365))
    room.open()
    assert await room.engine.alive(
        "w"
    )  # asked at once: the journal's threads are those of this life
    await room.waits(nth=2)
    room.time.advance(seconds=HOUR)
    assert await room.ended("w") is None


async def test_a_message_that_came_while_nothing_ran_is_heard(room: Room) -> None:
    await room.engine.start("one", "w")
    await room.waits()
    await room.engine.send("w", "topic", "approve", key="click")
    await room.crash()
    room.time.advance(seconds=2 * HOUR)
    room.open()
    assert await room.ended("w") == "approve"


async def test_a_wait_ends_though_the_journal_was_down_at_its_time(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.workflows.waiting.RETRY_S", 0.01)
    around, down = room.engine._around, [3]

    async def send(*to: Any, key: str) -> None:
        if down[0] > 0:
            down[0] -= 1
            raise Unavailable("database", "is down")
        await room.engine.send(*to, key=key)

    object.__setattr__(around, "send", send)
    await room.engine.start("one", "w")
    await room.waits()
    room.time.advance(seconds=HOUR)
    assert await room.ended("w") is None
    assert down == [0]
