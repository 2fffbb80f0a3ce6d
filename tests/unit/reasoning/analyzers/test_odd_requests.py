"""Traces before and since the asked window tell whose code takes another path."""

from dataclasses import replace
from datetime import timedelta

from bot.domain.diagnosis import Question
from bot.domain.needs import Fact
from bot.domain.snapshot import Edge, Series, Signal, Snapshot, Span
from bot.reasoning.analyzers.odd_requests import look
from tests.unit.reasoning.scenes import NOW, SOURCE, Scene, ask
from tests.unit.reasoning.test_traces import many

QUESTION: Question = ask("web")
START = QUESTION.window.start


def snapshot(before: list[Span], now: list[Span], *series: Series) -> Snapshot:
    """Put the first spans before the asked window and the others into it."""
    early = [replace(s, start=START - timedelta(minutes=20) + (s.start - NOW)) for s in before]
    late = [replace(s, start=START + timedelta(minutes=5) + (s.start - NOW)) for s in now]
    edges = (Edge(caller="web", callee="cart", calls=9, source=SOURCE),)
    return Snapshot(
        environment="prod", window=QUESTION.window, now=QUESTION.window.end,
        spans=(*early, *late), edges=edges, series=series,
    )  # fmt: skip


def test_the_service_whose_requests_fail_first_is_blamed_and_its_caller_suffers() -> None:
    now = [*many(10, 100), *many(20, 200, failed=True, wrote=False)]
    found = look(snapshot(many(30), now), QUESTION)
    (blamed,) = found.hypotheses
    assert (blamed.cause, blamed.service, blamed.explains) == (
        "application_fault",
        "cart",
        ("web",),
    )
    assert blamed.probability > 0.8
    assert "no item" in blamed.summary


def test_a_step_that_is_left_out_is_blamed_too() -> None:
    now = [*many(10, 100), *many(20, 200, wrote=False)]
    (blamed,) = look(snapshot(many(30), now), QUESTION).hypotheses
    assert (blamed.service, blamed.cause) == ("cart", "application_fault")


def test_a_slow_way_is_a_network_delay() -> None:
    (blamed,) = look(snapshot(many(30), many(30, 100, way=0.3)), QUESTION).hypotheses
    assert (blamed.cause, blamed.service) == ("network_delay", "cart")
    assert "way from web to cart" in blamed.summary.lower()


def test_a_slow_way_to_a_busy_pod_is_its_cpu() -> None:
    (blamed,) = look(snapshot(many(30), many(30, 100, way=0.3), cpu(0.9)), QUESTION).hypotheses
    assert blamed.cause == "cpu_overload"


def cpu(now: float) -> Series:
    """A pod that used 0.1 cores until the window began."""
    times = tuple(START.timestamp() + 60 * n for n in range(-30, 10))
    values = tuple(0.1 if t < START.timestamp() else now for t in times)
    return Series(
        signal=Signal.CPU_CORES, service="cart", times=times, values=values, unit="cores",
        source=SOURCE, labels={"pod": "cart-1"},
    )  # fmt: skip


def test_a_pod_that_burns_cpu_as_never_before_is_blamed_before_its_requests_slow_down() -> None:
    (blamed,) = look(snapshot(many(30), many(30, 100), cpu(0.9)), QUESTION).hypotheses
    assert (blamed.cause, blamed.service, blamed.explains) == ("cpu_overload", "cart", ("web",))


def test_a_little_more_cpu_than_usual_blames_nobody() -> None:
    assert look(snapshot(many(30), many(30, 100), cpu(0.15)), QUESTION).hypotheses == ()


def test_two_odd_requests_blame_nobody() -> None:
    now = [*many(40, 100), *many(2, 200, failed=True)]
    assert look(snapshot(many(30), now), QUESTION).hypotheses == ()


def test_a_burst_of_odd_requests_is_suspected_but_not_blamed() -> None:
    """Nine failures within half a minute may be one user with one basket."""
    now = [*many(12, 100), *many(9, 200, failed=True, wrote=False)]
    (suspect,) = look(snapshot(many(30), now), QUESTION).hypotheses
    assert suspect.service == "cart"
    assert suspect.probability < 0.5
    assert "too few" in suspect.evidence[0].statement


def test_a_handful_of_usual_requests_makes_the_answer_less_sure() -> None:
    now = [*many(10, 100), *many(30, 200, failed=True, wrote=False)]
    (few,) = look(snapshot(many(8), now), QUESTION).hypotheses
    (many_,) = look(snapshot(many(60), now), QUESTION).hypotheses
    assert few.log_odds < many_.log_odds


def test_usual_requests_blame_nobody() -> None:
    assert look(snapshot(many(30), many(30, 100)), QUESTION).hypotheses == ()


def test_without_traces_before_there_is_nothing_to_compare_with() -> None:
    assert look(snapshot([], many(30)), QUESTION).hypotheses == ()


def test_traces_are_asked_for_only_where_no_metric_tells_whose() -> None:
    bare = snapshot([], [])
    (need,) = look(bare, QUESTION).needs
    assert need.fact is Fact.SPANS
    assert look(Scene().service("web").snapshot(), QUESTION).needs == ()
