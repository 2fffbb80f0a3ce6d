"""What trust rests on, in SQL: what became of proposals, with and without acting, and offers."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from bot.domain.action import Choice, ExecutionStatus, Outcome, Proposal, Verification
from bot.domain.codec import decode, encode
from bot.domain.conversation import Judgement
from bot.domain.people import SELF, Role
from bot.domain.trust import Baseline, Promotion, Run
from bot.storage.database import Database
from bot.storage.tables import (
    DecisionRow,
    ExecutionRow,
    IncidentRow,
    InvestigationRow,
    ObservationRow,
    PromotionRow,
    ProposalRow,
    RoleRow,
    VerdictRow,
    VerificationRow,
)

COUNTING = (Role.RESPONDER.value, Role.APPROVER.value, Role.ADMINISTRATOR.value)
REST = timedelta(days=30)  # after "not now" the same level is not offered again for so long
DONE = (ExecutionStatus.APPLIED.value, ExecutionStatus.UNDONE.value)
STEP = re.compile(r"-p\d+-s\d+$")  # a proposal that is a step of another one's plan
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


class Records:
    """`RecordStore` in SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def runs(self, environment: str, action: str) -> Sequence[Run]:
        """Return every proposal of this action here, and what became of it."""

        def read(session: Session) -> Sequence[Run]:
            rows = session.execute(_history(environment, action)).all()
            verdicts = judged(session, environment, {row.investigation_id for row in rows})
            choices = _choices(session, environment, action)
            return tuple(_run(row, verdicts, choices) for row in rows)

        return await self._database.run(read)

    async def baseline(self, environment: str, causes: Sequence[str]) -> Baseline:
        """Return how often trouble of these causes went away here without an action."""
        query = select(ObservationRow.outcome).where(
            ObservationRow.environment == environment, ObservationRow.cause.in_(causes)
        )
        seen = await self._database.run(lambda session: session.scalars(query).all())
        known = [outcome for outcome in seen if outcome != Outcome.NO_DATA.value]
        return Baseline(recovered=known.count(Outcome.RECOVERED.value), seen=len(known))

    async def pairs(self) -> Sequence[tuple[str, str]]:
        """Return every (environment, action) that was ever proposed."""
        query = select(ProposalRow.environment, ProposalRow.action).distinct()
        found = await self._database.run(lambda session: session.execute(query).all())
        return tuple((environment, action) for environment, action in found)

    async def proposed(self, investigation_id: str) -> Sequence[tuple[str, str]]:
        """Return (environment, action) of everything proposed for an investigation."""
        query = (
            select(ProposalRow.environment, ProposalRow.action)
            .where(ProposalRow.investigation_id == investigation_id)
            .distinct()
        )
        found = await self._database.run(lambda session: session.execute(query).all())
        return tuple((environment, action) for environment, action in found)

    async def carried_out(self, investigation_id: str) -> Sequence[Proposal]:
        """Return the proposals of an investigation that were carried out."""
        query = (
            select(ProposalRow)
            .join(ExecutionRow, ExecutionRow.proposal_id == ProposalRow.id)
            .where(
                ProposalRow.investigation_id == investigation_id,
                ProposalRow.body["requester"].as_string() == SELF.id,
                ExecutionRow.is_undo.is_(False),
                ExecutionRow.status.in_(DONE),
            )
        )
        rows = await self._database.run(lambda session: session.scalars(query).all())
        return tuple(decode(Proposal, row.body) for row in rows)

    async def observe(self, proposal: Proposal, verification: Verification) -> None:
        """Keep what became of the trouble though the proposal was not carried out."""
        row = ObservationRow(
            proposal_id=proposal.id,
            environment=proposal.call.environment,
            cause=proposal.cause,
            outcome=verification.outcome.value,
            checked_at=verification.checked_at,
            statement=verification.statement,
        )
        await self._database.run(lambda session: session.merge(row))

    async def offer(self, promotion: Promotion) -> Promotion | None:
        """Open an offer and return it; or the open one of this level; None after "not now"."""

        def write(session: Session) -> Promotion | None:
            rows = session.scalars(
                select(PromotionRow)
                .where(
                    PromotionRow.environment == promotion.environment,
                    PromotionRow.action == promotion.action,
                )
                .order_by(PromotionRow.offered_at)
            ).all()
            same = [row for row in rows if row.level == int(promotion.level)]
            there = next((row for row in same if row.closed_at is None), None)
            if there is not None:
                return decode(Promotion, there.body)
            since = promotion.offered_at - REST
            if any(row.closed_at is not None and row.closed_at > since for row in same):
                return None
            for row in rows:
                row.closed_at = row.closed_at or promotion.offered_at
            return _open(session, promotion, len(rows) + 1)

        return await self._database.run(write)

    async def promotion(self, promotion_id: str) -> Promotion | None:
        """Return an open offer."""

        def read(session: Session) -> Promotion | None:
            row = session.get(PromotionRow, promotion_id)
            open_ = row is not None and row.closed_at is None
            return decode(Promotion, row.body) if row is not None and open_ else None

        return await self._database.run(read)

    async def close_promotions(self, environment: str, action: str, at: datetime) -> None:
        """Close the open offers of an action here."""
        change = (
            update(PromotionRow)
            .where(
                PromotionRow.environment == environment,
                PromotionRow.action == action,
                PromotionRow.closed_at.is_(None),
            )
            .values(closed_at=at)
        )
        await self._database.run(lambda session: session.execute(change))


