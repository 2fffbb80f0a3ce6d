"""Everything that SQL keeps, in memory and indexed: ten thousand incidents in a minute or two."""

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

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
from bot.domain.people import Actor, ActorKind, Role
from bot.domain.ports import AuditEntry
from bot.domain.trust import LevelGrant

OVER = (ExecutionStatus.UNDONE, ExecutionStatus.FAILED)


@dataclass
class MemoryActions:
    """`ActionStore` in memory."""

    proposals: dict[str, Proposal] = field(default_factory=dict)
    taken: dict[str, dict[str, Decision]] = field(default_factory=lambda: defaultdict(dict))
    by_decision: dict[str, str] = field(default_factory=dict)
    locks: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    executions: dict[str, Execution] = field(default_factory=dict)
    verifications: dict[str, Verification] = field(default_factory=dict)
    proven: set[tuple[str, str, str]] = field(default_factory=set)  # environment, action, target
    glass: dict[str, BreakGlass] = field(default_factory=dict)
    recent: dict[str, deque[str]] = field(default_factory=lambda: defaultdict(deque))
    counts: dict[tuple[str, str, str], list[int]] = field(
        default_factory=lambda: defaultdict(lambda: [0, 0])
    )
    switches: "MemorySwitches" = field(default_factory=lambda: MemorySwitches())

    async def save_proposal(self, proposal: Proposal) -> None:
        """Insert or replace."""
        self.proposals[proposal.id] = proposal

    async def proposal(self, proposal_id: str) -> Proposal | None:
        """Return by id."""
        return self.proposals.get(proposal_id)

    async def add_decision(self, decision: Decision) -> bool:
        """Insert once per id."""
        if decision.id in self.by_decision:
            return False
        self.by_decision[decision.id] = decision.proposal_id
        self.taken[decision.proposal_id][decision.id] = decision
        return True

    async def decisions(self, proposal_id: str) -> Sequence[Decision]:
        """Return those of a proposal, the oldest first."""
        found = self.taken.get(proposal_id, {}).values()
        return tuple(sorted(found, key=lambda d: (d.at, d.id)))

    async def use_decisions(self, ids: Sequence[str]) -> bool:
        """Use all or none."""
        rows = [(self.by_decision.get(i, ""), i) for i in ids]
        if any(i not in self.taken.get(p, {}) or self.taken[p][i].used for p, i in rows):
            return False
        for name, i in rows:
            self.taken[name][i] = replace(self.taken[name][i], used=True)
        return True

    async def lock(self, target: str, *, holder: str, until: datetime, now: datetime) -> bool:
        """Take a target that is free, expired or held by the same."""
        there = self.locks.get(target)
        if there is not None and there[0] != holder and there[1] > now:
            return False
        self.locks[target] = (holder, until)
        return True

    async def unlock(self, target: str, *, holder: str) -> None:
        """Give it back."""
        if target in self.locks and self.locks[target][0] == holder:
            del self.locks[target]

    async def locked_by(self, target: str, now: datetime) -> str | None:
        """Return the holder."""
        there = self.locks.get(target)
        return there[0] if there is not None and there[1] > now else None

    async def intend(self, execution: Execution) -> Execution:
        """Insert once per key."""
        there = self.executions.setdefault(execution.key, execution)
        if there is execution and not execution.is_undo:
            self.recent[execution.call.environment].append(execution.key)
            self.counts[self._place(execution)][1] += 1
        return there

    async def finish(self, key: str, status: ExecutionStatus, detail: str) -> None:
        """Record the end."""
        if key in self.executions:
            self.executions[key] = replace(self.executions[key], status=status, detail=detail)

    async def fail(self, key: str, detail: str, at: datetime) -> None:  # noqa: ARG002
        """Record a failure, and count it once."""
        if key in self.executions and self.executions[key].status is not ExecutionStatus.FAILED:
            await self.finish(key, ExecutionStatus.FAILED, detail)
            self._count(key, failure=True)

    def _count(self, key: str, *, failure: bool) -> None:
        call = self.proposals[self.executions[key].proposal_id].call
        self.switches.count(call.environment, call.action, failure=failure)

    async def execution(self, key: str) -> Execution | None:
        """Return by key."""
        return self.executions.get(key)

    async def save_verification(self, verification: Verification) -> None:
        """Keep what became of an execution."""
        key = verification.execution_key
        before, self.verifications[key] = self.verifications.get(key), verification
        execution = self.executions[key]
        again = before is not None and before.outcome is Outcome.RECOVERED  # after a death
        if verification.outcome is Outcome.RECOVERED and not execution.is_undo:
            self.counts[self._place(execution)][0] += not again
            if any(d.choice is Choice.APPROVE for d in self.taken[execution.proposal_id].values()):
                target = self.proposals[execution.proposal_id].target
                call = execution.call
                self.proven.add((call.environment, call.action, target.name if target else ""))

    async def settle(
        self,
        verification: Verification,
        at: datetime,  # noqa: ARG002
        *,
        failure: bool | None,
    ) -> None:
        """Keep what became of an execution, and count it once."""
        counted = verification.execution_key in self.verifications
        await self.save_verification(verification)
        if failure is not None and not counted:
            self._count(verification.execution_key, failure=failure)

    async def actions_since(self, environment: str, since: datetime) -> int:
        """Count executions here since then."""
        return len(self._since(environment, since))

    async def under_way(self, environment: str, since: datetime) -> Sequence[Proposal]:
        """Return what may still hold something down."""
        return tuple(
            self.proposals[self.executions[key].proposal_id]
            for key in self._since(environment, since)
            if self.executions[key].status not in OVER and not self._settled(key)
        )

    async def rejected_before(self, proposal: Proposal) -> Rejection | None:  # noqa: ARG002
        """Return nothing: each simulated incident is its own."""
        return None

    async def declare(self, break_glass: BreakGlass) -> None:
        """Keep a declaration."""
        self.glass[break_glass.proposal_id] = break_glass

    async def break_glass(self, proposal_id: str) -> BreakGlass | None:
        """Return a declaration."""
        return self.glass.get(proposal_id)

    async def verified_before(self, call: ActionCall, target: Target) -> bool:
        """Whether this action on this target was approved and verified before."""
        return (call.environment, call.action, target.name) in self.proven

    async def track_record(self, environment: str, action: str, service: str) -> tuple[int, int]:
        """Return (verified, executed)."""
        verified, executed = self.counts[environment, action, service]
        return verified, executed

    def _since(self, environment: str, since: datetime) -> Sequence[str]:
        keys = self.recent[environment]
        while keys and self.executions[keys[0]].started_at < since:
            keys.popleft()
        return tuple(keys)

    def _settled(self, key: str) -> bool:
        found = self.verifications.get(key)
        settled = (Outcome.RECOVERED, Outcome.UNCHANGED)
        return found is not None and found.outcome in settled

    def _place(self, execution: Execution) -> tuple[str, str, str]:
        target = self.proposals[execution.proposal_id].target
        service = target.service if target else ""
        return execution.call.environment, execution.call.action, service


