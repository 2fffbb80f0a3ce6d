"""What the grey-failure watcher remembers, and which replica is the one that watches."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from bot.storage.database import Database
from bot.storage.grey_tables import GreyBaselineRow, GreyWatchRow

Json = Mapping[str, Any]
KEPT = timedelta(days=60)  # a stream that was not seen for so long is forgotten


class GreyMemory:
    """`Memory` of the grey watch in SQL: leased, and a lease that ended fences its holder."""

    def __init__(self, database: Database, holder: str) -> None:
        self._database, self._holder = database, holder

    async def take(self, environment: str, now: datetime, seconds: float) -> bool:
        """Take or prolong the lease; return whether this replica has it. Raises: Unavailable."""
        until = now + timedelta(seconds=seconds)

        def write(session: Session) -> bool:
            row = session.get(GreyWatchRow, environment, with_for_update=True)
            if row is None:
                fresh = GreyWatchRow(
                    environment=environment, holder=self._holder, held_until=until, body={}
                )
                session.add(fresh)
                session.flush()
                return True
            if row.holder != self._holder and row.held_until > now:
                return False
            row.holder, row.held_until = self._holder, until
            return True

        return await self._database.run(write)

    async def release(self, environment: str, now: datetime) -> None:
        """Give the lease back, so that another need not wait for its end. Raises: Unavailable."""

        def write(session: Session) -> None:
            row = session.get(GreyWatchRow, environment, with_for_update=True)
            if row is not None and row.holder == self._holder:
                row.held_until = min(row.held_until, now)

        await self._database.run(write)

    async def load(self, environment: str) -> tuple[Json, Mapping[str, Json]]:
        """Return what the watch stands at, and the baselines by stream. Raises: Unavailable."""
        of_it = GreyBaselineRow.environment == environment

        def read(session: Session) -> tuple[Json, Mapping[str, Json]]:
            watch = session.get(GreyWatchRow, environment)
            rows = session.scalars(select(GreyBaselineRow).where(of_it))
            return (watch.body if watch else {}), {row.stream: row.body for row in rows}

        return await self._database.run(read)

    async def save(self, environment: str, standing: Json, now: datetime) -> bool:
        """Keep what the watch stands at; False, and nothing is kept, if the lease was lost.

        Raises: Unavailable.
        """

        def write(session: Session) -> bool:
            row = session.get(GreyWatchRow, environment, with_for_update=True)
            if row is None or row.holder != self._holder or row.held_until <= now:
                return False
            row.body = dict(standing)
            return True

        return await self._database.run(write)

    async def keep(self, environment: str, bodies: Mapping[str, Json], now: datetime) -> None:
        """Keep baselines, and forget those of streams long gone. Raises: Unavailable."""
        of_it = GreyBaselineRow.environment == environment

        def write(session: Session) -> None:
            known = set(session.scalars(select(GreyBaselineRow.stream).where(of_it)))
            rows = [
                {"environment": environment, "stream": s, "at": now, "body": dict(b)}
                for s, b in bodies.items()
            ]
            old = [row for row in rows if row["stream"] in known]
            new = [row for row in rows if row["stream"] not in known]
            if old:
                session.execute(update(GreyBaselineRow), old)
            if new:
                session.execute(insert(GreyBaselineRow), new)
            session.execute(delete(GreyBaselineRow).where(of_it, GreyBaselineRow.at < now - KEPT))

        await self._database.run(write)
