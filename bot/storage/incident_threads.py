"""How an incident is told: its thread, the place of its investigation, and what it shows."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from bot.domain.codec import decode, encode
from bot.domain.conversation import Head, Judgement, Thread
from bot.domain.diagnosis import Status
from bot.domain.errors import Malformed
from bot.domain.incident import (
    OWN,
    Alert,
    Face,
    Judged,
    Lesson,
    Limits,
    Stage,
    Standing,
    State,
)
from bot.domain.signal import Origin, Severity
from bot.storage.database import Database
from bot.storage.pages import pages_of
from bot.storage.signal_tables import AlertRow
from bot.storage.tables import IncidentRow, InvestigationRow, LockRow, VerdictRow
from bot.storage.triage import FLIPS, Triaged
from bot.storage.triage_rows import alert_of, standings_of
from bot.storage.triage_tables import HeadRow, LessonRow

GIVEN_UP = timedelta(minutes=10)  # nobody asked for its place for so long: it waits no more
UNTOLD = timedelta(hours=1)
INVESTIGATING = "investigating"


class TriageStore(Triaged):
    """`TriageStore` in SQL: with what an incident's own workflow reads and writes."""

    _database: Database

    async def incident(self, incident_id: str) -> Standing | None:
        """Return one incident."""

        def read(session: Session) -> Standing | None:
            row = session.get(IncidentRow, incident_id)
            return standings_of(session, [row])[0] if row is not None else None

        return await self._database.run(read)

    async def untold(self, limit: int) -> Sequence[str]:
        """Return incidents to tell of that have no thread yet, the worst first.

        Also one that was over before it could be told.
        """
        lately = self._clock.now() - UNTOLD
        query = (
            select(IncidentRow.id)
            .where(
                IncidentRow.id.startswith(OWN, autoescape=True),
                IncidentRow.thread_ts.is_(None),
                IncidentRow.quiet == "",
                or_(IncidentRow.state == State.OPEN.value, IncidentRow.closed_at >= lately),
            )
            .order_by(IncidentRow.severity.desc(), IncidentRow.opened_at, IncidentRow.id)
        )
        return await self._database.run(lambda s: tuple(s.scalars(query.limit(limit))))

    async def unshown(self, limit: int) -> Sequence[str]:
        """Return incidents whose thread shows an older state."""
        query = select(IncidentRow.id).where(
            IncidentRow.id.startswith(OWN, autoescape=True),
            IncidentRow.thread_ts.is_not(None),
            IncidentRow.version > IncidentRow.shown,
        )
        newest = query.order_by(IncidentRow.severity.desc(), IncidentRow.opened_at.desc())
        return await self._database.run(lambda s: tuple(s.scalars(newest.limit(limit))))

    async def told(self, incident_id: str, thread: Thread) -> None:
        """Note the thread of an incident."""
        where = {"team": thread.team, "channel": thread.channel, "thread_ts": thread.ts}
        change = update(IncidentRow).where(IncidentRow.id == incident_id).values(**where)
        await self._database.run(lambda session: session.execute(change))

    async def shown(self, incident_id: str, version: int) -> None:
        """Note what the thread shows."""
        newer = (IncidentRow.id == incident_id) & (IncidentRow.shown < version)
        change = update(IncidentRow).where(newer).values(shown=version)
        await self._database.run(lambda session: session.execute(change))

    async def admit(self, incident_id: str, limits: Limits, now: datetime) -> Stage:
        """Give the incident's investigation a place, or say that it waits or is not made."""

        def write(session: Session) -> Stage:
            incident = session.get(IncidentRow, incident_id)
            if incident is None:
                return Stage.SHED
            _one_at_a_time(session, incident.environment, now)
            head = _head(session, incident, now)
            if head.stage != Stage.WAITING.value:
                return Stage(head.stage)
            stage = _stage(session, incident, limits, now)
            head.stage, head.at = stage.value, now
            if stage is not Stage.WAITING:
                incident.version += 1
            return stage

        return await self._database.run(write)

    async def looked(self, incident_id: str, head: Head) -> None:
        """Keep where the investigation stands, to be shown."""

        def write(session: Session) -> None:
            row = session.get(HeadRow, incident_id, with_for_update=True)
            if row is None:
                return
            row.body = encode(head)
            session.execute(
                update(IncidentRow)
                .where(IncidentRow.id == incident_id)
                .values(version=IncidentRow.version + 1)
            )

        await self._database.run(write)

    async def face(self, incident_id: str) -> Face | None:
        """Return what is to be shown of an incident."""

        def read(session: Session) -> Face | None:
            row = session.get(IncidentRow, incident_id)
            if row is None:
                return None
            standing = standings_of(session, [row])[0]
            head = session.get(HeadRow, incident_id)
            pager, link = _pager(session, incident_id)
            return Face(
                incident=standing.incident,
                members=tuple(standing.members.values()),
                head=_head_of(head),
                stage=Stage(head.stage) if head is not None else None,
                ahead=_ahead(session, row) if head is not None else 0,
                pager=pager,
                pages=pages_of(session, incident_id) if pager else (),
                link=link,
                flapping=_flapping(session, incident_id),
                twin=_twin(session, row),
            )

        return await self._database.run(read)

    async def alerts_of(self, incident_id: str, limit: int) -> Sequence[Alert]:
        """Return the worst alerts of an incident."""
        query = (
            select(AlertRow)
            .where(AlertRow.incident_id == incident_id)
            .order_by(AlertRow.severity.desc(), AlertRow.first_at, AlertRow.subject)
            .limit(limit)
        )
        return await self._database.run(lambda s: tuple(alert_of(row) for row in s.scalars(query)))

    async def dismiss(self, incident_id: str, lessons: Sequence[Lesson], why: str) -> bool:
        """End an incident that was none, and keep what was learned; False: it is not known."""
        now = self._clock.now()

        def write(session: Session) -> bool:
            row = session.get(IncidentRow, incident_id, with_for_update=True)
            if row is None:
                return False
            row.state, row.quiet = State.RESOLVED.value, why
            row.closed_at = row.closed_at or now
            row.version += 1
            for lesson in lessons:
                session.merge(_lesson_row(lesson, incident_id))
            return True

        return await self._database.run(write)

    async def lessons(self, environment: str, since: datetime) -> Sequence[Lesson]:
        """Return what people taught with the button since then."""
        query = select(LessonRow).where(LessonRow.environment == environment, LessonRow.at >= since)
        return await self._database.run(lambda s: tuple(map(_lesson, s.scalars(query))))

    async def judged(self, environment: str, since: datetime) -> Sequence[Judged]:
        """Return what people said of reports on incidents that signals made."""
        query = (
            select(VerdictRow, InvestigationRow.status, IncidentRow)
            .join(InvestigationRow, InvestigationRow.id == VerdictRow.investigation_id)
            .join(IncidentRow, IncidentRow.id == InvestigationRow.incident_id)
            .where(
                IncidentRow.environment == environment,
                IncidentRow.id.startswith(OWN, autoescape=True),
                InvestigationRow.id.startswith(f"inv-{OWN}", autoescape=True),
                InvestigationRow.status.in_((Status.HEALTHY.value, Status.ROOT_CAUSE.value)),
                VerdictRow.at >= since,
            )
        )

        def read(session: Session) -> tuple[Judged, ...]:
            return tuple(
                Judged(
                    incident_id=incident.id, service=incident.service, title=incident.title,
                    severity=Severity(incident.severity), by=verdict.user, at=verdict.at,
                    healthy=status == Status.HEALTHY.value,
                    right=verdict.judgement == Judgement.RIGHT.value,
                )
                for verdict, status, incident in session.execute(query).all()
            )  # fmt: skip

        return await self._database.run(read)


