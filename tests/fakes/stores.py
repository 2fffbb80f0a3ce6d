"""The stores in memory: stateful, strict, small. Tests look at their state."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bot.domain.action import (
    ActionCall,
    BreakGlass,
    Choice,
    Decision,
    Execution,
    ExecutionStatus,
    Level,
    Outcome,
    Proposal,
    Rejection,
    Target,
    Verification,
)
from bot.domain.codec import decode, encode
from bot.domain.conversation import PersonVerdict
from bot.domain.errors import Unavailable
from bot.domain.people import Actor, ActorKind, Role
from bot.domain.ports import AuditEntry
from bot.domain.trust import Baseline, LevelGrant, Promotion, Run


def aware(moment: datetime) -> datetime:
    """Refuse a naive datetime, as the real stores do."""
    assert moment.tzinfo is not None, "naive datetime"
    return moment


@dataclass
class FakeActions:
    """`ActionStore` in memory. What is stored went through the codec, as in SQL."""

    proposals: dict[str, Proposal] = field(default_factory=dict)
    by_id: dict[str, Decision] = field(default_factory=dict)
    locks: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    executions: dict[str, Execution] = field(default_factory=dict)
    verifications: dict[str, Verification] = field(default_factory=dict)
    declared: dict[str, BreakGlass] = field(default_factory=dict)
    switches: "FakeSwitches" = field(default_factory=lambda: FakeSwitches())

    async def save_proposal(self, proposal: Proposal) -> None:
        self.proposals[proposal.id] = decode(Proposal, encode(proposal))

    async def proposal(self, proposal_id: str) -> Proposal | None:
        return self.proposals.get(proposal_id)

    async def add_decision(self, decision: Decision) -> bool:
        if decision.id in self.by_id:
            return False
        aware(decision.at)
        self.by_id[decision.id] = decode(Decision, encode(decision))
        return True

    async def decisions(self, proposal_id: str) -> Sequence[Decision]:
        found = [d for d in self.by_id.values() if d.proposal_id == proposal_id]
        return tuple(sorted(found, key=lambda d: (d.at, d.id)))

    async def use_decisions(self, ids: Sequence[str]) -> bool:
        if any(i not in self.by_id or self.by_id[i].used for i in ids):
            return False
        for i in ids:
            self.by_id[i] = replace(self.by_id[i], used=True)
        return True

    async def lock(self, target: str, *, holder: str, until: datetime, now: datetime) -> bool:
        holds = self.locks.get(target)
        if holds is not None and holds[0] != holder and holds[1] > aware(now):
            return False
        self.locks[target] = (holder, aware(until))
        return True

    async def unlock(self, target: str, *, holder: str) -> None:
        if self.locks.get(target, ("", None))[0] == holder:
            del self.locks[target]

    async def locked_by(self, target: str, now: datetime) -> str | None:
        holds = self.locks.get(target)
        return holds[0] if holds is not None and holds[1] > aware(now) else None

    async def intend(self, execution: Execution) -> Execution:
        aware(execution.started_at)
        stored: Execution = decode(Execution, encode(execution))
        return self.executions.setdefault(execution.key, stored)

    async def finish(self, key: str, status: ExecutionStatus, detail: str) -> None:
        if key in self.executions:
            self.executions[key] = replace(self.executions[key], status=status, detail=detail)

    async def fail(self, key: str, detail: str, at: datetime) -> None:
        aware(at)
        if key in self.executions and self.executions[key].status is not ExecutionStatus.FAILED:
            await self.finish(key, ExecutionStatus.FAILED, detail)
            self._count(key, failure=True)

    def _count(self, key: str, *, failure: bool) -> None:
        proposal = self.proposals[self.executions[key].proposal_id]
        self.switches.count(proposal.call, failure=failure)

    async def execution(self, key: str) -> Execution | None:
        return self.executions.get(key)

    async def save_verification(self, verification: Verification) -> None:
        assert verification.execution_key in self.executions, "verification of nothing"
        self.verifications[verification.execution_key] = verification

    async def settle(
        self, verification: Verification, at: datetime, *, failure: bool | None
    ) -> None:
        aware(at)
        counted = verification.execution_key in self.verifications
        await self.save_verification(verification)
        if failure is not None and not counted:
            self._count(verification.execution_key, failure=failure)

    async def actions_since(self, environment: str, since: datetime) -> int:
        return sum(
            e.call.environment == environment and e.started_at >= aware(since) and not e.is_undo
            for e in self.executions.values()
        )

    async def under_way(self, environment: str, since: datetime) -> Sequence[Proposal]:
        over = (ExecutionStatus.UNDONE, ExecutionStatus.FAILED)
        return tuple(
            self.proposals[e.proposal_id]
            for e in self.executions.values()
            if e.call.environment == environment and e.started_at >= aware(since)
            if not e.is_undo and e.status not in over and not self._settled(e.key)
            if e.proposal_id in self.proposals
        )

    def _settled(self, key: str) -> bool:
        found = self.verifications.get(key)
        settled = (Outcome.RECOVERED, Outcome.UNCHANGED)
        return found is not None and found.outcome in settled

    async def rejected_before(self, proposal: Proposal) -> Rejection | None:
        mine = proposal.investigation_id.partition("-again")[0]
        found = [
            Rejection(
                proposal=(p := self.proposals[d.proposal_id]),
                decision=d,
                here=p.investigation_id.partition("-again")[0] == mine,
            )
            for d in self.by_id.values()
            if d.choice is Choice.REJECT and d.call_digest == proposal.call.digest
            if d.proposal_id != proposal.id
        ]
        return max(found, key=lambda r: (r.here, r.decision.at), default=None)

    async def declare(self, break_glass: BreakGlass) -> None:
        self.declared[break_glass.proposal_id] = break_glass

    async def break_glass(self, proposal_id: str) -> BreakGlass | None:
        return self.declared.get(proposal_id)

    def _name(self, proposal_id: str) -> tuple[str, str, str] | None:
        there = self.proposals[proposal_id].target
        return (there.kind, there.namespace, there.name) if there else None

    async def verified_before(self, call: ActionCall, target: Target) -> bool:
        approved = {d.proposal_id for d in self.by_id.values() if d.choice is Choice.APPROVE}
        return any(
            (e.call.environment, e.call.action) == (call.environment, call.action)
            and e.proposal_id in approved
            and self._name(e.proposal_id) == (target.kind, target.namespace, target.name)
            and e.status is ExecutionStatus.APPLIED
            and e.key in self.verifications
            and self.verifications[e.key].outcome is Outcome.RECOVERED
            for e in self.executions.values()
        )

    async def track_record(self, environment: str, action: str, service: str) -> tuple[int, int]:
        found = [
            e
            for e in self.executions.values()
            if (e.call.environment, e.call.action) == (environment, action)
            and not e.is_undo
            and (p := self.proposals.get(e.proposal_id)) is not None
            and p.target is not None
            and p.target.service == service
        ]
        outcomes = [v.outcome for e in found if (v := self.verifications.get(e.key))]
        return outcomes.count(Outcome.RECOVERED), len(found)


@dataclass
class FakeLevels:
    """`LevelStore` in memory: (environment, action, service or "*") → level; the lowest applies."""

    granted: dict[tuple[str, str, str], Level] = field(default_factory=dict)
    by_key: dict[tuple[str, str, str], LevelGrant] = field(default_factory=dict)

    async def level_of(self, environment: str, action: str, service: str) -> Level:
        keys = ((environment, action, service), (environment, action, "*"))
        return min((self.granted[k] for k in keys if k in self.granted), default=Level.L1)

    async def held(self, environment: str, action: str, service: str) -> LevelGrant | None:
        return self.by_key.get((environment, action, service or "*"))

    async def grant(self, granted: LevelGrant) -> None:
        key = (granted.environment, granted.action, granted.service or "*")
        before = granted.fallback or self.granted.get(key)
        self.by_key[key] = replace(granted, fallback=before)
        self.granted[key] = granted.level


@dataclass
class FakeRecords:
    """`RecordStore` over the other stores in memory."""

    actions: FakeActions
    verdicts: list[PersonVerdict] = field(default_factory=list)
    observed: dict[str, tuple[Proposal, Verification]] = field(default_factory=dict)
    promotions: dict[str, Promotion] = field(default_factory=dict)
    offers: int = 0

    async def runs(self, environment: str, action: str) -> Sequence[Run]:
        found = (p for p in self.actions.proposals.values() if p.call.action == action)
        return tuple(self._run(p) for p in found if p.call.environment == environment)

    def _run(self, proposal: Proposal) -> Run:
        done = self.actions.executions.get(f"{proposal.id}-x")
        verification = self.actions.verifications.get(f"{proposal.id}-x")
        choices = [d.choice for d in self.actions.by_id.values() if d.proposal_id == proposal.id]
        judged = [
            v.judgement for v in self.verdicts if v.investigation_id == proposal.investigation_id
        ]
        observed = self.observed.get(proposal.id)
        return Run(
            proposal_id=proposal.id, investigation_id=proposal.investigation_id,
            environment=proposal.call.environment, action=proposal.call.action,
            service=proposal.target.service if proposal.target else "", cause=proposal.cause,
            digest=proposal.call.digest,
            at=done.started_at if done else datetime(2000, 1, 1, tzinfo=UTC),
            choice=max(choices, default=None), status=done.status if done else None,
            outcome=verification.outcome if verification else None,
            judged=max(judged, default=None), alone=observed[1].outcome if observed else None,
        )  # fmt: skip

    async def baseline(self, environment: str, causes: Sequence[str]) -> Baseline:
        outcomes = [
            v.outcome
            for p, v in self.observed.values()
            if p.call.environment == environment and p.cause in causes
        ]
        return Baseline(recovered=outcomes.count(Outcome.RECOVERED), seen=len(outcomes))

    async def pairs(self) -> Sequence[tuple[str, str]]:
        calls = (p.call for p in self.actions.proposals.values())
        return sorted({(c.environment, c.action) for c in calls})

    async def proposed(self, investigation_id: str) -> Sequence[tuple[str, str]]:
        found = self.actions.proposals.values()
        mine = (p.call for p in found if p.investigation_id == investigation_id)
        return sorted({(c.environment, c.action) for c in mine})

    async def carried_out(self, investigation_id: str) -> Sequence[Proposal]:
        done = (ExecutionStatus.APPLIED, ExecutionStatus.UNDONE)
        return tuple(
            p
            for p in self.actions.proposals.values()
            if p.investigation_id == investigation_id
            and (e := self.actions.executions.get(f"{p.id}-x")) is not None
            and e.status in done
        )

    async def observe(self, proposal: Proposal, verification: Verification) -> None:
        self.observed[proposal.id] = (proposal, verification)

    async def offer(self, promotion: Promotion) -> Promotion | None:
        for there in self.promotions.values():
            if (there.environment, there.action, there.level) == (
                promotion.environment, promotion.action, promotion.level,
            ):  # fmt: skip
                return there
        self.offers += 1
        made = replace(promotion, id=f"promotion:{self.offers}")
        self.promotions[made.id] = made
        return made

    async def promotion(self, promotion_id: str) -> Promotion | None:
        return self.promotions.get(promotion_id)

    async def close_promotions(self, environment: str, action: str, at: datetime) -> None:
        aware(at)
        self.promotions = {
            name: p
            for name, p in self.promotions.items()
            if (p.environment, p.action) != (environment, action)
        }


@dataclass
class FakeSwitches:
    """`SwitchStore` in memory. The breaker opens at two failures in a row."""

    on: bool = False
    freezes: list[tuple[str, datetime, datetime]] = field(default_factory=list)
    failures: dict[tuple[str, str], int] = field(default_factory=dict)
    limit: int = 2

    async def stopped(self) -> bool:
        return self.on

    async def set_stopped(self, stopped: bool, *, by: str, reason: str, at: datetime) -> None:
        aware(at)
        self.on = stopped

    async def frozen(self, environment: str, at: datetime) -> bool:
        aware(at)
        return any(e in ("", environment) and a <= at < b for e, a, b in self.freezes)

    async def breaker_open(self, environment: str, action: str) -> bool:
        return self.failures.get((environment, action), 0) >= self.limit

    async def open_breaker(self, environment: str, action: str, at: datetime) -> None:
        aware(at)
        self.failures[environment, action] = self.limit

    def count(self, call: ActionCall, *, failure: bool) -> None:
        """Count how an execution ended."""
        key = (call.environment, call.action)
        if failure:
            self.failures[key] = self.failures.get(key, 0) + 1
        else:
            self.failures.pop(key, None)


@dataclass
class FakePeople:
    """`PeopleStore` and `Resolver` in memory: (team, user) → roles; guests and bots hold none."""

    roles: dict[tuple[str, str], frozenset[Role]] = field(default_factory=dict)
    kinds: dict[str, ActorKind] = field(default_factory=dict)

    def grant(self, user: str, *roles: Role, team: str = "T1") -> None:
        """Grant roles to a person."""
        self.roles[team, user] = frozenset(roles)

    async def roles_of(self, team: str, user: str, environment: str) -> frozenset[Role]:
        return self.roles.get((team, user), frozenset())

    async def actor(self, team: str, user: str, environment: str) -> Actor:
        kind = self.kinds.get(user, ActorKind.PERSON)
        held = await self.roles_of(team, user, environment)
        counted = held if kind is ActorKind.PERSON else frozenset()
        return Actor(id=user, team=team, kind=kind, roles=counted)

    async def holders(self, role: Role, environment: str) -> Sequence[tuple[str, str]]:
        return tuple(key for key, roles in self.roles.items() if role in roles)


@dataclass
class FakeAudit:
    """`Audit` in memory; `down` refuses to write."""

    entries: list[AuditEntry] = field(default_factory=list)
    down: bool = False

    async def write(self, entry: AuditEntry) -> None:
        if self.down:
            raise Unavailable("database", "the audit cannot be written")
        aware(entry.at)
        self.entries.append(entry)

    def events(self, event: str) -> list[AuditEntry]:
        """Return the entries of one event."""
        return [e for e in self.entries if e.event == event]
