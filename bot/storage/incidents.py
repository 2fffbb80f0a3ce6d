"""Investigations, their evidence and reports, and what people said of them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from bot.domain.codec import decode, encode
from bot.domain.conversation import InvestigationRow as Listed
from bot.domain.conversation import Judgement, PersonVerdict, Thread
from bot.domain.diagnosis import Report
from bot.domain.signal import Origin
from bot.domain.snapshot import PastIncident
from bot.storage.database import Database
from bot.storage.tables import (
    EvidenceRow,
    HypothesisRow,
    IncidentRow,
    InvestigationRow,
    VerdictRow,
)

TITLE_LENGTH = 200


class Incidents:
    """`IncidentStore` in SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open_investigation(
        self, investigation_id: str, thread: Thread, user: str, text: str, at: datetime
    ) -> None:
        """Insert an investigation once; a second call does nothing."""

        def write(session: Session) -> None:
            if session.get(InvestigationRow, investigation_id) is not None:
                return
            incident = _incident(session, thread)
            if incident is None:
                incident = IncidentRow(
                    id=f"inc-{thread.channel}-{thread.ts}", team=thread.team,
                    channel=thread.channel, thread_ts=thread.ts, title=text[:TITLE_LENGTH],
                    environment="", state="open", opened_at=at, closed_at=None,
                )  # fmt: skip
                session.add(incident)
                session.flush()
            session.add(
                InvestigationRow(
                    id=investigation_id,
                    incident_id=incident.id,
                    asked_by=user,
                    text=text,
                    state="investigating",
                    started_at=at,
                    confidence=None,
                    report=None,
                )
            )

        await self._database.run(write)

    async def save_report(self, report: Report) -> None:
        """Store the report with its hypotheses and evidence; a second call replaces it."""

        def write(session: Session) -> None:
            row = session.get(InvestigationRow, report.investigation_id)
            if row is None:
                return
            cause = report.diagnosis.cause
            row.environment = report.question.environment
            row.status = report.diagnosis.status.value
            row.cause, row.object, row.service = (
                (cause.cause, cause.object, cause.service) if cause else ("", "", "")
            )
            row.confidence = report.diagnosis.confidence
            row.report = encode(report)
            incident = session.get(IncidentRow, row.incident_id)
            if incident is not None:
                incident.environment = report.question.environment
            _replace_hypotheses(session, report)

        await self._database.run(write)

    async def report(self, investigation_id: str) -> Report | None:
        """Return a report."""

        def read(session: Session) -> Report | None:
            row = session.get(InvestigationRow, investigation_id)
            return decode(Report, row.report) if row is not None and row.report else None

        return await self._database.run(read)

    async def set_state(self, investigation_id: str, state: str) -> None:
        """Record where the investigation stands."""

        def write(session: Session) -> None:
            row = session.get(InvestigationRow, investigation_id)
            if row is not None:
                row.state = state

        await self._database.run(write)

    async def investigation_of(self, thread: Thread) -> str | None:
        """Return the newest investigation of a thread."""

        def read(session: Session) -> str | None:
            incident = _incident(session, thread)
            if incident is None:
                return None
            return session.scalar(
                select(InvestigationRow.id)
                .where(InvestigationRow.incident_id == incident.id)
                .order_by(InvestigationRow.started_at.desc())
                .limit(1)
            )

        return await self._database.run(read)

    async def thread_of(self, investigation_id: str) -> Thread | None:
        """Return the thread of an investigation."""

        def read(session: Session) -> Thread | None:
            row = session.get(InvestigationRow, investigation_id)
            incident = session.get(IncidentRow, row.incident_id) if row else None
            if incident is None:
                return None
            return Thread(team=incident.team, channel=incident.channel, ts=incident.thread_ts or "")

        return await self._database.run(read)

    async def about_itself(self, investigation_id: str) -> bool:
        """Whether the incident of this investigation is one that the bot opened about itself.

        An investigation that looked again after a refuted one belongs to the same incident.
        """

        def read(session: Session) -> bool:
            row = session.get(InvestigationRow, investigation_id)
            incident = session.get(IncidentRow, row.incident_id) if row else None
            return incident is not None and incident.origin == Origin.SELF.value

        return await self._database.run(read)

    async def save_verdict(self, verdict: PersonVerdict) -> None:
        """Store a person's verdict; the last one of each person counts."""
        row = VerdictRow(
            investigation_id=verdict.investigation_id, user=verdict.user, at=verdict.at,
            judgement=verdict.judgement.value, comment=verdict.comment,
        )  # fmt: skip
        await self._database.run(lambda session: session.merge(row))

    async def past(self, environment: str, limit: int = 200) -> Sequence[PastIncident]:
        """Return what earlier investigations found, the newest first."""

        def read(session: Session) -> Sequence[PastIncident]:
            rows = session.scalars(
                select(InvestigationRow)
                .where(InvestigationRow.environment == environment, InvestigationRow.cause != "")
                .order_by(InvestigationRow.started_at.desc())
                .limit(limit)
            ).all()
            right = _judged_right(session, [row.id for row in rows])
            return tuple(
                PastIncident(
                    id=row.id, cause=row.cause, object=row.object, service=row.service,
                    at=row.started_at, confirmed=row.id in right, summary=row.text[:TITLE_LENGTH],
                )
                for row in rows
            )  # fmt: skip

        return await self._database.run(read)

    async def recent(self, limit: int) -> Sequence[Listed]:
        """Return the newest investigations."""

        def read(session: Session) -> Sequence[Listed]:
            rows = session.execute(
                select(InvestigationRow, IncidentRow)
                .join(IncidentRow, IncidentRow.id == InvestigationRow.incident_id)
                .order_by(InvestigationRow.started_at.desc())
                .limit(limit)
            )
            return tuple(
                Listed(
                    id=row.id, environment=row.environment, title=incident.title, state=row.state,
                    started_at=row.started_at, channel=incident.channel,
                    thread_ts=incident.thread_ts or "",
                )
                for row, incident in rows
            )  # fmt: skip

        return await self._database.run(read)


