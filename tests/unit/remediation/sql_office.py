"""The office with its records in SQL, as a replica of the bot has them."""

from dataclasses import dataclass, field
from typing import Any

from bot.domain.action import (
    ActionCall,
    Choice,
    Execution,
    ExecutionStatus,
    Level,
    Outcome,
    Verification,
)
from bot.remediation.trust import Trust
from bot.remediation.verification import Next
from bot.storage.actions import Actions
from bot.storage.audit import AuditLog
from bot.storage.database import Database
from bot.storage.people import LevelGrant, Levels
from bot.storage.records import Records
from bot.storage.switches import Switches
from tests.unit.remediation.office import Office


@dataclass
class SqlOffice(Office):
    """Staging, deciding and acting over the real stores; cluster and people stay in memory."""

    database: Database = field(kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.actions: Any = Actions(self.database)
        self.levels: Any = Levels(self.database, self.clock)
        self.switches: Any = Switches(self.database)
        self.audit: Any = AuditLog(self.database)
        self.records = Records(self.database)
        self.trust = Trust(
            records=self.records,
            levels=self.levels,
            audit=self.audit,
            clock=self.clock,
            highest={"set_number": Level.L4, "burn": Level.L3},
        )

    async def grant(self, level: Level, action: str = "set_number") -> None:
        """Grant a level."""
        await self.levels.grant(
            LevelGrant(
                environment=self.environment, action=action, level=level, by="U9", reason="test"
            )
        )

    async def staged_at(self, level: Level, **changes: Any) -> Any:
        """Grant the level and stage the proposal."""
        proposal = self.proposal(**changes)
        await self.grant(level, proposal.call.action)
        return await self.gateway().stage(proposal)

    async def ran(self, number: int, outcome: Outcome = Outcome.RECOVERED) -> Next:
        """See one proposal through: staged, approved, carried out, watched."""
        self.clock.pass_(3600)
        self.cluster.objects["checkout"].value = 41
        name = f"inv-{number}-p1"
        gateway = self.gateway()
        await gateway.stage(self.proposal(id=name, investigation_id=f"inv-{number}"))
        click = self.click("UAPPROVER", f"click-{number}", name)
        await gateway.decide(name, click, Choice.APPROVE)
        acted = await gateway.execute(name)
        assert acted.execution is not None, acted.why
        verification = self.verified(f"{name}-x", outcome)
        following = await gateway.settle(verification)
        await gateway.release(f"{name}-x")
        return following

    async def recorded(self, number: int, outcome: Outcome = Outcome.RECOVERED) -> None:
        """Write the records of one proposal that was seen through, without going there."""
        name = f"inv-{number}-p1"
        proposal = self.proposal(id=name, investigation_id=f"inv-{number}")
        await self.actions.save_proposal(proposal)
        await self.actions.intend(
            Execution(
                key=f"{name}-x", proposal_id=name, call=proposal.call, actor_id="sre-bot",
                status=ExecutionStatus.APPLIED, started_at=self.clock.now(),
            )
        )  # fmt: skip
        await self.actions.save_verification(self.verified(f"{name}-x", outcome))

    def verified(self, key: str, outcome: Outcome) -> Verification:
        """Return a verification made now."""
        return Verification(
            execution_key=key, outcome=outcome, statement=f"it is {outcome.value}", value=None,
            checked_at=self.clock.now(),
        )  # fmt: skip

    async def left_alone(self, number: int, outcome: Outcome) -> None:
        """Stage a proposal that nobody decides on, and note what became of the trouble."""
        name = f"alone-{number}-p1"
        self.cluster.objects["checkout"].value = 41
        proposal = self.proposal(id=name, investigation_id=f"alone-{number}")
        await self.gateway().stage(proposal)
        await self.records.observe(proposal, self.verified(f"{name}-w", outcome))

    async def stage_many(self, name: str, count: int) -> None:
        """Stage proposals that act by themselves, each with a target of its own."""
        from tests.fakes.actions import FakeObject

        await self.grant(Level.L4)
        gateway = self.gateway()
        for number in range(count):
            target = f"{name}-{number}"
            self.cluster.objects[target] = FakeObject(name=target, value=41)
            call = ActionCall(
                action="set_number",
                environment=self.environment,
                arguments={"name": target, "value": 40},
            )
            await gateway.stage(self.proposal(id=f"{target}-p1", call=call))

    async def events(self, event: str) -> list[Any]:
        """Return the audit's entries of one event."""
        return [e for e in await self.audit.entries() if e.event == event]
