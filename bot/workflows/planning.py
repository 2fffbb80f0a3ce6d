"""From a diagnosis to proposals, each a remediation workflow of its own."""

from collections.abc import Mapping, Sequence

from bot.domain.conversation import Mark, Notice
from bot.domain.diagnosis import Concluded
from bot.domain.environment import Environment
from bot.domain.ports import Notify
from bot.remediation.planner import propose
from bot.workflows.engine import Engine, do
from bot.workflows.orders import (
    InvestigationOrder,
    RemediationOrder,
    start_remediation,
    tried_of,
)
from policies.catalog import Runbooks


class Planning:
    """Starts a remediation for each proposal that a diagnosis leads to."""

    def __init__(
        self,
        engine: Engine,
        runbooks: Runbooks,
        environments: Mapping[str, Environment],
        notify: Notify,
    ) -> None:
        self._engine, self._runbooks, self._environments = engine, runbooks, environments
        self._notify = notify

    async def _nothing(self, order: InvestigationOrder, reasons: Sequence[str]) -> None:
        words = f"I have no action to offer: {'; '.join(reasons)}."
        notice = Notice(mark=Mark.NONE, text=words)
        key = f"{order.investigation_id}/nothing"
        await self._notify.say(order.mention.thread, notice, key=key)

    async def propose(self, order: InvestigationOrder, concluded: Concluded) -> None:
        """Start what can be done; a remediation that runs already goes on."""
        plan = propose(
            concluded,
            environment=self._environments[concluded.snapshot.environment],
            runbooks=self._runbooks,
            investigation_id=order.investigation_id,
            tried=tried_of(order.tried),
        )
        if plan.reasons and not plan.proposals:
            await do("say why nothing", lambda: self._nothing(order, plan.reasons))
        for proposal in plan.proposals:
            remediation = RemediationOrder(proposal=proposal, asked=order)
            await start_remediation(self._engine, remediation)
