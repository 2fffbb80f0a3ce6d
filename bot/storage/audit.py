"""The append-only, hash-chained record of everything that was ruled, decided and done."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.domain.codec import encode
from bot.domain.errors import Unavailable
from bot.domain.ports import AuditEntry
from bot.storage.database import Database
from bot.storage.tables import AuditRow

GENESIS = "0" * 64
ATTEMPTS = 20  # writers that race for the same place in the chain


class AuditLog:
    """`Audit` in SQL. A line's hash covers the line before, so a changed past is seen."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, entry: AuditEntry) -> None:
        """Append an entry. Raises: Unavailable: it is not written, so nothing may be done."""
        entry = replace(entry, at=entry.at.astimezone(UTC))

        def append(session: Session) -> bool:
            last = session.scalar(select(AuditRow).order_by(AuditRow.id.desc()).limit(1))
            previous = last.hash if last else GENESIS
            row = AuditRow(**_columns(entry), previous_hash=previous, hash=chained(previous, entry))
            try:
                with session.begin_nested():
                    session.add(row)
            except IntegrityError:
                return False
            return True

        for _ in range(ATTEMPTS):
            if await self._database.run(append):
                return
        raise Unavailable("audit", "too many writers at once")

    async def entries(self, *, limit: int = 10_000, subject: str = "") -> Sequence[AuditEntry]:
        """Return entries, the oldest first."""

        def read(session: Session) -> Sequence[AuditEntry]:
            query = select(AuditRow).order_by(AuditRow.id).limit(limit)
            if subject:
                query = query.where(AuditRow.subject == subject)
            return tuple(_entry(row) for row in session.scalars(query))

        return await self._database.run(read)

    async def first_broken(self) -> int | None:
        """Return the id of the first line whose chain does not hold, None if all do."""

        def read(session: Session) -> int | None:
            previous = GENESIS
            for row in session.scalars(select(AuditRow).order_by(AuditRow.id)):
                expected = chained(previous, _entry(row))
                if row.previous_hash != previous or row.hash != expected:
                    return row.id
                previous = row.hash
            return None

        return await self._database.run(read)


def chained(previous: str, entry: AuditEntry) -> str:
    """Return the SHA-256 of the previous hash and the entry's canonical JSON."""
    canonical = json.dumps(encode(entry), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{previous}{canonical}".encode()).hexdigest()


def _columns(entry: AuditEntry) -> dict[str, object]:
    return {
        "at": entry.at, "actor": entry.actor, "event": entry.event, "text": entry.text,
        "environment": entry.environment, "subject": entry.subject, "details": entry.details,
    }  # fmt: skip


def _entry(row: AuditRow) -> AuditEntry:
    return AuditEntry(
        at=row.at, actor=row.actor, event=row.event, environment=row.environment,
        subject=row.subject, text=row.text, details=row.details,
    )  # fmt: skip
