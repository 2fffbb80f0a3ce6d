"""Where incidents are told, and who calls whom: both learned, both kept."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.domain.incident import Route
from bot.storage.database import Database
from bot.storage.signal_tables import RouteRow
from bot.storage.triage_tables import CallRow

LONGEST_NAME = 255


class Routes:
    """`RouteStore` in SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def set(self, route: Route) -> None:
        """Keep a route; one of the same service is replaced."""
        row = RouteRow(
            environment=route.environment, service=route.service, channel=route.channel,
            set_by=route.set_by, at=route.at,
        )  # fmt: skip
        await self._database.run(lambda session: session.merge(row))

    async def remove(self, environment: str, service: str) -> bool:
        """Forget a route; False: there was none."""

        def write(session: Session) -> bool:
            row = session.get(RouteRow, (environment, service))
            if row is None:
                return False
            session.delete(row)
            return True

        return await self._database.run(write)

    async def all(self) -> Sequence[Route]:
        """Return every route."""
        order = select(RouteRow).order_by(RouteRow.environment, RouteRow.service)
        return await self._database.run(lambda s: tuple(map(_route, s.scalars(order))))


class CallStore:
    """`CallStore` in SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def learn(self, environment: str, calls: Sequence[tuple[str, str]], at: datetime) -> None:
        """Keep (caller, callee) as seen now."""
        fitting = {c for c in calls if all(0 < len(name) <= LONGEST_NAME for name in c)}

        def write(session: Session) -> None:
            mine = select(CallRow).where(CallRow.environment == environment)
            known = {(row.caller, row.callee): row for row in session.scalars(mine)}
            for call in sorted(fitting):
                if call in known:
                    known[call].seen_at = at
                else:
                    caller, callee = call
                    session.add(
                        CallRow(environment=environment, caller=caller, callee=callee, seen_at=at)
                    )

        await self._database.run(write)

    async def known(self, environment: str, since: datetime) -> Sequence[tuple[str, str]]:
        """Return what was seen since then."""
        query = select(CallRow.caller, CallRow.callee).where(
            CallRow.environment == environment, CallRow.seen_at >= since
        )
        return await self._database.run(lambda s: [(a, b) for a, b in s.execute(query)])


def _route(row: RouteRow) -> Route:
    return Route(
        environment=row.environment, service=row.service, channel=row.channel, set_by=row.set_by,
        at=row.at,
    )  # fmt: skip
