"""Runs simulated incidents through the real gateway, and keeps account of what was harmed."""

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from bot.domain.action import (
    ActionCall,
    Choice,
    ExecutionStatus,
    Level,
    Outcome,
    Proposal,
    Verification,
    VerificationPlan,
)
from bot.domain.conversation import Click, Judgement
from bot.domain.people import ActorKind, Role
from bot.domain.policy import Verdict
from bot.domain.trust import LevelGrant
from bot.evaluation.safety.dying import Death, Life, Mortal
from bot.evaluation.safety.record import STEP, MemoryRecords
from bot.evaluation.safety.stores import (
    MemoryActions,
    MemoryAudit,
    MemoryLevels,
    MemoryPeople,
    MemorySwitches,
)
from bot.evaluation.safety.world import (
    KINDS,
    SIGNAL,
    TIERS,
    Incident,
    SimulatedClock,
    SimulatedWorld,
    Truth,
    catalogue,
    environments,
    first_step,
    incident,
    observed,
    series,
)
from bot.remediation.asking import Ports
from bot.remediation.desk import Clocks, Options, Staged
from bot.remediation.gateway import Gateway
from bot.remediation.trust import GrantRequest, Trust
from bot.remediation.verification import Move, Next, judge
from policies.engine import CedarEngine

T = TypeVar("T")
WINDOW_S = 600.0
PLANS = 0.1  # of the proposals: something has to be done first
DEATHS = 0.02  # of the durable steps: the bot dies in them
LONGEST_STEP = 25  # effects of one step, about
PLAN = VerificationPlan(signal=SIGNAL, threshold=0.5, window_s=WINDOW_S)
CLICKERS = ("UAPPROVER", "USECOND", "URESPONDER", "UADMIN", "UOBSERVER", "UGUEST", "UBOT", "UNEW")


