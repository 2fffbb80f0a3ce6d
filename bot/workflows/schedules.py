"""Starts what recurs: each due time once, whatever crashes; what was missed, once."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Protocol

from bot.domain.errors import SreBotError
from bot.domain.redaction import redact
from bot.workflows.cron import Cron
from bot.workflows.timing import Timekeeper

LOG = logging.getLogger(__name__)
LONGEST_NAME = 100
RETRY_S = 5.0  # after the database could not be asked
MOST_MISSED = 10_000  # more are not counted
NEWEST = 50  # runs that are looked at to find the last one
STAMP = "%Y-%m-%dT%H:%MZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A due time. `missed` earlier ones passed while no bot ran, and stay undone."""

    at: datetime  # aware UTC
    missed: int = 0


DueBody = Callable[[Due], Awaitable[object]]


class Journal(Protocol):
    """What a schedule needs of the engine."""

    async def start_due(self, name: str, run_id: str, due: Due) -> None:
        """Start the schedule's workflow under that id; one that was started does nothing."""
        ...

    async def known_since(self, name: str) -> datetime:
        """Return when the schedule was first seen."""
        ...

    async def newest_runs(self, name: str, limit: int) -> Sequence[str]:
        """Return the ids of the newest runs of the schedule."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A name, which is kept in the journal, and when it is due."""

    name: str
    cron: Cron

    def run_id(self, at: datetime) -> str:
        """Return the workflow id of a due time: the same on every replica."""
        return f"{self.name}@{at.astimezone(UTC).strftime(STAMP)}"

    async def serve(self, journal: Journal, now: datetime) -> None:
        """Start the newest due time that has not been started. Raises: Unavailable."""
        last = await self._last(journal, now)
        due = list(islice(self.cron.between(last, now), MOST_MISSED))
        if due:
            missed = Due(at=due[-1], missed=len(due) - 1)
            await journal.start_due(self.name, self.run_id(due[-1]), missed)

    async def _last(self, journal: Journal, now: datetime) -> datetime:
        """Return the last due time that was started, or since when the schedule is known."""
        runs = await journal.newest_runs(self.name, NEWEST)
        at = [_due_time(run) for run in runs]
        past = [moment for moment in at if moment <= now]  # a clock may have been set back
        return max(past) if past else min(now, await journal.known_since(self.name))


class Schedules:
    """All schedules of one replica."""

    def __init__(self, journal: Journal, time: Timekeeper) -> None:
        self._journal, self._time = journal, time
        self._schedules: dict[str, Schedule] = {}

    def add(self, schedule: Schedule) -> None:
        """Keep it. Raises: ValueError: the name is taken, or not fit for an id."""
        fit = 0 < len(schedule.name) <= LONGEST_NAME and "@" not in schedule.name
        if not fit or schedule.name in self._schedules:
            raise ValueError(f"not a free name of a schedule: {schedule.name}")
        self._schedules[schedule.name] = schedule

    async def run(self) -> None:
        """Serve what is due, and wait for what is next, for ever."""
        while self._schedules:
            now = self._time.now()
            try:
                await self.serve()
            except SreBotError as error:
                LOG.warning("what is due could not be started yet: %s", redact(str(error)))
                await self._time.sleep(RETRY_S)
                continue
            await self._time.until(min(s.cron.next(now) for s in self._schedules.values()))

    async def serve(self) -> None:
        """Start everything that is due. Raises: Unavailable."""
        now = self._time.now()
        served = (s.serve(self._journal, now) for s in self._schedules.values())
        problems = [
            p for p in await asyncio.gather(*served, return_exceptions=True) if p is not None
        ]
        if problems:
            raise problems[0]


def _due_time(run_id: str) -> datetime:
    return datetime.strptime(run_id.rpartition("@")[2], STAMP).replace(tzinfo=UTC)
