"""The world that runs: every environment's site and solved blocks, and their clock."""

import threading
from collections.abc import Mapping
from typing import Any

from bot.domain.time import Clock
from bot.sandbox.world import building
from bot.sandbox.world.counters import Blocks
from bot.sandbox.world.loglines import LogStore
from bot.sandbox.world.series.family import Family, Scope
from bot.sandbox.world.series.registry import families
from bot.sandbox.world.site import Site
from bot.sandbox.world.topology import Topology
from bot.sandbox.world.truth import Truth

ENVIRONMENTS = ("dev", "staging", "prod")


class Running:
    """One environment in operation."""

    def __init__(self, site: Site, clock: Clock, table: Mapping[str, Family]) -> None:
        self.site, self.clock, self.table = site, clock, table
        self.scope = Scope(site=site, blocks=Blocks(site))
        self.logs = LogStore(self.scope)
        self.traces: dict[tuple[str, int, int], dict[str, Any]] = {}
        self.lock = threading.RLock()

    def now(self) -> float:
        """Return the present moment of the world, epoch seconds."""
        return self.clock.now().timestamp()


class World:
    """All environments of the company."""

    def __init__(self, clock: Clock, seed: int = 0, topology: Topology | None = None) -> None:
        self.clock, self.seed, self.topology = clock, seed, topology
        self.table = families()
        self.truths: dict[str, Truth] = {}
        self._running: dict[str, Running] = {}
        self.reset()

    def running(self, env: str) -> Running | None:
        """Return an environment, None if there is none of that name."""
        return self._running.get(env)

    def reset(self, env: str = "") -> None:
        """Make one environment (or all) as on an ordinary day."""
        now = self.clock.now().timestamp()
        for name in [env] if env else ENVIRONMENTS:
            self.truths.pop(name, None)
            self.replace(building.build(name, self.seed, now, self.topology))

    def replace(self, site: Site) -> None:
        """Put a site in its environment's place."""
        self._running[site.env] = Running(site, self.clock, self.table)