@dataclass
class MemoryLevels:
    """`GrantStore` in memory."""

    grants: dict[tuple[str, str, str], LevelGrant] = field(default_factory=dict)

    async def level_of(self, environment: str, action: str, service: str) -> Level:
        """Return the lowest that applies; absent means L1."""
        keys = ((environment, action, ""), (environment, action, service))
        return min((self.grants[k].level for k in keys if k in self.grants), default=Level.L1)

    async def held(self, environment: str, action: str, service: str) -> LevelGrant | None:
        """Return what was granted under this key."""
        return self.grants.get((environment, action, service))

    async def grant(self, granted: LevelGrant) -> None:
        """Set a level."""
        self.grants[granted.environment, granted.action, granted.service] = granted


@dataclass
class MemorySwitches:
    """`SwitchStore` in memory."""

    on: bool = False
    freeze: bool = False
    failures: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))

    async def stopped(self) -> bool:
        """Whether it is stopped."""
        return self.on

    async def set_stopped(self, stopped: bool, *, by: str, reason: str, at: datetime) -> None:  # noqa: ARG002
        """Stop or start."""
        self.on = stopped

    async def frozen(self, environment: str, at: datetime) -> bool:  # noqa: ARG002
        """Whether a freeze is on."""
        return self.freeze

    async def breaker_open(self, environment: str, action: str) -> bool:
        """Whether two failed in a row."""
        return self.failures[environment, action] >= 2

    async def open_breaker(self, environment: str, action: str, at: datetime) -> None:  # noqa: ARG002
        """Count as many as open it."""
        self.failures[environment, action] = max(2, self.failures[environment, action])

    def count(self, environment: str, action: str, *, failure: bool) -> None:
        """Count one more, or start over."""
        before = self.failures[environment, action]
        self.failures[environment, action] = before + 1 if failure else 0


@dataclass
class MemoryPeople:
    """`Resolver` in memory."""

    people: dict[str, Actor] = field(default_factory=dict)

    async def actor(self, team: str, user: str, environment: str) -> Actor:  # noqa: ARG002
        """Return who clicks; nobody knows a stranger's role."""
        return self.people.get(user, Actor(id=user, team=team, kind=ActorKind.PERSON))

    def add(self, user: str, *roles: Role, kind: ActorKind = ActorKind.PERSON) -> None:
        """Make somebody known."""
        held = frozenset(roles) if kind is ActorKind.PERSON else frozenset()
        self.people[user] = Actor(id=user, team="T1", kind=kind, roles=held)


@dataclass
class MemoryAudit:
    """`Audit` in memory, by subject."""

    by_subject: dict[str, list[AuditEntry]] = field(default_factory=lambda: defaultdict(list))

    async def write(self, entry: AuditEntry) -> None:
        """Append."""
        self.by_subject[entry.subject].append(entry)
