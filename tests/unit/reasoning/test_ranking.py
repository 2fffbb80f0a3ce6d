"""Competing hypotheses: merged, explained away, and honest below the threshold."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.diagnosis import HEALTHY, Evidence, Finding, Hypothesis, RuledOut, Status
from bot.domain.snapshot import BlindSpot
from bot.reasoning.calibration import ANSWER_FROM, HIGHEST, calibrated
from bot.reasoning.graph import ServiceGraph
from bot.reasoning.ranking import conclude, rank
from tests.unit.reasoning.scenes import SOURCE, Scene, ask, minute

EMPTY = Scene().snapshot()


def guess(cause: str, service: str, log_odds: float, **more) -> Hypothesis:
    evidence = (Evidence(statement=f"{cause} {service}", weight=log_odds, source=SOURCE),)
    defaults = {
        "object": f"deployment/{service}",
        "analyzer": "test",
        "prior": 0.0,
        "summary": "S.",
    }
    return Hypothesis(cause=cause, service=service, evidence=evidence, **{**defaults, **more})


def concluded(*hypotheses: Hypothesis, scene: Scene | None = None, services=(), **more):
    snapshot = (scene or Scene()).snapshot()
    return conclude([Finding(hypotheses=hypotheses, **more)], snapshot, ask(*services))


def test_a_lone_hypothesis_keeps_about_its_own_probability():
    diagnosis = concluded(guess("memory_leak", "a", 2.0))
    assert diagnosis.status is Status.ROOT_CAUSE
    assert 0.8 < diagnosis.confidence < 0.9


def test_nothing_is_certain():
    assert concluded(guess("memory_leak", "a", 500.0)).confidence == HIGHEST


def test_two_equally_good_causes_of_one_service_are_unknown():
    diagnosis = concluded(guess("memory_leak", "a", 3.0), guess("bad_image", "a", 3.0))
    assert diagnosis.status is Status.UNKNOWN
    assert diagnosis.confidence < ANSWER_FROM
    assert "Most likely" in diagnosis.summary


def test_a_victim_gives_way_to_the_cause_that_explains_it():
    root = guess("slow_query", "db", 2.5, explains=("shop",), onset=minute(10))
    victim = guess("traffic_surge", "shop", 3.0, onset=minute(11))
    diagnosis = concluded(root, victim)
    assert diagnosis.cause == root
    assert len(diagnosis.causes) == 1


def test_a_cause_cannot_explain_what_began_before_it():
    late = guess("slow_query", "db", 2.5, explains=("shop",), onset=minute(30))
    early = guess("traffic_surge", "shop", 3.5, onset=minute(10))
    assert concluded(late, early).cause == early


def test_the_same_conclusion_of_two_analyzers_is_one_and_stronger():
    one = guess("memory_leak", "a", 2.0)
    other = guess("memory_leak", "a", 1.0, analyzer="b")
    other = Hypothesis(
        **{**_fields(other), "evidence": (Evidence(statement="more", weight=1.0, source=SOURCE),)}
    )
    ranked = rank([one, other], EMPTY, ask())
    assert len(ranked) == 1
    assert ranked[0].hypothesis.log_odds == pytest.approx(2.5)


def test_a_generic_cause_gives_way_to_a_specific_one_and_leaves_it_its_change():
    scene = Scene().change("deploy", "a", 10)
    change = scene.snapshot().changes[0]
    generic = guess("bad_release", "a", 4.0, change=change, onset=minute(12))
    specific = guess("incorrect_image_reference", "a", 3.0)
    diagnosis = concluded(generic, specific)
    assert diagnosis.cause.cause == "incorrect_image_reference"
    assert diagnosis.cause.change == change
    assert len(diagnosis.ranked) == 1


def test_independent_roots_are_both_named():
    a = guess("memory_leak", "a", 4.0, explains=("front",))
    b = guess("bad_feature_flag", "b", 4.0, explains=("front",))
    diagnosis = concluded(a, b)
    assert len(diagnosis.causes) == 2
    assert "Also, independent of it" in diagnosis.summary


def test_healthy_gives_way_to_certain_trouble():
    diagnosis = concluded(guess(HEALTHY, "", 4.0), guess("certificate_expiring", "a", 3.0))
    assert diagnosis.status is Status.ROOT_CAUSE


def test_healthy_stands_against_a_vague_suspicion():
    diagnosis = concluded(guess(HEALTHY, "", 4.0), guess("memory_leak", "a", -2.0))
    assert diagnosis.status is Status.HEALTHY


def test_trouble_that_was_not_asked_about_counts_less():
    a, b = guess("memory_leak", "a", 2.0), guess("memory_leak", "b", 2.0)
    diagnosis = concluded(a, b, services=("b",))
    assert diagnosis.ranked[0].hypothesis == b


def test_unknown_says_what_was_ruled_out_and_what_would_tell():
    spot = BlindSpot(system="traces", reason="timed out", wanted="traces of checkout")
    snapshot = Scene().snapshot()
    out = RuledOut(what="deploy of cart v2", why="later", source=SOURCE)
    diagnosis = conclude([Finding(ruled_out=(out,))], snapshot, ask(), failed=[spot])
    assert diagnosis.summary == (
        "I don't know yet. Ruled out: deploy of cart v2. "
        "What would tell: traces of checkout, which I could not read."
    )


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.floats(-50, 50)), max_size=12))
@settings(max_examples=100, deadline=None)
def test_probabilities_stay_probabilities(items):
    hypotheses = [guess(f"c{i}", s, w) for i, (s, w) in enumerate(items)]
    ranked = rank(hypotheses, EMPTY, ask())
    assert all(0.0 <= r.confidence <= HIGHEST for r in ranked)
    assert [r.confidence for r in ranked] == sorted((r.confidence for r in ranked), reverse=True)


@given(st.floats(0, 1), st.floats(0, 1))
def test_calibration_keeps_the_order(a: float, b: float):
    assert (calibrated(a) <= calibrated(b)) or a > b


def test_the_order_of_analyzers_does_not_matter():
    hypotheses = [guess(f"c{i}", "abc"[i % 3], float(i % 4)) for i in range(9)]
    assert rank(hypotheses, EMPTY, ask()) == rank(hypotheses[::-1], EMPTY, ask())


GRAPH = ServiceGraph.from_pairs(
    [("front", "checkout"), ("checkout", "payment"), ("checkout", "cart"), ("payment", "bank"),
     ("cart", "cart")]
)  # fmt: skip


def test_the_deepest_anomalous_service_is_the_root():
    assert GRAPH.roots({"front", "checkout", "payment"}) == ("payment",)
    assert GRAPH.roots({"cart", "payment"}) == ("cart", "payment")
    assert GRAPH.roots({"front", "checkout", "cart"}, "front") == ("cart",)
    assert GRAPH.roots(()) == ()


def test_a_healthy_service_in_between_stops_the_victims():
    assert GRAPH.victims("bank", {"payment", "front"}) == ("payment",)
    assert GRAPH.victims("bank", {"payment", "checkout", "front"}) == (
        "checkout", "front", "payment",
    )  # fmt: skip


def test_cycles_end():
    cycle = ServiceGraph.from_pairs([("a", "b"), ("b", "c"), ("c", "a")])
    assert cycle.below("a") == {"b", "c"}
    assert cycle.roots({"a", "b", "c"}) == ("a", "b", "c")
    assert cycle.victims("a", {"a", "b", "c"}) == ("b", "c")


def _fields(h: Hypothesis) -> dict:
    return {name: getattr(h, name) for name in Hypothesis.__dataclass_fields__}


def test_onsets_a_minute_apart_are_simultaneous():
    root = guess(
        "slow_query", "db", 2.5, explains=("shop",), onset=minute(10) + timedelta(seconds=60)
    )
    victim = guess("traffic_surge", "shop", 2.5, onset=minute(10))
    assert concluded(root, victim).cause == root
