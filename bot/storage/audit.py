"""The append-only, hash-chained record of everything that was ruled, decided and done."""

import asyncio
import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.domain.codec import encode
from bot.domain.errors import Unavailable
from bot.domain.ports import AuditEntry
from bot.domain.redaction import redact, redact_tree
from bot.storage.database import Database
from bot.storage.tables import AuditRow

GENESIS = "0" * 64
TOLD_ONCE = frozenset(("executed", "undone", "verified"))  # what became of a deed
ATTEMPTS = 20  # writers that race for the same place in the chain
PAGE = 500  # lines held in memory while the chain is walked
LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A line's id and hash: enough to tell later whether the chain up to it is still the same."""

    id: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line as it is stored, with its place in the chain."""

    id: int
    previous_hash: str
    hash: str
    entry: AuditEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """Where the record stops being what was written, and how that shows."""

    line: int
    why: str


Witness = Callable[[Head], None]  # keeps the head outside the database; never raises


class AuditLog:
    """`Audit` in SQL. A line's hash covers the line before, so a changed past is seen."""

    def __init__(self, database: Database, *, witnesses: Sequence[Witness] = ()) -> None:
        self._database, self._witnesses = database, tuple(witnesses)
        self._turn = asyncio.Lock()  # one line after the other: only other replicas race for a head

    async def write(self, entry: AuditEntry) -> None:
        """Append an entry, without secrets, and give the new head to log and witnesses.

        After a crash it may be told again what became of a deed; that is written once.

        Raises: Unavailable: it is not written, so nothing may be done.
        """
        entry = _clean(entry)

        def append(session: Session) -> Head | None:
            if (told := _told(session, entry)) is not None:
                return Head(id=told.id, hash=told.hash)
            last = session.scalar(select(AuditRow).order_by(AuditRow.id.desc()).limit(1))
            previous = last.hash if last else GENESIS
            row = AuditRow(**_columns(entry), previous_hash=previous, hash=chained(previous, entry))
            try:
                with session.begin_nested():
                    session.add(row)
            except IntegrityError:
                return None
            return Head(id=row.id, hash=row.hash)

        for _ in range(ATTEMPTS):
            async with self._turn:
                head = await self._database.run(append)
            if head is not None:
                await self._tell(head)
                return
        raise Unavailable("audit", "too many writers at once")

    async def _tell(self, head: Head) -> None:
        LOG.info("audit head %d %s", head.id, head.hash)
        for witness in self._witnesses:
            await asyncio.to_thread(witness, head)

    async def entries(self, *, limit: int = 10_000, subject: str = "") -> Sequence[AuditEntry]:
        """Return entries, the oldest first."""
        return tuple(line.entry for line in await self.lines(limit=limit, subject=subject))

    async def lines(self, *, after: int = 0, limit: int = PAGE, subject: str = "") -> list[Line]:
        """Return the lines after an id, the oldest first."""

        def read(session: Session) -> list[Line]:
            query = select(AuditRow).where(AuditRow.id > after).order_by(AuditRow.id).limit(limit)
            if subject:
                query = query.where(AuditRow.subject == subject)
            return [_line(row) for row in session.scalars(query)]

        return await self._database.run(read)

    async def check(self, heads: Iterable[Head] = ()) -> Broken | None:
        """Return the first place where the chain, or what was seen of it outside, does not hold."""
        walk, after = Walk(heads), 0
        while page := await self.lines(after=after):  # short reads: the bot goes on writing
            found = walk.over(page)
            if found is not None:
                return found
            after = page[-1].id
        return walk.end()


