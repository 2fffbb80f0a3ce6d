"""What is watched follows the settings; what was told before a restart is known after it."""

import asyncio
from pathlib import Path

from bot.app.intake import intake_of
from bot.app.sources import sources_of
from bot.app.watching import StoppedClock, inquiry_of
from bot.domain.environment import Environment, Tier
from bot.settings import Settings
from bot.storage.migrate import prepared
from tests.unit.intake.doorway import NOW
from tests.unit.remediation.office import FakeClock

CLUSTER = {"kubernetes": {"url": "http://127.0.0.1:9"}}
PLACES = (
    Environment(name="prod", tier=Tier.PRODUCTION, namespaces=("shop",), connections=CLUSTER),
    Environment(name="dev", tier=Tier.DEVELOPMENT, namespaces=("shop",)),
)


async def test_only_what_is_wished_is_watched_and_a_stop_ends_it(tmp_path: Path) -> None:
    database = prepared(f"sqlite:///{tmp_path / 'bot.sqlite'}")
    quiet, eager = Settings(), Settings(kubernetes_events=True, objectives_every_seconds=60)
    inquiry = inquiry_of(quiet, PLACES, StoppedClock(at=NOW))
    intake = intake_of(quiet, database, FakeClock())
    assert sources_of(quiet, intake, inquiry) == ()
    sources = sources_of(eager, intake, inquiry)
    assert len(sources) == 2, "the events of prod, and the objectives of both"
    async with intake.running(*sources):
        await asyncio.sleep(0.2)
    assert len(asyncio.all_tasks()) == 1
    database.close()
