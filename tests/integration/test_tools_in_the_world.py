"""Every read tool and every action, end to end, against the sandbox's production over HTTP."""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain.environment import Environment, Tier
from bot.domain.errors import Conflict, Refused, UnknownName
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import Signal
from bot.domain.time import Window
from bot.perception.collector import Collected, Collector
from tests.fakes.world import RunningWorld, running_world
from tools.catalog import actions, read_tools
from tools.contract import Action

ORIGIN = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
TRIES = 5  # a machine that is busy with other tests may need another one
SYSTEMS = ("kubernetes", "prometheus", "loki", "jaeger", "changes", "flags")


def environment_of(world: RunningWorld, **kubernetes: Any) -> Environment:
    connections = {s: {"url": world.system("prod", s)} for s in SYSTEMS}
    connections["kubernetes"] |= kubernetes
    return Environment(
        name="prod", tier=Tier.PRODUCTION, namespaces=("shop",), connections=connections
    )


async def collected(collector: Collector, needs: Sequence[Need]) -> Collected:
    """Return what is seen, if need be at the last try: then with what could not be."""
    for _ in range(TRIES):
        found = await collector.fresh().collect(needs, deadline_s=30)
        if not (found.snapshot.blind_spots or any(a.error for a in found.answers)):
            break
    return found


@pytest.fixture(scope="module")
def troubled() -> Iterator[RunningWorld]:
    """Yield a world in which a deploy has made a query slow."""
    with running_world("slow-query", origin=ORIGIN) as world:
        yield world


@pytest.fixture
def world() -> Iterator[RunningWorld]:
    """Yield a quiet world of this test's own."""
    with running_world() as running:
        yield running


@pytest.mark.parametrize(
    "fact",
    [
        Fact.OBJECTS,
        Fact.SERIES,
        Fact.LOGS,
        Fact.SPANS,
        Fact.EDGES,
        Fact.CHANGES,
        Fact.OBJECTIVES,
    ],
)
async def test_every_kind_of_fact_is_read(troubled: RunningWorld, fact: Fact) -> None:
    environment = environment_of(troubled)
    collector = Collector(environment, read_tools(environment), troubled.clock)
    window = Window.last(1800, before=troubled.clock.now())
    found = await collected(collector, [Need(fact=fact, window=window)])
    assert [a.error for a in found.answers if a.error] == []
    names = {Fact.OBJECTS: "objects", Fact.SERIES: "series", Fact.LOGS: "logs"}
    assert getattr(found.snapshot, names.get(fact, fact.value))
    assert found.snapshot.looked_at
    assert found.steps


NOT_SIMULATED = frozenset({
    Signal.FILES_OF_LIMIT, Signal.CONSUMERS, Signal.HEAP_OF_LIMIT, Signal.CONSUMED_RATE,
    Signal.THREADS_OF_LIMIT, Signal.PRODUCED_RATE, Signal.GC_TIME, Signal.LOCK_WAITERS,
    Signal.QUOTA_OF_LIMIT, Signal.PACKETS_IN, Signal.PACKETS_OUT, Signal.TCP_RETRANSMITS,
})  # fmt: skip


async def test_every_signal_of_the_world_is_found(troubled: RunningWorld) -> None:
    environment = environment_of(troubled)
    collector = Collector(environment, read_tools(environment), troubled.clock)
    window = Window.last(1800, before=troubled.clock.now())
    simulated = tuple(s for s in Signal if s not in NOT_SIMULATED)
    need = Need(fact=Fact.SERIES, window=window, names=simulated)
    found = await collected(collector, [need])
    assert {s.signal for s in found.snapshot.series} == set(simulated)
    assert found.snapshot.blind_spots == ()
    names = await collector.service_names()
    assert {s.service for s in found.snapshot.signal(Signal.LATENCY_P99)} <= set(names)
    pods = Need(fact=Fact.SERIES, window=window, names=("error_ratio:pod", "latency_p99:version"))
    series = (await collected(collector, [pods])).snapshot.series
    assert all(s.labels.get("pod") or s.labels.get("version") for s in series)


async def test_alerts_that_fire_are_read(troubled: RunningWorld) -> None:
    environment = environment_of(troubled)
    collector = Collector(environment, read_tools(environment), troubled.clock)
    window = Window.last(1800, before=troubled.clock.now())
    found = await collected(collector, [Need(fact=Fact.ALERTS, window=window)])
    assert found.snapshot.alerts
    assert {a.labels["alertstate"] for a in found.snapshot.alerts} <= {"firing", "pending"}


async def test_the_doctor_reaches_every_system(troubled: RunningWorld) -> None:
    environment = environment_of(troubled)
    collector = Collector(environment, read_tools(environment), troubled.clock)
    for _ in range(TRIES):
        reached = await collector.check()
        if all(r.ok for r in reached.values()):
            break
    assert {name: r.words for name, r in reached.items() if not r.ok} == {}


