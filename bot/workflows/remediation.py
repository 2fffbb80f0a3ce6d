"""The workflow from a proposal to its outcome: offer, wait, act, watch, keep or undo."""

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.domain.action import (
    Decision,
    Execution,
    ExecutionStatus,
    Outcome,
    Proposal,
    Verification,
)
from bot.domain.codec import decode, encode
from bot.domain.conversation import Card, CardState, Thread
from bot.domain.errors import Conflict, Permanent, Refused
from bot.domain.people import SELF
from bot.domain.policy import Verdict
from bot.domain.ports import ActionStore, SwitchStore
from bot.remediation.gateway import Gateway, Staged
from bot.remediation.verification import Move, next_move
from bot.workflows.engine import Engine, do, receive, step
from bot.workflows.inquiry import Refuted
from bot.workflows.telling import Telling
from bot.workflows.watch import Watch

NAME = "remediate"
DECISION, CONTROL = "decision", "control"  # topics of messages to a running workflow


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the workflow is started with."""

    thread: Thread
    proposal: Proposal


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What became of going through the door."""

    execution: Execution | None
    at: datetime
    why_not: str = ""
    wait: bool = False  # more approvals are needed


class Remediation:
    """Runs remediations as durable workflows."""

    def __init__(
        self,
        gateway: Gateway,
        actions: ActionStore,
        switches: SwitchStore,
        watch: Watch,
        telling: Telling,
    ) -> None:
        self._gateway, self._actions, self._switches = gateway, actions, switches
        self._watch, self._telling = watch, telling
        self._clock = watch.clock

    async def body(self, order_data: Any) -> str:
        """Stage, offer, wait for who may decide, act, watch, keep or undo."""
        order = decode(Order, order_data)
        staged = await step("stage", Staged, lambda: self._gateway.stage(order.proposal))
        card = Card(
            proposal=staged.proposal, ruling=staged.ruling, level=int(staged.level),
            state=STATES[staged.ruling.verdict],
        )  # fmt: skip
        await self._show("offer", order, card)
        if card.state not in (CardState.WAITING, CardState.ACTING):
            return card.state.value
        attempt = await self._until_acted(order, card)
        if attempt is None:
            return "not acted"
        return await self._follow(order, await self._card_after(order, card, attempt), attempt)

    async def _until_acted(self, order: Order, card: Card) -> Attempt | None:
        """Wait for decisions and try the door after each; None when it ends without acting."""
        if card.state is CardState.ACTING:
            return await self._try(order, card, "autonomous")
        for number in range(1, MOST_DECISIONS):
            left = await step(f"time left {number}", float, lambda: self._left(card.proposal))
            message = await receive(DECISION, timeout_s=left)
            if message is None:
                return await self._end(order, card, CardState.EXPIRED, "nobody decided in time")
            if message["choice"] == "reject":
                return await self._end(order, card, CardState.REJECTED, message.get("reason", ""))
            attempt = await self._try(order, card, str(number))
            if attempt is None or not attempt.wait:
                return attempt
        return await self._end(order, card, CardState.EXPIRED, "too many decisions")

    async def _try(self, order: Order, card: Card, suffix: str) -> Attempt | None:
        attempt = await step(f"act {suffix}", Attempt, lambda: self._act(card.proposal))
        if attempt.wait:
            await self._show(f"still waiting {suffix}", order, replace(card, note=attempt.why_not))
            return attempt
        if attempt.execution is None:
            return await self._end(order, card, CardState.REFUSED, attempt.why_not)
        return attempt

    async def _act(self, proposal: Proposal) -> Attempt:
        now = self._clock.now()
        try:
            execution = await self._gateway.execute(proposal.id)
        except Refused as no:
            return Attempt(execution=None, at=now, why_not=str(no), wait=no.rule == MORE_NEEDED)
        except (Conflict, Permanent) as no:
            return Attempt(execution=None, at=now, why_not=str(no))
        return Attempt(execution=execution, at=now)

    async def _left(self, proposal: Proposal) -> float:
        if proposal.expires_at is None:
            return 0.0
        seconds = (proposal.expires_at - self._clock.now()).total_seconds()
        return max(0.0, self._clock.wall_seconds(seconds))

    async def _end(self, order: Order, card: Card, state: CardState, note: str) -> None:
        await self._show(f"end {state.value}", order, replace(card, state=state, note=note))

    async def _card_after(self, order: Order, card: Card, attempt: Attempt) -> Card:
        decisions = await step("decisions", Decisions, lambda: self._decisions(card.proposal))
        return replace(
            card, state=CardState.ACTING, execution=attempt.execution, decisions=decisions.taken
        )

    async def _decisions(self, proposal: Proposal) -> "Decisions":
        return Decisions(taken=tuple(await self._actions.decisions(proposal.id)))

    async def _follow(self, order: Order, card: Card, attempt: Attempt) -> str:
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
        return await self._watch_it(order, card, attempt)

    async def _watch_it(self, order: Order, card: Card, attempt: Attempt) -> str:
        """Look at the signal until the window ends, a person undoes it, or it got worse."""
        plan = card.proposal.verification
        looks = max(1, math.ceil(plan.window_s / self._watch.every_s))
        verification: Verification | None = None
        for number in range(1, looks + 1):
            pause = self._clock.wall_seconds(min(self._watch.every_s, plan.window_s))
            message = await receive(CONTROL, timeout_s=pause)
            if message is not None:
                return await self._taken_back(order, card, message)
            latest = await step(
                f"look {number}", Verification, lambda: self._watch.look(card.proposal, attempt.at)
            )
            if verification is None or latest.outcome is not verification.outcome:
                await self._show(f"seen {number}", order, _seen(card, latest))
            verification = latest
            if latest.outcome is Outcome.WORSE:
                break
        assert verification is not None  # noqa: S101 - there is at least one look
        return await self._conclude(order, replace(card, verification=verification), verification)

    async def _conclude(self, order: Order, card: Card, verification: Verification) -> str:
        await do("save the verification", lambda: self._actions.save_verification(verification))
        execution = card.execution
        assert execution is not None  # noqa: S101 - only followed cards are concluded
        move = next_move(verification.outcome, reversible=execution.inverse is not None)
        await do("count", lambda: self._count(order, verification.outcome))
        if move is Move.KEEP:
            card = replace(card, state=CardState.RECOVERED, watching_until=None, note="")
            await self._show("recovered", order, card)
        else:
            await self._undo_or_say(order, card, move)
        await do("release", lambda: self._gateway.release(execution.key))
        if move is not Move.KEEP:
            await self._reopen(order, verification)
        return verification.outcome.value

    async def _undo_or_say(self, order: Order, card: Card, move: Move) -> None:
        if move is not Move.UNDO:
            await self._show("not verified", order, replace(card, state=CardState.NOT_VERIFIED))
            return
        undone = await step("undo", Undone, lambda: self._undo(order, by=SELF.id))
        state = CardState.UNDONE if undone.done else CardState.FAILED
        card = replace(card, state=state, note=undone.words, can_undo=False, watching_until=None)
        await self._show("undone", order, card)
        if not undone.done:
            await do("breaker", lambda: self._count(order, Outcome.WORSE))
            await do("call a person", lambda: self._telling.call_a_person(order.thread, card))

    async def _taken_back(self, order: Order, card: Card, message: dict[str, str]) -> str:
        """A person clicked Undo while the action was being watched."""
        undone = await step("undo by hand", Undone, lambda: self._undo(order, by=message["by"]))
        card = replace(
            card, state=CardState.UNDONE if undone.done else CardState.FAILED, note=undone.words,
            can_undo=False, watching_until=None,
        )  # fmt: skip
        await self._show("undone by hand", order, card)
        await do("release", lambda: self._gateway.release(f"{order.proposal.id}-x"))
        return card.state.value

    async def _undo(self, order: Order, *, by: str) -> "Undone":
        try:
            execution = await self._gateway.undo(f"{order.proposal.id}-x", by=by)
        except (Refused, Permanent) as no:
            return Undone(done=False, words=str(no))
        done = execution.status is ExecutionStatus.UNDONE
        return Undone(done=done, words=execution.detail)

    async def _failed(self, order: Order, card: Card, execution: Execution) -> None:
        failed = replace(card, state=CardState.FAILED, note=execution.detail)
        await self._show("failed", order, failed)
        await do("count the failure", lambda: self._count(order, Outcome.WORSE))
        await do("release", lambda: self._gateway.release(execution.key))

    async def _count(self, order: Order, outcome: Outcome) -> None:
        call, now = order.proposal.call, self._clock.now()
        if outcome is Outcome.RECOVERED:
            await self._switches.record_success(call.environment, call.action, now)
        else:
            await self._switches.record_failure(call.environment, call.action, now)

    async def _reopen(self, order: Order, verification: Verification) -> None:
        """What did not help was not the cause: look again, with that as evidence."""
        refuted = Refuted(
            cause=order.proposal.cause,
            object=order.proposal.object,
            why=f"{order.proposal.title}: {verification.statement}",
        )
        await do("reopen", lambda: self._again(order.proposal.investigation_id, refuted))

    async def _show(self, name: str, order: Order, card: Card) -> None:
        await do(f"show {name}", lambda: self._telling.show(order.thread, card))


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """The decisions on a proposal."""

    taken: tuple[Decision, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What became of taking an action back."""

    done: bool
    words: str


def _certain(execution: Execution) -> str:
    return execution.detail if execution.status is ExecutionStatus.UNCERTAIN else ""


def _seen(card: Card, verification: Verification) -> Card:
    state = CardState.RECOVERED if verification.outcome is Outcome.RECOVERED else card.state
    return replace(card, state=state, verification=verification)


STATES = {
    Verdict.DENY: CardState.REFUSED,
    Verdict.SUGGEST: CardState.SUGGESTED,
    Verdict.ONE_CLICK: CardState.WAITING,
    Verdict.APPROVAL: CardState.WAITING,
    Verdict.AUTONOMOUS: CardState.ACTING,
}
MORE_NEEDED = "approvals"  # the rule that says that more people must decide
MOST_DECISIONS = 20


async def start(engine: Engine, order: Order) -> None:
    """Start the workflow once per proposal."""
    await engine.start(NAME, order.proposal.id, encode(order))
