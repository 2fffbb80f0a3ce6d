"""The watched environments in SQL, so that the audit and other replicas see the same."""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from bot.domain.codec import decode, encode
from bot.domain.environment import Environment
from bot.storage.database import Database
from bot.storage.tables import EnvironmentRow


class Environments:
    """Keeps the configured environments."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def replace(self, environments: Sequence[Environment]) -> None:
        """Make the table say exactly this."""

        def write(session: Session) -> None:
            session.execute(delete(EnvironmentRow))
            for environment in environments:
                session.add(
                    EnvironmentRow(
                        name=environment.name,
                        tier=environment.tier.value,
                        body=encode(environment),
                    )
                )

        await self._database.run(write)

    async def all(self) -> Sequence[Environment]:
        """Return every environment."""

        def read(session: Session) -> Sequence[Environment]:
            rows = session.scalars(select(EnvironmentRow).order_by(EnvironmentRow.name))
            return tuple(decode(Environment, row.body) for row in rows)

        return await self._database.run(read)
