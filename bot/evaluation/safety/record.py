"""The record of trust in memory: each proposal's run, kept up to date as things happen to it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.domain.action import Choice, ExecutionStatus, Outcome, Proposal, Verification
from bot.domain.conversation import Judgement
from bot.domain.trust import Baseline, Promotion, Run
from bot.evaluation.safety.stores import MemoryActions

Pair = tuple[str, str]
STEP = "-s"  # between a plan's id and the number of a step of it
DONE = (ExecutionStatus.APPLIED, ExecutionStatus.UNDONE)


@dataclass
class MemoryRecords:
    """`RecordStore` over `MemoryActions`."""

    actions: MemoryActions
    by_pair: dict[Pair, dict[str, Run]] = field(default_factory=lambda: defaultdict(dict))
    judged: dict[str, Judgement] = field(default_factory=dict)
    alone: dict[str, Outcome] = field(default_factory=dict)
    baselines: dict[tuple[str, str], list[int]] = field(
        default_factory=lambda: defaultdict(lambda: [0, 0])
    )
    open: dict[Pair, Promotion] = field(default_factory=dict)
    offers: list[Promotion] = field(default_factory=list)

    def refresh(self, proposal_id: str) -> Run | None:
        """Read one proposal's run anew, and return it."""
        proposal = self.actions.proposals.get(proposal_id)
        if proposal is None or proposal.target is None or proposal.expires_at is None:
            return None
        execution = self.actions.executions.get(f"{proposal_id}-x")
        verification = self.actions.verifications.get(f"{proposal_id}-x")
        choices = {d.choice for d in self.actions.taken.get(proposal_id, {}).values()}
        run = Run(
            proposal_id=proposal_id,
            investigation_id=proposal.investigation_id,
            environment=proposal.call.environment,
            action=proposal.call.action,
            service=proposal.target.service,
            cause=proposal.cause,
            digest=proposal.call.digest,
            at=execution.started_at if execution else proposal.expires_at,
            choice=Choice.REJECT if Choice.REJECT in choices else next(iter(choices), None),
            status=execution.status if execution else None,
            outcome=verification.outcome if verification else None,
            judged=self.judged.get(proposal.investigation_id),
            alone=self.alone.get(proposal_id),
            step=STEP in proposal_id,
        )
        self.by_pair[proposal.call.environment, proposal.call.action][proposal_id] = run
        return run

    async def runs(self, environment: str, action: str) -> Sequence[Run]:
        """Return every run of an action here."""
        return tuple(self.by_pair[environment, action].values())

    async def baseline(self, environment: str, causes: Sequence[str]) -> Baseline:
        """Return how often trouble of these causes went away alone."""
        counts = [self.baselines[environment, cause] for cause in causes]
        return Baseline(recovered=sum(c[0] for c in counts), seen=sum(c[1] for c in counts))

    async def pairs(self) -> Sequence[Pair]:
        """Return everything that was ever proposed."""
        return tuple(self.by_pair)

    async def proposed(self, investigation_id: str) -> Sequence[Pair]:
        """Return what was proposed for one investigation."""
        calls = [proposal.call for proposal in self._of(investigation_id)]
        return tuple(dict.fromkeys((call.environment, call.action) for call in calls))

    def _of(self, investigation_id: str) -> list[Proposal]:
        """Return the one proposal of an investigation here, and the step before it if any."""
        names = (f"{investigation_id}-p1", f"{investigation_id}-p1{STEP}1")
        return [self.actions.proposals[n] for n in names if n in self.actions.proposals]

    async def carried_out(self, investigation_id: str) -> Sequence[Proposal]:
        """Return what was carried out for an investigation."""
        done = []
        for proposal in self._of(investigation_id):
            execution = self.actions.executions.get(f"{proposal.id}-x")
            if execution is not None and execution.status in DONE:
                done.append(proposal)
        return tuple(done)

    async def observe(self, proposal: Proposal, verification: Verification) -> None:
        """Keep what became of it without the action."""
        self.alone[proposal.id] = verification.outcome
        if verification.outcome is not Outcome.NO_DATA:
            counts = self.baselines[proposal.call.environment, proposal.cause]
            counts[0] += verification.outcome is Outcome.RECOVERED
            counts[1] += 1

    async def offer(self, promotion: Promotion) -> Promotion | None:
        """Open an offer, or return the open one."""
        pair = promotion.environment, promotion.action
        there = self.open.get(pair)
        if there is not None and there.level is promotion.level:
            return there
        made = replace(promotion, id=f"promotion:{len(self.offers) + 1}")
        self.open[pair] = made
        self.offers.append(made)
        return made

    async def promotion(self, promotion_id: str) -> Promotion | None:
        """Return an open offer."""
        return next((p for p in self.open.values() if p.id == promotion_id), None)

    async def close_promotions(self, environment: str, action: str, at: datetime) -> None:  # noqa: ARG002
        """Close the open offer of an action here."""
        self.open.pop((environment, action), None)
