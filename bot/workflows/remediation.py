"""The workflow from a proposal to its outcome: offer, wait, act, watch, keep or undo."""

import asyncio
import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from bot.domain.action import Execution, ExecutionStatus, Outcome, Proposal, Verification
from bot.domain.codec import decode
from bot.domain.conversation import Card, CardState
from bot.domain.errors import Permanent, Refused, SreBotError
from bot.domain.ports import ActionStore, IncidentStore
from bot.domain.redaction import redact
from bot.domain.time import Clock
from bot.remediation.desk import Staged
from bot.remediation.gateway import Gateway
from bot.remediation.glass import MARK as BREAK_GLASS
from bot.remediation.verification import Move, Next
from bot.workflows.engine import Engine, do, patched, pause, receive, step
from bot.workflows.orders import (
    DECISION,
    Refuted,
    RemediationOrder,
    start_investigation,
    start_observation,
)
from bot.workflows.outcomes import (
    STATES,
    Asked,
    Decisions,
    Recalled,
    Undone,
)
from bot.workflows.preparing import Attempt, Preparing, TakenBack
from bot.workflows.presses import Presses
from bot.workflows.telling import Telling
from bot.workflows.trusting import Trusting
from bot.workflows.undoing import Undoing
from bot.workflows.watch import Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a remediation works with. `wall` is the clock that people's time runs on."""

    engine: Engine
    gateway: Gateway
    actions: ActionStore
    incidents: IncidentStore
    watch: Watch
    telling: Telling
    wall: Clock
    trusting: Trusting | None = None  # with it, the record of trust is kept and told
    presses: Presses | None = None  # with it, a button of a page may be the decision


