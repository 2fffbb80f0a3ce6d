"""Looks at the signal that tells whether an action helped."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.domain.action import Proposal, Verification
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import Snapshot
from bot.domain.time import Clock, Window
from bot.perception.collector import Collector
from bot.remediation.verification import judge

BEFORE_S = 900.0  # world time before acting that the comparison rests on


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One look at a time, through the same perception as investigations."""

    collectors: Mapping[str, Collector]
    clock: Clock
    every_s: float  # world time between two looks

    async def look(self, proposal: Proposal, acted_at: datetime) -> Verification:
        """Return how the signal stands now against before the action."""
        now = self.clock.now()
        window = Window(start=Window.last(BEFORE_S, before=acted_at).start, end=now)
        found = (
            await self.collectors[proposal.call.environment]
            .fresh()
            .collect(_needs(proposal, window))
        )
        return _judged(proposal, found.snapshot, acted_at, now)
