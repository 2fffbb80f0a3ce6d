"""On a full disk nothing is kept by halves, nothing that was kept is lost, and room is enough."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy

from bot.domain.errors import Unavailable
from bot.domain.ports import AuditEntry
from bot.domain.signal import Origin, Phase, Signal
from bot.domain.time import ScaledClock
from bot.storage.audit import AuditLog
from bot.storage.database import Database
from bot.storage.inbox import SignalInbox
from bot.storage.migrate import upgrade

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SIGNAL = Signal(
    key="k-0", origin=Origin.WEBHOOK, subject="disk", phase=Phase.FIRING, title="it is slow",
    at=NOW, text="x" * 3_000,
)  # fmt: skip


@dataclass
class Disk:
    """A database on a disk that a test fills up."""

    database: Database
    full: bool = False

    def limit(self, connection: Any, *_rest: Any) -> None:
        connection.execute(f"PRAGMA max_page_count = {1 if self.full else 1_000_000}")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite'}")
    upgrade(database.engine)
    disk = Disk(database)
    sqlalchemy.event.listen(database.engine, "checkout", disk.limit)
    yield disk
    database.close()


def signals(first: int, count: int) -> list[Signal]:
    return [replace(SIGNAL, key=f"k-{n}") for n in range(first, first + count)]


async def test_signals_are_taken_whole_or_not_at_all(disk: Disk) -> None:
    inbox = SignalInbox(disk.database, ScaledClock(origin=NOW))
    assert await inbox.put(signals(0, 3), NOW) == 3
    disk.full = True
    with pytest.raises(Unavailable):
        await inbox.put(signals(3, 40), NOW)
    assert await inbox.waiting() == 3
    disk.full = False
    assert await inbox.put(signals(3, 40), NOW) == 40
    taken = await inbox.take(100)
    assert [received.signal.key for received in taken] == [f"k-{n}" for n in range(43)]


async def test_the_audit_says_that_it_cannot_be_written_and_its_chain_holds(disk: Disk) -> None:
    log = AuditLog(disk.database)
    entry = AuditEntry(
        at=NOW, actor="U1", event="ruled", environment="prod", subject="p", text="y" * 100_000
    )
    await log.write(entry)
    disk.full = True
    with pytest.raises(Unavailable):
        await log.write(entry)
    disk.full = False
    await asyncio.gather(*(log.write(entry) for _ in range(3)))
    assert await log.check() is None
