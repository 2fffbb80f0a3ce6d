"""The workflow that watches what becomes of trouble about which nothing is done: the baseline."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.domain.action import Verification
from bot.domain.codec import decode
from bot.remediation.gateway import Gateway
from bot.workflows.engine import do, pause, step
from bot.workflows.orders import RemediationOrder
from bot.workflows.trusting import Trusting
from bot.workflows.watch import Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Began:
    """When the watching began, in world time."""

    at: datetime


class Observing:
    """Looks once, after the time in which the action would have had to help."""

    def __init__(self, gateway: Gateway, trusting: Trusting, watch: Watch) -> None:
        self._gateway, self._trusting, self._watch = gateway, trusting, watch
        self._records = trusting.trust.records

    async def body(self, order_data: Any) -> str:
        """Wait, look, and keep the outcome, unless somebody changed the target meanwhile."""
        order = decode(RemediationOrder, order_data)
        clock = self._watch.clock
        began = await step("begin", Began, self._begin)
        await pause(clock.wall_seconds(order.proposal.verification.window_s))
        seen = await step("look", Verification, lambda: self._look(order, began))
        call = order.proposal.call
        await do("review", lambda: self._trusting.review(call.environment, call.action))
        return seen.outcome.value

    async def _begin(self) -> "Began":
        return Began(at=self._watch.clock.now())

    async def _look(self, order: RemediationOrder, began: "Began") -> Verification:
        proposal = order.proposal
        seen = await self._watch.look(proposal, began.at)
        if await self._gateway.untouched(proposal.id):
            await self._records.observe(proposal, seen)
        return seen
