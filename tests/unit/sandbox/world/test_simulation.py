"""The simulation is a pure function of seed, time and events; trouble travels along the graph."""

import numpy as np
import pytest

from bot.sandbox.world import building, generator, rollout, sizing, solving
from bot.sandbox.world.counters import Blocks
from bot.sandbox.world.records import Effect, Modifiers
from bot.sandbox.world.series.family import Scope
from bot.sandbox.world.series.registry import SiteStorage, families
from bot.sandbox.world.site import BLOCK, SCRAPE, Site
from bot.sandbox.world.topology import Call, Role, Service, Topology
from tests.fakes.driven import DrivenWorld

NOW = 1_790_000_000.0
ALL_NAMES = sorted(families())


def solved(site: Site, block_back: int = 0) -> solving.Frame:
    return solving.solve(site, int(site.begun // SCRAPE) // BLOCK - block_back)


def storage(site: Site) -> SiteStorage:
    return SiteStorage(Scope(site=site, blocks=Blocks(site)), families(), site.begun)


def everywhere(strength: float):  # type: ignore[no-untyped-def]
    return lambda pod, times: times * 0.0 + strength


def test_the_same_seed_and_time_give_the_same_world() -> None:
    first, second = (storage(building.build("prod", 7, NOW)) for _ in range(2))
    indices = np.arange(first.last - 40, first.last + 1)
    for name in ALL_NAMES:
        from bot.sandbox.world.promql.evaluator import Matcher

        wanted = [Matcher(name="__name__", op="=", value=name)]
        a, b = first.select(wanted, indices), second.select(wanted, indices)
        assert a[0] == b[0]
        assert np.array_equal(a[1], b[1], equal_nan=True)


def test_another_seed_gives_another_world() -> None:
    one, other = (solved(building.build("prod", s, NOW))["checkout"].rate for s in (1, 2))
    assert not np.allclose(one, other)


@pytest.mark.parametrize("name", ALL_NAMES)
def test_a_sample_does_not_depend_on_what_else_was_asked(name: str) -> None:
    from bot.sandbox.world.promql.evaluator import Matcher

    wanted = [Matcher(name="__name__", op="=", value=name)]
    site = building.build("staging", 3, NOW)
    whole, part = storage(site), storage(building.build("staging", 3, NOW))
    long = np.arange(whole.last - 300, whole.last + 1)
    _, many = whole.select(wanted, long)
    _, few = part.select(wanted, long[[5, 250, 290]])
    assert np.array_equal(many[:, [5, 250, 290]], few, equal_nan=True)


def test_nothing_of_the_future_is_told() -> None:
    from bot.sandbox.world.promql.evaluator import Matcher

    store = storage(building.build("prod", 1, NOW))
    _, values = store.select(
        [Matcher(name="__name__", op="=", value="up")], np.array([store.last, store.last + 1])
    )
    assert not np.isnan(values[:, 0]).all()
    assert np.isnan(values[:, 1]).all()


def test_counters_only_grow_and_survive_the_hour() -> None:
    world = DrivenWorld(seed=2)
    promql = 'resets(http_server_request_duration_seconds_count{service_name="cart"}[4h])'
    assert world.value(f"max({promql})") == 0.0
    assert world.value("min(rate(http_server_request_duration_seconds_count[3h]))") >= 0.0


def test_a_day_of_history_is_there_at_once() -> None:
    world = DrivenWorld(seed=2)
    day = 86_400.0
    now, before = (world.value('sum(rate(http_server_request_duration_seconds_count[5m]))', ago)
                   for ago in (0.0, day))  # fmt: skip
    assert before == pytest.approx(now, rel=0.25)
    assert world.value("max(redis_memory_used_bytes)", 6.9 * day) > 0


def test_a_slow_dependency_makes_its_callers_slow() -> None:
    site = building.build("prod", 1, NOW)
    calm = solved(site, 2)
    site.effects.append(Effect(name="x", service="inventory", strength=everywhere(1.0),
                               modifiers=Modifiers(latency_add_s=0.4)))  # fmt: skip
    slow = solved(site, 2)
    for name in ("inventory", "checkout"):
        grown = slow[name].seen().fast.mean() - calm[name].seen().fast.mean()
        assert grown == pytest.approx(0.4, abs=0.05)
    assert slow["search"].seen().fast.mean() == pytest.approx(
        calm["search"].seen().fast.mean(), rel=0.01
    )


def test_errors_travel_up_but_not_through_a_fallback() -> None:
    site = building.build("prod", 1, NOW)
    calm = solved(site, 2)
    broken = Modifiers(errors=0.5)
    for name in ("cart", "recommendations"):
        site.effects.append(
            Effect(name="x", service=name, strength=everywhere(1.0), modifiers=broken)
        )
    bad = solved(site, 2)
    assert bad["checkout"].seen().failed.mean() > 0.45  # asks the cart once
    extra = bad["storefront"].seen().failed.mean() - calm["storefront"].seen().failed.mean()
    assert 0.1 < extra < 0.3  # 0.3 carts a page, and recommendations have a fallback


def test_a_hanging_dependency_costs_the_timeout_and_its_retries() -> None:
    site = building.build("prod", 1, NOW)
    calm = solved(site, 2)
    site.effects.append(Effect(name="x", service="payment-provider", strength=everywhere(1.0),
                               modifiers=Modifiers(hang_share=1.0)))  # fmt: skip
    hung = solved(site, 2)
    assert hung["payment"].seen().errors[2].mean() > 0.95
    assert hung["payment"].seen().hang_s.mean() == pytest.approx(8.0)  # 4 s, twice
    ratio = hung["payment-provider"].rate.mean() / calm["payment-provider"].rate.mean()
    assert ratio == pytest.approx(2.0, rel=0.05)


def test_too_much_traffic_saturates_and_is_shed() -> None:
    site = building.build("prod", 1, NOW)
    calm = solved(site, 2)
    site.surges.append(("recommendations", lambda times: times * 0.0 + 200.0))
    full = solved(site, 2)
    assert full["recommendations"].busy[0].mean() > 1.0
    assert full["recommendations"].seen().errors[1].mean() > 0.1
    assert (
        full["recommendations"].seen().fast.mean()
        > 2.0 * calm["recommendations"].seen().fast.mean()
    )


def test_fewer_pods_are_busier_pods() -> None:
    site = building.build("prod", 1, NOW)
    before = solved(site)["search"].busy[0][-1]
    workload = site.workloads["search"]
    rollout.scale(site, workload, 1, site.begun - 2000.0)
    assert solved(site)["search"].busy[0][-1] > 2.0 * before


def test_a_cycle_of_calls_is_refused() -> None:
    def service(name: str, callee: str) -> Service:
        call = Call(callee=callee, per_request=1.0, operation="x")
        return Service(
            name=name, role=Role.HTTP, median_s=0.01, cpu_s=0.01, replicas=1, calls=(call,)
        )

    with pytest.raises(ValueError, match="each other"):
        Topology.of((service("a", "b"), service("b", "a")))


@pytest.mark.parametrize("count", [15, 120, 500])
def test_topologies_of_up_to_five_hundred_services_can_be_made(count: int) -> None:
    topology = generator.generate(seed=4, services=count)
    assert len(topology.services) == count
    assert topology == generator.generate(seed=4, services=count)
    rates = sizing.noon_rates(topology, 100.0)
    assert all(rates[s.name] > 0 for s in topology.services)
    if count < 500:
        site = building.build("prod", 4, NOW, topology)
        frame = solving.solve(site, int(site.begun // SCRAPE) // BLOCK - 1)
        assert max(float(f.seen().failed.mean()) for f in frame.values()) < 0.05
