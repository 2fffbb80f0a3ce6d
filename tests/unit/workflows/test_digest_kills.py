"""The digest's process is killed for good at every point of it: the week is told once."""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.storage.database import Database
from bot.storage.migrate import upgrade
from tests.fakes.clockwork import DrivenTime
from tests.fakes.digest_child import POINTS
from tests.fakes.quarter import keep, quarter
from tests.fakes.workspace import Running, running_workspace

CHANNEL = "C0INCIDENTS"
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
KILLED = -9
PATIENCE_S = 60.0


@dataclass(kw_only=True)
class Bot:
    """Lives of one bot, one after the other, over the same database, journal and workspace."""

    workspace: Running
    database: str
    journal: str
    time: DrivenTime

    async def live(self, die: str = "", executor: str = "digest") -> int:
        """Run the process until it has nothing to do, or is killed; return how it ended."""
        given = {
            "journal": self.journal, "database": self.database, "channel": CHANNEL, "die": die,
            "slack": f"{self.workspace.url}/slack/api/", "now": self.time.at.isoformat(),
            "executor": executor,
        }  # fmt: skip
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.fakes.digest_child", json.dumps(given),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        async with asyncio.timeout(PATIENCE_S):
            out, err = await child.communicate()
        assert child.returncode == KILLED or out == b"idle\n", err.decode()[-3000:]
        return child.returncode or 0

    async def told(self) -> list[str]:
        """Return the first line of every digest in the channel, with the pictures below each."""
        found = []
        for message in await self.workspace.messages(CHANNEL):
            if "Week " in message.get("text", ""):
                thread = await self.workspace.thread(message["ts"], CHANNEL)
                pictures = sum(len(reply.get("files") or ()) for reply in thread)
                title = message["text"].partition(":")[0]
                found.append(f"{title}, pictures: {pictures}")
        return found


class Wall:
    """The workspace's clock: the driven time, a moment later at each look."""

    def __init__(self, time: DrivenTime) -> None:
        self._time, self._looks = time, 0

    def now(self) -> datetime:
        self._looks += 1
        return self._time.at + timedelta(milliseconds=self._looks)

    def wall_seconds(self, seconds: float) -> float:
        return seconds


async def killed_and_told(
    folder: Path, points: Sequence[str], weeks: int, server: str = ""
) -> list[str]:
    """Kill the bot at each point in a row, every week; return what the channel shows at last."""
    database = server or f"sqlite:///{folder / 'bot.sqlite'}"
    journal = server or f"sqlite:///{folder / 'journal.sqlite'}"
    store = Database(database)
    upgrade(store.engine)
    keep(store, quarter(3, ZoneInfo("Europe/Paris"), date(2026, 3, 30), weeks=6, busy=6))
    store.close()
    time = DrivenTime(at=MONDAY)
    async with running_workspace(clock=Wall(time)) as workspace:
        bot = Bot(workspace=workspace, database=database, journal=journal, time=time)
        assert await bot.live() == 0
        assert await bot.told() == []
        for _ in range(weeks):
            time.advance(days=7)
            for point in points:
                assert await bot.live(point) == KILLED, point
            assert await bot.live() == 0
        assert await bot.live() == 0
        return await bot.told()


async def test_a_week_is_told_once_though_the_bot_is_killed_on_the_way(tmp_path: Path) -> None:
    points = (POINTS[3], POINTS[6])
    assert await killed_and_told(tmp_path, points, 1) == ["Week 10, 2 to 8 Mar, pictures: 1"]


@pytest.mark.long
@pytest.mark.parametrize("server", ["", pytest.param("pg", marks=pytest.mark.integration)])
async def test_weeks_are_told_once_whichever_points_the_bot_is_killed_at(
    tmp_path: Path, request: pytest.FixtureRequest, server: str
) -> None:
    url = str(request.getfixturevalue("postgres_url")) if server else ""
    assert await killed_and_told(tmp_path, POINTS, 3, url) == [
        "Week 10, 2 to 8 Mar, pictures: 1",
        "Week 11, 9 to 15 Mar, pictures: 1",
        "Week 12, 16 to 22 Mar, pictures: 1",
    ]


@pytest.mark.long
@pytest.mark.integration
async def test_three_replicas_at_once_tell_a_week_once(tmp_path: Path, postgres_url: str) -> None:
    time = DrivenTime(at=MONDAY)
    async with running_workspace(clock=Wall(time)) as workspace:
        bot = Bot(workspace=workspace, database=postgres_url, journal=postgres_url, time=time)
        assert await bot.live() == 0
        for _ in range(2):
            time.advance(days=7)
            lives = (bot.live(executor=f"replica-{number}") for number in range(3))
            assert set(await asyncio.gather(*lives)) == {0}
        found = await bot.told()
    assert found == [
        f"Week {n}, {d} Mar, pictures: 0" for n, d in ((10, "2 to 8"), (11, "9 to 15"))
    ]
