"""What steps of a remediation leave in the journal: decisions, a report, an undo's end."""

from dataclasses import dataclass
from enum import Enum

from bot.domain.action import Decision
from bot.domain.conversation import CardState
from bot.domain.diagnosis import Report
from bot.domain.policy import Verdict

STATES = {
    Verdict.DENY: CardState.REFUSED,
    Verdict.SUGGEST: CardState.SUGGESTED,
    Verdict.ONE_CLICK: CardState.WAITING,
    Verdict.APPROVAL: CardState.WAITING,
    Verdict.AUTONOMOUS: CardState.ACTING,
}
"""How a card is shown first, by what policy said."""

TOO_LATE_TO_UNDO = (
    "Not taken back: I no longer look after this action. Ask me about the service, and I look "
    "at it as it is now."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """The decisions on a proposal."""

    taken: tuple[Decision, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """The report that led to the proposal."""

    report: Report | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What became of taking an action back."""

    done: bool
    words: str
    refused: bool = False
    stopped: bool = False  # by the kill switch


class Asked(Enum):
    """What a wait for a click on [Undo] came to."""

    NOT = "not"
    REFUSED = "refused"
    TAKEN_BACK = "taken back"
