"""The round loop: collects in parallel, stops when it should, and survives a broken analyzer."""

from collections.abc import Sequence

import pytest

from bot.domain.diagnosis import (
    HEALTHY,
    Budget,
    Evidence,
    Finding,
    Hypothesis,
    Question,
    Status,
)
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import Signal, Snapshot
from bot.reasoning.analyzers import Analyzer, discover
from bot.reasoning.investigate import exhausted, investigate
from tests.unit.reasoning.scenes import NOW, SOURCE, Scene, ask, values

BUDGET = Budget(seconds=60, queries=100)
NOTHING = Budget(seconds=0, queries=0)


class Recorded:
    """A collect that answers from a scene, and remembers what was asked."""

    def __init__(self, scene: Scene | None = None) -> None:
        self.rounds: list[tuple[Need, ...]] = []
        self.scene = scene or Scene()

    async def __call__(self, needs: Sequence[Need]) -> Snapshot:
        self.rounds.append(tuple(needs))
        first = self.scene if len(self.rounds) == 1 else Scene()
        return first.snapshot()


def wants(*facts: Fact) -> Analyzer:
    def look(snapshot: Snapshot, question: Question) -> Finding:
        return Finding(needs=tuple(Need(fact=f, window=question.window) for f in facts))

    return Analyzer(name="wants", look=look)


def sure(log_odds: float, cause: str = "memory_leak") -> Analyzer:
    evidence = (Evidence(statement="seen", weight=log_odds, source=SOURCE),)

    def look(snapshot: Snapshot, question: Question) -> Finding:
        h = Hypothesis(
            cause=cause, object="deployment/a", service="a", summary="A.", analyzer="sure",
            prior=0.0,
            evidence=evidence,
        )  # fmt: skip
        needs = (Need(fact=Fact.LOGS, window=question.window),)
        return Finding(hypotheses=(h,), needs=needs)

    return Analyzer(name="sure", look=look)


async def run(collect: Recorded, *analyzers: Analyzer, spent: Budget = NOTHING):
    return await investigate(
        ask(), collect, analyzers=analyzers, budget=BUDGET, spent=lambda: spent
    )


async def test_the_first_round_asks_for_everything_at_once():
    collect = Recorded()
    await run(collect)
    facts = {n.fact for n in collect.rounds[0]}
    assert len(collect.rounds) == 1
    assert {Fact.SERIES, Fact.OBJECTS, Fact.CHANGES, Fact.EDGES, Fact.ALERTS} <= facts
    assert all(n.window.end == NOW for n in collect.rounds[0])


async def test_needs_are_collected_in_one_call_and_never_twice():
    collect = Recorded()
    concluded = await run(collect, wants(Fact.LOGS, Fact.SPANS), wants(Fact.LOGS))
    assert [len(r) for r in collect.rounds[1:]] == [2]
    assert concluded.rounds == 2


async def test_it_stops_when_the_answer_is_clear():
    collect = Recorded()
    concluded = await run(collect, sure(8.0))
    assert concluded.rounds == 1
    assert concluded.diagnosis.status is Status.ROOT_CAUSE


async def test_it_goes_on_while_the_answer_is_not_clear():
    assert (await run(Recorded(), sure(1.0))).rounds == 2


async def test_it_stops_when_the_budget_is_spent():
    concluded = await run(Recorded(), sure(1.0), spent=Budget(seconds=61, queries=0))
    assert concluded.rounds == 1


@pytest.mark.parametrize(
    ("spent", "over"),
    [
        (Budget(seconds=1, queries=1), False),
        (Budget(seconds=60, queries=1), True),
        (Budget(seconds=1, queries=100), True),
        (Budget(seconds=1, queries=1, tokens=10**9), False),
    ],
)
def test_no_limit_of_tokens_means_none(spent: Budget, over: bool):
    assert exhausted(spent, BUDGET) is over


@pytest.mark.parametrize("error", [ValueError, KeyError, ZeroDivisionError, TypeError, IndexError])
async def test_a_broken_analyzer_is_a_blind_spot_not_the_end(error: type[Exception]):
    def look(snapshot: Snapshot, question: Question) -> Finding:
        raise error("boom")

    concluded = await run(Recorded(), Analyzer(name="broken", look=look), sure(8.0))
    assert concluded.diagnosis.status is Status.ROOT_CAUSE
    assert [b.wanted for b in concluded.diagnosis.blind_spots] == ["what broken would say"]


async def test_progress_is_told_before_each_round():
    told: list[tuple[int, int]] = []

    async def progress(snapshot: Snapshot, needs: Sequence[Need]) -> None:
        told.append((len(snapshot.looked_at), len(needs)))

    await investigate(
        ask(), Recorded(), analyzers=[wants(Fact.LOGS)], budget=BUDGET, spent=lambda: NOTHING,
        progress=progress,
    )  # fmt: skip
    assert told[0][0] == 0
    assert told[1] == (3, 1)


async def test_the_same_facts_give_the_same_answer():
    scene = Scene().service("checkout", p99=values(0.2, 4.0)).service("cart")
    one = await run(Recorded(scene), *discover())
    two = await run(Recorded(scene), *discover())
    assert one.diagnosis == two.diagnosis


async def test_hypotheses_without_evidence_are_never_shown():
    def look(snapshot: Snapshot, question: Question) -> Finding:
        h = Hypothesis(
            cause="x", object="a/b", service="b", summary="", analyzer="", prior=9.0, evidence=()
        )
        return Finding(hypotheses=(h,))

    concluded = await run(Recorded(), Analyzer(name="guess", look=look))
    assert concluded.diagnosis.status is Status.UNKNOWN
    assert concluded.diagnosis.ranked == ()


async def test_healthy_is_healthy_and_has_no_causes():
    concluded = await run(Recorded(), sure(4.0, HEALTHY))
    assert concluded.diagnosis.status is Status.HEALTHY
    assert concluded.diagnosis.causes == ()


async def test_the_chart_shows_the_signal_with_its_band_and_onset():
    scene = Scene().service("checkout", errors=values(0.001, 0.3))
    scene.change("deploy", "checkout", 98)
    concluded = await run(Recorded(scene), *discover())
    chart = concluded.chart
    assert chart is not None
    assert chart.series.signal == Signal.ERROR_RATIO
    assert chart.usual_low <= 0.001 <= chart.usual_high < 0.01
    assert [c.service for c in chart.changes] == ["checkout"]
    assert chart.onset is not None


async def test_without_series_there_is_no_chart():
    assert (await run(Recorded(), sure(8.0))).chart is None
