"""What each kind of workflow is started with, and how."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.action import Proposal
from bot.domain.codec import encode
from bot.domain.conversation import Mention, Thread
from bot.domain.diagnosis import Question
from bot.domain.pressing import Pressed
from bot.domain.wish import Wish
from bot.remediation.planner import Tried
from bot.workflows.engine import Engine

INVESTIGATE, REMEDIATE, OBSERVE, REQUEST = "investigate", "remediate", "observe", "request"
INCIDENT = "incident"
DECISION, CONTROL = "decision", "control"  # topics of messages to a running remediation
MOST_REOPENINGS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuted:
    """A hypothesis that acting on has shown to be wrong, or that a person rejected."""

    cause: str
    object: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InvestigationOrder:
    """Investigate what the mention asks; what was refuted before counts as evidence.

    Of an incident that signals made, the question is there already: no alert's text is read as one.
    """

    investigation_id: str
    mention: Mention
    refuted: tuple[Refuted, ...] = ()
    tried: tuple[str, ...] = ()  # digests of calls that were made or rejected in this incident
    question: Question | None = None
    depth: float = 1.0  # share of the usual budget

    def again(self, refuted: Refuted, digest: str) -> "InvestigationOrder | None":
        """Return the order to look again, None when that was done often enough."""
        base, _, number = self.investigation_id.partition("-again")
        count = int(number or 0) + 1
        if count > MOST_REOPENINGS:
            return None
        return InvestigationOrder(
            investigation_id=f"{base}-again{count}",
            mention=self.mention,
            refuted=(*self.refuted, refuted),
            tried=(*self.tried, digest),
            question=self.question,
            depth=self.depth,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RemediationOrder:
    """Offer a proposal in a thread, and see it through. `asked` is what led to it."""

    proposal: Proposal
    asked: InvestigationOrder
    pressed: Pressed | None = None  # the button that asked for it, if it was one of a page's

    @property
    def thread(self) -> Thread:
        """Where it is told."""
        return self.asked.mention.thread

    @property
    def execution_key(self) -> str:
        """The key under which the action is carried out once."""
        return f"{self.proposal.id}-x"


def tried_of(digests: Sequence[str]) -> Tried:
    """Return what the planner must not offer again."""
    return Tried(digests=frozenset(digests))


async def start_investigation(engine: Engine, order: InvestigationOrder) -> None:
    """Start the workflow once per investigation id."""
    await engine.start(INVESTIGATE, order.investigation_id, encode(order))


async def start_incident(engine: Engine, incident_id: str) -> None:
    """Start the workflow that tells of an incident, once."""
    await engine.start(INCIDENT, f"tell-{incident_id}", incident_id)


async def start_request(
    engine: Engine,
    order: InvestigationOrder,
    wish: Wish | None = None,
    pressed: Pressed | None = None,
) -> None:
    """Start the workflow that makes a proposal of what a person asks for, once per mention.

    `wish`: what a button asks for; without it, what was typed does. `pressed`: that button, if its
    dialog showed all that it does.
    """
    more = () if wish is None else (encode(wish),) if pressed is None else (
        encode(wish), encode(pressed),
    )  # fmt: skip
    await engine.start(REQUEST, f"req-{order.mention.event_id}", encode(order), *more)


async def start_observation(engine: Engine, order: RemediationOrder) -> None:
    """Start the workflow that watches what becomes of it without the action, once a proposal."""
    await engine.start(OBSERVE, f"{order.proposal.id}-w", encode(order))


async def start_remediation(engine: Engine, order: RemediationOrder) -> None:
    """Start the workflow once per proposal."""
    await engine.start(REMEDIATE, order.proposal.id, encode(order))
