"""The grey watch reads the sandbox's production over HTTP, as it reads a real Prometheus."""

from datetime import timedelta

from bot.domain.needs import Fact, Need
from bot.domain.time import Window
from bot.perception.collector import Collector
from bot.triage.grey.streams import EVERY_S, NAMES, NOW, WINDOW_S, Kind, Tape
from tests.fakes.world import running_world
from tests.integration.test_tools_in_the_world import environment_of
from tools.catalog import read_tools


async def test_services_calls_and_pods_are_read_with_their_failures() -> None:
    with running_world("grey-failure", seed=2) as world:
        environment = environment_of(world)
        collector = Collector(environment, read_tools(environment), world.clock)
        for _ in range(5):  # a machine that is busy with other tests may need another try
            end = world.clock.now() - timedelta(seconds=20)
            need = Need(fact=Fact.SERIES, window=Window.last(480.0, before=end), names=NAMES)
            found = await collector.collect((need,))
            if not found.snapshot.blind_spots:
                break
        bad = world.world.truths["prod"]
    tape = Tape(found.snapshot.series)
    look = tape.look(tape.newest() // EVERY_S * EVERY_S)
    assert {s.kind for s in look.streams} == set(Kind)
    assert end.timestamp() - look.at < WINDOW_S
    known = {s: i for i, s in enumerate(look.streams) if look.requests[i, NOW] > 0}
    ratios = {
        s.other: look.failed[i, NOW] / look.requests[i, NOW]
        for s, i in known.items()
        if s.kind is Kind.POD and s.service == bad.service
    }
    assert f"pod/{max(ratios, key=lambda name: ratios[name])}" == bad.object
    assert max(ratios.values()) > 10.0 * sorted(ratios.values())[-2]
