"""Break-glass: the lone on-call approves what they asked for themselves, with a reason, audited."""

from dataclasses import dataclass, replace
from datetime import timedelta

from bot.domain.action import BreakGlass, Choice, Proposal
from bot.domain.conversation import Click
from bot.domain.environment import Tier
from bot.domain.errors import Permanent
from bot.domain.people import Actor, ActorKind, Role
from bot.remediation import wording
from bot.remediation.desk import Decided, Desk
from bot.remediation.plans import Plans

MARK = "break-glass: "  # before the reason, in the decision and on the card


@dataclass(frozen=True, slots=True, kw_only=True)
class Glass:
    """Declares the emergency, then takes the decision through the same door as any other."""

    desk: Desk
    plans: Plans

    async def decide(self, proposal_id: str, click: Click) -> Decided:
        """Return what became of it. Raises: Transient: it could not be taken."""
        proposal = await self.desk.ports.actions.proposal(proposal_id)
        if proposal is None or not await self.desk.is_its_card(click, proposal_id):
            return await self.plans.decide(proposal_id, click, Choice.APPROVE)
        actor = await self.desk.ports.people.actor(
            click.team, click.user, proposal.call.environment
        )
        steps = (*proposal.preparations, proposal)
        why = next(filter(None, (self._may_not(step, actor, click) for step in steps)), "")
        if why:
            words = f"{wording.because(why)} (rule break-glass)"
            await self.desk.note("refused", proposal, words, actor=actor.id)
            return Decided(accepted=False, decision=None, ruling=None, why=words)
        now = self.desk.wall.now()
        reason = self.desk.redact(click.reason.strip())
        await self.desk.note("break_glass", proposal, reason, actor=actor.id)
        for step in steps:
            await self.desk.ports.actions.declare(
                BreakGlass(
                    proposal_id=step.id, team=actor.team, user=actor.id, reason=reason, at=now,
                    expires_at=now + timedelta(seconds=self.desk.times.decision_s),
                )
            )  # fmt: skip
        marked = replace(click, reason=f"{MARK}{reason}")
        return await self.plans.decide(proposal_id, marked, Choice.APPROVE)

    def _may_not(self, proposal: Proposal, actor: Actor, click: Click) -> str:
        try:
            hand = self.desk.open(proposal.call)
        except Permanent as error:
            return str(error).rstrip(".")
        checks = (
            (actor.kind is not ActorKind.PERSON, "guests and other bots never count"),
            (Role.APPROVER not in actor.roles, "this takes the role approver here"),
            (hand.environment.tier is not Tier.PRODUCTION, "it is for production: just approve"),
            (not hand.facts.reversible, "it is for what can be taken back"),
            (actor.id != proposal.requester, "you did not ask for this yourself: just approve"),
            (not click.reason.strip(), "a reason is needed"),
        )
        return next((words for holds, words in checks if holds), "")
