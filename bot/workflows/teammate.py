"""The bot as its human surfaces see it: each call starts or feeds a workflow, idempotently."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.action import Choice, ExecutionStatus
from bot.domain.codec import encode
from bot.domain.conversation import (
    Click,
    InvestigationRow,
    Judgement,
    Mark,
    Mention,
    Notice,
    PersonVerdict,
    Thread,
)
from bot.domain.diagnosis import Report
from bot.domain.people import ANYWHERE, ActorKind, Role
from bot.domain.ports import ActionStore, Audit, AuditEntry, IncidentStore, Resolver, SwitchStore
from bot.domain.time import Clock
from bot.domain.trust import Promotion
from bot.remediation.desk import Decided
from bot.remediation.gateway import Gateway
from bot.workflows.engine import Engine
from bot.workflows.freezing import Freezing
from bot.workflows.orders import (
    CONTROL,
    DECISION,
    InvestigationOrder,
    start_investigation,
    start_request,
)
from bot.workflows.outcomes import TOO_LATE_TO_UNDO
from bot.workflows.requesting import is_request
from bot.workflows.routing import Routing
from bot.workflows.trusting import Trusting

HELP = """Ask me about a service: `@sre-bot why is checkout slow?`, `@sre-bot is anything wrong in \
staging?`
In a thread I keep the context: `and in the last 2 h?`
Ask me to do something: `@sre-bot restart checkout in staging`, `scale cart to 4`, `roll back \
payments`. I show a card first, and in production somebody else approves it.
`/sre status` what I am working on · `/sre levels` how far I may go, and what it rests on · \
`/sre stop` nobody's action runs any more · `/sre start` (administrators) · `/sre ask …` the same \
as a mention · `/sre help`
`/sre freezes` when nothing runs by itself · `/sre freeze prod for 4h because …`, \
`/sre unfreeze …` (administrators)
`/sre routes` where incidents are told · `/sre route checkout #payments` (approvers)"""
NOTHING_TO_UNDO = "Not taken back: I did nothing under this button that still stands."
CLOSED = "This offer is closed; its card says how it ended. Ask me again if it is still needed."
NO_TRUST = Notice(mark=Mark.REFUSED, text="I keep no record of trust here.")
ROUTE_WORDS = frozenset({"route", "routes"})
FREEZE_WORDS = frozenset({"freeze", "freezes", "unfreeze"})
MAY_STOP = frozenset({Role.RESPONDER, Role.APPROVER, Role.ADMINISTRATOR})
STATUS_ROWS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the teammate is made of."""

    engine: Engine
    gateway: Gateway
    actions: ActionStore
    incidents: IncidentStore
    switches: SwitchStore
    audit: Audit
    people: Resolver
    clock: Clock
    trusting: Trusting | None = None
    freezing: Freezing | None = None
    routing: Routing | None = None