@dataclass
class Company:
    """The bot's own gateway and trust, over a simulated world and records in memory."""

    seed: int
    dice: random.Random = field(init=False)
    clock: SimulatedClock = field(default_factory=SimulatedClock)
    actions: MemoryActions = field(default_factory=MemoryActions)
    levels: MemoryLevels = field(default_factory=MemoryLevels)
    switches: MemorySwitches = field(default_factory=MemorySwitches)
    people: MemoryPeople = field(default_factory=MemoryPeople)
    audit: MemoryAudit = field(default_factory=MemoryAudit)
    incidents: dict[str, Incident] = field(default_factory=dict)  # by proposal
    too_high: int = 0  # levels above L1 right after a false action
    plans: int = 0  # of two steps, carried out as far as they came
    deaths: int = 0  # of the bot, in the middle of something
    gateway: Gateway = field(init=False)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)  # noqa: S311 - a simulation
        self.world = SimulatedWorld(self.dice)
        self.actions.switches = self.switches
        self.records = MemoryRecords(self.actions)
        self.trust = Trust(
            records=self.records, levels=self.levels, audit=self.audit, clock=self.clock,
            highest={kind.name: kind.highest for kind in KINDS},
        )  # fmt: skip
        self._hire()
        self._engine = CedarEngine(environments=set(TIERS), actions={k.name for k in KINDS})
        self._start()

    def _start(self) -> None:
        """Start the bot: what it knows is what was written."""
        self.life = Life()
        self.world.after = self.life.beat
        mortal: Callable[[object], Any] = lambda store: Mortal(store, self.life)  # noqa: E731
        self.gateway = Gateway(
            actions=catalogue(self.world),
            environments=environments(),
            engine=self._engine,
            ports=Ports(
                actions=mortal(self.actions), levels=self.levels, switches=mortal(self.switches),
                people=self.people, audit=mortal(self.audit),
            ),
            clocks=Clocks(wall=self.clock, world=self.clock),
            options=Options(calibrated=True, trust=self.trust),
        )  # fmt: skip

    async def _seen_through(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do one durable step; now and then the bot dies in it, and does it again afterwards."""
        if self.dice.random() < DEATHS:
            self.life.left = self.dice.randint(1, LONGEST_STEP)
        while True:
            try:
                return await work()
            except Death:
                self.deaths += 1
                self._start()
            finally:
                self.life.left = 0

    def _hire(self) -> None:
        for user in ("UAPPROVER", "USECOND"):
            self.people.add(user, Role.APPROVER)
        self.people.add("URESPONDER", Role.RESPONDER)
        self.people.add("UADMIN", Role.ADMINISTRATOR)
        self.people.add("UOBSERVER", Role.OBSERVER)
        self.people.add("UGUEST", Role.APPROVER, kind=ActorKind.GUEST)
        self.people.add("UBOT", Role.APPROVER, kind=ActorKind.BOT)

    async def run(self, count: int) -> None:
        """Let `count` incidents happen, one after the other."""
        for environment in TIERS:
            for kind in KINDS:
                await self._set_level(environment, kind.name, self.dice.choice(list(Level)[1:]))
        for number in range(count):
            self.clock.pass_(self.dice.uniform(300, 3600))
            await self._whims()
            await self._see_through(incident(number, self.dice))

    async def _whims(self) -> None:
        """Switches, freezes and levels change as they please; changes by hand happen too."""
        roll = self.dice.random()
        self.switches.on = roll < 0.01
        self.switches.freeze = 0.01 < roll < 0.03
        if roll > 0.95:
            pair = self.dice.choice(tuple(TIERS)), self.dice.choice(KINDS).name
            await self._set_level(*pair, self.dice.choice(list(Level)))

    async def _set_level(self, environment: str, action: str, level: Level) -> None:
        await self.levels.grant(
            LevelGrant(
                environment=environment, action=action, level=level, by="UADMIN", reason="a whim"
            )
        )

    async def _see_through(self, happened: Incident) -> None:
        proposal = self._proposal(happened)
        self.incidents[proposal.id] = happened
        if self.dice.random() < PLANS:
            proposal = self._planned(proposal, happened)
        staged = await self._seen_through(lambda: self.gateway.stage(proposal))
        if staged.ruling.verdict in (Verdict.ONE_CLICK, Verdict.APPROVAL):
            await self._clicks(staged)
        if self.dice.random() < 0.03:  # somebody changes the target by hand
            place = happened.environment, happened.service
            self.world.versions[place] = self.world.version(*place) + 1
        acted = await self._acted(proposal)
        if acted is None:
            await self._left_alone(proposal, happened)
        else:
            await self._watched(proposal, happened, acted)
        carried_out = await self.records.carried_out(proposal.investigation_id)
        await self._verdicts(proposal, happened, acted=bool(carried_out))
        for part in (*proposal.preparations, proposal):
            self.records.refresh(part.id)
            await self._review(self.incidents[part.id])

    def _planned(self, proposal: Proposal, happened: Incident) -> Proposal:
        """Return the proposal as a plan: something else has to be done first."""
        first = first_step(happened, self.dice)
        name = f"{proposal.id}{STEP}1"
        self.incidents[name] = first
        call = replace(
            proposal.call, action=first.kind.name, arguments={"name": first.service}
        )  # fmt: skip
        return replace(proposal, preparations=(replace(proposal, id=name, call=call),))

    async def _acted(self, proposal: Proposal) -> str | None:
        """Carry out what comes first, then the action; what is left of a broken plan is undone."""
        done: list[str] = []
        self.plans += bool(proposal.preparations)
        for part in proposal.preparations:
            key = await self._act(part.id)
            if key is None:
                return None
            done.append(key)
            seen = Verification(
                execution_key=key, outcome=Outcome.RECOVERED, statement="read back as it was set",
                value=None, checked_at=self.clock.now(),
            )  # fmt: skip
            await self._seen_through(partial(self.gateway_settles, seen))
            await self.gateway.release(key)
        key = await self._act(proposal.id)
        if key is None:
            await self._taken_back(done)
        return key

    async def gateway_settles(self, seen: Verification) -> Next:
        """Record a verification with whatever bot runs now."""
        return await self.gateway.settle(seen)

    async def _taken_back(self, keys: Sequence[str]) -> None:
        for key in reversed(keys):
            await self._seen_through(lambda key=key: self.gateway.undo(key))  # type: ignore[misc]

    def _proposal(self, happened: Incident) -> Proposal:
        name = f"inv-{happened.number}"
        call = ActionCall(
            action=happened.kind.name,
            environment=happened.environment,
            arguments={"name": happened.service},
        )
        return Proposal(
            id=f"{name}-p1", investigation_id=name, call=call, title=f"{happened.kind.name} it",
            reason="", runbook="simulated", trade_off="",
            confidence=round(self.dice.uniform(0.5, 0.99), 3), cause=happened.cause,
            novel=self.dice.random() < 0.2,
            requester=self.dice.choice(("sre-bot", "sre-bot", "UAPPROVER")), verification=PLAN,
        )  # fmt: skip

    async def _clicks(self, staged: Staged) -> None:
        """People, guests and bots click as they please; some twice, some late."""
        for _ in range(self.dice.choice((0, 2, 4, 6))):
            user, late = self.dice.choice(CLICKERS), self.dice.random() < 0.03
            choice = Choice.REJECT if self.dice.random() < 0.1 else Choice.APPROVE
            if late:
                self.clock.pass_(2000)
            click = Click(
                click_id=f"{staged.proposal.id}-{user}-{choice}", team="T1", channel="C1",
                message_ts="1.0", thread_ts="1.0", user=user, subject=staged.proposal.id,
                reason="a click",
            )  # fmt: skip
            if self.dice.random() < 0.05:
                await self.gateway.break_glass(staged.proposal.id, click)
            await self.gateway.decide(staged.proposal.id, click, choice)

    async def _act(self, proposal_id: str) -> str | None:
        """Go through the door, again while the outcome is not known; return the key if it acted."""
        for _ in range(5):
            acted = await self._seen_through(lambda: self.gateway.execute(proposal_id))
            row = acted.execution
            if row is None or row.status is ExecutionStatus.FAILED:
                return None
            if row.status is ExecutionStatus.APPLIED:
                return row.key
        return None

    def _state(self, happened: Incident, *, acted: bool) -> str:
        if acted and self._harmed(happened):
            return "worse"
        good = happened.alone or (acted and happened.truth is Truth.HELPS)
        return "good" if good else "bad"

    def _harmed(self, happened: Incident) -> bool:
        """Whether the action did harm, or the step before it."""
        step = self.incidents.get(f"inv-{happened.number}-p1{STEP}1", happened)
        return Truth.HARMS in (happened.truth, step.truth)

    def _look(self, key: str, happened: Incident, *, acted: bool) -> Verification:
        moment = self.clock.now()
        self.clock.pass_(WINDOW_S)
        state = self._state(happened, acted=acted)
        return judge(
            PLAN,
            series("bad", moment, after=False),
            observed(state, happened.metrics, moment),
            execution_key=key,
            now=self.clock.now(),
        )

    async def _left_alone(self, proposal: Proposal, happened: Incident) -> None:
        seen = self._look(f"{proposal.id}-w", happened, acted=False)
        if proposal.id in self.actions.proposals:
            await self.records.observe(proposal, seen)

    async def _watched(self, proposal: Proposal, happened: Incident, key: str) -> None:
        seen = self._look(key, happened, acted=True)
        then = await self._seen_through(lambda: self.gateway.settle(seen))
        self.records.refresh(proposal.id)
        if then.demoted is not None:
            level = await self.levels.level_of(happened.environment, happened.kind.name, "")
            self.too_high += level > Level.L1
        if then.move is Move.UNDO:
            undone = await self._seen_through(lambda: self.gateway.undo(key))
            if undone.execution is not None:
                await self._taken_back([f"{part.id}-x" for part in proposal.preparations])
        await self.gateway.release(key)

    async def _verdicts(self, proposal: Proposal, happened: Incident, *, acted: bool) -> None:
        """Harm is always noticed by somebody, whatever the metrics said; else some judge."""
        by_hand = not acted and self.dice.random() < 0.5  # at L1 people run the command themselves
        harmed = self._harmed(happened) and (acted or by_hand)
        if not harmed and self.dice.random() > 0.4:
            return
        wrong = harmed or not happened.right or self.dice.random() < 0.02
        self.records.judged[proposal.investigation_id] = (
            Judgement.WRONG if wrong else Judgement.RIGHT
        )
        self.records.refresh(proposal.id)
        if wrong:
            await self.trust.marked_wrong(proposal.investigation_id, "USECOND")
            if acted:
                level = await self.levels.level_of(happened.environment, happened.kind.name, "")
                self.too_high += level > Level.L1

    async def _review(self, happened: Incident) -> None:
        """An offer is granted by an administrator more often than not."""
        promotion = await self.trust.review(happened.environment, happened.kind.name)
        if promotion is not None and self.dice.random() < 0.7:
            actor = self.people.people[self.dice.choice(CLICKERS[:-1])]
            request = GrantRequest(promotion_id=promotion.id, reason="it has earned it")
            await self.trust.grant(request, actor)