def _open(session: Session, promotion: Promotion, number: int) -> Promotion:
    name = f"promotion:{promotion.environment}:{promotion.action}:{number}"
    made = replace(promotion, id=name)
    session.add(
        PromotionRow(
            id=name, environment=made.environment, action=made.action, level=int(made.level),
            offered_at=made.offered_at, closed_at=None, body=encode(made),
        )
    )  # fmt: skip
    return made


def _history(environment: str, action: str) -> Select[Any]:
    """Return the query for everything that became of an action's proposals, a row each."""
    return (
        select(
            ProposalRow.id,
            ProposalRow.investigation_id,
            ProposalRow.environment,
            ProposalRow.action,
            ProposalRow.service,
            ProposalRow.call_digest,
            ProposalRow.body["cause"].as_string().label("cause"),
            ProposalRow.body["expires_at"].as_string().label("offered_until"),
            ProposalRow.body["requester"].as_string().label("requester"),
            ExecutionRow.status,
            ExecutionRow.started_at,
            VerificationRow.outcome,
            ObservationRow.outcome.label("alone"),
        )
        .outerjoin(
            ExecutionRow,
            (ExecutionRow.proposal_id == ProposalRow.id) & ExecutionRow.is_undo.is_(False),
        )
        .outerjoin(VerificationRow, VerificationRow.execution_key == ExecutionRow.key)
        .outerjoin(ObservationRow, ObservationRow.proposal_id == ProposalRow.id)
        .where(ProposalRow.environment == environment, ProposalRow.action == action)
    )


def _run(row: Any, judged: dict[str, Judgement], choices: dict[str, Choice]) -> Run:
    offered = datetime.fromisoformat(row.offered_until) if row.offered_until else BEGINNING
    asked = row.requester not in (None, "", SELF.id)  # by a person: it proves no diagnosis right
    return Run(
        proposal_id=row.id,
        investigation_id=row.investigation_id,
        environment=row.environment,
        action=row.action,
        service=row.service,
        cause=row.cause or "",
        digest=row.call_digest,
        at=row.started_at or offered,
        step=asked or STEP.search(row.id) is not None,
        choice=choices.get(row.id),
        status=ExecutionStatus(row.status) if row.status else None,
        outcome=Outcome(row.outcome) if row.outcome else None,
        judged=None if asked else judged.get(row.investigation_id),
        alone=Outcome(row.alone) if row.alone else None,
    )


def _choices(session: Session, environment: str, action: str) -> dict[str, Choice]:
    """Return each proposal's decision; one rejection is final."""
    rows = session.execute(
        select(DecisionRow.proposal_id, DecisionRow.choice)
        .join(ProposalRow, ProposalRow.id == DecisionRow.proposal_id)
        .where(ProposalRow.environment == environment, ProposalRow.action == action)
    ).all()
    found: dict[str, Choice] = {}
    for proposal_id, choice in rows:
        if found.get(proposal_id) is not Choice.REJECT:
            found[proposal_id] = Choice(choice)
    return found


def judged(session: Session, environment: str, ids: set[str]) -> dict[str, Judgement]:
    """Return people's verdicts: one "wrong" is enough; "right" counts from who holds a role."""
    rows = session.execute(
        select(VerdictRow.investigation_id, VerdictRow.judgement, VerdictRow.user, IncidentRow.team)
        .join(InvestigationRow, InvestigationRow.id == VerdictRow.investigation_id)
        .join(IncidentRow, IncidentRow.id == InvestigationRow.incident_id)
        .where(VerdictRow.investigation_id.in_(ids))
    ).all()
    roles = select(RoleRow.team, RoleRow.user).where(
        RoleRow.role.in_(COUNTING), RoleRow.environment.in_(("", environment))
    )
    holders = {(team, user) for team, user in session.execute(roles)}
    said: dict[str, set[Judgement]] = defaultdict(set)
    for investigation_id, judgement, user, team in rows:
        verdict = Judgement(judgement)
        if verdict is Judgement.WRONG or (team, user) in holders:
            said[investigation_id].add(verdict)
    return {
        name: Judgement.WRONG if Judgement.WRONG in verdicts else Judgement.RIGHT
        for name, verdicts in said.items()
    }
