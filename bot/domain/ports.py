"""What the upper layers need of the outside world.

Protocols that storage, slack and tools implement.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.action import (
    ActionCall,
    BreakGlass,
    Decision,
    Execution,
    ExecutionStatus,
    Level,
    Proposal,
    Rejection,
    Target,
    Verification,
)
from bot.domain.conversation import (
    Card,
    Click,
    Head,
    InvestigationRow,
    Judgement,
    Mention,
    Notice,
    PersonVerdict,
    Thread,
)
from bot.domain.diagnosis import Report
from bot.domain.needs import Need
from bot.domain.people import Actor, Role
from bot.domain.snapshot import PastIncident, Snapshot
from bot.domain.trust import Promotion


class Collect(Protocol):
    """Perception as reasoning sees it: needs in, facts out.

    What fails comes back as a blind spot.
    """

    async def __call__(self, needs: Sequence[Need]) -> Snapshot:
        """Return the facts that answer the needs, in one partial snapshot."""
        ...


class Notify(Protocol):
    """Telling people.

    Never blocked by policy. Each call is idempotent: the same key edits or does nothing.
    """

    async def head(self, thread: Thread, head: Head) -> None:
        """Post the investigation's head message in the thread, or edit it."""
        ...

    async def report(self, thread: Thread, report: Report) -> None:
        """Post the report with its chart, once per investigation; a second call edits it."""
        ...

    async def card(self, thread: Thread, card: Card) -> None:
        """Post the proposal's card, or edit it to its new state."""
        ...

    async def promotion(self, thread: Thread, promotion: Promotion) -> None:
        """Offer a level to an administrator, once per offer and person."""
        ...

    async def say(self, thread: Thread, notice: Notice, *, key: str) -> None:
        """Say something short in the thread, once per key."""
        ...

    async def whisper(self, channel: str, user: str, notice: Notice, thread_ts: str = "") -> None:
        """Say something that only `user` sees."""
        ...


class Teammate(Protocol):
    """The bot as its human surfaces see it. Every call is idempotent by event or click id.

    Raises: Transient when it could not be taken (database down): the surface says "not taken, try
    again".
    """

    async def mentioned(self, mention: Mention) -> None:
        """Start or continue what the mention asks for; answers go through `Notify`."""
        ...

    async def approve(self, click: Click) -> Notice:
        """Record a bound approval (or a one-click run).

        The notice tells the clicker what became of it.
        """
        ...

    async def reject(self, click: Click) -> Notice:
        """Record a rejection with its reason."""
        ...

    async def undo(self, click: Click) -> Notice:
        """Take back an execution while that is possible; `subject` is the execution's key."""
        ...

    async def judge(self, click: Click, judgement: Judgement) -> Notice:
        """Record a verdict on a diagnosis; `subject` is the investigation's id."""
        ...

    async def offered(self, promotion_id: str) -> Promotion | None:
        """Return an open offer of a level."""
        ...

    async def grant(self, click: Click, days: int) -> Notice:
        """Grant the offered level, with the click's reason; `days` 0: without expiry."""
        ...

    async def decline(self, click: Click) -> Notice:
        """Close the offer of a level."""
        ...

    async def break_glass(self, click: Click) -> Notice:
        """Approve alone what one asked for oneself: production, reversible, with a reason."""
        ...

    async def unreadable(self, user: str, what: str) -> None:
        """Write to the audit that a click of `user` could not be read, so nothing was done."""
        ...

    async def report_of(self, investigation_id: str) -> Report | None:
        """Return a finished investigation's report, for "show steps"."""
        ...

    async def command(self, event_id: str, thread: Thread, user: str, text: str) -> Notice | None:
        """Carry out `/sre …` (status, stop, start, ask, help).

        None when the answer comes in the thread.
        """
        ...

    async def takes_part_in(self, thread: Thread) -> bool:
        """Whether the bot has an investigation in this thread."""
        ...

    async def recent(self, limit: int = 20) -> Sequence[InvestigationRow]:
        """Return the newest investigations, for App Home."""
        ...


class PeopleStore(Protocol):
    """Roles, granted in SQL to (team, user)."""

    async def roles_of(self, team: str, user: str, environment: str) -> frozenset[Role]:
        """Return the roles of a user here (`ANYWHERE`: in any place); unknown users hold none."""
        ...


class LevelStore(Protocol):
    """Autonomy levels in SQL."""

    async def level_of(self, environment: str, action: str, service: str) -> Level:
        """Return the lowest of the levels that apply; absent means L1."""
        ...


class SwitchStore(Protocol):
    """Kill switch, freeze windows and breakers."""

    async def stopped(self) -> bool:
        """Whether the kill switch is on."""
        ...

    async def set_stopped(self, stopped: bool, *, by: str, reason: str, at: datetime) -> None:
        """Turn the kill switch on or off."""
        ...

    async def frozen(self, environment: str, at: datetime) -> bool:
        """Whether a freeze window covers this moment."""
        ...

    async def breaker_open(self, environment: str, action: str) -> bool:
        """Whether too many executions failed here (or anywhere) lately."""
        ...

    async def open_breaker(self, environment: str, action: str, at: datetime) -> None:
        """Count a failure that is one too many by itself: what was done could not be undone.

        Once it is open, nothing more is counted.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One line of the append-only audit. No secrets: texts are redacted before they come here."""

    at: datetime
    actor: str
    event: (
        str  # "ruled", "decided", "executed", "verified", "undone", "refused", "level_changed", …
    )
    environment: str
    subject: str  # id of the proposal, execution, investigation or level
    text: str
    details: str = "{}"  # JSON