class SreBot:
    """`Teammate` over durable workflows."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def mentioned(self, mention: Mention) -> None:
        """Start an investigation, or what is asked for, under an id that a retry has too."""
        order = InvestigationOrder(investigation_id=f"inv-{mention.event_id}", mention=mention)
        asks = mention.addressed and is_request(mention.typed)
        await (start_request if asks else start_investigation)(self._parts.engine, order)

    async def approve(self, click: Click) -> Notice:
        """Record a bound approval and wake the remediation that waits for it."""
        return await self._decide(click, Choice.APPROVE)

    async def reject(self, click: Click) -> Notice:
        """Record a rejection with its reason."""
        return await self._decide(click, Choice.REJECT)

    async def undo(self, click: Click) -> Notice:
        """Ask the remediation to take it back; one that has ended is looked after no more."""
        remediation = click.subject.removesuffix("-x")
        done = await self._parts.actions.execution(click.subject)
        if done is None or done.status in (ExecutionStatus.FAILED, ExecutionStatus.UNDONE):
            return Notice(mark=Mark.REFUSED, text=NOTHING_TO_UNDO)
        if not await self._parts.engine.alive(remediation):
            return Notice(mark=Mark.REFUSED, text=TOO_LATE_TO_UNDO)
        await self._parts.engine.send(remediation, CONTROL, encode(click), key=click.click_id)
        return Notice(mark=Mark.UNDONE, text="Taking it back. The card above will say how it went.")

    async def judge(self, click: Click, judgement: Judgement) -> Notice:
        """Record a verdict on a diagnosis."""
        report = await self._parts.incidents.report(click.subject)
        if report is None:
            return Notice(mark=Mark.REFUSED, text="I don't know that investigation any more.")
        actor = await self._parts.people.actor(click.team, click.user, report.question.environment)
        if actor.kind is not ActorKind.PERSON:
            await self._record(click, "refused", "a verdict of a guest or a bot")
            text = "Not taken: verdicts of guests and other bots never count."
            return Notice(mark=Mark.REFUSED, text=text)
        now = self._parts.clock.now()
        await self._parts.incidents.save_verdict(
            PersonVerdict(
                investigation_id=click.subject,
                user=click.user,
                judgement=judgement,
                comment=click.reason,
                at=now,
            )
        )
        await self._record(click, "judged", f"{judgement.value}: {click.reason}")
        if self._parts.trusting is not None:
            await self._parts.trusting.judged(click, judgement)
        return Notice(mark=Mark.NONE, text=f"Noted: {judgement.value}.")

    async def offered(self, promotion_id: str) -> Promotion | None:
        """Return an open offer of a level."""
        trusting = self._parts.trusting
        return await trusting.offered(promotion_id) if trusting else None

    async def grant(self, click: Click, days: int) -> Notice:
        """Grant the offered level, with the click's reason."""
        trusting = self._parts.trusting
        return await trusting.grant(click, days) if trusting else NO_TRUST

    async def decline(self, click: Click) -> Notice:
        """Close the offer of a level."""
        trusting = self._parts.trusting
        return await trusting.decline(click) if trusting else NO_TRUST

    async def break_glass(self, click: Click) -> Notice:
        """Approve alone what one asked for oneself."""
        decided = await self._parts.gateway.break_glass(click.subject, click)
        return await self._told(click, Choice.APPROVE, decided)

    async def unreadable(self, user: str, what: str) -> None:
        """Write to the audit that a click could not be read."""
        await self._parts.audit.write(
            AuditEntry(
                at=self._parts.clock.now(), actor=user or "unknown", event="refused",
                environment="", subject="", text=what,
            )
        )  # fmt: skip

    async def report_of(self, investigation_id: str) -> Report | None:
        """Return a finished investigation's report."""
        return await self._parts.incidents.report(investigation_id)

    async def takes_part_in(self, thread: Thread) -> bool:
        """Whether there is an investigation in this thread."""
        return await self._parts.incidents.investigation_of(thread) is not None

    async def recent(self, limit: int = 20) -> Sequence[InvestigationRow]:
        """Return the newest investigations."""
        return await self._parts.incidents.recent(limit)

    async def command(self, event_id: str, thread: Thread, user: str, text: str) -> Notice | None:
        """Carry out `/sre …`; None when the answer comes in the thread."""
        word, _, rest = text.strip().partition(" ")
        if word.lower() == "ask" and rest.strip():
            await self.mentioned(
                Mention(
                    event_id=event_id,
                    thread=thread,
                    user=user,
                    text=rest,
                    ts=thread.ts,
                    in_thread=False,
                    typed=rest,
                )
            )
            return None
        if word.lower() in ROUTE_WORDS and self._parts.routing is not None:
            routing = self._parts.routing
            return await (routing.route(thread, user, rest) if rest else routing.shown())
        if word.lower() in FREEZE_WORDS and self._parts.freezing is not None:
            return await _frozen(self._parts.freezing, word.lower(), event_id, (thread, user, rest))
        return await self._answer(word.lower(), thread, user, rest)

    async def _answer(self, word: str, thread: Thread, user: str, rest: str) -> Notice:
        if word in ("stop", "start"):
            change = self._stop if word == "stop" else self._start
            return await change(thread, user, rest)
        if word in ("status", "levels"):
            return await (self._status() if word == "status" else self._levels())
        if word in ("", "help", "ask"):
            return Notice(mark=Mark.NONE, text=HELP)
        return Notice(mark=Mark.NONE, text=f"I don't know `/sre {word[:40]}`.\n{HELP}")

    async def _decide(self, click: Click, choice: Choice) -> Notice:
        decided = await self._parts.gateway.decide(click.subject, click, choice)
        return await self._told(click, choice, decided)

    async def _told(self, click: Click, choice: Choice, decided: Decided) -> Notice:
        if not decided.accepted:
            return Notice(mark=Mark.NONE, text=decided.why)
        if not decided.complete:
            words = decided.why or "Noted. It takes one more person to decide."
            return Notice(mark=Mark.NONE if decided.why else Mark.WAITING, text=words)
        if not await self._parts.engine.alive(click.subject):
            return Notice(mark=Mark.NONE, text=CLOSED)
        message = {"choice": choice.value, "by": click.user, "reason": click.reason}
        await self._parts.engine.send(click.subject, DECISION, message, key=click.click_id)
        if decided.repeated:  # sent again all the same: the first click may have died on its way
            return Notice(mark=Mark.NONE, text=decided.why)
        words = "Approved" if choice is Choice.APPROVE else "Rejected"
        return Notice(mark=Mark.DONE, text=f"{words}, noted.")

    async def _stop(self, thread: Thread, user: str, reason: str) -> Notice:
        actor = await self._parts.people.actor(thread.team, user, ANYWHERE)
        if not actor.roles & MAY_STOP:
            await self._record_switch(user, "refused", f"stop: {reason}")
            return Notice(mark=Mark.REFUSED, text="Not stopped: only a responder may stop me.")
        now = self._parts.clock.now()
        await self._parts.switches.set_stopped(True, by=user, reason=reason, at=now)
        await self._record_switch(user, "stopped", reason)
        text = "Stopped: nothing is executed until an administrator says `/sre start`."
        return Notice(mark=Mark.STOPPED, text=text)

    async def _start(self, thread: Thread, user: str, reason: str) -> Notice:
        actor = await self._parts.people.actor(thread.team, user, "")
        if Role.ADMINISTRATOR not in actor.roles:
            await self._record_switch(user, "refused", f"start: {reason}")
            return Notice(mark=Mark.REFUSED, text="Not started: only an administrator may.")
        await self._record_switch(user, "started", reason)
        now = self._parts.clock.now()
        await self._parts.switches.set_stopped(False, by=user, reason=reason, at=now)
        text = "Started: executions are possible again, as far as policy allows."
        return Notice(mark=Mark.DONE, text=text)

    async def _levels(self) -> Notice:
        trusting = self._parts.trusting
        return Notice(mark=Mark.NONE, text=await trusting.standings()) if trusting else NO_TRUST

    async def _status(self) -> Notice:
        rows = await self._parts.incidents.recent(STATUS_ROWS)
        stopped = await self._parts.switches.stopped()
        lines = [f"{Mark.STOPPED.value} Stopped: nothing is executed."] if stopped else []
        frozen = await self._parts.freezing.on() if self._parts.freezing else ()
        lines += [f"Frozen: {freeze.words}" for freeze in frozen]
        lines += [f"{row.title} · {row.environment or '?'} · {row.state}" for row in rows]
        return Notice(mark=Mark.NONE, text="\n".join(lines) or "Nothing to do, nothing stopped.")

    async def _record_switch(self, user: str, event: str, reason: str) -> None:
        after = {"after": event == "stopped"} if event != "refused" else {}
        await self._parts.audit.write(
            AuditEntry(
                at=self._parts.clock.now(),
                actor=user,
                event=event,
                environment="",
                subject="kill_switch",
                text=reason,
                details=json.dumps(after),
            )
        )

    async def _record(self, click: Click, event: str, text: str) -> None:
        await self._parts.audit.write(
            AuditEntry(
                at=self._parts.clock.now(),
                actor=click.user,
                event=event,
                environment="",
                subject=click.subject,
                text=text,
            )
        )


async def _frozen(
    freezing: Freezing, word: str, event_id: str, said: tuple[Thread, str, str]
) -> Notice:
    thread, user, rest = said
    if word == "unfreeze":
        return await freezing.lift(thread, user, rest)
    if word == "freezes" or not rest.strip():
        return await freezing.shown()
    return await freezing.freeze(event_id, thread, user, rest)
