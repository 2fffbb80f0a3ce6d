"""The engine's journal: how it is written, and handed on to newer code."""

import json
import sqlite3
from pathlib import Path
from typing import Any

from dbos import Serializer

from bot.domain.errors import Permanent
from bot.storage.errors import DRIVER_ERRORS

SQLITE = "sqlite:///"
SCHEMA = "dbos"  # of the engine's tables on PostgreSQL
TABLE = "workflow_status"
UNFINISHED = "status IN ('PENDING', 'ENQUEUED', 'DELAYED')"


class JsonSerializer(Serializer):
    """The journal in plain JSON: readable, and no code in the database."""

    def name(self) -> str:
        """Return the name that is stored beside each value."""
        return "sre_bot_json"

    def serialize(self, data: Any) -> str:
        """Return JSON; an exception becomes its type's name and text.

        The journal's own trouble is raised again: the engine would write it down as a step's end.
        """
        if isinstance(data, DRIVER_ERRORS):
            raise data
        if isinstance(data, BaseException):
            data = {"$error": type(data).__name__, "text": str(data)}
        return json.dumps(data, separators=(",", ":"))

    def deserialize(self, serialized_data: str) -> Any:
        """Return the value, or the error that was stored."""
        data = json.loads(serialized_data)
        if isinstance(data, dict) and "$error" in data:
            return Permanent(data["text"])
        return data


def sqlite_file(journal: str) -> Path | None:
    """Return the journal's file, None when it is on a server."""
    return Path(journal.removeprefix(SQLITE)) if journal.startswith(SQLITE) else None


def libpq_url(journal: str) -> str:
    """Return the server's URL without SQLAlchemy's name of the driver."""
    scheme, _, rest = journal.partition("://")
    return f"{scheme.partition('+')[0]}://{rest}"


def prepare_file(path: Path, executor_id: str, version: int) -> None:
    """Set write-ahead logging once in the file: three times the throughput, still durable.

    One process at a time writes it, so whatever is unfinished is this process's from now on.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        there = connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (TABLE,))
        if there.fetchone():
            with connection:
                connection.execute(
                    f"UPDATE {TABLE} SET executor_id = ?, application_version = ? "  # noqa: S608 - constants
                    f"WHERE {UNFINISHED} AND CAST(application_version AS INTEGER) <= ?",
                    (executor_id, str(version), version),
                )
    finally:
        connection.close()