class Audit(Protocol):
    """The append-only record. If it cannot be written, nothing is done."""

    async def write(self, entry: AuditEntry) -> None:
        """Append an entry, hash-chained to the one before."""
        ...


class ActionStore(Protocol):
    """Proposals, decisions, executions, verifications and target locks."""

    async def save_proposal(self, proposal: Proposal) -> None:
        """Insert or replace a proposal by id."""
        ...

    async def proposal(self, proposal_id: str) -> Proposal | None:
        """Return a proposal by id."""
        ...

    async def add_decision(self, decision: Decision) -> bool:
        """Insert a decision; False if this id is there already (double click, retry)."""
        ...

    async def decisions(self, proposal_id: str) -> Sequence[Decision]:
        """Return the decisions on a proposal, the oldest first."""
        ...

    async def use_decisions(self, ids: Sequence[str]) -> bool:
        """Mark decisions used, all or none; False if any was used before."""
        ...

    async def lock(self, target: str, *, holder: str, until: datetime, now: datetime) -> bool:
        """Take the target for `holder` until then.

        True if it is free, expired or already this holder's.
        """
        ...

    async def unlock(self, target: str, *, holder: str) -> None:
        """Give the target back."""
        ...

    async def locked_by(self, target: str, now: datetime) -> str | None:
        """Return who holds the target, or None."""
        ...

    async def intend(self, execution: Execution) -> Execution:
        """Insert the intent row; if the key exists, return the row that is there."""
        ...

    async def finish(self, key: str, status: ExecutionStatus, detail: str) -> None:
        """Record how an execution ended."""
        ...

    async def fail(self, key: str, detail: str, at: datetime) -> None:
        """Record that an execution failed, and count it towards the breaker; both, and once."""
        ...

    async def execution(self, key: str) -> Execution | None:
        """Return an execution by key."""
        ...

    async def save_verification(self, verification: Verification) -> None:
        """Insert or replace the verification of an execution."""
        ...

    async def settle(
        self, verification: Verification, at: datetime, *, failure: bool | None
    ) -> None:
        """Save a verification and count it towards the breaker: both, and once per execution.

        `failure`: whether it is one, False: the count begins anew, None: it says nothing.
        """
        ...

    async def actions_since(self, environment: str, since: datetime) -> int:
        """Count executions (undos aside) in an environment since then."""
        ...

    async def verified_before(self, call: ActionCall, target: Target) -> bool:
        """Whether this action on this target was approved by a person and verified before.

        With whatever arguments: a rollback goes to another revision each time.
        """
        ...

    async def under_way(self, environment: str, since: datetime) -> Sequence[Proposal]:
        """Return what was carried out here since then and may still hold something down.

        Not what was undone, failed, or was watched to its end and did not make it worse.
        """
        ...

    async def rejected_before(self, proposal: Proposal) -> Rejection | None:
        """Return the newest rejection of the same call, in this incident if there is one."""
        ...

    async def declare(self, break_glass: BreakGlass) -> None:
        """Keep a break-glass declaration; a second one for the proposal replaces it."""
        ...

    async def break_glass(self, proposal_id: str) -> BreakGlass | None:
        """Return the declaration for a proposal, expired or not."""
        ...

    async def track_record(self, environment: str, action: str, service: str) -> tuple[int, int]:
        """Return (verified, executed) of this action here."""
        ...


class IncidentStore(Protocol):
    """Investigations, their evidence and reports, verdicts, and what they teach."""

    async def open_investigation(
        self, investigation_id: str, thread: Thread, user: str, text: str, at: datetime
    ) -> None:
        """Insert an investigation once; a second call does nothing."""
        ...

    async def save_report(self, report: Report) -> None:
        """Store the report with its hypotheses and evidence; a second call replaces it."""
        ...

    async def report(self, investigation_id: str) -> Report | None:
        """Return a report."""
        ...

    async def set_state(self, investigation_id: str, state: str) -> None:
        """Record where the investigation stands."""
        ...

    async def investigation_of(self, thread: Thread) -> str | None:
        """Return the newest investigation of a thread."""
        ...

    async def thread_of(self, investigation_id: str) -> Thread | None:
        """Return the thread of an investigation."""
        ...

    async def save_verdict(self, verdict: PersonVerdict) -> None:
        """Store a person's verdict; the last one of each person counts."""
        ...

    async def past(self, environment: str, limit: int = 200) -> Sequence[PastIncident]:
        """Return what earlier investigations found, the newest first."""
        ...

    async def recent(self, limit: int) -> Sequence[InvestigationRow]:
        """Return the newest investigations."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """What the outbox knows of a message.

    `ts` is empty when it was meant to be sent and nobody knows.
    """

    key: str
    channel: str
    ts: str
    digest: str  # hash of the content last sent, to skip edits that change nothing


class Outbox(Protocol):
    """Which messages were posted where.

    So that a crash between post and record posts nothing twice.
    """

    async def begin(self, key: str, channel: str) -> Posted | None:
        """Record the intent to post under this key; return what was known before, None if new."""
        ...

    async def finish(self, posted: Posted) -> None:
        """Record the message's ts and digest."""
        ...

    async def by_key(self, key: str) -> Posted | None:
        """Return what was posted under this key; without a ts it is being posted now."""
        ...


class Resolver(Protocol):
    """Turns a Slack user into an Actor with kind and roles, at the click."""

    async def actor(self, team: str, user: str, environment: str) -> Actor:
        """Return the actor; guests, users of other organisations and bots hold no role."""
        ...
