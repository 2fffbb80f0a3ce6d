"""The facts behind the team's figures, in SQL."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from bot.domain.action import Choice, ExecutionStatus, Outcome
from bot.domain.conversation import Judgement
from bot.domain.kpis import ActionFact, DiagnosisFact, Facts, IncidentFact, OfferFact
from bot.domain.people import SELF
from bot.domain.policy import Verdict
from bot.domain.time import Window
from bot.storage.database import Database
from bot.storage.records import DONE, STEP, judged
from bot.storage.tables import (
    AuditRow,
    DecisionRow,
    ExecutionRow,
    IncidentRow,
    InvestigationRow,
    ProposalRow,
    VerificationRow,
)

FOR_PEOPLE = (Verdict.APPROVAL.value, Verdict.ONE_CLICK.value)
RULED = "ruled"  # the audit's event when a proposal was staged: what may be offered
AT_A_TIME = 5_000
Verdicts = Mapping[str, Judgement]


class KpiFacts:
    """`FactSource` in SQL. A span is read in one transaction, so that its figures fit together."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def facts(self, span: Window) -> Facts:
        """Return what touches the span, with all that came of its incidents."""

        def read(session: Session) -> Facts:
            ids = _touched(span)
            incidents = session.scalars(select(IncidentRow).where(IncidentRow.id.in_(ids))).all()
            investigations = session.execute(_investigations(ids)).all()
            verdicts = _verdicts(session, investigations)
            return Facts(
                incidents=tuple(map(_incident, incidents)),
                diagnoses=tuple(_diagnosis(row, verdicts) for row in investigations),
                actions=_actions(session, span, ids, verdicts),
                offers=_offers(session, span),
            )

        return await self._database.run(read)


def _touched(span: Window) -> Select[Any]:
    """Return the query for the incidents that the span's figures speak of."""
    opened = IncidentRow.opened_at
    still_open = and_(IncidentRow.closed_at.is_(None), IncidentRow.origin != "", opened < span.end)
    moments = (opened, IncidentRow.acknowledged_at, IncidentRow.escalated_at, IncidentRow.closed_at)
    looked_into = select(InvestigationRow.incident_id).where(
        _inside(InvestigationRow.started_at, span)
    )
    outlasting = and_(opened < span.end, IncidentRow.closed_at >= span.end)
    return select(IncidentRow.id).where(
        or_(
            still_open, outlasting, IncidentRow.id.in_(looked_into),
            *(_inside(moment, span) for moment in moments),
        )
    )  # fmt: skip


def _investigations(ids: Select[Any]) -> Select[Any]:
    """Return the query for what was investigated; not the reports themselves, which are large."""
    names = ("id", "incident_id", "environment", "started_at", "status", "cause", "service")
    columns = [getattr(InvestigationRow, name) for name in names]
    return select(*columns).where(InvestigationRow.incident_id.in_(ids))


def _inside(column: Any, span: Window) -> ColumnElement[bool]:
    return and_(column >= span.start, column < span.end)


def _verdicts(session: Session, rows: Iterable[Any]) -> Verdicts:
    """Return people's verdicts by investigation, as the record of trust counts them."""
    by_environment: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        by_environment[row.environment].add(row.id)
    found: dict[str, Judgement] = {}
    for environment, ids in by_environment.items():
        for part in _parts(ids):
            found.update(judged(session, environment, set(part)))
    return found


def _parts(ids: Iterable[str]) -> Iterator[list[str]]:
    """Yield the ids in as many at a time as one statement takes on every database."""
    ordered = sorted(ids)
    for start in range(0, len(ordered), AT_A_TIME):
        yield ordered[start : start + AT_A_TIME]


def _incident(row: IncidentRow) -> IncidentFact:
    return IncidentFact(
        id=row.id, environment=row.environment, service=row.service, title=row.title,
        channel=row.channel, thread_ts=row.thread_ts or "", origin=row.origin,
        severity=row.severity, opened_at=row.opened_at, began_at=row.began_at,
        acknowledged_at=row.acknowledged_at, escalated_at=row.escalated_at,
        closed_at=row.closed_at, quiet=row.quiet, alerts=row.alerts,
    )  # fmt: skip


def _diagnosis(row: Any, verdicts: Verdicts) -> DiagnosisFact:
    return DiagnosisFact(
        id=row.id, incident_id=row.incident_id, environment=row.environment,
        started_at=row.started_at, status=row.status, cause=row.cause, service=row.service,
        judged=verdicts.get(row.id),
    )  # fmt: skip


