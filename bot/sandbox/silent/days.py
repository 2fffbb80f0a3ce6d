"""The days themselves: a site that lives on, its faults, what is counted, and who is alerted."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from bot.sandbox.silent import faults, habits
from bot.sandbox.silent.alerts import Alert, Alerting
from bot.sandbox.silent.counting import Counted, Counting
from bot.sandbox.world import building
from bot.sandbox.world.counters import Blocks
from bot.sandbox.world.series.family import Scope
from bot.sandbox.world.series.workloads import latency_threshold
from bot.sandbox.world.site import BLOCK, SCRAPE, Site
from bot.sandbox.world.solving import solve
from bot.sandbox.world.topology import Role
from bot.sandbox.world.traffic import DAY

FIRST = 1_789_948_800.0  # a Monday, 00:00 UTC
HOURS = 24
CALM_DAYS = 7  # before the first fault: what a Prometheus remembers when the bot comes


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day: what was counted, and which alerts began to fire."""

    number: int  # the first days are negative: nothing happens in them
    counted: Counted
    alerts: tuple[Alert, ...]


class Days:
    """Makes day after day; one seed makes the same days again."""

    def __init__(
        self, seed: int, *, days: int = 50, count: int = 25, calm: int = CALM_DAYS
    ) -> None:
        self.site = building.build("prod", seed, FIRST - 1.0, local_hour=0.0)
        self._seed, self._days, self._calm = seed, days, calm
        start = FIRST + calm * DAY
        self.faults = tuple(faults.drawn(self.site, seed, count, start, days))
        habits.week(self.site, seed)

    def __iter__(self) -> Iterator[Day]:
        """Yield the calm days, then the others."""
        counting = Counting(self.site, self._seed)
        alerting = Alerting(_thresholds(self.site))
        for number in range(self._calm + self._days):
            start = FIRST + number * DAY
            self._plan(start)
            first = int(start // (SCRAPE * BLOCK))
            frame = solve(self.site, first, HOURS)
            times = (first * BLOCK + np.arange(BLOCK * HOURS)) * SCRAPE
            counted = counting.day(frame, times.astype(float))
            yield Day(
                number=number - self._calm,
                counted=counted,
                alerts=tuple(alerting.day(counted)),
            )
            _forget(self.site, start)

    def _plan(self, start: float) -> None:
        """Let the day's things happen in the order of time, as rollouts must."""
        habits.day(self.site, self._seed, start, list(self.faults))
        for fault in self.faults:
            if start <= fault.begins < start + DAY:
                faults.install(self.site, fault)


def _thresholds(site: Site) -> Mapping[str, float]:
    scope = Scope(site=site, blocks=Blocks(site))
    told = (s for s in site.inside() if s.role in (Role.HTTP, Role.WORKER))
    return {s.name: latency_threshold(scope, s) for s in told}


def _forget(site: Site, before: float) -> None:
    """Drop pods and effects that are long over, so that a day costs what the first did."""
    for workload in site.workloads.values():
        workload.pods = [p for p in workload.pods if p.gone > before]
    site.effects = [e for e in site.effects if not habits.over(e, before)]
    site.changes.clear()
    site.events.clear()
