"""The workflow from a person's wish to a proposal, which then goes the way of any other."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

from bot.domain.action import Proposal
from bot.domain.codec import decode
from bot.domain.conversation import Mark, Mention, Notice
from bot.domain.diagnosis import Question, Report, SignalRef, Status
from bot.domain.errors import Malformed, Permanent
from bot.domain.needs import Fact, Need
from bot.domain.people import ActorKind
from bot.domain.ports import ActionStore, Audit, AuditEntry, IncidentStore, Notify, Resolver
from bot.domain.pressing import Pressed
from bot.domain.snapshot import Snapshot
from bot.domain.time import Clock, Window
from bot.domain.wish import PAGES, Wanted, Wish
from bot.reasoning.wishes import wish_of
from bot.remediation.evidence import Unbound
from bot.remediation.wishes import KINDS, WINDOW_S, Asker, proposal_of
from bot.workflows.engine import Engine, do, step
from bot.workflows.inquiry import Inquiry
from bot.workflows.orders import (
    InvestigationOrder,
    RemediationOrder,
    start_investigation,
    start_remediation,
)

NOT_A_PERSON = (
    "Not run: I take orders from people of this workspace only; guests and other bots never count "
    "(rule people-only)."
)
PEOPLE = ("U", "W")  # what ids of Slack's users begin with; those of apps begin with B
LOOK_S = 900.0  # world time that the look at the objects is about


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """What a wish came to: a proposal, an answer, or (neither) a question to be investigated."""

    proposal: Proposal | None = None
    answer: str = ""
    refused: bool = False


class Addresses(Protocol):
    """By which e-mail the paging service knows a person."""

    async def email_of(self, team: str, user: str) -> str:
        """Return the e-mail of a full member of the workspace, "" if it is not known."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a request works with. `most_s`: the longest watch in world seconds, 0: as usual."""

    engine: Engine
    inquiry: Inquiry
    incidents: IncidentStore
    actions: ActionStore
    notify: Notify
    people: Resolver
    audit: Audit
    wall: Clock
    most_s: float = 0.0
    addresses: Addresses | None = None