class Walk:
    """Follows the chain from its first line, and remembers which heads are still to come.

    The chain shows lines that were changed, moved, put in or taken out. A whole tail that was cut
    off or written anew shows only against `heads` that were kept outside.
    """

    def __init__(self, heads: Iterable[Head] = ()) -> None:
        self._outside: dict[int, set[str]] = {}
        for head in heads:
            self._outside.setdefault(head.id, set()).add(head.hash)
        self._expected = sorted(self._outside, reverse=True)
        self._previous, self._last = GENESIS, 0

    def over(self, lines: Iterable[Line]) -> Broken | None:
        """Return where the next lines are not what was written, None if they are."""
        for line in lines:
            why = _odd(line, self._previous, self._outside.get(line.id, {line.hash}))
            if why:
                return Broken(line=line.id, why=why)
            if self._expected and self._expected[-1] < line.id:
                why = "it was seen outside and is not there any more"
                return Broken(line=self._expected[-1], why=why)
            if self._expected and self._expected[-1] == line.id:
                self._expected.pop()
            self._previous, self._last = line.hash, line.id
        return None

    def end(self) -> Broken | None:
        """Return which line is missing at the end, None if none is."""
        if not self._expected:
            return None
        why = f"it was seen outside, but the record ends at line {self._last}"
        return Broken(line=self._expected[-1], why=why)


def broken(lines: Iterable[Line], heads: Iterable[Head] = ()) -> Broken | None:
    """Return where a whole record is not what was written, None if it is."""
    walk = Walk(heads)
    return walk.over(lines) or walk.end()


def _odd(line: Line, previous: str, seen: set[str]) -> str:
    if line.previous_hash != previous:
        return "it does not follow from the line before: a line was removed, put in or moved"
    if line.hash != chained(previous, line.entry):
        return "its content is not what was written"
    return "" if seen == {line.hash} else "it is not the line that was seen outside"


def chained(previous: str, entry: AuditEntry) -> str:
    """Return the SHA-256 of the previous hash and the entry's canonical JSON."""
    canonical = json.dumps(encode(entry), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{previous}{canonical}".encode()).hexdigest()


def exported(line: Line) -> str:
    """Return a line as JSON: the entry, its id and its hashes, so that others can check it."""
    place = {"id": line.id, "previous_hash": line.previous_hash, "hash": line.hash}
    return json.dumps({**place, **encode(line.entry)})


def _clean(entry: AuditEntry) -> AuditEntry:
    """Whoever wrote it: no secrets, in UTC, and an actor and subject that fit their columns."""
    return replace(
        entry,
        at=entry.at.astimezone(UTC),
        actor=redact(entry.actor)[:255],
        subject=entry.subject.replace("\x00", "")[:255],
        text=redact(entry.text).replace("\x00", ""),
        details=_clean_json(entry.details),
    )


def _clean_json(text: str) -> str:
    """Return JSON with every text in it redacted; what is none becomes a redacted text."""
    try:
        value = json.loads(text)
    except ValueError:
        return json.dumps(redact(text))
    return json.dumps(redact_tree(value), sort_keys=True)


def _told(session: Session, entry: AuditEntry) -> AuditRow | None:
    """Return the line that says of the same deed what this entry would say again."""
    if entry.event not in TOLD_ONCE:
        return None
    same = select(AuditRow).where(
        AuditRow.subject == entry.subject,
        AuditRow.event == entry.event,
        AuditRow.details == entry.details,
    )
    if entry.event == "verified":  # its details name no single deed, its words do
        same = same.where(AuditRow.text == entry.text)
    return session.scalar(same.limit(1))


def _columns(entry: AuditEntry) -> dict[str, object]:
    return {
        "at": entry.at, "actor": entry.actor, "event": entry.event, "text": entry.text,
        "environment": entry.environment, "subject": entry.subject, "details": entry.details,
    }  # fmt: skip


def _line(row: AuditRow) -> Line:
    entry = AuditEntry(
        at=row.at, actor=row.actor, event=row.event, environment=row.environment,
        subject=row.subject, text=row.text, details=row.details,
    )  # fmt: skip
    return Line(id=row.id, previous_hash=row.previous_hash, hash=row.hash, entry=entry)


def heads_of(text: str) -> Iterator[Head]:
    """Yield the heads of a witness's file, one JSON object a line.

    Raises: ValueError: a line is none; a file that somebody edited is no witness.
    """
    for number, line in enumerate(text.splitlines(), 1):
        try:
            raw = json.loads(line)
            yield Head(id=int(raw["id"]), hash=str(raw["hash"]))
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"line {number} is not a head of the audit") from error
