"""Roles and autonomy levels."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from bot.domain.action import Level
from bot.domain.people import ANYWHERE, Role
from bot.domain.time import Clock
from bot.storage.database import Database
from bot.storage.tables import LevelRow, RoleRow

EVERY_ACTION = "*"


class People:
    """`PeopleStore` in SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def roles_of(self, team: str, user: str, environment: str) -> frozenset[Role]:
        """Return the roles of a user here (`ANYWHERE`: in any place); unknown users hold none."""
        query = select(RoleRow.role).where(RoleRow.team == team, RoleRow.user == user)
        if environment != ANYWHERE:
            query = query.where(RoleRow.environment.in_(("", environment)))

        def read(session: Session) -> frozenset[Role]:
            return frozenset(Role(role) for role in session.scalars(query))

        return await self._database.run(read)

    async def grant(
        self, team: str, user: str, role: Role, *, environment: str, by: str, at: datetime
    ) -> None:
        """Grant a role; granting it again changes nothing but who and when."""
        row = RoleRow(
            team=team, user=user, role=role.value, environment=environment, granted_by=by,
            granted_at=at,
        )  # fmt: skip
        await self._database.run(lambda session: session.merge(row))

    async def revoke(self, team: str, user: str, role: Role, *, environment: str) -> None:
        """Take a role back."""
        await self._database.run(
            lambda session: session.execute(
                delete(RoleRow).where(
                    RoleRow.team == team,
                    RoleRow.user == user,
                    RoleRow.role == role.value,
                    RoleRow.environment == environment,
                )
            )
        )

    async def all(self) -> tuple[RoleRow, ...]:
        """Return every grant, for people to read."""
        return await self._database.run(lambda session: tuple(session.scalars(select(RoleRow))))


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelGrant:
    """One level to set; `service` "" means all services."""

    environment: str
    action: str
    level: Level
    by: str
    reason: str
    service: str = ""
    expires_at: datetime | None = None


class Levels:
    """`LevelStore` in SQL."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def level_of(self, environment: str, action: str, service: str) -> Level:
        """Return the lowest of the levels that apply; absent means L1, expired means absent."""
        now = self._clock.now()

        def read(session: Session) -> Level:
            rows = session.scalars(
                select(LevelRow).where(
                    LevelRow.environment == environment,
                    LevelRow.action.in_((action, EVERY_ACTION)),
                    LevelRow.service.in_(("", service)),
                )
            )
            levels = [row.level for row in rows if row.expires_at is None or row.expires_at > now]
            return Level(min(levels, default=Level.L1))

        return await self._database.run(read)

    async def grant(self, granted: LevelGrant) -> None:
        """Set one level. The caller has checked who may, and writes the audit."""
        row = LevelRow(
            environment=granted.environment, action=granted.action, service=granted.service,
            level=int(granted.level), granted_by=granted.by, granted_at=self._clock.now(),
            reason=granted.reason, expires_at=granted.expires_at,
        )  # fmt: skip
        await self._database.run(lambda session: session.merge(row))

    async def all(self) -> tuple[LevelRow, ...]:
        """Return every level, for people to read."""
        order = (LevelRow.environment, LevelRow.action, LevelRow.service)
        return await self._database.run(
            lambda session: tuple(session.scalars(select(LevelRow).order_by(*order)))
        )