class Requesting:
    """Runs requests as durable workflows."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def body(self, order_data: Any, wish_data: Any = None, press_data: Any = None) -> str:
        """Understand, look at what is there, then propose, or ask back.

        `wish_data`: what a button asks for; without it, what was typed does. `press_data`: that
        button as it was pressed, if it may be the decision.
        """
        order = decode(InvestigationOrder, order_data)
        wish = decode(Wish, wish_data) if wish_data else None
        understand = partial(self._request, order, wish)
        requested = await step("understand the request", Requested, understand)
        proposal = requested.proposal
        if proposal is not None:
            asked = replace(order, investigation_id=proposal.investigation_id)
            pressed = decode(Pressed, press_data) if press_data else None
            remedy = RemediationOrder(proposal=proposal, asked=asked, pressed=pressed)
            await start_remediation(self._parts.engine, remedy)
            return "proposed"
        if requested.answer:
            await do("answer", lambda: self._answer(order, requested))
            return "refused" if requested.refused else "asked back"
        await start_investigation(self._parts.engine, order)
        return "a question"

    async def _request(self, order: InvestigationOrder, pressed: Wish | None) -> Requested:
        mention = order.mention
        try:
            wish = pressed or wish_of(mention.typed)
        except Malformed as error:
            return Requested(answer=str(error))
        if wish is None:
            return Requested()
        try:
            return await self._wished(order, wish)
        except Permanent as error:
            return Requested(answer=str(error))

    async def _wished(self, order: InvestigationOrder, wish: Wish) -> Requested:
        mention, parts = order.mention, self._parts
        known = await parts.incidents.investigation_of(mention.thread)
        report = await parts.incidents.report(known) if known else None
        previous = report.question if report else None
        wanted = await parts.inquiry.wanted(
            wish,
            channel=mention.thread.channel,
            previous=previous,
            environment=await self._asked_here(known) if known and report is None else "",
        )
        if wanted is None:
            return Requested()
        if not await self._is_a_person(order, wanted):
            await self._refuse(order, wanted)
            return Requested(answer=NOT_A_PERSON, refused=True)
        investigation = known or await self._open(order)
        asker = Asker(
            user=mention.user,
            proposal_id=f"req-{mention.event_id}-p1",
            investigation_id=investigation,
            signal=_signal(report, wanted),
            window_s=min(WINDOW_S, parts.most_s or WINDOW_S),
            addresses=await self._addresses(mention, wish),
        )
        return await self._proposed(wanted, asker)

    async def _asked_here(self, known: str) -> str:
        """Return the environment of the first request of a thread that began with one."""
        first = await self._parts.actions.proposal(f"{known}-p1")
        return first.call.environment if first else ""

    async def _is_a_person(self, order: InvestigationOrder, wanted: Wanted) -> bool:
        mention = order.mention
        if not mention.user.startswith(PEOPLE):
            return False
        actor = await self._parts.people.actor(
            mention.thread.team, mention.user, wanted.environment
        )
        return actor.kind is ActorKind.PERSON

    async def _proposed(self, wanted: Wanted, asker: Asker) -> Requested:
        inquiry = self._parts.inquiry
        pages = wanted.wish.verb in PAGES
        found = self._nothing(wanted) if pages else await self._look(wanted.environment)
        unseen = [f"{spot.system}: {spot.reason}" for spot in found.blind_spots]
        try:
            proposal = proposal_of(
                wanted,
                asker,
                environment=inquiry.environments[wanted.environment],
                snapshot=found,
            )
        except (Unbound, Permanent) as error:
            if not found.objects and not pages:
                return Requested(answer=_blind(wanted.environment, unseen))
            words = str(error)
            return Requested(answer=f"{words[:1].upper()}{words[1:]}".rstrip(".?") + _end(words))
        return Requested(proposal=proposal)

    async def _look(self, environment: str) -> Snapshot:
        inquiry = self._parts.inquiry
        window = Window.last(LOOK_S, before=inquiry.clock.now())
        need = Need(fact=Fact.OBJECTS, window=window, names=KINDS, reason="what is asked for")
        return (await inquiry.collectors[environment].fresh().collect((need,))).snapshot

    def _nothing(self, wanted: Wanted) -> Snapshot:
        now = self._parts.inquiry.clock.now()
        window = Window.last(LOOK_S, before=now)
        return Snapshot(environment=wanted.environment, window=window, now=now)

    async def _addresses(self, mention: Mention, wish: Wish) -> dict[str, str]:
        """Return the e-mails of those whom a wish about a page concerns, as far as known."""
        addresses = self._parts.addresses
        if wish.verb not in PAGES or addresses is None:
            return {}
        people = (mention.user, *wish.people)
        return {u: await addresses.email_of(mention.thread.team, u) for u in people}

    async def _open(self, order: InvestigationOrder) -> str:
        """Keep the thread of a wish, so that one can go on in it without a mention."""
        mention, parts = order.mention, self._parts
        name = f"req-{mention.event_id}"
        await parts.incidents.open_investigation(
            name, mention.thread, mention.user, mention.typed, parts.wall.now()
        )
        await parts.incidents.set_state(name, "an action was asked for")
        return name

    async def _refuse(self, order: InvestigationOrder, wanted: Wanted) -> None:
        mention = order.mention
        await self._parts.audit.write(
            AuditEntry(
                at=self._parts.wall.now(), actor=mention.user, event="refused",
                environment=wanted.environment, subject=f"req-{mention.event_id}",
                text=f"{wanted.wish.verb.value} {wanted.name}: not asked for by a person",
            )
        )  # fmt: skip

    async def _answer(self, order: InvestigationOrder, requested: Requested) -> None:
        mark = Mark.REFUSED if requested.refused else Mark.UNKNOWN
        notice = Notice(mark=mark, text=requested.answer)
        key = f"answer:req-{order.mention.event_id}"
        await self._parts.notify.say(order.mention.thread, notice, key=key)


def is_request(typed: str) -> bool:
    """Whether words ask for an action, if only for one that is not done."""
    try:
        return wish_of(typed) is not None
    except Malformed:
        return True


def _signal(report: Report | None, wanted: Wanted) -> SignalRef | None:
    """Return what the thread's trouble shows in, if the wish is about the service that has it."""
    if report is None or report.diagnosis.status is not Status.ROOT_CAUSE:
        return None
    asked: Question = report.question
    signal = report.diagnosis.signal
    about = {*asked.services, *(c.hypothesis.service for c in report.diagnosis.causes)}
    same = asked.environment == wanted.environment and wanted.name in about
    return signal if same else None


def _blind(environment: str, unseen: list[str]) -> str:
    why = f": {unseen[0]}" if unseen else ""
    return f"I could not read what runs in {environment}{why}. Nothing was prepared; ask me again."


def _end(words: str) -> str:
    return "?" if words.rstrip().endswith("?") else "."
