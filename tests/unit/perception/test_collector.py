"""Needs become facts: in parallel, within limits, each fact once, every failure a blind spot."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, ClassVar

import pytest

from bot.domain.environment import Environment, Tier
from bot.domain.errors import Refused, Unavailable
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import (
    Change,
    ChangeKind,
    Edge,
    KubernetesObject,
    Snapshot,
    Source,
)
from bot.domain.time import ScaledClock, Window
from bot.perception.collector import NAMES_ARE_FRESH_S, Collector, Limits, Reach
from tools.asking import Ask, ask_all, counted
from tools.contract import Query, ReadTool, record_query

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
WINDOW = Window.last(600, before=NOON)
SOURCE = Source(system="x", query="q")
ENVIRONMENT = Environment(name="prod", tier=Tier.PRODUCTION, namespaces=("shop",))


class Scripted(ReadTool):
    """A read tool that returns what it was told, after a while."""

    name: ClassVar[str] = "x"
    system: ClassVar[str] = "X"
    answers: ClassVar[Fact] = Fact.EDGES

    def __init__(
        self,
        name: str = "x.tool",
        *,
        answers: Fact = Fact.EDGES,
        system: str = "traces",
        after_s: float = 0.0,
        error: Exception | None = None,
        timeout_s: float = 5.0,
        **facts: Any,
    ) -> None:
        self.name, self.system, self.answers = name, system, answers  # type: ignore[misc]
        self.timeout_s = timeout_s  # type: ignore[misc]
        self.after_s, self.error, self.facts = after_s, error, facts
        self.needs: list[Need] = []
        self.at_work = self.most_at_work = 0

    @classmethod
    def for_environment(cls, environment: Environment) -> "Scripted":
        return cls()

    async def check(self) -> str:
        if self.error:
            raise self.error
        return "fine"

    async def read(self, need: Need) -> Snapshot:
        self.needs.append(need)
        self.at_work += 1
        self.most_at_work = max(self.most_at_work, self.at_work)
        try:
            await asyncio.sleep(self.after_s)
        finally:
            self.at_work -= 1
        record_query(Query(source=SOURCE, took_s=self.after_s, found=f"{self.name} found it"))
        if self.error:
            raise self.error
        return Snapshot(environment="prod", window=need.window, now=need.window.end, **self.facts)


def edge(caller: str, callee: str) -> Edge:
    return Edge(caller=caller, callee=callee, calls=1, source=SOURCE)


def need(fact: Fact = Fact.EDGES, **more: Any) -> Need:
    return Need(fact=fact, window=WINDOW, **more)


def collector(*tools: ReadTool, limits: Limits | None = None) -> Collector:
    return Collector(ENVIRONMENT, tools, ScaledClock(origin=NOON), limits)


async def test_facts_of_all_tools_are_gathered_with_their_steps() -> None:
    one = Scripted("a", edges=(edge("a", "b"),))
    other = Scripted("b", answers=Fact.CHANGES, system="changes")
    found = await collector(one, other).collect([need(), need(Fact.CHANGES)])
    assert found.snapshot.looked_at == ("traces", "changes")
    assert [(e.caller, e.callee) for e in found.snapshot.edges] == [("a", "b")]
    assert [(s.number, s.found) for s in found.steps] == [(1, "a found it"), (2, "b found it")]
    assert [(a.tool, a.error) for a in found.answers] == [("a", ""), ("b", "")]


async def test_tools_work_at_the_same_time_and_not_too_many() -> None:
    tool = Scripted(after_s=0.05)
    needs = [need(services=(str(n),)) for n in range(8)]
    await collector(tool, limits=Limits(parallel=4)).collect(needs)
    assert tool.most_at_work == 4


async def test_a_system_that_hangs_leaves_the_others_their_places() -> None:
    hangs = Scripted("hangs", system="metrics", after_s=30, timeout_s=30)
    quick = Scripted("quick", answers=Fact.CHANGES, system="changes", after_s=0.01)
    needs = [need(services=(str(n),)) for n in range(8)]
    needs += [need(Fact.CHANGES, services=(str(n),)) for n in range(8)]
    limits = Limits(deadline_s=3.0, parallel=2)
    found = await collector(hangs, quick, limits=limits).collect(needs)
    assert found.snapshot.looked_at == ("changes",)
    assert {b.system for b in found.snapshot.blind_spots} == {"metrics"}
    assert len(quick.needs) == 8


async def test_a_failing_tool_is_a_blind_spot_and_the_others_are_heard() -> None:
    good = Scripted("good", edges=(edge("a", "b"),))
    down = Scripted(
        "down",
        answers=Fact.CHANGES,
        system="changes",
        error=Unavailable("changes", "timed out after 5 s"),
    )
    barred = Scripted(
        "barred", answers=Fact.OBJECTS, system="Kubernetes", error=Refused("may not list pods")
    )
    needs = [need(), need(Fact.CHANGES), need(Fact.OBJECTS, services=("cart",))]
    found = await collector(good, down, barred).collect(needs)
    spots = {b.system: (b.reason, b.wanted) for b in found.snapshot.blind_spots}
    assert spots["changes"] == ("changes: timed out after 5 s", "changes, 11:50-12:00")
    assert spots["Kubernetes"] == ("may not list pods", "objects of cart, 11:50-12:00")
    assert found.snapshot.looked_at == ("traces",)
    assert len(found.snapshot.edges) == 1


async def test_a_slow_tool_is_left_behind_at_its_timeout_and_at_the_deadline() -> None:
    slow = Scripted(after_s=30, timeout_s=0.1)
    started = time.monotonic()
    found = await collector(slow).collect([need()])
    assert "not done after 0.1 s" in found.snapshot.blind_spots[0].reason
    slow = Scripted(after_s=30)
    found = await collector(slow).collect([need()], deadline_s=0.1)
    assert "not done after 0.1 s" in found.snapshot.blind_spots[0].reason
    assert time.monotonic() - started < 1.0
    assert slow.at_work == 0, "it was cancelled"


async def test_a_tool_hands_over_what_it_has_when_its_time_is_nearly_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.perception.collector.HAND_OVER", 0.5)

    async def edge_after(seconds: float) -> list[Edge]:
        await asyncio.sleep(seconds)
        return [edge("a", "b")]

    class Partial(Scripted):
        async def read(self, need: Need) -> Snapshot:
            asks = [
                Ask(source=SOURCE, call=partial(edge_after, s), found=counted("edges"), wanted=w)
                for s, w in ((0.0, "quick"), (30.0, "slow"))
            ]
            answered = await ask_all(asks)
            edges = tuple(e for _, found in answered.results for e in found)
            return Snapshot(
                environment="prod",
                window=need.window,
                now=need.window.end,
                edges=edges,
                blind_spots=answered.blind_spots,
            )

    found = await collector(Partial(timeout_s=1.0)).collect([need()])
    assert len(found.snapshot.edges) == 1
    assert [(b.system, b.wanted) for b in found.snapshot.blind_spots] == [("traces", "slow")]
    assert found.snapshot.looked_at == ("traces",)


async def test_a_need_that_nobody_answers_is_a_blind_spot() -> None:
    found = await collector().collect([need(Fact.LOGS)])
    assert "nothing that knows it" in found.snapshot.blind_spots[0].reason
    assert found.snapshot.now >= NOON


async def test_what_was_answered_is_not_asked_again() -> None:
    tool = Scripted(edges=(edge("a", "b"),))
    eyes = collector(tool)
    first = await eyes.collect([need(reason="one"), need(reason="two")])
    second = await eyes.collect([need(reason="three")])
    assert len(tool.needs) == 1
    assert (len(first.snapshot.edges), len(second.snapshot.edges)) == (1, 0)
    await eyes.fresh().collect([need()])
    assert len(tool.needs) == 2


async def test_what_failed_is_asked_again() -> None:
    tool = Scripted(error=Unavailable("traces", "down"))
    eyes = collector(tool)
    await eyes.collect([need()])
    tool.error = None
    found = await eyes.collect([need()])
    assert found.snapshot.looked_at == ("traces",)


async def test_a_fact_that_two_needs_bring_is_counted_once() -> None:
    body: dict[str, Any] = {"kind": "Pod", "metadata": {"name": "a"}}
    pod = KubernetesObject(kind="Pod", namespace="shop", name="a", body=body, source=SOURCE)
    tool = Scripted(answers=Fact.OBJECTS, objects=(pod,))
    eyes = collector(tool)
    first = await eyes.collect([need(Fact.OBJECTS), need(Fact.OBJECTS, names=("Pod",))])
    second = await eyes.collect([need(Fact.OBJECTS, services=("a",))])
    assert len(first.snapshot.objects) + len(second.snapshot.objects) == 1


def change(name: str, system: str, at: datetime = NOON, service: str = "cart") -> Change:
    return Change(
        id=name,
        kind=ChangeKind.DEPLOY,
        service=service,
        object=f"deployment/{service}",
        at=at,
        summary="",
        before="v1",
        after="v2",
        diff=None,
        link=None,
        source=Source(system=system, query="q"),
    )


async def test_a_deploy_that_two_sources_tell_of_is_one() -> None:
    feed = Scripted(
        "changes.feed",
        answers=Fact.CHANGES,
        changes=(change("c1", "changes"), change("c2", "changes", NOON - timedelta(seconds=90))),
    )
    rollouts = Scripted(
        "changes.rollouts",
        answers=Fact.CHANGES,
        changes=(
            change("r1", "kubernetes", NOON + timedelta(seconds=20)),
            change("r2", "kubernetes", NOON - timedelta(seconds=900)),
            change("r3", "kubernetes", service="web"),
        ),
    )
    found = await collector(feed, rollouts).collect([need(Fact.CHANGES)])
    assert [c.id for c in found.snapshot.changes] == ["c1", "c2", "r2", "r3"]


def objects(names: Sequence[str]) -> tuple[KubernetesObject, ...]:
    return tuple(
        KubernetesObject(kind="Deployment", namespace="shop", name=n, body={}, source=SOURCE)
        for n in names
    )


async def test_service_names_are_workloads_and_what_they_call() -> None:
    cluster = Scripted("k", answers=Fact.OBJECTS, objects=objects(["web", "cart"]))
    traces = Scripted("t", edges=(edge("web", "pay-provider"),))
    eyes = collector(cluster, traces)
    assert await eyes.service_names() == ("cart", "pay-provider", "web")
    assert await eyes.fresh().service_names() == ("cart", "pay-provider", "web")
    assert len(cluster.needs) == 1, "kept for a minute"


async def test_names_that_could_not_be_read_are_tried_again() -> None:
    cluster = Scripted("k", answers=Fact.OBJECTS, error=Unavailable("Kubernetes", "down"))
    eyes = collector(cluster)
    assert await eyes.service_names() == ()
    cluster.error, cluster.facts = None, {"objects": objects(["web"])}
    assert await eyes.service_names() == ("web",)


async def test_who_gives_up_waiting_ends_nobodys_reading() -> None:
    cluster = Scripted("k", answers=Fact.OBJECTS, after_s=0.1, objects=objects(["web"]))
    eyes = collector(cluster)
    impatient = [asyncio.create_task(eyes.service_names()) for _ in range(3)]
    await asyncio.sleep(0.02)
    for one in impatient:
        one.cancel()
    await asyncio.gather(*impatient, return_exceptions=True)
    assert await eyes.fresh().service_names() == ("web",)
    assert len(cluster.needs) == 1


async def test_what_a_failed_tool_did_not_say_stays_known_and_is_asked_for_again() -> None:
    cluster = Scripted("k", answers=Fact.OBJECTS, objects=objects(["web", "cart"]))
    traces = Scripted("t", edges=(edge("web", "pay-provider"),))
    eyes = collector(cluster, traces)
    await eyes.service_names()
    eyes._names.at -= NAMES_ARE_FRESH_S + 1.0
    cluster.error = Unavailable("Kubernetes", "timed out")
    traces.facts = {"edges": (edge("web", "tax-provider"),)}
    known = ("cart", "pay-provider", "tax-provider", "web")
    assert await eyes.service_names() == known
    cluster.error, cluster.facts = None, {"objects": objects(["web", "till"])}
    assert await eyes.service_names() == ("tax-provider", "till", "web"), "read again at once"
    assert len(cluster.needs) == 3


async def test_half_the_names_at_first_are_completed_at_once() -> None:
    cluster = Scripted("k", answers=Fact.OBJECTS, error=Unavailable("Kubernetes", "timed out"))
    eyes = collector(cluster, Scripted("t", edges=(edge("web", "pay-provider"),)))
    assert await eyes.service_names() == ("pay-provider", "web")
    cluster.error, cluster.facts = None, {"objects": objects(["web", "checkout"])}
    assert await eyes.service_names() == ("checkout", "pay-provider", "web")


async def test_a_reading_that_breaks_is_said_and_what_is_known_serves(
    caplog: pytest.LogCaptureFixture,
) -> None:
    cluster = Scripted("k", answers=Fact.OBJECTS, objects=objects(["web"]))
    eyes = collector(cluster)
    await eyes.service_names()
    eyes._names.at -= NAMES_ARE_FRESH_S + 1.0
    cluster.error = KeyError("password=hunter22")
    assert await eyes.service_names() == ("web",)
    assert "reading the service names broke: KeyError" in caplog.text
    assert "hunter22" not in caplog.text
    assert "Traceback" not in caplog.text


async def test_the_doctor_hears_of_every_tool() -> None:
    down = Scripted("down", error=Unavailable("Loki", "no connection"))
    assert await collector(Scripted("up"), down).check() == {
        "up": Reach(ok=True, words="fine"),
        "down": Reach(ok=False, words="Loki: no connection"),
    }


async def test_what_was_found_before_a_crash_is_not_found_again() -> None:
    edge = Edge(caller="a", callee="b", calls=1, source=SOURCE)
    need = Need(fact=Fact.EDGES, window=WINDOW)
    before = await Collector(
        ENVIRONMENT, [Scripted(edges=(edge,))], ScaledClock(origin=NOON)
    ).collect([need])
    after = Collector(ENVIRONMENT, [Scripted(edges=(edge,))], ScaledClock(origin=NOON))
    after.recall(before.snapshot)
    assert before.snapshot.edges == (edge,)
    assert (await after.collect([need])).snapshot.edges == ()
