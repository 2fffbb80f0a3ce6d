"""Signals between the door and triage, and what could not be used."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from bot.domain.codec import decode
from bot.domain.errors import Malformed
from bot.domain.redaction import redact, redact_tree
from bot.domain.signal import DeadLetter, Origin, Received, Signal
from bot.domain.time import Clock
from bot.storage.database import Database
from bot.storage.inbox_rows import MOST, insert_each, row_of
from bot.storage.signal_tables import AlertRow, DeadLetterRow, InboxRow

MOST_ATTEMPTS = 5  # failures after which a signal becomes a dead letter
BODY_LENGTH = 65_536  # characters of a dead letter
ERROR_LENGTH = 500


class SignalInbox:
    """`Inbox` in SQL. `clock` is the wall."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def put(self, signals: Sequence[Signal], at: datetime) -> int:
        """Commit them in one transaction and return how many were new; a known key does nothing.

        Two replicas that take the same signal at once keep it once, and may both count it.

        Raises: Unavailable: none was kept; the sender must send again.
        """
        rows = [row_of(signal, at) for signal in signals]
        return await self._database.run(lambda session: len(insert_each(session, rows)))

    def put_now(self, signals: Sequence[tuple[Signal, datetime]]) -> list[int]:
        """Do the same on the calling thread; return the place of each that was new."""
        rows = [row_of(signal, at) for signal, at in signals]
        return self._database.run_now(lambda session: insert_each(session, rows))

    async def take(self, limit: int) -> Sequence[Received]:
        """Return the oldest that nobody has dealt with, in order of arrival.

        One that this version cannot read becomes a dead letter.
        """
        query = select(InboxRow).where(InboxRow.done_at.is_(None)).order_by(InboxRow.id)

        def read(session: Session) -> list[Received]:
            rows = session.scalars(query.limit(limit)).all()
            found = [_received(session, row, self._clock.now()) for row in rows]
            return [received for received in found if received is not None]

        return await self._database.run(read)

    async def done(self, numbers: Sequence[int]) -> None:
        """Note that these were dealt with."""
        now, some = self._clock.now(), list(numbers)

        def write(session: Session) -> None:
            for start in range(0, len(some), MOST):
                chosen = InboxRow.id.in_(some[start : start + MOST])
                unfinished = InboxRow.done_at.is_(None)
                session.execute(update(InboxRow).where(chosen, unfinished).values(done_at=now))

        await self._database.run(write)

    async def failed(self, number: int, error: str) -> None:
        """Count a failure; after too many the signal becomes a dead letter and blocks no more."""

        def write(session: Session) -> None:
            row = session.get(InboxRow, number, with_for_update=True)
            if row is None or row.done_at is not None:
                return
            row.attempts += 1
            if row.attempts >= MOST_ATTEMPTS:
                _give_up(session, row, error, self._clock.now())

        await self._database.run(write)

    async def bury(self, origin: str, body: str, error: str, at: datetime) -> None:
        """Keep what could not even be parsed; the same thing again is kept once."""

        def write(session: Session) -> None:
            letter = _letter(origin, clean_body(body), error, at)  # here: it may take a while
            same = select(DeadLetterRow.id).where(
                DeadLetterRow.origin == letter["origin"],
                DeadLetterRow.body == letter["body"],
                DeadLetterRow.replayed_at.is_(None),
            )
            if session.scalar(same.limit(1)) is None:
                session.add(DeadLetterRow(**letter))

        await self._database.run(write)

    async def waiting(self) -> int:
        """Return how many nobody has dealt with yet."""
        query = select(func.count()).select_from(InboxRow).where(InboxRow.done_at.is_(None))
        return await self._database.run(lambda session: session.scalar(query) or 0)

    async def oldest(self) -> datetime | None:
        """Return when the oldest that nobody has dealt with came in; None: nothing waits."""
        query = select(InboxRow.received_at).where(InboxRow.done_at.is_(None))
        first = query.order_by(InboxRow.id).limit(1)
        return await self._database.run(lambda session: session.scalar(first))

    async def firing(self, origin: Origin) -> tuple[Signal, ...]:
        """Return the newest signal of each alert of this origin that still fires."""
        query = select(AlertRow.body).where(AlertRow.firing, AlertRow.origin == origin.value)

        def read(session: Session) -> tuple[Signal, ...]:
            return tuple(s for body in session.scalars(query) if (s := _readable(body)) is not None)

        return await self._database.run(read)

    async def dead_letters(
        self, limit: int = 50, *, replayed: bool = False
    ) -> tuple[DeadLetter, ...]:
        """Return the newest dead letters, without those that were replayed unless asked for."""
        query = select(DeadLetterRow).order_by(DeadLetterRow.id.desc()).limit(limit)
        if not replayed:
            query = query.where(DeadLetterRow.replayed_at.is_(None))
        return await self._database.run(lambda s: tuple(_dead(row) for row in s.scalars(query)))

    async def dead_letter(self, number: int) -> DeadLetter | None:
        """Return one dead letter."""

        def read(session: Session) -> DeadLetter | None:
            row = session.get(DeadLetterRow, number)
            return _dead(row) if row else None

        return await self._database.run(read)

    async def replay(
        self, number: int, parse: Callable[[DeadLetter], Sequence[Signal]]
    ) -> tuple[Signal, ...]:
        """Put a dead letter's signals at the end of the inbox once more; return them.

        Raises: Malformed: there is no such letter, or `parse` still cannot read it.
        """

        def write(session: Session) -> tuple[Signal, ...]:
            row = session.get(DeadLetterRow, number, with_for_update=True)
            if row is None:
                raise Malformed(f"There is no dead letter {number}.")
            if row.replayed_at is not None:
                raise Malformed(f"Dead letter {number} was replayed at {row.replayed_at}.")
            now = self._clock.now()
            signals = tuple(_signals_of(_dead(row), parse))
            rows = [row_of(signal, now) for signal in signals]
            session.execute(delete(InboxRow).where(InboxRow.key.in_([r["key"] for r in rows])))
            insert_each(session, rows)
            row.replayed_at = now
            return signals

        return await self._database.run(write)

    async def prune(self, keep: timedelta) -> int:
        """Forget what was dealt with, and dead letters, longer ago than `keep`; return how many."""
        before = self._clock.now() - keep

        def write(session: Session) -> int:
            old = delete(InboxRow).where(InboxRow.done_at < before)
            letters = delete(DeadLetterRow).where(DeadLetterRow.at < before)
            return sum(int(getattr(session.execute(q), "rowcount", 0)) for q in (old, letters))

        return await self._database.run(write)


