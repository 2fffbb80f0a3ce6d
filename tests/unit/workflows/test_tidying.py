"""What ended long ago is forgotten; what goes on, and what schedules rest on, never is."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.errors import Permanent
from bot.workflows import tidying
from bot.workflows.engine import Due, Engine, step
from bot.workflows.waiting import receive
from tests.fakes.clockwork import DrivenTime
from tests.unit.workflows.test_schedules import PATIENCE_S

LONG = tidying.KEPT + timedelta(days=1)


class Works:
    """An engine whose work ends well, ends badly, or waits; only the tidying is told of later."""

    def __init__(self, journal: str) -> None:
        self.seen: list[str] = []
        self.engine = Engine(journal, executor_id="test", poll_s=0.01)
        self.engine.register("investigate", self._body)
        self.engine.schedule("digest:C1", "0 9 * * 1", "UTC", self._digest)
        self.engine.launch()

    async def _body(self, name: str) -> str:
        if name.startswith("waits"):
            await receive("word", timeout_s=1e6)
        return await step("look", str, lambda: self._look(name))

    async def _look(self, name: str) -> str:
        self.seen.append(name)
        if name.startswith("fails"):
            raise Permanent("no such field")
        return "seen"

    async def _digest(self, due: Due) -> None:
        pass

    async def run(self, *names: str) -> None:
        for name in names:
            await self.engine.start("investigate", name, name)

    def later(self) -> None:
        """Let the tidying, and nothing else, think that it is long after."""
        self.engine._tidying._time = DrivenTime(at=datetime.now(UTC) + LONG)

    async def tidy(self) -> int:
        return await self.engine._tidying.round()

    async def ended(self, *names: str) -> None:
        async with asyncio.timeout(PATIENCE_S):
            for name in names:
                while await self.engine.alive(name):  # noqa: ASYNC110 - the journal tells nobody
                    await asyncio.sleep(0.01)


@pytest.fixture(params=["sqlite", "postgresql"])
async def works(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Works]:
    url = f"sqlite:///{tmp_path / 'journal.sqlite'}"
    works = Works(request.getfixturevalue("postgres_url") if request.param == "postgresql" else url)
    yield works
    works.engine.close()


async def test_what_ended_long_ago_is_forgotten_and_nothing_else(works: Works) -> None:
    await works.run("done-1", "done-2", "fails-1", "waits-1")
    await works.ended("done-1", "done-2", "fails-1")
    since = await works.engine.known_since("digest:C1")
    assert await works.tidy() == 0
    works.later()
    assert await works.tidy() == 3
    assert await works.tidy() == 0
    assert await works.engine.unfinished() == 1
    assert await works.engine.known_since("digest:C1") == since
    await works.engine.send("waits-1", "word", {}, key="go")
    await works.ended("waits-1")
    assert works.seen.count("waits-1") == 1


async def test_more_than_a_batch_is_forgotten_in_one_round(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tidying, "BATCH", 3)
    names = [f"done-{n}" for n in range(8)]
    await works.run(*names)
    await works.ended(*names)
    works.later()
    assert await works.tidy() == len(names)


async def test_it_happens_by_itself_and_again_after_trouble(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    await works.run("done-1")
    await works.ended("done-1")
    works.later()
    monkeypatch.setattr(tidying, "SOON_S", 0.01)
    monkeypatch.setattr(tidying, "EVERY_S", 0.01)
    troubled = Troubled(works.engine._tidying)
    monkeypatch.setattr(works.engine._tidying, "round", troubled.round)
    task = asyncio.create_task(works.engine._tidying.watch())
    async with asyncio.timeout(PATIENCE_S):
        while not troubled.removed:  # noqa: ASYNC110 - a number tells nobody
            await asyncio.sleep(0.01)
    task.cancel()
    assert troubled.removed == 1


class Troubled:
    """Tidying whose database is away at first."""

    def __init__(self, tidies: tidying.Tidying) -> None:
        self._round, self.removed, self.tries = tidies.round, 0, 0

    async def round(self) -> Any:
        self.tries += 1
        if self.tries == 1:
            raise tidying.DRIVER_ERRORS[0]("the database is away")
        self.removed += await self._round()