def _one_at_a_time(session: Session, environment: str, now: datetime) -> None:
    """Let nobody else give places in this environment until this transaction ends."""
    name = f"sre-bot/places/{environment}"[:255]
    if session.get(LockRow, name, with_for_update=True) is None:
        session.add(LockRow(target=name, holder="", until=now))
        session.flush()


def _head(session: Session, incident: IncidentRow, now: datetime) -> HeadRow:
    row = session.get(HeadRow, incident.id, with_for_update=True)
    if row is None:
        row = HeadRow(
            incident_id=incident.id, environment=incident.environment, stage=Stage.WAITING.value,
            at=now, body=None,
        )  # fmt: skip
        session.add(row)
        session.flush()
    return row


def _stage(session: Session, incident: IncidentRow, limits: Limits, now: datetime) -> Stage:
    if incident.state != State.OPEN.value:
        return Stage.SHED
    ahead = _ahead(session, incident, now)
    if _running(session, incident, limits, now) + ahead < limits.running:
        return Stage.STARTED
    return Stage.WAITING if ahead < limits.waiting else Stage.SHED


def _running(session: Session, incident: IncidentRow, limits: Limits, now: datetime) -> int:
    since = now - timedelta(seconds=limits.stale_s)
    ended = select(InvestigationRow.id).where(
        InvestigationRow.id == "inv-" + HeadRow.incident_id,
        InvestigationRow.state != INVESTIGATING,
    )
    query = (
        select(func.count())
        .select_from(HeadRow)
        .where(
            HeadRow.environment == incident.environment,
            HeadRow.stage == Stage.STARTED.value,
            HeadRow.at >= since,
            ~ended.exists(),
        )
    )
    return session.scalar(query) or 0


