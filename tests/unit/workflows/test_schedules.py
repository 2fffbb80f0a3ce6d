"""What recurs happens once per due time, whatever crashes, and is made up for once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.errors import NotConfigured, Permanent
from bot.workflows.engine import Engine, do
from bot.workflows.schedules import Due
from bot.workflows.timing import WallTime
from tests.fakes.clockwork import DrivenTime

MONDAYS = "0 9 * * 1"
PATIENCE_S = 20.0


@dataclass
class Desk:
    """An engine with a weekly digest on a clock that the test drives; it can be restarted."""

    folder: Path
    time: DrivenTime = field(default_factory=DrivenTime)
    posted: list[Due] = field(default_factory=list)
    during: Callable[[], Awaitable[None]] | None = None
    cron: str = MONDAYS

    def open(self) -> None:
        self.engine = Engine(
            f"sqlite:///{self.folder / 'journal.sqlite'}",
            executor_id="test", poll_s=0.01, time=self.time,
        )  # fmt: skip
        self.engine.schedule("digest:C1", self.cron, "Europe/Paris", self._body)
        self.engine.launch()

    async def _body(self, due: Due) -> None:
        async def post() -> None:
            if self.during is not None:
                await self.during()
            self.posted.append(due)

        await do("post", post)

    async def known(self) -> None:
        """Wait until the schedule is known in the journal."""
        async with asyncio.timeout(PATIENCE_S):
            await self.engine.known_since("digest:C1")

    async def posts(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while len(self.posted) < count:  # noqa: ASYNC110 - a list tells nobody
                await asyncio.sleep(0.01)

    async def nothing_more(self) -> None:
        """Have whatever is due be started, and give it time."""
        await self.engine._schedules.serve()
        await asyncio.sleep(0.1)

    @property
    def at(self) -> list[str]:
        return [f"{due.at:%m-%d %H:%M}" for due in self.posted]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    desk = Desk(tmp_path)
    desk.open()
    await desk.known()
    yield desk
    desk.engine.close()


async def test_it_happens_once_at_every_due_time(desk: Desk) -> None:
    for week in range(1, 4):
        desk.time.advance(days=7)
        await desk.posts(week)
    await desk.nothing_more()
    assert desk.at == ["03-09 08:00", "03-16 08:00", "03-23 08:00"]
    assert [due.missed for due in desk.posted] == [0, 0, 0]


async def test_nothing_is_due_before_its_time(desk: Desk) -> None:
    desk.time.advance(days=6, hours=23, minutes=59)
    await desk.nothing_more()
    assert desk.posted == []


async def test_after_a_week_down_it_is_made_up_for_once(desk: Desk) -> None:
    desk.engine.close()
    desk.time.advance(days=9)  # over the next Monday, though none was ever served
    desk.open()
    await desk.posts(1)
    await desk.nothing_more()
    assert desk.at == ["03-09 08:00"]


async def test_after_three_weeks_down_the_newest_is_made_up_for_and_the_others_are_counted(
    desk: Desk,
) -> None:
    desk.engine.close()
    desk.time.advance(days=22)
    desk.open()
    await desk.posts(1)
    await desk.nothing_more()
    assert (desk.at, desk.posted[0].missed) == (["03-23 08:00"], 2)


async def test_a_restart_in_the_middle_ends_it_and_does_not_begin_it_again(desk: Desk) -> None:
    began = asyncio.Event()

    async def never() -> None:
        began.set()
        await asyncio.Event().wait()

    desk.during = never
    desk.time.advance(days=7)
    await asyncio.wait_for(began.wait(), PATIENCE_S)
    desk.engine.close()
    desk.during = None
    desk.open()
    await desk.posts(1)
    await desk.nothing_more()
    assert desk.at == ["03-09 08:00"]


async def test_a_clock_that_is_set_back_brings_nothing_twice(desk: Desk) -> None:
    desk.time.advance(days=7)
    await desk.posts(1)
    desk.time.set(desk.time.at - timedelta(days=3))
    await desk.nothing_more()
    desk.time.advance(days=3, hours=1)
    await desk.nothing_more()
    assert desk.at == ["03-09 08:00"]


async def test_a_clock_that_was_set_far_ahead_by_mistake_stops_nothing_for_good(desk: Desk) -> None:
    desk.time.set(desk.time.at + timedelta(days=3650))
    await desk.posts(1)
    desk.time.set(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
    await desk.nothing_more()
    desk.time.advance(days=7)
    await desk.posts(2)
    assert desk.at[1] == "03-09 08:00"


async def test_other_times_take_effect_with_the_next_start(desk: Desk) -> None:
    desk.engine.close()
    desk.cron = "30 17 * * 5"
    desk.open()
    desk.time.advance(days=7)
    await desk.posts(1)
    await desk.nothing_more()
    assert desk.at == ["03-06 16:30"]


async def test_two_schedules_do_not_hinder_each_other(tmp_path: Path) -> None:
    time, ran = DrivenTime(), []
    engine = Engine(f"sqlite:///{tmp_path / 'j.sqlite'}", executor_id="t", poll_s=0.01, time=time)

    async def broken(due: Due) -> None:
        raise Permanent("it cannot be done")

    async def fine(due: Due) -> None:
        ran.append(due.at)

    engine.schedule("broken", "0 * * * *", "UTC", broken)
    engine.schedule("fine", "0 * * * *", "UTC", fine)
    engine.launch()
    try:
        await engine.known_since("broken")
        await engine.known_since("fine")
        for hour in range(1, 3):
            time.advance(hours=1)
            async with asyncio.timeout(PATIENCE_S):
                while len(ran) < hour:  # noqa: ASYNC110 - a list tells nobody
                    await asyncio.sleep(0.01)
    finally:
        engine.close()


async def test_a_bad_schedule_is_refused_before_the_start(tmp_path: Path) -> None:
    engine = Engine(f"sqlite:///{tmp_path / 'j.sqlite'}", executor_id="t")

    async def body(due: Due) -> None: ...

    try:
        with pytest.raises(NotConfigured):
            engine.schedule("weekly", "soon", "UTC", body)
        with pytest.raises(NotConfigured):
            engine.schedule("weekly", MONDAYS, "Mars/Olympus", body)
        engine.schedule("weekly", MONDAYS, "UTC", body)
        for name in ("weekly", "we@kly", "", "x" * 101):
            with pytest.raises(ValueError, match="name"):
                engine.schedule(name, MONDAYS, "UTC", body)
    finally:
        engine.close()


async def test_the_wall_clock_is_waited_for_and_a_set_back_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    time, start = WallTime(), datetime.now(UTC)
    await time.until(start + timedelta(seconds=0.05))
    assert time.now() >= start + timedelta(seconds=0.05)
    monkeypatch.setattr("bot.workflows.timing.GLANCE_S", 0.01)
    shown = [start, start - timedelta(days=1)]
    monkeypatch.setattr(time, "now", lambda: shown.pop(0))
    async with asyncio.timeout(PATIENCE_S):
        await time.until(start + timedelta(days=7))
    assert shown == []