class Hands:
    """One action on one world, with arguments that fit its shop."""

    def __init__(self, world: RunningWorld, name: str) -> None:
        self.world, self.name = world, name
        self.environment = environment_of(world)
        bound = actions()[name].for_environment(self.environment)
        assert bound is not None
        self.action: Action[Any] = bound

    async def arguments(self) -> Any:
        return self.action.parse({"set_flag": await self._flag()}[self.name])

    async def _flag(self) -> dict[str, str]:
        from tools.clients.http import HttpSource

        source = HttpSource.of(self.environment, "flags", timeout_s=5)
        assert source
        name, flag = next(iter((await source.get(""))["flags"].items()))
        other = next(v for v in flag["variants"] if v != flag["defaultVariant"])
        return {"flag": name, "variant": other}

    async def _objects(self, kind: str, prefix: str) -> list[dict[str, Any]]:
        from tools.clients.kubernetes import Kubernetes

        listing = await Kubernetes(self.environment).list(kind, "shop")
        return [o for o in listing.items if o["metadata"]["name"].startswith(prefix)]

    async def state(self) -> Any:
        """Return what the shop wants now, byte for byte, without status."""
        from tools.clients.http import HttpSource

        source = HttpSource.of(self.environment, "flags", timeout_s=5)
        assert source
        found: list[Any] = [await source.get("")]
        for kind in ("Deployment", "ConfigMap", "Pod"):
            for body in await self._objects(kind, "checkout"):
                kept = copy.deepcopy(body)
                kept.pop("status", None)
                kept["metadata"].pop("managedFields", None)
                found.append(kept)
        return found


ACTIONS = ("set_flag",)  # those of Kubernetes have test_action_contract.py


@pytest.mark.parametrize("name", ACTIONS)
async def test_a_dry_run_changes_nothing(world: RunningWorld, name: str) -> None:
    hands = Hands(world, name)
    args = await hands.arguments()
    before = await hands.state()
    seen = await hands.action.dry_run(args)
    assert seen.ok, seen.detail
    assert seen.diff
    assert (await hands.action.dry_run(args)).diff_hash == seen.diff_hash
    assert await hands.state() == before


@pytest.mark.parametrize("name", ACTIONS)
async def test_one_key_acts_once(world: RunningWorld, name: str) -> None:
    hands = Hands(world, name)
    args = await hands.arguments()
    target = await hands.action.target(args)
    assert await hands.action.find(args, "k1") is None
    assert (await hands.action.apply(args, target, "k1")).changed
    after = await hands.state()
    assert not (await hands.action.apply(args, target, "k1")).changed
    wanted = [b for b in after if b.get("kind") != "Pod"]  # pods go on being replaced
    assert [b for b in await hands.state() if b.get("kind") != "Pod"] == wanted
    assert await hands.action.find(args, "k1") is not None


@pytest.mark.parametrize("name", ACTIONS)
async def test_a_changed_target_is_refused(world: RunningWorld, name: str) -> None:
    hands = Hands(world, name)
    args = await hands.arguments()
    target = replace(await hands.action.target(args), spec_hash="another")
    before = await hands.state()
    with pytest.raises(Conflict):
        await hands.action.apply(args, target, "k1")
    assert await hands.state() == before


@pytest.mark.parametrize("name", ACTIONS)
async def test_the_inverse_leads_back(world: RunningWorld, name: str) -> None:
    hands = Hands(world, name)
    args = await hands.arguments()
    target = await hands.action.target(args)
    inverse = await hands.action.inverse(args, target)
    assert inverse is not None
    await hands.action.apply(args, target, "k1")
    undo = hands.action.parse(inverse.arguments)
    there = await hands.action.target(undo)
    assert (await hands.action.apply(undo, there, "k1-u")).changed
    back = await hands.action.target(args)
    assert back.spec_hash == target.spec_hash


@pytest.mark.parametrize("name", ACTIONS)
async def test_names_that_are_not_there_are_told(world: RunningWorld, name: str) -> None:
    hands = Hands(world, name)
    args = await hands.arguments()
    with pytest.raises(UnknownName):
        await hands.action.target(replace(args, flag="no-such-thing"))


async def test_an_identity_that_may_only_read_is_told_the_missing_rule(
    world: RunningWorld, tmp_path: Any
) -> None:
    token = tmp_path / "token"
    token.write_text("read-only")
    environment = environment_of(world, token_file=str(token))
    action = actions()["scale_deployment"].for_environment(environment)
    assert action is not None
    args = action.parse({"namespace": "shop", "name": "checkout", "replicas": 7})
    target = await action.target(args)
    seen = await action.dry_run(args)
    assert not seen.ok
    assert 'resources: ["deployments"], verbs: ["patch"]' in seen.detail
    with pytest.raises(Refused, match="its role lacks"):
        await action.apply(args, target, "k1")
