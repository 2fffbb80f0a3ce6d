"""What people say to the bot and what the bot says to them, without a word of Block Kit."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.domain.action import Decision, Execution, Proposal, Verification
from bot.domain.diagnosis import Diagnosis, Progress, Question, Report
from bot.domain.policy import Ruling


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """One Slack thread: the root message's channel and timestamp."""

    team: str
    channel: str
    ts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """Somebody spoke to the bot (app_mention.

    A thread it takes part in, a slash command, an alert).
    """

    event_id: str
    thread: Thread
    user: str
    text: str  # without the bot's own mention
    ts: str
    in_thread: bool
    typed: str = ""  # what a person typed themselves: no attachment, no forwarded text is in it
    addressed: bool = (
        True  # False: overheard in an incident channel; speak only if it tells of trouble
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Click:
    """A button or a modal's submission.

    `subject` is the proposal's, execution's or investigation's id.
    """

    click_id: str  # stable over retries and double clicks of the same control
    team: str
    channel: str
    message_ts: str
    thread_ts: str
    user: str
    subject: str
    reason: str = ""


class Mark(StrEnum):
    """The status marks of VOICE; always shown with their word."""

    INVESTIGATING = "🔎"
    ROOT_CAUSE = "🔴"
    NOT_SURE = "🟡"
    UNKNOWN = "⚪"
    HEALTHY = "🟢"
    WAITING = "⏸"
    ACTING = "▶"
    UNDONE = "↩"
    REFUSED = "⛔"
    STOPPED = "🛑"
    DONE = "✅"
    NONE = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A short message.

    Mark, text in Slack's mrkdwn (data in it already neutralised by the view).
    """

    mark: Mark
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The one message per investigation that is edited. `diagnosis` is None while it runs."""

    investigation_id: str
    question: Question
    progress: Progress
    diagnosis: Diagnosis | None
    action_line: str = ""  # "⏸ Roll back to v2.40? waiting for an approver"
    on_call: str = ""


class CardState(StrEnum):
    """Where a proposal stands."""

    SUGGESTED = "suggested"  # L1: command to copy, no button
    WAITING = "waiting"  # buttons
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    REFUSED = "refused"
    ACTING = "acting"
    WATCHING = "watching"
    RECOVERED = "recovered"
    NOT_VERIFIED = "not_verified"
    UNDONE = "undone"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """The approval card of one proposal, from offer to outcome. Its buttons follow from `state`."""

    proposal: Proposal
    ruling: Ruling
    level: int
    state: CardState
    decisions: tuple[Decision, ...] = ()
    execution: Execution | None = None
    verification: Verification | None = None
    watching_until: datetime | None = None
    note: str = ""  # why refused, expired, failed or withdrawn; what is certain now, what is next
    can_undo: bool = False  # offer [Undo]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepsView:
    """What "show steps" opens."""

    report: Report


class Judgement(StrEnum):
    """A person's verdict on a diagnosis."""

    RIGHT = "right"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonVerdict:
    """What a person said of a diagnosis; the last one of each person counts."""

    investigation_id: str
    user: str
    judgement: Judgement
    comment: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class InvestigationRow:
    """One line of a list of investigations (App Home, /sre status)."""

    id: str
    environment: str
    title: str
    state: str
    started_at: datetime
    channel: str
    thread_ts: str
    waiting: tuple[str, ...] = field(default=())
