"""Puts together what investigates: the environments' tools, and all analyzers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.diagnosis import Budget
from bot.domain.environment import Environment, Tier
from bot.domain.time import Clock
from bot.perception.collector import Collector
from bot.reasoning.analyzers import discover
from bot.settings import Settings
from bot.workflows.inquiry import Inquiry
from tools.catalog import read_tools


def inquiry_of(settings: Settings, environments: Sequence[Environment], clock: Clock) -> Inquiry:
    """Return what investigates these environments. Raises: BrokenCatalog, NotConfigured."""
    return Inquiry(
        environments={e.name: e for e in environments},
        collectors={e.name: Collector(e, read_tools(e), clock) for e in environments},
        analyzers=discover(),
        clock=clock,
        budget=_budget(settings),
    )


def recorded_inquiry(settings: Settings, environment: str, now: datetime) -> Inquiry:
    """Return what investigates a recorded case: no tools, and a clock that stands still."""
    place = Environment(name=environment, tier=Tier.PRODUCTION, namespaces=())
    return Inquiry(
        environments={environment: place},
        collectors={},
        analyzers=discover(),
        clock=StoppedClock(at=now),
        budget=_budget(settings),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppedClock:
    """The moment at which a case was recorded."""

    at: datetime

    def now(self) -> datetime:
        """Return that moment."""
        return self.at

    def wall_seconds(self, seconds: float) -> float:
        """Return the seconds as they are."""
        return seconds


def _budget(settings: Settings) -> Budget:
    return Budget(seconds=settings.investigation_seconds, queries=settings.investigation_queries)
