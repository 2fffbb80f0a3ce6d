"""The workflow that tells a team of its week: reckon once, post once, whatever crashes."""

import asyncio
import logging
from dataclasses import dataclass, replace
from typing import Protocol

from bot.domain.conversation import Thread
from bot.domain.errors import Permanent, Refused
from bot.domain.kpis import DigestPlan, FactSource
from bot.domain.redaction import redact
from bot.domain.time import Clock
from bot.reports.digest import Digest
from bot.reports.reckoning import reckon
from bot.reports.trend import trend
from bot.reports.weeks import last_day, zone_of
from bot.workflows.digest_refused import DigestRefused
from bot.workflows.engine import step
from bot.workflows.schedules import Due

LOG = logging.getLogger(__name__)
ATTEMPTS = 30  # 0.5 s, 1 s, 2 s, … then once an hour: three quarters of a day in all


class TellDigest(Protocol):
    """Where a digest is told."""

    async def digest(self, place: Thread, digest: Digest, picture: bytes) -> None:
        """Post it once for its week, with its picture; a second call edits nothing.

        Raises: Transient; Permanent and Refused: it will never be taken there.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Digesting:
    """Reckons and tells one channel's weeks."""

    plan: DigestPlan
    facts: FactSource
    notify: TellDigest
    wall: Clock
    refused: DigestRefused

    async def body(self, due: Due) -> str:
        """Reckon the week that ended before the due day, and tell it, however long that takes."""
        made = await step("reckon", Digest, lambda: self._reckon(due), attempts=ATTEMPTS)
        told = await step("post", bool, lambda: self._post(made), attempts=ATTEMPTS)
        return "posted" if told else "not posted"

    async def _reckon(self, due: Due) -> Digest:
        zone = zone_of(self.plan.zone)
        day, now = last_day(due.at, zone), self.wall.now()
        made = await reckon(self.facts, day, zone, self.plan.scope, now)
        return replace(made, missed=due.missed)

    async def _post(self, made: Digest) -> bool:
        place = Thread(team="", channel=self.plan.channel, ts="")
        picture = b"" if made.quiet_so_far else await asyncio.to_thread(trend, made)
        try:
            await self.notify.digest(place, made, picture)
        except (Permanent, Refused) as error:
            LOG.warning("the digest of %s was not taken: %s", place.channel, redact(str(error)))
            await self.refused.tell(self.plan, str(error), made.week.end)
            return False
        return True