def clean_body(body: str) -> str:
    """Return a body without secrets, cut, and still JSON if it was and is short enough."""
    body = body[: BODY_LENGTH * 2]  # what is cut off here is not looked at
    try:
        cleaned = json.dumps(redact_tree(json.loads(body)), ensure_ascii=True)
    except (ValueError, RecursionError):
        cleaned = redact(body.encode("utf-8", "replace").decode())
    return cleaned.replace("\x00", "")[:BODY_LENGTH]


def _readable(body: dict[str, Any]) -> Signal | None:
    try:
        return decode(Signal, body)
    except Malformed:
        return None


def _received(session: Session, row: InboxRow, now: datetime) -> Received | None:
    try:
        signal = decode(Signal, row.body)
    except Malformed as error:
        _give_up(session, row, f"this version cannot read it: {error}", now)
        return None
    return Received(number=row.id, at=row.received_at, signal=signal, attempts=row.attempts)


def _give_up(session: Session, row: InboxRow, error: str, now: datetime) -> None:
    row.done_at = now
    session.add(DeadLetterRow(**_letter(row.origin, json.dumps(row.body), error, now)))


def _letter(origin: str, body: str, error: str, at: datetime) -> dict[str, Any]:
    short = redact(error).replace("\x00", "").encode("utf-8", "replace").decode()[:ERROR_LENGTH]
    return {"origin": origin[:40], "at": at, "error": short, "body": body, "replayed_at": None}


def _dead(row: DeadLetterRow) -> DeadLetter:
    return DeadLetter(
        number=row.id, origin=row.origin, at=row.at, error=row.error, body=row.body,
        replayed_at=row.replayed_at,
    )  # fmt: skip


def _signals_of(
    letter: DeadLetter, parse: Callable[[DeadLetter], Sequence[Signal]]
) -> Sequence[Signal]:
    """Return a signal that triage failed on as it was, anything else as `parse` reads it."""
    try:
        return [decode(Signal, json.loads(letter.body))]
    except (Malformed, ValueError):
        return parse(letter)
