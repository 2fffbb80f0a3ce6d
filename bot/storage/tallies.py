"""What the tables say of the bot's own work, for its metrics: a handful of small counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from bot.domain.own_incident import Failed
from bot.domain.signal import Origin
from bot.storage.database import Database
from bot.storage.signal_tables import AlertRow, DeadLetterRow, InboxRow
from bot.storage.switches import KILL_SWITCH
from bot.storage.tables import (
    DecisionRow,
    ExecutionRow,
    IncidentRow,
    InvestigationRow,
    MessageRow,
    SwitchRow,
    VerificationRow,
)

Counts = Mapping[tuple[str, ...], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnAlert:
    """What the bot said of itself, and when it last did."""

    title: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What all replicas have done together, and what waits. Ages in seconds."""

    investigations: Counts  # by status; "" while it runs
    executions: Counts  # by action, status and "undo" or "do"
    outcomes: Counts  # by outcome of the verification
    decisions: Counts  # by choice
    incidents: Counts  # by state
    inbox_waiting: int
    inbox_age_s: float
    dead_letters: int
    unsent: int  # messages that were meant to be posted, and nobody knows that they were
    stopped: bool
    own_alerts: Mapping[str, OwnAlert]  # about the bot itself and not over, by subject


class Tallies:
    """Reads them in one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def reach(self) -> None:
        """Read one row, as quickly as can be. Raises: Unavailable."""
        await self._database.run(lambda session: session.get(SwitchRow, KILL_SWITCH))

    async def now(self, at: datetime) -> Tally:
        """Return what the tables say. Raises: Unavailable."""
        return await self._database.run(lambda session: _read(session, at))

    async def of_others(self, failed: Sequence[Failed]) -> Sequence[Failed]:
        """Return those that were not about an incident of the bot itself. Raises: Unavailable."""
        if not failed:
            return ()
        return await self._database.run(lambda session: _of_others(session, failed))


def _of_others(session: Session, failed: Sequence[Failed]) -> Sequence[Failed]:
    of = select(InvestigationRow.id, InvestigationRow.incident_id)
    looks = session.execute(of.where(InvestigationRow.id.in_({f.investigation for f in failed})))
    incident_of = {str(row.id): str(row.incident_id) for row in looks}
    named = {*incident_of.values(), *(f.incident for f in failed)}
    is_own = IncidentRow.origin == Origin.SELF.value
    own = set(session.scalars(select(IncidentRow.id).where(IncidentRow.id.in_(named), is_own)))
    return tuple(f for f in failed if not {f.incident, incident_of.get(f.investigation)} & own)


def _read(session: Session, at: datetime) -> Tally:
    waiting = InboxRow.done_at.is_(None)
    oldest = session.scalar(select(func.min(InboxRow.received_at)).where(waiting))
    switch = session.get(SwitchRow, KILL_SWITCH)
    return Tally(
        investigations=_by(session, InvestigationRow.status),
        executions={
            (action, status, "undo" if undo == "True" else "do"): count
            for (action, status, undo), count in _by(
                session, ExecutionRow.action, ExecutionRow.status, ExecutionRow.is_undo
            ).items()
        },
        outcomes=_by(session, VerificationRow.outcome),
        decisions=_by(session, DecisionRow.choice),
        incidents=_by(session, IncidentRow.state),
        inbox_waiting=session.scalar(select(func.count()).where(waiting)) or 0,
        inbox_age_s=max(0.0, (at - oldest).total_seconds()) if oldest else 0.0,
        dead_letters=_count(session, DeadLetterRow.id, DeadLetterRow.replayed_at.is_(None)),
        unsent=_count(session, MessageRow.key, MessageRow.ts == ""),
        stopped=switch is not None and switch.on,
        own_alerts=_own_alerts(session),
    )


def _own_alerts(session: Session) -> Mapping[str, OwnAlert]:
    firing = select(AlertRow).where(AlertRow.origin == Origin.SELF.value, AlertRow.firing.is_(True))
    return {a.subject: OwnAlert(title=a.title, at=a.last_at) for a in session.scalars(firing)}


def _by(session: Session, *columns: InstrumentedAttribute[Any]) -> Counts:
    rows = session.execute(select(*columns, func.count()).group_by(*columns))
    return {tuple(str(value) for value in row[:-1]): int(row[-1]) for row in rows}


def _count(
    session: Session, column: InstrumentedAttribute[Any], condition: ColumnElement[bool]
) -> int:
    return session.scalar(select(func.count(column)).where(condition)) or 0
