"""What dead replicas left unfinished on PostgreSQL, and how a living one takes it over.

The lock and the take-over are one transaction: a replica that is stopped in the middle holds no
right that it could use when it wakes. Statements follow the engine's own recovery.
"""

import logging
from typing import TYPE_CHECKING, Any

from dbos._utils import INTERNAL_QUEUE_NAME  # the engine's queue of what is to be taken up

from bot.workflows.journal import SCHEMA, TABLE

if TYPE_CHECKING:
    from psycopg import Connection

LOG = logging.getLogger(__name__)
KEY = "hashtextextended('sre-bot executor ' || %(executor)s, 0)"
UNDERSTOOD = r"""CASE WHEN application_version ~ '^\d{1,9}$'
 THEN application_version::int <= %(version)s ELSE false END"""
OWNERS = f"""SELECT DISTINCT executor_id FROM {SCHEMA}.{TABLE}
 WHERE status = 'PENDING' AND executor_id <> %(executor)s AND {UNDERSTOOD}"""  # noqa: S608 - constants
TAKE = f"""UPDATE {SCHEMA}.{TABLE} SET status = 'ENQUEUED', owner_xid = NULL,
 started_at_epoch_ms = NULL, application_version = %(now)s,
 updated_at = (extract(epoch from clock_timestamp()) * 1000)::bigint,
 queue_name = coalesce(queue_name, %(queue)s)
 WHERE status = 'PENDING' AND executor_id = %(executor)s AND {UNDERSTOOD}"""  # noqa: S608 - constants
ADOPT = f"""UPDATE {SCHEMA}.{TABLE} SET application_version = %(now)s
 WHERE status IN ('ENQUEUED', 'DELAYED') AND {UNDERSTOOD}
 AND application_version <> %(now)s"""  # noqa: S608 - constants


def locked(connection: "Connection", function: str, executor_id: str) -> bool:
    """Try an advisory lock of that kind on an executor's seat."""
    found = connection.execute(f"SELECT {function}({KEY})", {"executor": executor_id})
    row = found.fetchone()
    return bool(row and row[0])


class Estate:
    """The unfinished work of all replicas, as one of them sees it."""

    def __init__(self, connection: "Connection", executor_id: str, version: int) -> None:
        self._connection, self._executor_id, self._version = connection, executor_id, version

    def session(self) -> int:
        """Return the server's number of this session."""
        row = self._connection.execute("SELECT pg_backend_pid()").fetchone()
        return int(row[0]) if row else 0

    def take_up_own(self) -> None:
        """Queue what an earlier process left under this very id. Its seat must be held."""
        if self._begun():
            self._connection.execute(TAKE, self._of(self._executor_id))

    def inherit(self) -> None:
        """Queue what replicas without a seat left, also of older code; never of newer code."""
        if not self._begun():
            return
        self._connection.execute(ADOPT, self._of(self._executor_id))
        owners = self._connection.execute(OWNERS, self._of(self._executor_id)).fetchall()
        for (owner,) in owners:
            with self._connection.transaction():
                if locked(self._connection, "pg_try_advisory_xact_lock", owner):
                    taken = self._connection.execute(TAKE, self._of(owner)).rowcount
                    LOG.warning("%d workflows of %s, which is gone, go on here", taken, owner)

    def _of(self, executor_id: str) -> dict[str, Any]:
        return {
            "executor": executor_id, "version": self._version, "now": str(self._version),
            "queue": INTERNAL_QUEUE_NAME,
        }  # fmt: skip

    def _begun(self) -> bool:
        """Whether the engine has made its tables."""
        row = self._connection.execute(
            "SELECT to_regclass(%(table)s)", {"table": f"{SCHEMA}.{TABLE}"}
        ).fetchone()
        return bool(row and row[0])
