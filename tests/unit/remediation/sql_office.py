"""The office with its records in SQL, as a replica of the bot has them."""

from dataclasses import dataclass, field
from typing import Any

from bot.domain.action import ActionCall, Level
from bot.storage.actions import Actions
from bot.storage.audit import AuditLog
from bot.storage.database import Database
from bot.storage.people import LevelGrant, Levels
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
