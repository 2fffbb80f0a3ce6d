"""A journal that cannot be written stops nothing for good: work goes on where it stood."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy

from bot.domain.errors import Permanent, Unavailable
from bot.workflows.engine import Engine, receive, step

PATIENCE_S = 30.0


@dataclass
class Works:
    """An engine on a disk that a test fills up, and a workflow of three steps and a wait."""

    folder: Path
    did: list[str] = field(default_factory=list)
    during: dict[str, Callable[[], None]] = field(default_factory=dict)
    full: bool = False

    def open(self) -> None:
        self.engine = Engine(f"sqlite:///{self.folder / 'journal.sqlite'}", poll_s=0.01)
        self.engine.register("flow", self._flow)
        self.engine.launch()
        sqlalchemy.event.listen(self.engine._dbos._sys_db.engine, "checkout", self._limit)

    def _limit(self, connection: Any, *_rest: Any) -> None:
        connection.execute(f"PRAGMA max_page_count = {1 if self.full else 1_000_000}")

    async def _flow(self) -> str:
        for name in ("one", "two"):
            await step(name, str, lambda name=name: self._do(name))  # type: ignore[misc]
        heard = await receive("topic", timeout_s=PATIENCE_S)
        await step("three", str, lambda: self._do("three"))
        return f"ended, {heard}"

    async def _do(self, name: str) -> str:
        self.did.append(name)
        if name in self.during:
            self.during.pop(name)()
        return "x" * 50_000  # more than fits on the pages that there are

    def fill(self) -> None:
        self.full = True

    async def comes_to(self, name: str) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while name not in self.did:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.02)

    async def ended(self) -> Any:
        await self.engine.send("w", "topic", "yes", key="yes")
        async with asyncio.timeout(PATIENCE_S):
            return await self.engine.result("w")


@pytest.fixture
async def works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Works]:
    monkeypatch.setattr("bot.workflows.strays.AFTER_S", 0.3)
    works = Works(tmp_path)
    works.open()
    yield works
    works.engine.close()


async def test_work_goes_on_where_it_stood_when_a_full_disk_has_room_again(works: Works) -> None:
    works.during["two"] = works.fill
    await works.engine.start("flow", "w")
    await works.comes_to("two")
    await asyncio.sleep(1.0)  # it may have been taken up meanwhile, and have come no further
    assert set(works.did) == {"one", "two"}
    assert await works.engine.alive("w")
    works.full = False
    assert await works.ended() == "ended, yes"
    again = works.did.count("two")  # what was not written down is done again, and nothing else
    assert again >= 2
    assert works.did == ["one", *["two"] * again, "three"]


async def test_an_end_that_could_not_be_written_down_is_written_later(works: Works) -> None:
    await works.engine.start("flow", "w")
    await works.engine.send("w", "topic", "yes", key="yes")
    works.during["three"] = works.fill
    await works.comes_to("three")
    await asyncio.sleep(1.0)
    works.full = False
    assert await works.ended() == "ended, yes"
    assert works.did[:2] == ["one", "two"]
    assert set(works.did[2:]) == {"three"}


async def test_nothing_is_started_by_halves_on_a_full_disk(works: Works) -> None:
    works.fill()
    with pytest.raises(Unavailable):
        await works.engine.start("flow", "x" * 60_000)
    works.full = False
    await works.engine.start("flow", "w")
    assert await works.ended() == "ended, yes"


async def test_what_can_never_work_ends(works: Works) -> None:
    def refused() -> None:
        raise Permanent("never")

    works.during["two"] = refused
    await works.engine.start("flow", "w")
    with pytest.raises(Permanent, match="never"):
        await works.ended()
    assert works.did == ["one", "two"]
