"""What trust rests on: what became of each proposal, what happens anyway, and granted levels."""

from dataclasses import dataclass
from datetime import datetime

from bot.domain.action import Choice, ExecutionStatus, Level, Outcome
from bot.domain.conversation import Judgement


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One proposal of an action, and what became of it. Absent: it never came to that."""

    proposal_id: str
    investigation_id: str
    environment: str
    action: str
    service: str
    cause: str
    digest: str  # of the call
    at: datetime  # when the offer was made, or later: what runs are ordered by
    choice: Choice | None = None
    status: ExecutionStatus | None = None
    outcome: Outcome | None = None
    judged: Judgement | None = None  # people's verdict on the diagnosis; one WRONG counts
    step: bool = False  # a plan's first part, or asked for by a person: proves nothing but harm
    alone: Outcome | None = None  # what became of the trouble, though nothing was done about it


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """How many like incidents were watched without an action, and how many recovered alone."""

    recovered: int
    seen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelGrant:
    """One level to set; `service` "" means all services.

    Once it expires, `fallback` holds again; None: nothing was granted before.
    """

    environment: str
    action: str
    level: Level
    by: str
    reason: str
    service: str = ""
    expires_at: datetime | None = None
    fallback: Level | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelChange:
    """A level that was changed, for the audit and the channel."""

    environment: str
    action: str
    before: Level
    after: Level
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """An offer to raise a level: earned by the record, granted by a person or not at all."""

    id: str
    environment: str
    action: str
    level: Level  # the one that is offered
    evidence: str  # "35 of 35 verified (lower bound 90 %); alone 2 of 12 recovered"
    offered_at: datetime