class Remediation:
    """Runs remediations as durable workflows."""

    def __init__(self, parts: Parts) -> None:
        self._engine, self._gateway = parts.engine, parts.gateway
        self._actions, self._incidents = parts.actions, parts.incidents
        self._watch, self._telling = parts.watch, parts.telling
        self._clock, self._wall = parts.watch.clock, parts.wall
        self._trusting, self._presses = parts.trusting, parts.presses
        self._preparing = Preparing(gateway=parts.gateway, watch=parts.watch)
        self._undoing = Undoing(
            gateway=parts.gateway, telling=parts.telling, preparing=self._preparing,
            wall=parts.wall,
        )  # fmt: skip

    async def body(self, order_data: Any) -> str:
        """Stage, offer, wait for who may decide, act, watch, keep or undo."""
        order = decode(RemediationOrder, order_data)
        staged = await step("stage", Staged, lambda: self._gateway.stage(order.proposal))
        card = Card(
            proposal=staged.proposal, ruling=staged.ruling, level=int(staged.level),
            state=STATES[staged.ruling.verdict],
        )  # fmt: skip
        pressed = self._presses is not None and await self._presses.decide(order, staged)
        if not pressed:
            await self._show("offer", order, card)
        if card.state not in (CardState.WAITING, CardState.ACTING):
            await self._observe(order, staged.proposal)
            return card.state.value
        attempt = await self._until_acted(order, card, pressed=pressed)
        if attempt is None:
            await self._observe(order, staged.proposal)
            return "not acted"
        return await self._follow(order, await self._card_after(card, attempt), attempt)

    async def _observe(self, order: RemediationOrder, proposal: Proposal) -> None:
        """Nothing is done: see whether it goes away all the same."""
        own = not proposal.asked_for  # what a person asks for follows from no trouble
        if own and self._trusting is not None and proposal.target is not None:
            await start_observation(self._engine, replace(order, proposal=proposal))

    async def _until_acted(
        self, order: RemediationOrder, card: Card, *, pressed: bool
    ) -> Attempt | None:
        """Wait for the decision and go through the door; None when it ends without acting."""
        if card.state is CardState.WAITING:
            choice = "approve" if pressed else await self._choice(card.proposal)
            if not choice:
                await self._end(order, card, CardState.EXPIRED, "nobody decided in time")
                return None
            decisions = await step("decided", Decisions, lambda: self._decisions(card.proposal))
            card = replace(card, decisions=decisions.taken)
            if choice == "reject":
                await self._end(order, card, CardState.REJECTED, "")
                return None
            await self._tell_alone(order, card)
            approved = replace(card, state=CardState.APPROVED)
            await do("show approved", lambda: self._show_soon(order, approved))
        return await self._prepared_and_acted(order, card)

    async def _choice(self, proposal: Proposal) -> str:
        """Wait for the decision; "" when there is none in time."""
        left = await step("time left", float, lambda: self._left(proposal))
        message = await receive(DECISION, timeout_s=left)
        return str(message["choice"]) if message is not None else ""

    async def _tell_alone(self, order: RemediationOrder, card: Card) -> None:
        """Tell the channel when somebody decided alone what they asked for themselves."""
        alone = next((d for d in card.decisions if d.reason.startswith(BREAK_GLASS)), None)
        if alone is not None and await patched("tell the channel of a break-glass"):
            await do(
                "tell of the break-glass",
                lambda: self._telling.broke_glass(order.thread, card.proposal, alone),
            )

    async def _prepared_and_acted(self, order: RemediationOrder, card: Card) -> Attempt | None:
        """Do what comes first, then the action itself; None when it ends without acting."""
        plan = card.proposal
        prepared = await self._preparing.run(
            plan, lambda part, name: self._attempt(order, card, part, name)
        )
        why = prepared.why
        if not why:
            attempt = await self._attempt(order, card, plan, "act")
            if attempt.execution is not None:
                return attempt
            why = attempt.why_not
        back = await self._undoing.steps_back(order, card, prepared.done)
        await self._end(order, card, CardState.REFUSED, f"{why} {back}".strip())
        return None

    async def _attempt(
        self, order: RemediationOrder, card: Card, proposal: Proposal, name: str
    ) -> Attempt:
        """Go through the door; again while the target is held, or the outcome unknown."""
        attempt = await step(name, Attempt, lambda: self._act(proposal))
        for number in range(1, MOST_ATTEMPTS):
            if not attempt.again:
                break
            waiting = replace(card, note=attempt.why_not)
            await self._show(f"not yet, {name} {number}", order, waiting)
            await pause(TRY_AGAIN_S)
            attempt = await step(f"{name} again {number}", Attempt, lambda: self._act(proposal))
        return attempt

    async def _act(self, proposal: Proposal) -> Attempt:
        acted = await self._gateway.execute(proposal.id)
        rules = {reason.rule for reason in acted.ruling.reasons} if acted.ruling else set()
        uncertain = (
            acted.execution is not None and acted.execution.status is ExecutionStatus.UNCERTAIN
        )
        return Attempt(
            execution=acted.execution,
            at=self._clock.now(),
            why_not=acted.why,
            again=uncertain or (acted.execution is None and rules == {TARGET_HELD}),
        )

    async def _left(self, proposal: Proposal) -> float:
        if proposal.expires_at is None:
            return 0.0
        return max(0.0, (proposal.expires_at - self._wall.now()).total_seconds())

    async def _end(self, order: RemediationOrder, card: Card, state: CardState, note: str) -> None:
        await self._show(f"end {state.value}", order, replace(card, state=state, note=note))

    async def _card_after(self, card: Card, attempt: Attempt) -> Card:
        decisions = await step("decisions", Decisions, lambda: self._decisions(card.proposal))
        return replace(
            card, state=CardState.ACTING, execution=attempt.execution, decisions=decisions.taken
        )

    async def _decisions(self, proposal: Proposal) -> Decisions:
        return Decisions(taken=tuple(await self._actions.decisions(proposal.id)))

    async def _follow(self, order: RemediationOrder, card: Card, attempt: Attempt) -> str:
        execution = attempt.execution
        assert execution is not None  # noqa: S101 - `_until_acted` returns nothing else
        if execution.status is ExecutionStatus.FAILED:
            await self._failed(order, card, execution)
            return CardState.FAILED.value
        until = attempt.at + timedelta(seconds=card.proposal.verification.window_s)
        card = replace(
            card, state=CardState.WATCHING, watching_until=until, note=_certain(execution),
            can_undo=execution.inverse is not None,
        )  # fmt: skip
        await self._show("watching", order, card)
        return await self._watch_it(order, card, attempt.at)

    async def _watch_it(self, order: RemediationOrder, card: Card, acted_at: datetime) -> str:
        """Look at the signal until the window ends, a person takes it back, or it got worse."""
        proposal = card.proposal
        until = acted_at + timedelta(seconds=proposal.verification.window_s)
        looked_at, number = acted_at, 0
        while True:
            number += 1
            wait_s = min(self._watch.every_s, (until - looked_at).total_seconds())
            asked = await self._undoing.asked(order, card, self._clock.wall_seconds(wait_s))
            if asked is Asked.TAKEN_BACK:
                seen = partial(self._gateway.unwatched, order.execution_key, card.verification)
                await do("what was seen by then", seen)
                return CardState.UNDONE.value
            latest = await step(
                f"look {number}", Verification, lambda: self._look(proposal, acted_at)
            )
            if card.verification is None or latest.outcome is not card.verification.outcome:
                await self._show(f"seen {number}", order, _seen(card, latest))
            card, looked_at = replace(card, verification=latest), latest.checked_at
            if latest.outcome is Outcome.WORSE or looked_at >= until:
                return await self._conclude(order, card, latest)

    async def _look(self, proposal: Proposal, acted_at: datetime) -> Verification:
        if proposal.verification.in_place:
            return await self._preparing.read_back(proposal)
        return await self._watch.look(proposal, acted_at)

    async def _conclude(
        self, order: RemediationOrder, card: Card, verification: Verification
    ) -> str:
        then = await step("settle", Next, lambda: self._gateway.settle(verification))
        if then.move is Move.KEEP:
            return await self._keep(order, card, then)
        if then.move is Move.UNDO:
            undone = await self._undoing.now(order)
            if undone.stopped:
                return await self._ask_for_the_undo(order, card, verification, (undone, then))
            await self._undoing.show(order, card, undone)
        else:
            left = TakenBack(left=tuple(part.title for part in card.proposal.preparations))
            card = replace(card, state=CardState.NOT_VERIFIED, watching_until=None, note=left.words)
            await self._show("not verified", order, card)
        if then.page:
            await do("call a person", lambda: self._telling.call_a_person(order.thread, card))
        await do("release", lambda: self._gateway.release(order.execution_key))
        await do("tell of levels", lambda: self._levels(order, then))
        if then.reopen:
            await self._reopen(order, verification)
        return verification.outcome.value

    async def _levels(self, order: RemediationOrder, then: Next) -> None:
        trusting, call = self._trusting, order.proposal.call
        if trusting is None:
            return
        try:
            if then.demoted is not None:
                await trusting.tell_demoted(order.thread, then.demoted, order.proposal.id)
            await trusting.review(call.environment, call.action)
        except (Permanent, Refused) as error:  # an administrator who left must not stop the rest
            LOG.warning("not told of a level: %s", redact(str(error)))

    async def _ask_for_the_undo(
        self,
        order: RemediationOrder,
        card: Card,
        verification: Verification,
        ended: tuple[Undone, Next],
    ) -> str:
        """The bot was stopped before it could take it back: from now on a person decides."""
        undone, then = ended
        card = replace(
            card, state=CardState.NOT_VERIFIED, watching_until=None, can_undo=True,
            note=f"{undone.words} [Undo] works again after `/sre start`.",
        )  # fmt: skip
        await self._show("undo waits", order, card)
        await do("call a person", lambda: self._telling.call_a_person(order.thread, card))
        await do("release", lambda: self._gateway.release(order.execution_key))
        await do("tell of levels", lambda: self._levels(order, then))
        await self._reopen(order, verification)
        if await self._undoing.asked_for(order, card):
            return CardState.UNDONE.value
        await self._undoing.close(order, card)
        return verification.outcome.value

    async def _keep(self, order: RemediationOrder, card: Card, then: Next) -> str:
        """It recovered: say so, give the target back, and stay around for a change of mind."""
        card = replace(card, state=CardState.RECOVERED, watching_until=None, note="")
        await self._show("recovered", order, card)
        await do("release", lambda: self._gateway.release(order.execution_key))
        await do("tell of levels", lambda: self._levels(order, then))
        if card.can_undo and await self._undoing.offered(order, card):
            return CardState.UNDONE.value
        await self._undoing.close(order, card)
        return CardState.RECOVERED.value

    async def _failed(self, order: RemediationOrder, card: Card, execution: Execution) -> None:
        back = await self._undoing.steps_back(order, card, card.proposal.preparations)
        words = f"{execution.detail} {back}".strip()
        failed = replace(card, state=CardState.FAILED, note=words)
        await self._show("failed", order, failed)
        await do("release", lambda: self._gateway.release(order.execution_key))

    async def _reopen(self, order: RemediationOrder, verification: Verification) -> None:
        """What did not help was not the cause: look again, with that as evidence."""
        report = await step("recall the report", Recalled, lambda: self._report(order))
        ranked = report.report.diagnosis.ranked if report.report else ()
        found = next(
            (r.hypothesis for r in ranked if r.hypothesis.cause == order.proposal.cause), None
        )
        if found is None:
            return
        why = f"{order.proposal.title} did not help: {verification.statement}"
        refuted = Refuted(cause=found.cause, object=found.object, why=why)
        again = order.asked.again(refuted, order.proposal.call.digest)
        if again is not None:
            await start_investigation(self._engine, again)

    async def _report(self, order: RemediationOrder) -> Recalled:
        return Recalled(report=await self._incidents.report(order.proposal.investigation_id))

    async def _show_soon(self, order: RemediationOrder, card: Card) -> None:
        """Take the buttons away before acting; a Slack that is slow must not hold up a repair."""
        try:
            async with asyncio.timeout(SHOW_WITHIN_S):
                await self._telling.show(order.thread, card)
        except (SreBotError, TimeoutError) as error:
            LOG.warning("the decision was not shown yet: %s", redact(str(error)))

    async def _show(self, name: str, order: RemediationOrder, card: Card) -> None:
        await do(f"show {name}", lambda: self._telling.show(order.thread, card))


def _uncertain(execution: Execution | None) -> bool:
    return execution is not None and execution.status is ExecutionStatus.UNCERTAIN


def _certain(execution: Execution) -> str:
    return execution.detail if _uncertain(execution) else ""


def _seen(card: Card, verification: Verification) -> Card:
    state = CardState.RECOVERED if verification.outcome is Outcome.RECOVERED else card.state
    return replace(card, state=state, verification=verification)


LOG = logging.getLogger(__name__)
TARGET_HELD = "target-held"  # the rule that says that somebody else has the target
SHOW_WITHIN_S = 2.0  # wall
TRY_AGAIN_S = 10.0  # wall
MOST_ATTEMPTS = 30
