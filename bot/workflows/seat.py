"""The place of one process among those that share a journal: a lock that ends with it.

On PostgreSQL it is a session's advisory lock on the own executor id. The server ends the session
when it hears nothing for `LEASE_S`, so a process that was stopped loses its seat to others; when it
wakes, it ends before it does anything else. On SQLite it is a lock on a file beside the journal.
"""

import fcntl
import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

from bot.domain.errors import NotConfigured, Unavailable
from bot.workflows.estate import Estate, locked
from bot.workflows.journal import libpq_url

if TYPE_CHECKING:
    from psycopg import Connection

LOG = logging.getLogger(__name__)
LOST = 75  # exit status: what failed is temporary, start again


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Seconds, wall. `margin_s` before the server gives the seat away the process gives it up."""

    lease_s: float = 15.0
    beat_s: float = 3.0
    margin_s: float = 3.0
    take_within_s: float = 45.0  # how long the seat may still be held by who died just before


def leave() -> None:
    """End the process at once: no goodbye, no last write."""
    os._exit(LOST)


class Seat(Protocol):
    """What the engine needs of its seat."""

    def take(self) -> None:
        """Take it. Raises: NotConfigured: a living process has it; Unavailable: no database."""
        ...

    def check(self) -> None:
        """Return if it is surely held; else the process ends here."""
        ...

    def release(self) -> None:
        """Give it back."""
        ...


class FileSeat:
    """The seat at a journal in a file: one process at a time."""

    def __init__(self, journal: Path) -> None:
        self._path = journal.with_name(f"{journal.name}.lock")
        self._file: IO[bytes] | None = None

    def take(self) -> None:
        """Take it, or say who may have it. Raises: NotConfigured."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("ab")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            raise NotConfigured(
                f"Another sre-bot runs on {self._path.parent}. Stop it first, give this one another"
                " SRE_BOT_HOME, or use PostgreSQL (DATABASE_URL) to run several."
            ) from None

    def check(self) -> None:
        """Return: such a lock cannot be lost."""

    def release(self) -> None:
        """Give it back."""
        if self._file is not None:
            self._file.close()
            self._file = None


class ServerSeat:
    """The seat of one of several replicas on PostgreSQL; it also takes over what the dead left."""

    def __init__(
        self,
        journal: str,
        executor_id: str,
        *,
        version: int,
        lease: Lease | None = None,
        lost: Callable[[], None] = leave,
    ) -> None:
        self._url, self._executor_id, self._version = libpq_url(journal), executor_id, version
        self._lease, self._lost = lease or Lease(), lost
        self._connection: Connection | None = None
        self._heard_at = 0.0
        self._pid = 0
        self._released = threading.Event()

    def take(self) -> None:
        """Take it, and keep it. Raises: NotConfigured, Unavailable."""
        import psycopg

        try:
            connection = self._connect()
            self._take(connection)
            self._heard_at, self._pid = _now(), connection.info.backend_pid
            Estate(connection, self._executor_id, self._version).take_up_own()
        except psycopg.Error as error:
            raise Unavailable("database", f"no seat: {type(error).__name__}") from error
        self._connection = connection
        threading.Thread(target=self._keep, args=(connection,), name="seat", daemon=True).start()

    def check(self) -> None:
        """Return if the seat is surely held; else the process ends here."""
        if _now() - self._heard_at > self._lease.lease_s - self._lease.margin_s:
            self._give_up("nothing was heard from the database in time")

    def release(self) -> None:
        """Give it back."""
        self._released.set()
        if self._connection is not None:
            self._connection.close()

    def _connect(self) -> "Connection":
        import psycopg

        lease_ms = int(self._lease.lease_s * 1000)
        connection = psycopg.connect(
            self._url, autocommit=True, connect_timeout=10, application_name="sre-bot seat",
            keepalives_idle=5, keepalives_interval=2, keepalives_count=3, tcp_user_timeout=lease_ms,
        )  # fmt: skip
        try:
            connection.execute(f"SET idle_session_timeout = {lease_ms}")
            connection.execute(f"SET idle_in_transaction_session_timeout = {lease_ms}")
        except psycopg.errors.UndefinedObject:  # before PostgreSQL 14
            LOG.warning("this PostgreSQL keeps the seat of a replica that is stopped but not dead")
        return connection

    def _take(self, connection: "Connection") -> None:
        began = _now()
        while not locked(connection, "pg_try_advisory_lock", self._executor_id):
            if _now() - began > self._lease.take_within_s:
                connection.close()
                raise NotConfigured(
                    f"Another replica runs as {self._executor_id}. Give each its own "
                    "SRE_BOT_EXECUTOR_ID, or leave it empty."
                )
            self._released.wait(0.5)

    def _keep(self, connection: "Connection") -> None:
        """Let the server hear from this process, and inherit, for ever; without an answer, end."""
        import psycopg

        estate = Estate(connection, self._executor_id, self._version)
        while not self._released.wait(self._lease.beat_s):
            self.check()
            sent_at = _now()
            with suppress(psycopg.Error):
                if estate.session() == self._pid:  # another one: a pooler is between us
                    estate.inherit()
                    self._heard_at = sent_at
                    continue
            if not self._released.is_set():
                self._give_up("the connection to the database that holds it was lost")

    def _give_up(self, why: str) -> None:
        LOG.error("the seat %s is lost: %s; this process ends", self._executor_id, why)
        self._lost()


def _now() -> float:
    """Return seconds that also count while the machine is suspended."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
