"""The rows of the circuit breakers, changed within the transaction of what is counted."""

from datetime import datetime

from sqlalchemy.orm import Session

from bot.storage.tables import BreakerRow, ProposalRow

PAIR_LIMIT = 2  # failures in a row of one (environment, action) that open its breaker
GLOBAL_LIMIT = 4  # failures in a row over everything that open all breakers
EVERYWHERE = ("*", "*")


def is_open(session: Session, environment: str, action: str) -> bool:
    """Whether too many executions failed in a row, here or over everything."""
    pair = session.get(BreakerRow, (environment, action))
    everything = session.get(BreakerRow, EVERYWHERE)
    return (pair is not None and pair.failures >= PAIR_LIMIT) or (
        everything is not None and everything.failures >= GLOBAL_LIMIT
    )


def count_failure(session: Session, environment: str, action: str, at: datetime) -> BreakerRow:
    """Count a failed, worse or unverified execution; return the pair's row."""
    rows = []
    for key in ((environment, action), EVERYWHERE):
        row = session.get(BreakerRow, key, with_for_update=True)
        if row is None:
            row = BreakerRow(environment=key[0], action=key[1], failures=0, last_at=at)
            session.add(row)
        row.failures += 1
        row.last_at = at
        rows.append(row)
    return rows[0]


def count_success(session: Session, environment: str, action: str, at: datetime) -> None:
    """Reset the counts after a verified execution."""
    for key in ((environment, action), EVERYWHERE):
        row = session.get(BreakerRow, key, with_for_update=True)
        if row is not None:
            row.failures, row.last_at = 0, at


def count(session: Session, proposal_id: str, at: datetime, *, failure: bool) -> None:
    """Count how an execution of this proposal, or its undo, ended."""
    proposal = session.get(ProposalRow, proposal_id)
    if proposal is None:
        return
    if failure:
        count_failure(session, proposal.environment, proposal.action, at)
    else:
        count_success(session, proposal.environment, proposal.action, at)
