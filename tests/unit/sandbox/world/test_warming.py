"""What was warmed is solved: the first question finds it done."""

from datetime import UTC, datetime

from bot.domain.time import ScaledClock
from bot.sandbox.world import catalog
from bot.sandbox.world.running import World
from bot.sandbox.world.warming import warm


def test_warming_changes_nothing_that_is_seen() -> None:
    def world() -> World:
        clock = ScaledClock(origin=datetime(2026, 1, 5, 12, tzinfo=UTC))
        made = World(clock, 3)
        catalog.start(made, "slow-query", 2, "dev")
        return made

    cold, warmed = world(), world()
    running = warmed.running("dev")
    assert running is not None
    before = running.site.resource_version
    warm(running)
    assert running.site.resource_version == before
    other = cold.running("dev")
    assert other is not None
    assert [p.name for p in running.site.pods()] == [p.name for p in other.site.pods()]
