"""Error budgets of the sandbox's production, read over HTTP as from a real Prometheus."""

from collections.abc import Sequence

import pytest

from bot.domain.needs import Need
from bot.domain.signal import Phase, Severity
from bot.domain.snapshot import Snapshot
from bot.intake.objectives import ObjectiveWatch
from bot.perception.collector import Collector
from tests.fakes.world import running_world
from tests.integration.test_tools_in_the_world import ORIGIN, collected, environment_of
from tests.unit.intake.test_kubernetes_events import Box
from tools.catalog import read_tools


@pytest.mark.parametrize(
    ("incident", "burning"),
    [
        ("provider-down", {"checkout", "payment"}),
        ("decoy-deploy", set()),
        ("false-alarm-blip", set()),
    ],
)
async def test_budgets_burn_where_requests_fail_and_nowhere_else(
    incident: str, burning: set[str]
) -> None:
    with running_world(incident, seed=2, origin=ORIGIN) as world:
        environment = environment_of(world)
        collector = Collector(environment, read_tools(environment), world.clock)

        async def look(needs: Sequence[Need]) -> Snapshot:
            return (await collected(collector, needs)).snapshot

        box = Box()
        watch = ObjectiveWatch("prod", look, box, wall=world.clock, world=world.clock)  # type: ignore[arg-type]
        for _ in range(2):
            await watch.step()
    assert {s.services[0] for s in box.kept} == burning
    assert {(s.phase, s.severity) for s in box.kept} <= {(Phase.FIRING, Severity.CRITICAL)}
    assert len(box.kept) == len(burning), "each is told once"
