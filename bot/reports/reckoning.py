"""From where the facts are kept to a digest: which weeks to read, and in which zone."""

import asyncio
from datetime import date, datetime
from zoneinfo import ZoneInfo

from bot.domain.kpis import FactSource, Scope
from bot.domain.time import Window
from bot.reports.digest import WEEKS, Digest, digest
from bot.reports.weeks import weeks_until


async def reckon(
    source: FactSource, last: date, zone: ZoneInfo, scope: Scope, now: datetime
) -> Digest:
    """Return the digest of the week that ends with the midnight in which `last` begins.

    Raises: Unavailable.
    """
    weeks = weeks_until(last, zone, WEEKS)
    until = max(weeks[-1].end, now)  # what waits now may have been offered since
    facts = await source.facts(Window(start=weeks[0].start, end=until))
    # In a thread: a busy quarter takes a second, in which others want to be answered.
    return await asyncio.to_thread(digest, facts, weeks, zone.key, scope, now)
