"""Whether it helped: robust against single samples, honest without data."""

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.action import Outcome, Verification, VerificationPlan
from bot.domain.diagnosis import SignalRef
from bot.domain.snapshot import Series, Source
from bot.remediation.verification import Move, Readiness, amount, judge, next_move

NOW = datetime(2026, 3, 1, 14, 20, tzinfo=UTC)
ACTED = datetime(2026, 3, 1, 14, 10, tzinfo=UTC).timestamp()
P99 = SignalRef(signal="latency_p99", service="checkout", unit="s", good=0.2, bad=4.1)
PLAN = VerificationPlan(signal=P99, threshold=0.5, window_s=600)
BEFORE = [4.0, 4.2, 4.1, 3.9, 4.1, 4.3, 4.0, 4.1, 4.2, 4.1]


def series(values: list[float], start: float = ACTED) -> Series:
    return Series(
        signal="latency_p99",
        service="checkout",
        times=tuple(start + 60 * n for n in range(len(values))),
        values=tuple(values),
        unit="s",
        source=Source(system="prometheus", query="p99"),
    )


def verdict(after: list[float], plan: VerificationPlan = PLAN) -> Verification:
    before = series(BEFORE, ACTED - 60 * len(BEFORE))
    return judge(plan, before, series(after), execution_key="k", now=NOW)


@pytest.mark.parametrize(
    ("after", "outcome"),
    [
        ([4.1, 4.0, 2.0, 0.3, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2], Outcome.RECOVERED),
        ([0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 4.0, 4.1, 4.2], Outcome.UNCHANGED),
        ([4.1] * 10, Outcome.UNCHANGED),
        ([4.1] * 9 + [9.0], Outcome.UNCHANGED),
        ([4.1] * 9 + [0.2], Outcome.UNCHANGED),
        ([4.1, 6.0, 8.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0], Outcome.WORSE),
        ([4.1, 9.0, 9.0], Outcome.UNCHANGED),  # too soon: the rollout is under way
        ([], Outcome.NO_DATA),
        ([0.2], Outcome.NO_DATA),
        ([math.nan] * 10, Outcome.NO_DATA),
    ],
)
def test_the_outcome_follows_from_the_last_part_of_the_window(
    after: list[float], outcome: Outcome
) -> None:
    assert verdict(after).outcome is outcome


def test_the_statement_compares_now_with_before() -> None:
    said = verdict([4.1, 4.0, 2.0, 0.3, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2]).statement
    assert said == "p99 of checkout 0.2 s since 14:13, was 4.1 s"


def after_a_short_incident(after: list[float]) -> Verification:
    """Two bad minutes after thirteen good ones, then the action."""
    was = [0.2] * 13 + [4.1, 4.1]
    before = series(was, ACTED - 60 * len(was))
    return judge(PLAN, before, series(after), execution_key="k", now=NOW)


def test_what_was_before_is_the_trouble_and_not_the_good_times() -> None:
    assert after_a_short_incident([0.2] * 9).statement.endswith("was 4.1 s")
    assert after_a_short_incident([4.1] * 9).outcome is Outcome.UNCHANGED
    assert after_a_short_incident([9.0] * 9).outcome is Outcome.WORSE


def test_a_signal_that_should_be_high_is_judged_the_other_way_round() -> None:
    ready = SignalRef(signal="ready_pods", service="checkout", unit="", good=3, bad=1)
    plan = VerificationPlan(signal=ready, threshold=2.8, window_s=600, above_is_bad=False)
    before = series([1.0] * 5, ACTED - 300)
    for value, outcome in ((3.0, Outcome.RECOVERED), (1.0, Outcome.UNCHANGED), (0, Outcome.WORSE)):
        after = series([float(value)] * 10)
        assert judge(plan, before, after, execution_key="k", now=NOW).outcome is outcome


def test_without_history_the_bad_value_is_what_worse_is_measured_by() -> None:
    after = series([9.0] * 10)
    assert judge(PLAN, None, after, execution_key="k", now=NOW).outcome is Outcome.WORSE


@pytest.mark.parametrize(
    ("readiness", "outcome"),
    [
        (Readiness(ready=3, wanted=3), Outcome.RECOVERED),
        (Readiness(ready=2, wanted=3), Outcome.UNCHANGED),
        (Readiness(ready=0, wanted=0), Outcome.UNCHANGED),
        (None, Outcome.NO_DATA),
    ],
)
def test_without_a_signal_the_pods_decide(readiness: Readiness | None, outcome: Outcome) -> None:
    plan = VerificationPlan(signal=None, threshold=0, window_s=600)
    found = judge(plan, None, None, execution_key="k", now=NOW, readiness=readiness)
    assert found.outcome is outcome


def test_a_good_signal_with_pods_missing_is_not_recovered() -> None:
    found = judge(
        PLAN,
        series(BEFORE, ACTED - 600),
        series([0.2] * 10),
        execution_key="k",
        now=NOW,
        readiness=Readiness(ready=1, wanted=3),
    )
    assert found.outcome is Outcome.UNCHANGED


@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=30),
    st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=30),
)
def test_no_series_makes_it_raise(before: list[float], after: list[float]) -> None:
    found = judge(PLAN, series(before), series(after), execution_key="k", now=NOW)
    assert found.statement


@pytest.mark.parametrize(
    ("outcome", "reversible", "is_undo", "move", "reopen", "page"),
    [
        (Outcome.RECOVERED, True, False, Move.KEEP, False, False),
        (Outcome.WORSE, True, False, Move.UNDO, True, False),
        (Outcome.UNCHANGED, True, False, Move.UNDO, True, False),
        (Outcome.NO_DATA, True, False, Move.UNDO, True, True),
        (Outcome.WORSE, False, False, Move.ESCALATE, True, True),
        (Outcome.UNCHANGED, False, False, Move.ESCALATE, True, True),
        (Outcome.WORSE, True, True, Move.ESCALATE, True, True),
    ],
)
def test_what_follows_from_an_outcome(
    outcome: Outcome, reversible: bool, is_undo: bool, move: Move, reopen: bool, page: bool
) -> None:
    found = next_move(outcome, reversible=reversible, is_undo=is_undo)
    assert (found.move, found.reopen, found.page) == (move, reopen, page)
    assert found.failure is (outcome is not Outcome.RECOVERED)


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [(0.2, "s", "0.2 s"), (4.123, "s", "4.12 s"), (0.0412, "ratio", "4.1 %"),
     (0.91, "ratio", "91 %"),
     (3.0, "", "3"), (12345.0, "1/s", "12,345 1/s")],
)  # fmt: skip
def test_amounts_are_said_as_people_read_them(value: float, unit: str, said: str) -> None:
    assert amount(value, unit) == said
