"""A replica that is stopped in the middle of a transaction holds up the others for seconds only."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from bot.domain.errors import Unavailable
from bot.domain.time import ScaledClock
from bot.storage import database as seam
from bot.storage.database import CONNECTIONS, Database
from bot.storage.migrate import upgrade
from bot.storage.tables import LockRow
from bot.storage.triage import LEASE, Triaged

pytestmark = pytest.mark.integration
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


async def taken(lease: Callable[..., Awaitable[bool]]) -> bool:
    with suppress(Unavailable):
        return await lease("other", NOW + timedelta(minutes=1), NOW)
    return False


@pytest.fixture
def replicas(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Database, Database]]:
    patience = ("lock_timeout = '200ms'", "idle_in_transaction_session_timeout = '500ms'")
    monkeypatch.setattr(seam, "PATIENCE", patience)
    both = Database(postgres_url), Database(postgres_url)
    upgrade(both[0].engine)
    yield both
    for database in both:
        database.close()


async def test_its_rows_are_free_again(replicas: tuple[Database, Database]) -> None:
    stopped, other = replicas
    woken, held = threading.Event(), threading.Event()
    lease = Triaged(other, ScaledClock(origin=NOW, rate=1.0)).lease
    assert await lease("other", NOW, NOW)

    def stop(session: Session) -> None:
        session.get(LockRow, LEASE, with_for_update=True)
        held.set()
        woken.wait(20)

    sleeps = asyncio.create_task(stopped.run(stop))
    await asyncio.to_thread(held.wait, 10)
    with pytest.raises(Unavailable):
        await lease("other", NOW + timedelta(minutes=1), NOW)

    tries = [await taken(lease) for _ in range(20)]  # each waits for the row a moment
    assert tries[-1]

    woken.set()
    with pytest.raises(Unavailable):
        await sleeps
    assert await stopped.run(lambda _: 1) == 1  # and goes on with another connection


async def test_the_inboxs_writer_needs_none_of_the_others_connections(
    replicas: tuple[Database, Database],
) -> None:
    database, _ = replicas
    release = threading.Event()
    work = [
        asyncio.create_task(database.run(lambda s: (s.connection(), release.wait(20))))
        for _ in range(CONNECTIONS)
    ]
    await asyncio.sleep(0.2)
    try:
        assert await asyncio.to_thread(database.run_now, lambda s: bool(s.connection()))
    finally:
        release.set()
        await asyncio.gather(*work, return_exceptions=True)
