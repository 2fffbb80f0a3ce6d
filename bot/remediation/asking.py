"""Puts a question to policy: gathers levels, switches, history and locks into a PolicyRequest."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.domain.action import BlastRadius, Decision, Effect, Level, Proposal, Target
from bot.domain.own_incident import OwnIncidents
from bot.domain.people import SELF, Actor, Role
from bot.domain.policy import Approvals, Conditions, PolicyRequest, Stage
from bot.domain.ports import ActionStore, Audit, LevelStore, Outbox, Resolver, SwitchStore
from bot.remediation.hand import Hand, Seen, lock_name, same_workload
from bot.remediation.own import Own

HOUR = timedelta(hours=1)
NO_APPROVALS = Approvals(count=0, roles=frozenset(), includes_requester=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What the gateway needs of the stores."""

    actions: ActionStore
    levels: LevelStore
    switches: SwitchStore
    people: Resolver
    audit: Audit
    posted: Outbox | None = None  # with it, a click counts only on the proposal's own card
    own: OwnIncidents | None = None  # with it, nothing is done in an incident about the bot itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Builds policy requests from the present state of the stores."""

    ports: Ports
    calibrated: bool  # whether the diagnosis' confidence is a fitted probability
    own: Own = field(default_factory=Own)

    async def request(
        self, proposal: Proposal, hand: Hand, seen: Seen, *, stage: Stage, now: datetime
    ) -> PolicyRequest:
        """Return the question for the bot itself, without approvals."""
        return PolicyRequest(
            stage=stage,
            environment=hand.environment.name,
            tier=hand.environment.tier,
            action=hand.facts,
            actor=SELF,
            requester_id=proposal.requester,
            target=await self._marked(proposal, hand, seen.target),
            blast_radius=await self._added_up(proposal, seen, hand.environment.name, now),
            approvals=NO_APPROVALS,
            conditions=await self._conditions(proposal, hand, seen, now),
        )

    async def _marked(self, proposal: Proposal, hand: Hand, target: Target) -> Target:
        """Say that it is the bot itself: its own objects, and whatever its own incident is about.

        What is wrong with the bot may look like anybody's trouble; a person has to see to it, and
        may be paged for it.
        """
        own = self.own.holds(target)
        if not own and self.ports.own is not None and hand.facts.effect is not Effect.PAGE:
            own = await self.ports.own.about_itself(proposal.investigation_id)
        return replace(target, is_bot_itself=True) if own else target

    async def _added_up(
        self, proposal: Proposal, seen: Seen, environment: str, now: datetime
    ) -> BlastRadius:
        """Return what can be unavailable together with what is still under way here."""
        total = seen.dry_run.blast_radius
        for other in await self.ports.actions.under_way(environment, now - HOUR):
            if other.id == proposal.id or other.dry_run is None or other.target is None:
                continue
            same = same_workload(other.target, seen.target)
            total = together(total, other.dry_run.blast_radius, same=same)
        return total

    async def _break_glass(self, proposal: Proposal, now: datetime) -> bool:
        declared = await self.ports.actions.break_glass(proposal.id)
        return (
            declared is not None
            and declared.user == proposal.requester
            and now < declared.expires_at
        )

    async def level(self, hand: Hand, seen: Seen) -> Level:
        """Return the level that applies here."""
        return await self.ports.levels.level_of(
            hand.environment.name, hand.facts.name, seen.target.service
        )

    async def _conditions(
        self, proposal: Proposal, hand: Hand, seen: Seen, now: datetime
    ) -> Conditions:
        environment, switches = hand.environment.name, self.ports.switches
        holder = await self.ports.actions.locked_by(lock_name(seen.target), now)
        earlier = await self.ports.actions.actions_since(environment, now - HOUR)
        own = await self.ports.actions.execution(execution_key(proposal.id))
        proven = await self.ports.actions.verified_before(proposal.call, seen.target)
        return Conditions(
            level=await self.level(hand, seen),
            confidence=proposal.confidence,
            calibrated=self.calibrated,
            novel=proposal.novel,
            approved_before_and_verified=proven,
            dry_run_ok=seen.dry_run.ok,
            freeze=await switches.frozen(environment, now),
            breaker_open=await switches.breaker_open(environment, hand.facts.name),
            kill_switch=await switches.stopped(),
            target_locked=holder not in (None, execution_key(proposal.id)),
            actions_last_hour=max(0, earlier - (1 if own is not None else 0)),
            break_glass=await self._break_glass(proposal, now),
            moment=now,
        )


def together(one: BlastRadius, other: BlastRadius, *, same: bool) -> BlastRadius:
    """Return the blast radius of two actions at one time; `same`: on the same workload."""
    pods = min(one.pods + other.pods, max(one.pods_total, one.pods)) if same else one.pods
    ratio = one.workload_ratio + (other.workload_ratio if same else 0.0)
    return replace(
        one,
        pods=pods,
        workload_ratio=min(1.0, ratio),
        fleet_ratio=min(1.0, one.fleet_ratio + other.fleet_ratio),
        nodes=one.nodes + other.nodes,
        services=tuple(dict.fromkeys((*one.services, *other.services))),
    )


def by(request: PolicyRequest, actor: Actor) -> PolicyRequest:
    """Return the question as `actor`'s."""
    return replace(request, actor=actor)


def with_decision(request: PolicyRequest, actor: Actor, role: Role, count: int) -> PolicyRequest:
    """Return the question whether `count` decisions like this actor's, in this role, would do."""
    given = Approvals(
        count=count,
        roles=frozenset({role}),
        includes_requester=actor.id == request.requester_id,
    )
    unlocked = replace(request.conditions, target_locked=False)  # whoever decides need not wait
    return replace(request, stage=Stage.EXECUTE, actor=actor, approvals=given, conditions=unlocked)


def approvals_of(decisions: Sequence[Decision], requester: str) -> Approvals:
    """Return what bound decisions amount to; two of one person count once."""
    people = {(d.team, d.actor_id) for d in decisions}
    roles = {Role(d.role) for d in decisions if d.role in {r.value for r in Role}}
    return Approvals(
        count=len(people),
        roles=frozenset(roles),
        includes_requester=any(person == requester for _, person in people),
    )


def execution_key(proposal_id: str) -> str:
    """Return the unique key of a proposal's execution."""
    return f"{proposal_id}-x"


def undo_key(proposal_id: str) -> str:
    """Return the unique key of its undo."""
    return f"{proposal_id}-u"
