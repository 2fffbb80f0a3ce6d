"""A crash between the audit and the rest of a step does not tell twice what became of a deed."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.domain.ports import AuditEntry
from bot.storage.audit import AuditLog
from bot.storage.database import Database

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
EXECUTED = AuditEntry(
    at=NOW, actor="sre-bot", event="executed", environment="prod", subject="p1",
    text="Restart checkout: applied: 3 replicas", details='{"key": "p1-x", "status": "applied"}',
)  # fmt: skip
VERIFIED = replace(EXECUTED, event="verified", text="recovered: p99 0.1 s", details="{}")


async def texts(log: AuditLog) -> list[str]:
    return [entry.text for entry in reversed(await log.entries())]


async def test_what_became_of_a_deed_is_written_once(database: Database) -> None:
    log = AuditLog(database)
    again = replace(EXECUTED, at=NOW + timedelta(seconds=9), text="Restart checkout: applied: read")
    for entry in (EXECUTED, again, VERIFIED, replace(VERIFIED, at=NOW + timedelta(seconds=9))):
        await log.write(entry)
    assert sorted(await texts(log)) == sorted([EXECUTED.text, VERIFIED.text])
    assert await log.check() is None


async def test_another_deed_another_end_and_another_sight_are_written(database: Database) -> None:
    log = AuditLog(database)
    entries = [
        EXECUTED,
        replace(EXECUTED, details='{"key": "p1-x", "status": "uncertain"}'),
        replace(EXECUTED, subject="p2"),
        VERIFIED,
        replace(VERIFIED, text="unchanged: p99 8 s"),
        *[replace(EXECUTED, event="refused", text="counts once")] * 2,
    ]
    for entry in entries:
        await log.write(entry)
    assert len(await texts(log)) == len(entries)
    assert await log.check() is None


async def test_a_burst_of_writers_is_written_whole(database: Database) -> None:
    log = AuditLog(database)
    refused = replace(EXECUTED, event="refused")

    await asyncio.gather(*(log.write(replace(refused, text=f"click {n}")) for n in range(60)))

    assert len(await texts(log)) == 60
    assert await log.check() is None
