"""What SQL and the journal of one story hold."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy
from sqlalchemy import Connection, text

OWN, JOURNAL = "sre-bot.sqlite", "sre-bot-journal.sqlite"


@dataclass(frozen=True, kw_only=True)
class Records:
    """The tables of a story: in one PostgreSQL database, or in two SQLite files."""

    own: str  # URLs
    journal: str

    @property
    def _schema(self) -> str:
        return "" if self.own.startswith("sqlite") else "dbos."

    def count(self, condition: str) -> int:
        """Return how many rows there are: "executions WHERE NOT is_undo"."""
        with _connected(self.own) as sql:
            return int(sql.execute(text(f"SELECT count(*) FROM {condition}")).scalar_one())

    def steps(self, ending: str) -> list[str]:
        """Return the journaled steps of the workflow whose id ends so."""
        with _connected(self.journal) as sql:
            found = sql.execute(
                text(
                    f"SELECT function_name FROM {self._schema}operation_outputs "
                    "WHERE workflow_uuid LIKE :ending ORDER BY function_id"
                ),
                {"ending": f"%{ending}"},
            )
            return list(found.scalars())

    def owner(self, ending: str) -> str:
        """Return the executor id of the workflow whose id ends so."""
        with _connected(self.journal) as sql:
            query = (
                f"SELECT executor_id FROM {self._schema}workflow_status "
                "WHERE workflow_uuid LIKE :ending"
            )
            return str(sql.execute(text(query), {"ending": f"%{ending}"}).scalar_one())

    def states(self, ending: str = "") -> Counter[str]:
        """Return how many workflows whose ids end so are in which state."""
        with _connected(self.journal) as sql:
            query = (
                f"SELECT status FROM {self._schema}workflow_status WHERE workflow_uuid LIKE :ending"
            )
            return Counter(map(str, sql.execute(text(query), {"ending": f"%{ending}"}).scalars()))


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    engine = sqlalchemy.create_engine(url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()
