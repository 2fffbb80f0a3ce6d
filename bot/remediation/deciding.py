"""Takes a person's decision: who they are now, whether it counts, bound to what was shown."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.domain.action import Choice, Decision, Proposal
from bot.domain.conversation import Click
from bot.domain.errors import Permanent
from bot.domain.people import Actor, ActorKind, Role
from bot.domain.policy import PolicyRequest, Reason, Ruling, Verdict
from bot.remediation import wording
from bot.remediation.asking import by, execution_key, with_decision
from bot.remediation.desk import Decided, Desk, ruling_details
from bot.remediation.staging import Stager

COUNTING = (Role.APPROVER, Role.RESPONDER)  # tried in this order; the first that counts is recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    proposal: Proposal
    click: Click
    actor: Actor
    earlier: Sequence[Decision]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decider:
    """Accepts or refuses a click; both are audited before anything is stored."""

    desk: Desk
    stager: Stager

    async def decide(
        self,
        proposal_id: str,
        click: Click,
        choice: Choice,
        *,
        shown_as: str = "",
        message: str = "",
    ) -> Decided:
        """Return what became of the click. `shown_as`: whose card it is on, if not its own.

        `message`: the key of the message it is on, if that is no card.

        Raises: Transient: it could not be taken.
        """
        store = self.desk.ports.actions
        proposal = await store.proposal(proposal_id)
        if proposal is None or click.subject != proposal_id:
            return await self._stray(click, "this button belongs to no proposal that I know")
        card = shown_as or proposal_id
        there = self.desk.is_on(click, message) if message else self.desk.is_its_card(click, card)
        if not await there:
            return await self._stray(click, "this button is not on the card of its proposal")
        earlier = await store.decisions(proposal_id)
        actor = await self.desk.ports.people.actor(
            click.team, click.user, proposal.call.environment
        )
        case = _Case(proposal=proposal, click=click, actor=actor, earlier=earlier)
        own = next((d for d in earlier if _is_repeated(d, case, choice)), None)
        if own is not None and await self._open(proposal):
            return await self._again(case, own)
        why = await self._too_late(case)
        if why:
            return await self._refused(case, None, wording.because(why))
        return await (self._approve(case) if choice is Choice.APPROVE else self._reject(case))

    async def _stray(self, click: Click, why: str) -> Decided:
        await self.desk.refuse_stray(click, why)
        words = wording.because(why)
        return Decided(accepted=False, decision=None, ruling=None, why=words)

    async def _open(self, proposal: Proposal) -> bool:
        """Whether nothing was carried out yet."""
        return await self.desk.ports.actions.execution(execution_key(proposal.id)) is None

    async def _again(self, case: _Case, decision: Decision) -> Decided:
        """The same decision of the same person: the second is refused, the first stands."""
        why = wording.again(decision)
        details = {"rules": ["counts-once"], "decision": decision.id}
        await self.desk.note("refused", case.proposal, why, actor=case.actor.id, details=details)
        taken = await self.taken(case.proposal, decision)
        return replace(taken, why=why, repeated=True)

    async def _too_late(self, case: _Case) -> str:
        proposal = case.proposal
        rejected = next((d for d in case.earlier if d.choice is Choice.REJECT), None)
        if rejected is not None:
            return f"<@{rejected.actor_id}> rejected it"
        if not await self._open(proposal):
            return "it was carried out already"
        if proposal.expires_at is None or self.desk.wall.now() >= proposal.expires_at:
            return "the offer has expired, ask me again"
        return ""

    async def _approve(self, case: _Case) -> Decided:
        offered = await self._offered(case)
        gate = self.desk.engine.rule(offered) if offered else None
        if offered is None or gate is None:
            return await self._refused(case, None, wording.because("it cannot be carried out here"))
        if gate.verdict is Verdict.SUGGEST:
            words = wording.because(wording.at_level(offered.conditions.level))
            held = [r for r in gate.reasons if r.rule != "level-1-suggest"]
            shown = wording.refusal(Ruling(verdict=Verdict.DENY, reasons=tuple(held)), None)
            return await self._refused(case, gate, shown if held else words)
        if gate.denied:
            return await self._refused(case, gate, wording.refusal(gate, None))
        needed = max(1, gate.approvals_needed)
        role, ruling = self._role(offered, case.actor, needed)
        if role is None:
            asked = case.actor.id == case.proposal.requester
            words = wording.refusal(ruling, gate, requester=asked)
            return await self._refused(case, ruling, words)
        decision = self._bound(case, Choice.APPROVE, role)
        return await self._store(case, decision, ruling)

    async def _offered(self, case: _Case) -> PolicyRequest | None:
        try:
            hand = self.desk.open(case.proposal.call)
        except Permanent:
            return None
        return await self.stager.question(case.proposal, hand)

    def _role(
        self, offered: PolicyRequest, actor: Actor, needed: int
    ) -> tuple[Role | None, Ruling]:
        """Return the role in which the decision counts, or None and the ruling that says no."""
        person = self.desk.engine.rule(by(offered, actor))
        if person.denied:
            return None, person
        ruling = _no_role(actor)
        for role in COUNTING:
            if role in actor.roles:
                ruling = self.desk.engine.rule(with_decision(offered, actor, role, needed))
                if not ruling.denied:
                    return role, ruling
        return None, ruling

    async def _reject(self, case: _Case) -> Decided:
        role = next((r for r in COUNTING if r in case.actor.roles), None)
        if case.actor.kind is not ActorKind.PERSON or role is None:
            ruling = _no_role(case.actor)
            return await self._refused(case, ruling, wording.refusal(ruling, None))
        return await self._store(case, self._bound(case, Choice.REJECT, role), None)

    def _bound(self, case: _Case, choice: Choice, role: Role) -> Decision:
        proposal, now = case.proposal, self.desk.wall.now()
        return Decision(
            id=case.click.click_id,
            proposal_id=proposal.id,
            choice=choice,
            actor_id=case.actor.id,
            team=case.actor.team,
            role=role.value,
            at=now,
            reason=self.desk.redact(case.click.reason),
            call_digest=proposal.call.digest,
            target_uid=proposal.target.uid if proposal.target else "",
            spec_hash=proposal.target.spec_hash if proposal.target else "",
            diff_hash=proposal.dry_run.diff_hash if proposal.dry_run else "",
            expires_at=now + timedelta(seconds=self.desk.times.decision_s),
        )

    async def _store(self, case: _Case, decision: Decision, ruling: Ruling | None) -> Decided:
        await self.desk.note(
            "decided",
            case.proposal,
            f"{decision.choice.value} as {decision.role}: {case.proposal.title}"
            + (f" ({decision.reason})" if decision.reason else ""),
            actor=case.actor.id,
            details={"diff": decision.diff_hash, "target": decision.target_uid},
        )
        store = self.desk.ports.actions
        if not await store.add_decision(decision):  # the other half of a double click was first
            there = await store.decisions(case.proposal.id)
            decision = next((d for d in there if d.id == decision.id), decision)
            return await self._again(case, decision)
        return await self.taken(case.proposal, decision, ruling)

    async def taken(
        self, proposal: Proposal, decision: Decision, ruling: Ruling | None = None
    ) -> Decided:
        """Return that a decision stands, and whether enough are there."""
        complete = decision.choice is Choice.REJECT or await self._enough(proposal)
        return Decided(accepted=True, decision=decision, ruling=ruling, why="", complete=complete)

    async def _enough(self, proposal: Proposal) -> bool:
        decisions = await self.desk.ports.actions.decisions(proposal.id)
        people = {(d.team, d.actor_id) for d in decisions if d.choice is Choice.APPROVE}
        try:
            request = await self.stager.question(proposal, self.desk.open(proposal.call))
        except Permanent:
            return False
        gate = self.desk.engine.rule(request) if request else None
        return gate is not None and len(people) >= max(1, gate.approvals_needed)

    async def _refused(self, case: _Case, ruling: Ruling | None, why: str) -> Decided:
        details = ruling_details(ruling) if ruling else {}
        await self.desk.note("refused", case.proposal, why, actor=case.actor.id, details=details)
        return Decided(accepted=False, decision=None, ruling=ruling, why=why)


def _is_repeated(decision: Decision, case: _Case, choice: Choice) -> bool:
    same = (decision.team, decision.actor_id) == (case.actor.team, case.actor.id)
    return decision.id == case.click.click_id or (same and decision.choice is choice)


def _no_role(actor: Actor) -> Ruling:
    if actor.kind is not ActorKind.PERSON:
        reason = Reason(rule="people-only", text="guests and other bots never count")
    else:
        reason = Reason(rule="role-needed", text="this takes the role responder or approver here")
    return Ruling(verdict=Verdict.DENY, reasons=(reason,))