def _ahead(session: Session, incident: IncidentRow, now: datetime | None = None) -> int:
    """Count the incidents that wait and come first: the worse, then the older."""
    query = (
        select(IncidentRow.severity, IncidentRow.opened_at, IncidentRow.id)
        .join(HeadRow, HeadRow.incident_id == IncidentRow.id)
        .where(
            HeadRow.environment == incident.environment,
            HeadRow.stage == Stage.WAITING.value,
            IncidentRow.state == State.OPEN.value,
        )
    )
    if now is not None:
        query = query.where(HeadRow.at >= now - GIVEN_UP)
    mine = (-incident.severity, incident.opened_at, incident.id)
    return sum((-severity, at, name) < mine for severity, at, name in session.execute(query).all())


def _head_of(row: HeadRow | None) -> Head | None:
    if row is None or row.body is None:
        return None
    try:
        return decode(Head, row.body)
    except Malformed:  # of another version: it is shown again when there is news
        return None


def _pager(session: Session, incident_id: str) -> tuple[Mapping[str, str], str]:
    row = session.scalar(
        select(AlertRow)
        .where(AlertRow.incident_id == incident_id, AlertRow.origin == Origin.PAGERDUTY.value)
        .order_by(AlertRow.firing.desc(), AlertRow.severity.desc(), AlertRow.first_at)
        .limit(1)
    )
    if row is None:
        return {}, ""
    signal = alert_of(row).signal
    return signal.details, signal.link


def _flapping(session: Session, incident_id: str) -> int:
    query = (
        select(func.count())
        .select_from(AlertRow)
        .where(AlertRow.incident_id == incident_id, AlertRow.flips >= FLIPS)
    )
    return session.scalar(query) or 0


def _twin(session: Session, incident: IncidentRow) -> str:
    """Return the title of an open incident whose investigation found the same cause before."""
    mine = session.get(InvestigationRow, f"inv-{incident.id}")
    if mine is None or not mine.cause or mine.status != Status.ROOT_CAUSE.value:
        return ""
    same = (
        select(IncidentRow.title)
        .join(InvestigationRow, InvestigationRow.incident_id == IncidentRow.id)
        .where(
            IncidentRow.id != incident.id,
            IncidentRow.state == State.OPEN.value,
            InvestigationRow.id == "inv-" + IncidentRow.id,
            InvestigationRow.environment == mine.environment,
            InvestigationRow.status == mine.status,
            InvestigationRow.cause == mine.cause,
            InvestigationRow.object == mine.object,
            (InvestigationRow.started_at < mine.started_at)
            | ((InvestigationRow.started_at == mine.started_at) & (InvestigationRow.id < mine.id)),
        )
        .order_by(InvestigationRow.started_at)
        .limit(1)
    )
    return session.scalar(same) or ""


def _lesson(row: LessonRow) -> Lesson:
    return Lesson(
        id=row.id, environment=row.environment, service=row.service, signature=row.signature,
        noise=row.noise, worst=Severity(row.worst), by=row.by, at=row.at,
    )  # fmt: skip


def _lesson_row(lesson: Lesson, incident_id: str) -> LessonRow:
    return LessonRow(
        id=lesson.id, environment=lesson.environment, service=lesson.service,
        signature=lesson.signature, noise=lesson.noise, worst=int(lesson.worst), by=lesson.by,
        at=lesson.at, incident_id=incident_id,
    )  # fmt: skip
