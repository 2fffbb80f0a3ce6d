"""Taking an action back: because a person asks for it in time, or because it made things worse."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import count

from bot.domain.action import ExecutionStatus, Proposal
from bot.domain.codec import decode
from bot.domain.conversation import Card, CardState, Click, Mark, Notice
from bot.domain.time import Clock
from bot.remediation.gateway import Gateway
from bot.workflows.engine import do, receive, step
from bot.workflows.orders import CONTROL, RemediationOrder
from bot.workflows.outcomes import TOO_LATE_TO_UNDO, Asked, Undone
from bot.workflows.preparing import Preparing
from bot.workflows.telling import Telling

STOPPED = frozenset({"kill-switch", "guard:kill-switch"})
UNDO_WITHIN_S = 3600.0  # wall; how long [Undo] is offered after it recovered
UNDO_ASKED = 24  # times that long a person is asked for an undo that the kill switch held back


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoing:
    """Steps of a remediation's workflow. `wall` is the clock that people's time runs on."""

    gateway: Gateway
    telling: Telling
    preparing: Preparing
    wall: Clock

    async def now(self, order: RemediationOrder) -> Undone:
        """Take the action back on the bot's own account."""
        return await step("undo", Undone, lambda: self._undo(order))

    async def asked(self, order: RemediationOrder, card: Card, wait_s: float) -> Asked:
        """Wait for one click on [Undo], and do what it asks if that person may."""
        message = await receive(CONTROL, timeout_s=wait_s)
        if message is None:
            return Asked.NOT
        click = decode(Click, message)
        undone = await step("take back", Undone, lambda: self._undo(order, click))
        if undone.refused:
            notice = Notice(mark=Mark.NONE, text=undone.words)
            await do("say why not", lambda: self.telling.whisper(click, notice))
            return Asked.REFUSED
        await self.show(order, card, undone)
        await do("release", lambda: self.gateway.release(order.execution_key))
        return Asked.TAKEN_BACK

    async def offered(self, order: RemediationOrder, card: Card) -> bool:
        """Offer it for its time; whether it was taken back. A refused click ends it for nobody."""
        ends = await step("undo offered", datetime, self._ends)
        left_s = UNDO_WITHIN_S
        for number in count(1):
            asked = await self.asked(order, card, left_s)
            if asked is not Asked.REFUSED:
                return asked is Asked.TAKEN_BACK
            left_s = await step(f"undo left {number}", float, lambda: self._left(ends))
        raise AssertionError("counting has no end")

    async def asked_for(self, order: RemediationOrder, card: Card) -> bool:
        """Ask people for an undo that the kill switch held back; whether they took it back."""
        for _ in range(UNDO_ASKED):
            if await self.asked(order, card, UNDO_WITHIN_S) is Asked.TAKEN_BACK:
                return True
        return False

    async def close(self, order: RemediationOrder, card: Card) -> None:
        """Take [Undo] away; whoever clicked until it was gone is told that it was too late."""
        closed = replace(card, can_undo=False)
        await do("show closed", lambda: self.telling.show(order.thread, closed))
        notice = Notice(mark=Mark.REFUSED, text=TOO_LATE_TO_UNDO)
        while (message := await receive(CONTROL, timeout_s=0.0)) is not None:
            click = decode(Click, message)
            await do("say that it is too late", partial(self.telling.whisper, click, notice))

    async def show(self, order: RemediationOrder, card: Card, undone: Undone) -> None:
        """Say how it went; one that failed opens the breaker and calls a person."""
        state = CardState.UNDONE if undone.done else CardState.FAILED
        words = undone.words
        if undone.done:
            back = await self.steps_back(order, card, card.proposal.preparations)
            words = f"{words} {back}".strip()
        card = replace(card, state=state, note=words, can_undo=False, watching_until=None)
        await do("show undone", lambda: self.telling.show(order.thread, card))
        if not undone.done:
            await do("open the breaker", lambda: self.gateway.undo_failed(order.execution_key))
            await do("call for help", lambda: self.telling.call_a_person(order.thread, card))

    async def steps_back(
        self, order: RemediationOrder, card: Card, steps: Sequence[Proposal]
    ) -> str:
        """Take what was done first back; return what still stands, which a person is told of."""
        back = await self.preparing.take_back(steps)
        if back.left:
            told = replace(card, note=f"I could not take all of it back. {back.words}")
            await do("call for the steps", lambda: self.telling.call_a_person(order.thread, told))
        return back.words

    async def _undo(self, order: RemediationOrder, click: Click | None = None) -> Undone:
        acted = await self.gateway.undo(order.execution_key, click)
        if acted.execution is None:
            rules = {reason.rule for reason in acted.ruling.reasons} if acted.ruling else set()
            stopped = not rules.isdisjoint(STOPPED)
            return Undone(done=False, refused=True, words=acted.why, stopped=stopped)
        done = acted.execution.status in (ExecutionStatus.APPLIED, ExecutionStatus.UNDONE)
        return Undone(done=done, words=acted.execution.detail)

    async def _ends(self) -> datetime:
        return self.wall.now() + timedelta(seconds=UNDO_WITHIN_S)

    async def _left(self, ends: datetime) -> float:
        return max(0.0, (ends - self.wall.now()).total_seconds())
