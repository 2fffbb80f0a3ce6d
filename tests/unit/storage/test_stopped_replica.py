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
from bot.intake.committing import Queue
from bot.storage import database as seam
from bot.storage.database import CONNECTIONS, Database
from bot.storage.inbox import SignalInbox
from bot.storage.inbox_rows import insert_each, row_of
from bot.storage.migrate import upgrade
from bot.storage.tables import LockRow
from bot.storage.triage import LEASE, Triaged
from tests.unit.storage.test_inbox import a_signal

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


async def test_a_signal_that_it_has_in_hand_is_refused_soon_and_others_are_kept(
    postgres_url: str,
) -> None:
    """The door says so within its patience; with the engine's own five seconds it could not."""
    stopped, other = Database(postgres_url), Database(postgres_url)
    upgrade(stopped.engine)
    woken, held = threading.Event(), threading.Event()
    inbox = SignalInbox(other, ScaledClock(origin=NOW, rate=1.0))
    row = row_of(a_signal("webhook:1"), NOW)

    def stop(session: Session) -> None:
        insert_each(session, [row])
        held.set()
        woken.wait(20)

    sleeps = asyncio.create_task(stopped.run(stop))
    await asyncio.to_thread(held.wait, 10)
    try:
        async with asyncio.timeout(Queue().patience_s):
            with pytest.raises(Unavailable):
                await asyncio.to_thread(inbox.put_now, [(a_signal("webhook:1"), NOW)])
        assert await inbox.put([a_signal("webhook:2")], NOW) == 1
    finally:
        woken.set()
        await asyncio.gather(sleeps, return_exceptions=True)
        stopped.close()
        other.close()
