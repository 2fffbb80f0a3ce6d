"""A bot that does nothing but digests, as a process of its own that dies where it is told to.

The argument is a JSON object: `journal`, `database`, `slack` (URL of the Web API), `channel`, `now`
(ISO), `executor`, and `die` (a point of `POINTS`, or ""). It ends with "idle" when all is done.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime

from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.kpis import DigestPlan, Facts
from bot.domain.ports import Posted
from bot.domain.time import ScaledClock, Window
from bot.sandbox.workspace.records import App
from bot.slack.notifier import SlackNotifier
from bot.storage.database import Database
from bot.storage.kpis import KpiFacts
from bot.storage.migrate import upgrade
from bot.storage.outbox import Messages
from bot.storage.people import People
from bot.workflows.digest_refused import DigestRefused
from bot.workflows.digesting import Digesting
from bot.workflows.engine import Engine
from tests.fakes.clockwork import DrivenTime

POINTS = (
    "before the reckoning",
    "after the reckoning, before its checkpoint",
    "the post is meant, not sent",
    "the post is sent, not recorded",
    "the post is recorded, the picture not meant",
    "the picture is meant, not sent",
    "the picture is sent, not recorded",
    "all is recorded, before the checkpoint",
)
Die = Callable[[str], None]


class MortalFacts(KpiFacts):
    """Facts that may end the process that reads them."""

    def __init__(self, database: Database, die: Die) -> None:
        super().__init__(database)
        self._die = die

    async def facts(self, span: Window) -> Facts:
        self._die(POINTS[0])
        found = await super().facts(span)
        self._die(POINTS[1])
        return found


class MortalMessages(Messages):
    """An outbox that may end the process that uses it."""

    def __init__(self, database: Database, die: Die) -> None:
        super().__init__(database)
        self._die = die

    async def begin(self, key: str, channel: str) -> Posted | None:
        picture = key.endswith("/trend")
        if picture:
            self._die(POINTS[4])
        known = await super().begin(key, channel)
        self._die(POINTS[5] if picture else POINTS[2])
        return known

    async def finish(self, posted: Posted) -> None:
        picture = posted.key.endswith("/trend")
        self._die(POINTS[6] if picture else POINTS[3])
        await super().finish(posted)
        if picture:
            self._die(POINTS[7])


async def run(given: dict[str, str]) -> None:
    """Serve what is due and end when it is done."""
    time = DrivenTime(at=datetime.fromisoformat(given["now"]))

    def die(point: str) -> None:
        if point == given["die"]:
            os.kill(os.getpid(), signal.SIGKILL)

    database = Database(given["database"])
    upgrade(database.engine)
    client = AsyncWebClient(token=App().bot_token, base_url=given["slack"])
    notify = SlackNotifier(client, MortalMessages(database, die), lambda chart, suspect: b"")
    plan = DigestPlan(channel=given["channel"], zone="Europe/Paris")
    digesting = Digesting(
        plan=plan,
        facts=MortalFacts(database, die),
        notify=notify,
        wall=ScaledClock(origin=time.at),
        refused=DigestRefused(notify=notify, holders=People(database).holders),
    )
    engine = Engine(given["journal"], executor_id=given["executor"], poll_s=0.02, time=time)
    name = f"digest:{plan.channel}"
    engine.schedule(name, plan.cron, plan.zone, digesting.body)
    engine.launch()
    await engine.known_since(name)
    await engine._schedules.serve()
    for run_id in await engine.newest_runs(name, 5):
        while await engine.alive(run_id):  # noqa: ASYNC110 - the journal tells nobody
            await asyncio.sleep(0.02)
    engine.close()
    database.close()
    sys.stdout.write("idle\n")


if __name__ == "__main__":
    asyncio.run(run(json.loads(sys.argv[1])))
