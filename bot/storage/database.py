"""The one seam to the database: short transactions in threads, failures as `Unavailable`."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from bot.domain.errors import NotConfigured, Unavailable

T = TypeVar("T")
CONNECTIONS = 12  # at one time, per replica
BESIDE = 2  # more, for threads that are not of the pool: the inbox's writer must not wait for them
PATIENCE = ("lock_timeout = '5s'", "idle_in_transaction_session_timeout = '10s'")
"""What PostgreSQL is told: a replica that stops in mid-transaction holds up nobody for long."""


class Database:
    """Runs units of work, each in a transaction of its own."""

    def __init__(self, url: str, *, waiting: int = 1_000) -> None:
        """`waiting`: how many units of work may wait for a thread before more are refused."""
        self.engine = _engine(url)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        self._threads = ThreadPoolExecutor(CONNECTIONS, "sre-bot-database")
        self._inside: set[Future[Any]] = set()
        self._most = CONNECTIONS + waiting

    async def run(self, work: Callable[[Session], T]) -> T:
        """Return what `work` returns, committed. Raises: Unavailable: nothing was kept.

        In threads of its own, as many as there are connections: what else blocks threads (names
        that do not resolve, the engine's own database) does not hold it up, nor the other way.
        """
        if len(self._inside) >= self._most:
            raise Unavailable("database", "too many units of work wait for it already")
        try:
            future = self._threads.submit(self.run_now, work)
        except RuntimeError as closed:
            raise Unavailable("database", "it is closed") from closed
        self._inside.add(future)
        future.add_done_callback(self._inside.discard)
        return await asyncio.wrap_future(future)

    def run_now(self, work: Callable[[Session], T]) -> T:
        """Do the same on the calling thread.

        Work that loses a race for a unique key runs once more: then it sees the winner's row.
        """
        try:
            return self._attempt(work)
        except IntegrityError:
            return self._last_attempt(work)
        except DBAPIError as error:
            raise Unavailable("database", type(error.orig).__name__) from error
        except SQLAlchemyError as error:
            raise Unavailable("database", type(error).__name__) from error

    def _attempt(self, work: Callable[[Session], T]) -> T:
        with self._sessions.begin() as session:
            return work(session)

    def _last_attempt(self, work: Callable[[Session], T]) -> T:
        try:
            return self._attempt(work)
        except SQLAlchemyError as error:
            raise Unavailable("database", type(error).__name__) from error

    def close(self) -> None:
        """Close all connections."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self.engine.dispose()


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except SQLAlchemyError:
        raise NotConfigured("DATABASE_URL is not a database URL, e.g. postgresql://…") from None
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(url, parsed.database)
    return _postgresql(url)


def _postgresql(url: str) -> Engine:
    engine = create_engine(
        url, pool_pre_ping=True, pool_size=8, max_overflow=CONNECTIONS + BESIDE - 8,
        pool_timeout=2.0, connect_args={"connect_timeout": 2},
    )  # fmt: skip

    @event.listens_for(engine, "connect")
    def _be_no_burden(connection: Any, _record: Any) -> None:
        for setting in PATIENCE:
            connection.execute(f"SET {setting}")
        connection.commit()

    return engine


def _sqlite(url: str, path: str | None) -> Engine:
    if path and path != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": 2.0})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        for pragma in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=NORMAL"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