def _actions(
    session: Session, span: Window, ids: Select[Any], verdicts: Verdicts
) -> tuple[ActionFact, ...]:
    rows = session.execute(
        select(
            ExecutionRow.key, ExecutionRow.proposal_id, ExecutionRow.environment,
            ExecutionRow.action, ExecutionRow.service, ExecutionRow.started_at,
            ExecutionRow.status, VerificationRow.outcome, InvestigationRow.incident_id,
            ProposalRow.investigation_id,
            ProposalRow.body["requester"].as_string().label("requester"),
        )
        .join(ProposalRow, ProposalRow.id == ExecutionRow.proposal_id)
        .outerjoin(InvestigationRow, InvestigationRow.id == ProposalRow.investigation_id)
        .outerjoin(VerificationRow, VerificationRow.execution_key == ExecutionRow.key)
        .where(
            ExecutionRow.is_undo.is_(False),
            ExecutionRow.status.in_(DONE),
            or_(_inside(ExecutionRow.started_at, span), InvestigationRow.incident_id.in_(ids)),
        )
        .order_by(ExecutionRow.started_at, ExecutionRow.key)
    ).all()  # fmt: skip
    approved = _decisions(session, {row.proposal_id for row in rows})
    return tuple(_action(row, verdicts, approved) for row in rows)


def _action(
    row: Any, verdicts: Verdicts, decisions: Mapping[str, tuple[Choice, datetime]]
) -> ActionFact:
    asked = row.requester not in (None, "", SELF.id)
    return ActionFact(
        key=row.key,
        incident_id=row.incident_id or "",
        environment=row.environment,
        action=row.action,
        service=row.service,
        started_at=row.started_at,
        outcome=Outcome(row.outcome) if row.outcome else None,
        undone=row.status == ExecutionStatus.UNDONE.value,
        decided=row.proposal_id in decisions,
        asked=asked,
        step=STEP.search(row.proposal_id) is not None,
        judged=verdicts.get(row.investigation_id),
    )


def _offers(session: Session, span: Window) -> tuple[OfferFact, ...]:
    """Return what was first ruled in the span as something that people decide about."""
    first: dict[str, AuditRow] = {}
    query = select(AuditRow).where(AuditRow.event == RULED, _inside(AuditRow.at, span))
    for row in session.scalars(query.order_by(AuditRow.id)):
        first.setdefault(row.subject, row)
    offered = {
        name: row.at
        for name, row in first.items()
        if json.loads(row.details).get("verdict") in FOR_PEOPLE and not STEP.search(name)
    }
    decisions = _decisions(session, offered)
    found = [
        _offer(row, offered[row.id], decisions.get(row.id))
        for part in _parts(offered)
        for row in session.execute(_proposals().where(ProposalRow.id.in_(part)))
    ]
    return tuple(sorted(found, key=lambda o: (o.offered_at, o.id)))


def _proposals() -> Select[Any]:
    return (
        select(
            ProposalRow.id, ProposalRow.environment, ProposalRow.service,
            ProposalRow.body["title"].as_string().label("title"),
            ProposalRow.body["expires_at"].as_string().label("expires_at"),
            InvestigationRow.incident_id, ExecutionRow.started_at,
        )
        .outerjoin(InvestigationRow, InvestigationRow.id == ProposalRow.investigation_id)
        .outerjoin(
            ExecutionRow,
            (ExecutionRow.proposal_id == ProposalRow.id) & ExecutionRow.is_undo.is_(False),
        )
    )  # fmt: skip


def _offer(row: Any, at: datetime, decision: tuple[Choice, datetime] | None) -> OfferFact:
    choice, decided_at = decision or (None, None)
    return OfferFact(
        id=row.id,
        incident_id=row.incident_id or "",
        environment=row.environment,
        service=row.service,
        title=row.title or "",
        offered_at=at,
        expires_at=datetime.fromisoformat(row.expires_at) if row.expires_at else at,
        choice=choice,
        decided_at=decided_at,
        carried_out_at=row.started_at,
    )


def _decisions(session: Session, ids: Iterable[str]) -> dict[str, tuple[Choice, datetime]]:
    """Return each proposal's choice (one rejection is final) and when it was first decided."""
    found: dict[str, tuple[Choice, datetime]] = {}
    for part in _parts(ids):
        rows = session.execute(
            select(DecisionRow.proposal_id, DecisionRow.choice, DecisionRow.at)
            .where(DecisionRow.proposal_id.in_(part))
            .order_by(DecisionRow.at, DecisionRow.id)
        )
        for row in rows:
            choice, at = found.get(row.proposal_id, (Choice(row.choice), row.at))
            rejected = Choice(row.choice) is Choice.REJECT
            found[row.proposal_id] = (Choice.REJECT if rejected else choice, at)
    return found
