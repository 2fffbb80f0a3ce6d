"""Metrics and a call graph alone: an answer where it is clear, none where nothing is wrong."""

from bot.domain.diagnosis import Status
from bot.domain.snapshot import ChangeKind, Signal
from bot.reasoning.analyzers import metric_roots
from tests.unit.reasoning.scenes import Scene, answer, ask, cause_of, values

SLOW = values(0.2, 0.8, at=100)


def scene(*, bad: bool = True) -> Scene:
    found = Scene().calls("front", "db").calls("front", "cache")
    for name in ("front", "db", "cache"):
        p99 = SLOW if bad and name != "cache" else values(0.2, seed=len(name))
        found.add(Signal.LATENCY_P99, name, p99, "s")
        found.add(Signal.REQUEST_RATE, name, values(50, seed=2), "1/s")
    return found


def test_the_slow_callee_is_the_answer():
    assert cause_of(answer(scene(), "front")) == ("dependency_failure", "deployment/db")


def test_a_calm_window_has_no_answer():
    assert answer(scene(bad=False), "front").status is not Status.ROOT_CAUSE


def test_the_evidence_says_how_much_it_explains():
    found = metric_roots.look(scene().snapshot(), ask("front")).hypotheses[0]
    assert "of what front suffers" in " ".join(e.statement for e in found.evidence)
    assert found.explains == ("front",)


def test_it_is_silent_where_changes_are_known():
    known = scene().change(ChangeKind.DEPLOY, "db", 99)
    assert metric_roots.look(known.snapshot(), ask("front")).hypotheses == ()


def test_a_service_without_metrics_has_no_answer():
    assert metric_roots.look(scene().snapshot(), ask("unknown")).hypotheses == ()
