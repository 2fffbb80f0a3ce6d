"""Proposals, decisions, executions, verifications and target locks."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from bot.domain.action import (
    ActionCall,
    BreakGlass,
    Choice,
    Decision,
    Execution,
    ExecutionStatus,
    Outcome,
    Proposal,
    Rejection,
    Target,
    Verification,
)
from bot.domain.codec import decode, encode
from bot.storage.breakers import count
from bot.storage.database import Database
from bot.storage.locks import taken
from bot.storage.tables import (
    BreakGlassRow,
    DecisionRow,
    ExecutionRow,
    InvestigationRow,
    LockRow,
    ProposalRow,
    VerificationRow,
)

OVER = (ExecutionStatus.UNDONE.value, ExecutionStatus.FAILED.value)
SETTLED = (Outcome.RECOVERED.value, Outcome.UNCHANGED.value)
DECLARED = ("proposal_id", "team", "user", "reason", "at", "expires_at")


class Actions:
    """`ActionStore` in SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save_proposal(self, proposal: Proposal) -> None:
        """Insert or replace a proposal by id."""
        row = ProposalRow(
            id=proposal.id,
            investigation_id=proposal.investigation_id,
            environment=proposal.call.environment,
            action=proposal.call.action,
            service=proposal.target.service if proposal.target else "",
            call_digest=proposal.call.digest,
            body=encode(proposal),
        )
        await self._database.run(lambda session: session.merge(row))

    async def proposal(self, proposal_id: str) -> Proposal | None:
        """Return a proposal by id."""

        def read(session: Session) -> Proposal | None:
            row = session.get(ProposalRow, proposal_id)
            return decode(Proposal, row.body) if row else None

        return await self._database.run(read)

    async def add_decision(self, decision: Decision) -> bool:
        """Insert a decision; False if this id is there already (double click, retry)."""

        def write(session: Session) -> bool:
            if session.get(DecisionRow, decision.id) is not None:
                return False
            session.add(
                DecisionRow(
                    id=decision.id,
                    proposal_id=decision.proposal_id,
                    at=decision.at,
                    choice=decision.choice.value,
                    used=decision.used,
                    body=encode(decision),
                )
            )
            return True

        return await self._database.run(write)

    async def decisions(self, proposal_id: str) -> Sequence[Decision]:
        """Return the decisions on a proposal, the oldest first."""

        def read(session: Session) -> Sequence[Decision]:
            rows = session.scalars(
                select(DecisionRow)
                .where(DecisionRow.proposal_id == proposal_id)
                .order_by(DecisionRow.at, DecisionRow.id)
            )
            return tuple(decode(Decision, {**row.body, "used": row.used}) for row in rows)

        return await self._database.run(read)

    async def use_decisions(self, ids: Sequence[str]) -> bool:
        """Mark decisions used, all or none; False if any was used before."""

        def write(session: Session) -> bool:
            rows = session.scalars(
                select(DecisionRow).where(DecisionRow.id.in_(ids)).with_for_update()
            ).all()
            if len(rows) != len(set(ids)) or any(row.used for row in rows):
                return False
            for row in rows:
                row.used = True
            return True

        return await self._database.run(write)

    async def lock(self, target: str, *, holder: str, until: datetime, now: datetime) -> bool:
        """Take the target until then; True if it is free, expired or already this holder's."""
        return await self._database.run(
            lambda session: taken(session, target, holder=holder, until=until, now=now)
        )

    async def unlock(self, target: str, *, holder: str) -> None:
        """Give the target back."""
        mine = delete(LockRow).where(LockRow.target == target, LockRow.holder == holder)
        await self._database.run(lambda session: session.execute(mine))

    async def locked_by(self, target: str, now: datetime) -> str | None:
        """Return who holds the target, or None."""

        def read(session: Session) -> str | None:
            row = session.get(LockRow, target)
            return row.holder if row is not None and row.until > now else None

        return await self._database.run(read)

    async def intend(self, execution: Execution) -> Execution:
        """Insert the intent row; if the key exists, return the row that is there."""

        def write(session: Session) -> Execution:
            row = session.get(ExecutionRow, execution.key)
            if row is not None:
                return _execution(row)
            proposal = session.get(ProposalRow, execution.proposal_id)
            session.add(
                ExecutionRow(
                    key=execution.key,
                    proposal_id=execution.proposal_id,
                    environment=execution.call.environment,
                    action=execution.call.action,
                    service=proposal.service if proposal else "",
                    call_digest=execution.call.digest,
                    status=execution.status.value,
                    is_undo=execution.is_undo,
                    started_at=execution.started_at,
                    body=encode(execution),
                )
            )
            return execution

        return await self._database.run(write)

    async def finish(self, key: str, status: ExecutionStatus, detail: str) -> None:
        """Record how an execution ended."""

        def write(session: Session) -> None:
            row = session.get(ExecutionRow, key, with_for_update=True)
            if row is not None:
                row.status = status.value
                row.body = {**row.body, "status": status.value, "detail": detail}

        await self._database.run(write)

    async def fail(self, key: str, detail: str, at: datetime) -> None:
        """Record that an execution failed, and count it towards the breaker once."""

        def write(session: Session) -> None:
            row = session.get(ExecutionRow, key, with_for_update=True)
            if row is None or row.status == ExecutionStatus.FAILED.value:
                return
            row.status = ExecutionStatus.FAILED.value
            row.body = {**row.body, "status": row.status, "detail": detail}
            count(session, row.proposal_id, at, failure=True)

        await self._database.run(write)

    async def execution(self, key: str) -> Execution | None:
        """Return an execution by key."""

        def read(session: Session) -> Execution | None:
            row = session.get(ExecutionRow, key)
            return _execution(row) if row else None

        return await self._database.run(read)

    async def save_verification(self, verification: Verification) -> None:
        """Insert or replace the verification of an execution."""
        await self._database.run(lambda session: session.merge(_row_of(verification)))

    async def settle(
        self, verification: Verification, at: datetime, *, failure: bool | None
    ) -> None:
        """Save a verification and count it towards the breaker, both or neither, and once."""

        def write(session: Session) -> None:
            row = session.get(ExecutionRow, verification.execution_key, with_for_update=True)
            counted = session.get(VerificationRow, verification.execution_key) is not None
            session.merge(_row_of(verification))
            if row is not None and failure is not None and not counted:
                count(session, row.proposal_id, at, failure=failure)

        await self._database.run(write)

    async def verification(self, execution_key: str) -> Verification | None:
        """Return the verification of an execution."""

        def read(session: Session) -> Verification | None:
            row = session.get(VerificationRow, execution_key)
            return decode(Verification, row.body) if row else None

        return await self._database.run(read)

    async def actions_since(self, environment: str, since: datetime) -> int:
        """Count executions (undos aside) in an environment since then."""

        def read(session: Session) -> int:
            return session.scalar(
                select(func.count()).where(
                    ExecutionRow.environment == environment,
                    ExecutionRow.started_at >= since,
                    ExecutionRow.is_undo.is_(False),
                )
            ) or 0  # fmt: skip

        return await self._database.run(read)

    async def verified_before(self, call: ActionCall, target: Target) -> bool:
        """Whether this action here was approved by a person, carried out and verified before."""
        there = ProposalRow.body["target"]
        names = ("kind", "namespace", "name")
        same = tuple(there[n].as_string() == getattr(target, n) for n in names)

        def read(session: Session) -> bool:
            found = session.scalar(
                select(ExecutionRow.key)
                .join(VerificationRow, VerificationRow.execution_key == ExecutionRow.key)
                .join(DecisionRow, DecisionRow.proposal_id == ExecutionRow.proposal_id)
                .join(ProposalRow, ProposalRow.id == ExecutionRow.proposal_id)
                .where(
                    ExecutionRow.environment == call.environment,
                    ExecutionRow.action == call.action,
                    *same,
                    ExecutionRow.is_undo.is_(False),
                    ExecutionRow.status == ExecutionStatus.APPLIED.value,
                    DecisionRow.choice == Choice.APPROVE.value,
                    VerificationRow.outcome == Outcome.RECOVERED.value,
                )
                .limit(1)
            )
            return found is not None

        return await self._database.run(read)

    async def under_way(self, environment: str, since: datetime) -> Sequence[Proposal]:
        """Return what was carried out here since then and may still hold something down."""
        query = (
            select(ProposalRow)
            .join(ExecutionRow, ExecutionRow.proposal_id == ProposalRow.id)
            .outerjoin(VerificationRow, VerificationRow.execution_key == ExecutionRow.key)
            .where(
                ExecutionRow.environment == environment,
                ExecutionRow.started_at >= since,
                ExecutionRow.is_undo.is_(False),
                ExecutionRow.status.not_in(OVER),
                VerificationRow.outcome.is_(None) | VerificationRow.outcome.not_in(SETTLED),
            )
        )

        def read(session: Session) -> Sequence[Proposal]:
            return tuple(decode(Proposal, row.body) for row in session.scalars(query))

        return await self._database.run(read)

    async def rejected_before(self, proposal: Proposal) -> Rejection | None:
        """Return the newest rejection of the same call, in this incident if there is one."""

        def read(session: Session) -> Rejection | None:
            rows = session.execute(
                select(ProposalRow, DecisionRow, InvestigationRow.incident_id)
                .join(DecisionRow, DecisionRow.proposal_id == ProposalRow.id)
                .outerjoin(InvestigationRow, InvestigationRow.id == ProposalRow.investigation_id)
                .where(
                    ProposalRow.call_digest == proposal.call.digest,
                    ProposalRow.id != proposal.id,
                    DecisionRow.choice == Choice.REJECT.value,
                )
                .order_by(DecisionRow.at.desc(), DecisionRow.id)
            ).all()
            mine = session.get(InvestigationRow, proposal.investigation_id)
            incident = mine.incident_id if mine else None
            here = [row for row in rows if incident is not None and row[2] == incident]
            found = next(iter(here or rows), None)
            if found is None:
                return None
            return Rejection(
                proposal=decode(Proposal, found[0].body),
                decision=decode(Decision, found[1].body),
                here=bool(here),
            )

        return await self._database.run(read)

    async def declare(self, break_glass: BreakGlass) -> None:
        """Keep a break-glass declaration; a second one for the proposal replaces it."""
        row = BreakGlassRow(**{name: getattr(break_glass, name) for name in DECLARED})
        await self._database.run(lambda session: session.merge(row))

    async def break_glass(self, proposal_id: str) -> BreakGlass | None:
        """Return the declaration for a proposal, expired or not."""

        def read(session: Session) -> BreakGlass | None:
            row = session.get(BreakGlassRow, proposal_id)
            return BreakGlass(**{n: getattr(row, n) for n in DECLARED}) if row else None

        return await self._database.run(read)

    async def track_record(self, environment: str, action: str, service: str) -> tuple[int, int]:
        """Return (verified, executed) of this action here."""

        def read(session: Session) -> tuple[int, int]:
            outcomes = session.execute(
                select(VerificationRow.outcome)
                .select_from(ExecutionRow)
                .outerjoin(VerificationRow, VerificationRow.execution_key == ExecutionRow.key)
                .where(
                    ExecutionRow.environment == environment,
                    ExecutionRow.action == action,
                    ExecutionRow.service == service,
                    ExecutionRow.is_undo.is_(False),
                )
            ).all()
            verified = sum(row[0] == Outcome.RECOVERED.value for row in outcomes)
            return verified, len(outcomes)

        return await self._database.run(read)


def _execution(row: ExecutionRow) -> Execution:
    return decode(Execution, row.body)


def _row_of(verification: Verification) -> VerificationRow:
    return VerificationRow(
        execution_key=verification.execution_key,
        outcome=verification.outcome.value,
        checked_at=verification.checked_at,
        body=encode(verification),
    )
