"""Kill switch, freeze windows and circuit breakers."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.domain.freeze import Freeze
from bot.domain.time import Window
from bot.storage.breakers import PAIR_LIMIT, count_failure, is_open
from bot.storage.database import Database
from bot.storage.tables import BreakerRow, FreezeRow, SwitchRow

KILL_SWITCH = "kill_switch"


class Switches:
    """`SwitchStore` in SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def stopped(self) -> bool:
        """Whether the kill switch is on."""

        def read(session: Session) -> bool:
            row = session.get(SwitchRow, KILL_SWITCH)
            return row is not None and row.on

        return await self._database.run(read)

    async def set_stopped(self, stopped: bool, *, by: str, reason: str, at: datetime) -> None:
        """Turn the kill switch on or off."""
        row = SwitchRow(name=KILL_SWITCH, on=stopped, set_by=by, reason=reason, at=at)
        await self._database.run(lambda session: session.merge(row))

    async def frozen(self, environment: str, at: datetime) -> bool:
        """Whether a freeze window covers this moment."""

        def read(session: Session) -> bool:
            windows = session.scalars(
                select(FreezeRow).where(FreezeRow.environment.in_(("", environment)))
            )
            return any(row.starts_at <= at < row.ends_at for row in windows)

        return await self._database.run(read)

    async def add_freeze(self, freeze: Freeze) -> None:
        """Keep a window; one of the same id is replaced."""
        row = FreezeRow(
            id=freeze.id, environment=freeze.environment, starts_at=freeze.window.start,
            ends_at=freeze.window.end, reason=freeze.reason, set_by=freeze.by,
        )  # fmt: skip
        await self._database.run(lambda session: session.merge(row))

    async def freeze(self, freeze_id: str) -> Freeze | None:
        """Return a window, over or not."""

        def read(session: Session) -> Freeze | None:
            row = session.get(FreezeRow, freeze_id)
            return _freeze(row) if row else None

        return await self._database.run(read)

    async def freezes(self, at: datetime) -> tuple[Freeze, ...]:
        """Return the windows that are on or ahead at this moment, the earliest first."""
        query = select(FreezeRow).order_by(FreezeRow.starts_at, FreezeRow.id)

        def read(session: Session) -> tuple[Freeze, ...]:
            rows = [row for row in session.scalars(query) if row.ends_at > at]
            return tuple(_freeze(row) for row in rows if row.ends_at > row.starts_at)

        return await self._database.run(read)

    async def lift_freeze(self, freeze_id: str, at: datetime) -> None:
        """End a window at this moment; one that is ahead never begins."""

        def write(session: Session) -> None:
            row = session.get(FreezeRow, freeze_id, with_for_update=True)
            if row is not None:
                row.ends_at = max(row.starts_at, min(row.ends_at, at))

        await self._database.run(write)

    async def breaker_open(self, environment: str, action: str) -> bool:
        """Whether too many executions failed in a row, here or over everything."""
        return await self._database.run(lambda session: is_open(session, environment, action))

    async def open_breaker(self, environment: str, action: str, at: datetime) -> None:
        """Count one failure more, and as many as open the pair's breaker; no more once it is."""

        def write(session: Session) -> None:
            row = session.get(BreakerRow, (environment, action), with_for_update=True)
            if row is None or row.failures < PAIR_LIMIT:
                row = count_failure(session, environment, action, at)
                row.failures = PAIR_LIMIT

        await self._database.run(write)

    async def breakers(self) -> tuple[BreakerRow, ...]:
        """Return all breakers that counted something."""
        return await self._database.run(
            lambda s: tuple(s.scalars(select(BreakerRow).where(BreakerRow.failures > 0)))
        )


def _freeze(row: FreezeRow) -> Freeze:
    window = Window(start=row.starts_at, end=max(row.starts_at, row.ends_at))
    return Freeze(
        id=row.id, environment=row.environment, window=window, reason=row.reason, by=row.set_by
    )
