"""From a diagnosis to proposals, each a remediation workflow of its own."""

from collections.abc import Mapping

from bot.domain.conversation import Thread
from bot.domain.diagnosis import Concluded
from bot.domain.environment import Environment
from bot.remediation.planner import Plan, Tried, propose
from bot.workflows import remediation
from bot.workflows.engine import Engine, do
from policies.catalog import Runbooks


class Planning:
    """Starts a remediation for each proposal that a diagnosis leads to."""

    def __init__(
        self, engine: Engine, runbooks: Runbooks, environments: Mapping[str, Environment]
    ) -> None:
        self._engine, self._runbooks, self._environments = engine, runbooks, environments

    def plan(self, investigation_id: str, concluded: Concluded, tried: Tried) -> Plan:
        """Return what can be done, and why nothing more is offered."""
        environment = self._environments[concluded.snapshot.environment]
        return propose(
            concluded,
            environment=environment,
            runbooks=self._runbooks,
            investigation_id=investigation_id,
            tried=tried,
        )

    async def start(self, thread: Thread, plan: Plan) -> None:
        """Start the remediations; one that runs already goes on."""
        for proposal in plan.proposals:
            order = remediation.Order(thread=thread, proposal=proposal)
            await do(f"offer {proposal.id}", lambda o=order: remediation.start(self._engine, o))