def _incident(session: Session, thread: Thread) -> IncidentRow | None:
    return session.scalar(
        select(IncidentRow).where(
            IncidentRow.team == thread.team,
            IncidentRow.channel == thread.channel,
            IncidentRow.thread_ts == thread.ts,
        )
    )


def _judged_right(session: Session, ids: Sequence[str]) -> frozenset[str]:
    rows = session.execute(
        select(VerdictRow.investigation_id, VerdictRow.judgement).where(
            VerdictRow.investigation_id.in_(ids)
        )
    ).all()
    wrong = {i for i, judgement in rows if judgement == Judgement.WRONG.value}
    return frozenset(i for i, _ in rows if i not in wrong)


def _replace_hypotheses(session: Session, report: Report) -> None:
    for table in (EvidenceRow, HypothesisRow):
        session.execute(delete(table).where(table.investigation_id == report.investigation_id))
    for rank, ranked in enumerate(report.diagnosis.ranked, start=1):
        found = ranked.hypothesis
        session.add(
            HypothesisRow(
                investigation_id=report.investigation_id,
                rank=rank,
                cause=found.cause,
                object=found.object,
                service=found.service,
                analyzer=found.analyzer,
                confidence=ranked.confidence,
                summary=found.summary,
            )
        )
        for number, evidence in enumerate(found.evidence, start=1):
            session.add(
                EvidenceRow(
                    investigation_id=report.investigation_id,
                    rank=rank,
                    number=number,
                    statement=evidence.statement,
                    weight=evidence.weight,
                    system=evidence.source.system,
                    query=evidence.source.query,
                    link=evidence.source.link,
                )
            )
