"""A plan of several actions: what must be done first is ruled, approved and verified with it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.domain.action import Choice, ExecutionStatus, Proposal, Target
from bot.domain.conversation import Click
from bot.domain.people import Role
from bot.domain.policy import Reason, Ruling, Verdict
from bot.domain.ports import ActionStore
from bot.remediation import wording
from bot.remediation.asking import execution_key
from bot.remediation.deciding import Decider
from bot.remediation.desk import Decided, Staged
from bot.remediation.staging import Stager

FREEDOM = (
    Verdict.DENY, Verdict.SUGGEST, Verdict.APPROVAL, Verdict.ONE_CLICK, Verdict.AUTONOMOUS,
)  # fmt: skip
"""From the least to the most: a plan runs as freely as its least free step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plans:
    """Stages and decides a proposal together with what must be done before it."""

    stager: Stager
    decider: Decider
    actions: ActionStore

    async def stage(self, plan: Proposal) -> Staged:
        """Return the plan as it is shown: every step with its dry-run, under one ruling.

        Raises: Transient: a system could not be read.
        """
        before = [await self.stager.stage(step) for step in plan.preparations]
        whole = replace(plan, preparations=tuple(s.proposal for s in before))
        last = await self.stager.stage(whole)
        if not before:
            return last
        parts = (*before, last)
        ruling = combined([part.ruling for part in parts])
        why = next((part.why for part in parts if part.why), "")
        if wrong := faults(last.proposal):
            ruling = Ruling(verdict=Verdict.DENY, reasons=wrong)
            why = wording.refusal(ruling, None)
        return replace(last, ruling=ruling, why=why, level=min(part.level for part in parts))

    async def decide(self, proposal_id: str, click: Click, choice: Choice) -> Decided:
        """Take one click for all steps; refused for one, it is refused for the plan."""
        plan = await self.actions.proposal(proposal_id)
        if plan is None or click.subject != proposal_id:
            return await self.decider.decide(proposal_id, click, choice)
        if choice is Choice.REJECT:
            return await self._reject(plan, click)
        if wrong := faults(plan):
            ruling = Ruling(verdict=Verdict.DENY, reasons=wrong)
            why = wording.refusal(ruling, None)
            await self.decider.desk.refuse_stray(click, why)
            return Decided(accepted=False, decision=None, ruling=ruling, why=why)
        complete = True
        for step in plan.preparations:
            decided = await self._step(step, plan, click, choice)
            if not decided.accepted:
                return decided
            complete = complete and decided.complete
        last = await self.decider.decide(proposal_id, click, choice)
        return replace(last, complete=complete and last.complete)

    async def _reject(self, plan: Proposal, click: Click) -> Decided:
        """Reject the plan, and with it every step that was not carried out yet."""
        decided = await self.decider.decide(plan.id, click, Choice.REJECT)
        for step in plan.preparations if decided.accepted else ():
            if await self.actions.execution(execution_key(step.id)) is None:
                await self._step(step, plan, click, Choice.REJECT)
        return decided

    async def _step(self, step: Proposal, plan: Proposal, click: Click, choice: Choice) -> Decided:
        own = replace(click, subject=step.id, click_id=f"{click.click_id}/{step.id}")
        return await self.decider.decide(step.id, own, choice, shown_as=plan.id)

    async def unprepared(self, plan: Proposal) -> str:
        """Return which step before it was not carried out, empty if all were."""
        for step in plan.preparations:
            done = await self.actions.execution(execution_key(step.id))
            if done is None or done.status is not ExecutionStatus.APPLIED:
                return f"the step before it was not carried out: {step.title}"
        return ""


def combined(rulings: Sequence[Ruling]) -> Ruling:
    """Return the ruling of a plan: its strictest step's, with the most approvals that any needs.

    Raises: ValueError: there are none.
    """
    strictest = min(rulings, key=lambda r: FREEDOM.index(r.verdict))
    roles = {r.approver_role for r in rulings}
    return replace(
        strictest,
        reasons=tuple(dict.fromkeys(reason for r in rulings for reason in r.reasons)),
        approvals_needed=max(r.approvals_needed for r in rulings),
        approver_role=Role.APPROVER if Role.APPROVER in roles else strictest.approver_role,
        requester_may_approve=all(r.requester_may_approve for r in rulings),
    )


def faults(plan: Proposal) -> tuple[Reason, ...]:
    """Return why the steps cannot be one plan: each has its own target, and all one environment.

    An approval is bound to what a target is before the plan: a second step on it would find it
    changed by the first.
    """
    steps = (*plan.preparations, plan)
    targets = [_place(step.target) for step in steps if step.target is not None]
    found = []
    if len(set(targets)) < len(targets):
        found.append("two of its steps would change the same object")
    if len({step.call.environment for step in steps}) > 1:
        found.append("its steps are in different environments")
    if any(step.preparations for step in plan.preparations):
        found.append("a step of it is a plan itself")
    return tuple(Reason(rule="plan", text=text) for text in found)


def _place(target: Target) -> tuple[str, str, str, str]:
    return target.environment, target.kind, target.namespace, target.name
