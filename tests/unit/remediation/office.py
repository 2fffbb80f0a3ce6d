"""A gateway with everything around it in memory: prod, staging and dev, and the people."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.action import ActionCall, Choice, Level, Proposal, VerificationPlan
from bot.domain.conversation import Click
from bot.domain.environment import Environment, Tier
from bot.domain.own_incident import OwnIncidents
from bot.domain.people import ActorKind, Role
from bot.domain.ports import Outbox
from bot.remediation.asking import Ports
from bot.remediation.desk import Acted, Clocks, Decided, Options, Times
from bot.remediation.gateway import Gateway
from bot.remediation.own import Own
from bot.remediation.trust import Trust
from policies.engine import CedarEngine
from tests.fakes.actions import FakeCluster, FakeObject, family
from tests.fakes.stores import FakeActions, FakeAudit, FakeLevels, FakePeople, FakeSwitches

START = datetime(2026, 3, 1, 14, 0, tzinfo=UTC)
ENGINE = CedarEngine()
TIERS = {"prod": Tier.PRODUCTION, "staging": Tier.STAGING, "dev": Tier.DEVELOPMENT}
ID, KEY, UNDO = "inv-1-p1", "inv-1-p1-x", "inv-1-p1-u"


@dataclass
class FakeClock:
    """A clock that tests move; the world runs `rate` times as fast."""

    moment: datetime = START
    rate: float = 1.0

    def now(self) -> datetime:
        self.moment += timedelta(microseconds=1)
        return self.moment

    def wall_seconds(self, seconds: float) -> float:
        return seconds / self.rate

    def pass_(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


class Watched:
    """Calls `after` when an async method of the wrapped store has taken effect."""

    def __init__(self, inner: object, after: Callable[[str], None]) -> None:
        self._inner, self._after = inner, after

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)

        async def call(*args: Any, **named: Any) -> Any:
            await asyncio.sleep(0)  # others may run in between, as with a real store
            result = await method(*args, **named)
            self._after(name)
            return result

        return call


@dataclass
class Office:
    """The gateway and its surroundings."""

    environment: str = "prod"
    clock: FakeClock = field(default_factory=FakeClock)
    actions: FakeActions = field(default_factory=FakeActions)
    levels: FakeLevels = field(default_factory=FakeLevels)
    switches: FakeSwitches = field(default_factory=FakeSwitches)
    people: FakePeople = field(default_factory=FakePeople)
    audit: FakeAudit = field(default_factory=FakeAudit)
    cluster: FakeCluster = field(default_factory=FakeCluster)
    trust: Trust | None = None
    posted: Outbox | None = None
    times: Times = field(default_factory=Times)
    engine: CedarEngine = ENGINE
    own: Own = field(default_factory=Own)
    fence: Callable[[], object] = tuple  # of a replica that lost its seat, it does not return
    own_incidents: OwnIncidents | None = None

    def __post_init__(self) -> None:
        self.actions.switches = self.switches
        self.cluster.environment = self.environment
        self.cluster.objects["checkout"] = FakeObject(name="checkout", value=41)
        self.people.grant("UAPPROVER", Role.APPROVER)
        self.people.grant("URESPONDER", Role.RESPONDER)
        self.people.grant("UADMIN", Role.ADMINISTRATOR)
        self.people.grant("UOBSERVER", Role.OBSERVER)
        self.people.grant("UGUEST", Role.APPROVER)
        self.people.grant("UBOT", Role.APPROVER)
        self.people.kinds |= {"UGUEST": ActorKind.GUEST, "UBOT": ActorKind.BOT}

    def gateway(
        self,
        after: Callable[[str], None] = lambda _: None,
        redact: Callable[[str], str] = str,
    ) -> Gateway:
        """Return a fresh gateway over the same world, as after a restart."""
        self.cluster.after_call = after

        def watched(store: object) -> Any:
            return Watched(store, after)

        return Gateway(
            actions=family(self.cluster),
            environments=self.environments(),
            engine=self.engine,
            ports=Ports(
                actions=watched(self.actions),
                levels=self.levels,
                switches=watched(self.switches),
                people=self.people,
                audit=watched(self.audit),
                posted=self.posted,
                own=self.own_incidents,
            ),
            clocks=Clocks(wall=self.clock, world=self.clock),
            options=Options(
                calibrated=True,
                redact=redact,
                trust=self.trust,
                times=self.times,
                own=self.own,
                fence=self.fence,
            ),
        )

    def environments(self) -> dict[str, Environment]:
        """Return prod, staging and dev, each with the make-believe system."""
        return {
            name: Environment(
                name=name, tier=tier, namespaces=("shop",), connections={"numbers": {}}
            )
            for name, tier in TIERS.items()
        }

    def level(self, level: Level, action: str = "set_number") -> None:
        """Grant a level."""
        self.levels.granted[self.environment, action, "*"] = level

    def proposal(self, **changes: Any) -> Proposal:
        """Return a bare proposal: set checkout to 40."""
        call = ActionCall(
            action="set_number",
            environment=self.environment,
            arguments={"name": "checkout", "value": 40},
        )
        plan = VerificationPlan(signal=None, threshold=0, window_s=600)
        bare = Proposal(
            id=ID,
            investigation_id="inv-1",
            call=call,
            title="Set checkout to 40",
            reason="It was 40 before.",
            runbook="numbers",
            trade_off="",
            confidence=0.95,
            cause="wrong_number",
            novel=False,
            requester="sre-bot",
            verification=plan,
        )
        return replace(bare, **changes)

    async def approve(
        self, user: str = "UAPPROVER", click_id: str = "", choice: Choice = Choice.APPROVE
    ) -> Decided:
        """Click as somebody."""
        return await self.gateway().decide(ID, self.click(user, click_id), choice)

    def click(self, user: str, click_id: str = "", subject: str = ID) -> Click:
        """Return a click on the card."""
        return Click(
            click_id=click_id or f"click-{user}",
            team="T1",
            channel="C1",
            message_ts="1.1",
            thread_ts="1.0",
            user=user,
            subject=subject,
            reason="because",
        )

    async def staged_at(self, level: Level, **changes: Any) -> Any:
        """Grant the level and stage the proposal."""
        proposal = self.proposal(**changes)
        self.level(level, proposal.call.action)
        return await self.gateway().stage(proposal)

    async def execute(self) -> Acted:
        """Execute on a fresh gateway."""
        return await self.gateway().execute(ID)

    @property
    def writes(self) -> list[tuple[str, str, int]]:
        """What really changed."""
        return self.cluster.writes

    def audited(self, event: str) -> int:
        """Return how many entries of an event the audit has."""
        return len(self.audit.events(event))
