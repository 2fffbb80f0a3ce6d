"""Roles and autonomy levels."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from bot.domain.action import Level
from bot.domain.people import ANYWHERE, Role
from bot.domain.time import Clock
from bot.domain.trust import LevelGrant as LevelGrant
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

    async def holders(self, role: Role, environment: str) -> tuple[tuple[str, str], ...]:
        """Return (team, user) of everybody who holds a role here."""
        query = select(RoleRow.team, RoleRow.user).where(
            RoleRow.role == role.value, RoleRow.environment.in_(("", environment))
        )
        found = await self._database.run(lambda session: session.execute(query).all())
        return tuple(sorted({(team, user) for team, user in found}))

    async def all(self) -> tuple[RoleRow, ...]:
        """Return every grant, for people to read."""
        return await self._database.run(lambda session: tuple(session.scalars(select(RoleRow))))


class Levels:
    """`LevelStore` in SQL."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def level_of(self, environment: str, action: str, service: str) -> Level:
        """Return the lowest of the levels that apply; absent means L1.

        An expired one counts as what held before it; if nothing did, as absent.
        """
        now = self._clock.now()

        def read(session: Session) -> Level:
            rows = session.scalars(
                select(LevelRow).where(
                    LevelRow.environment == environment,
                    LevelRow.action.in_((action, EVERY_ACTION)),
                    LevelRow.service.in_(("", service)),
                )
            )
            levels = [level for row in rows if (level := _holds(row, now)) is not None]
            return Level(min(levels, default=Level.L1))

        return await self._database.run(read)

    async def held(self, environment: str, action: str, service: str) -> LevelGrant | None:
        """Return what was granted under exactly this key, expired or not."""

        def read(session: Session) -> LevelGrant | None:
            row = session.get(LevelRow, (environment, action, service))
            return _grant(row) if row else None

        return await self._database.run(read)

    async def grant(self, granted: LevelGrant) -> None:
        """Set one level. The caller has checked who may, and writes the audit."""
        now = self._clock.now()

        def write(session: Session) -> None:
            key = (granted.environment, granted.action, granted.service)
            old = session.get(LevelRow, key, with_for_update=True)
            fallback = granted.fallback or (_holds(old, now) if old else None)
            row = LevelRow(
                environment=granted.environment, action=granted.action, service=granted.service,
                level=int(granted.level), granted_by=granted.by, granted_at=now,
                reason=granted.reason, expires_at=granted.expires_at,
                fallback=None if fallback is None else int(fallback),
            )  # fmt: skip
            session.merge(row)

        await self._database.run(write)

    async def all(self) -> tuple[LevelRow, ...]:
        """Return every level, for people to read."""
        order = (LevelRow.environment, LevelRow.action, LevelRow.service)
        return await self._database.run(
            lambda session: tuple(session.scalars(select(LevelRow).order_by(*order)))
        )


def _holds(row: LevelRow, now: datetime) -> int | None:
    """Return the level that a row stands for at this moment, None for nothing."""
    return row.level if row.expires_at is None or row.expires_at > now else row.fallback


def _grant(row: LevelRow) -> LevelGrant:
    return LevelGrant(
        environment=row.environment, action=row.action, level=Level(row.level), by=row.granted_by,
        reason=row.reason, service=row.service, expires_at=row.expires_at,
        fallback=None if row.fallback is None else Level(row.fallback),
    )  # fmt: skip
