"""Levels are earned: what counts, what does not, and what takes them back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.action import Choice, ExecutionStatus, Level, Outcome
from bot.domain.conversation import Judgement
from bot.domain.trust import Baseline, Run
from bot.remediation.track_record import (
    causes_of,
    earned,
    is_false,
    is_verified,
    lacking,
    record_of,
    upper_bound,
    words,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ALONE = Baseline(recovered=1, seen=20)
RIGHT, WRONG = Judgement.RIGHT, Judgement.WRONG
RECOVERED, WORSE = Outcome.RECOVERED, Outcome.WORSE


def run(number: int = 0, **changes: Any) -> Run:
    made = Run(
        proposal_id=f"p{number}", investigation_id=f"inv-{number}", environment="prod",
        action="restart", service="web", cause="leak", digest="d",
        at=NOW + timedelta(hours=number),
    )  # fmt: skip
    return replace(made, **changes)


def done(number: int = 0, outcome: Outcome | None = RECOVERED, **changes: Any) -> Run:
    return run(number, status=ExecutionStatus.APPLIED, outcome=outcome, **changes)


def runs(count: int, first: int = 0, **changes: Any) -> list[Run]:
    return [done(number, **changes) for number in range(first, first + count)]


def offered(made: list[Run], level: Level, alone: Baseline = ALONE) -> Level | None:
    return earned(record_of(made, alone), level, Level.L4)


def test_everything_is_counted_once() -> None:
    made = [
        run(0),
        run(1, choice=Choice.APPROVE),
        done(2, choice=Choice.APPROVE, judged=RIGHT),
        replace(done(3, Outcome.UNCHANGED), status=ExecutionStatus.UNDONE),
        replace(done(4, WORSE), status=ExecutionStatus.UNDONE),
        done(5, judged=WRONG),
        run(6, choice=Choice.REJECT, alone=RECOVERED),
        run(7, choice=Choice.REJECT, judged=RIGHT),
        run(8, choice=Choice.REJECT),
        run(9, status=ExecutionStatus.FAILED),
    ]
    record = record_of(made, ALONE)
    assert (record.proposals, record.approvals, record.executions) == (10, 2, 4)
    assert (record.verified, record.not_verified, record.undone) == (1, 2, 2)
    assert record.false_actions == 2
    assert (record.rejected, record.rejected_right, record.rejected_wrong) == (3, 1, 1)
    assert (record.right, record.wrong) == (2, 1)


@pytest.mark.parametrize(
    ("made", "false", "verified"),
    [
        (done(), False, True),
        (done(judged=RIGHT), False, True),
        (done(judged=WRONG), True, False),
        (done(outcome=WORSE), True, False),
        (done(outcome=Outcome.UNCHANGED), False, False),
        (done(outcome=None), False, False),
        (replace(done(), status=ExecutionStatus.UNDONE), False, False),
        (replace(done(), status=ExecutionStatus.UNCERTAIN), False, False),
        (run(judged=WRONG), False, False),
        (run(alone=WORSE), False, False),
    ],
)
def test_what_is_false_and_what_is_verified(made: Run, false: bool, verified: bool) -> None:
    assert (is_false(made), is_verified(made)) == (false, verified)


def test_a_step_of_a_plan_earns_nothing_but_its_harm_counts() -> None:
    record = record_of([*runs(40, step=True), *runs(3, 50)], ALONE)
    assert (record.executions, record.verified) == (3, 3)
    assert record_of([done(0, WORSE, step=True)], ALONE).false_actions == 1


def test_a_rejection_is_proved_wrong_by_the_same_call_that_helped_later() -> None:
    made = [
        run(0, choice=Choice.REJECT, investigation_id="inv-1"),
        done(1, investigation_id="inv-1-again1"),
        run(2, choice=Choice.REJECT, investigation_id="inv-2"),
        done(3, investigation_id="inv-2", digest="another call"),
    ]
    record = record_of(made, ALONE)
    assert (record.rejected_wrong, record.rejected_right) == (1, 0)


def test_level_two_takes_peoples_verdicts_and_nothing_else() -> None:
    assert offered([run(n, judged=RIGHT) for n in range(10)], Level.L1) is Level.L2
    assert offered([run(n, judged=RIGHT) for n in range(9)], Level.L1) is None
    assert offered([run(n, judged=WRONG if n < 3 else RIGHT) for n in range(13)], Level.L1) is None
    assert offered(runs(50), Level.L1) is None, "executions are no verdicts"


def test_one_diagnosis_counts_once_however_many_proposals_it_led_to() -> None:
    made = [run(n, judged=RIGHT, investigation_id="inv-1") for n in range(30)]
    assert record_of(made, ALONE).right == 1
    assert offered(made, Level.L1) is None


@pytest.mark.parametrize(
    ("level", "count", "following"),
    [
        (Level.L2, 20, Level.L3),
        (Level.L2, 19, None),
        (Level.L3, 35, Level.L4),
        (Level.L3, 34, None),
    ],
)
def test_further_levels_take_enough_runs(level: Level, count: int, following: Level) -> None:
    assert offered(runs(count), level) is following


def test_self_recovery_is_not_success() -> None:
    made = runs(35)
    assert offered(made, Level.L3, Baseline(recovered=19, seen=20)) is None
    assert offered(made, Level.L3, Baseline(recovered=0, seen=4)) is None, "too little is known"
    assert offered(made, Level.L3, Baseline(recovered=5, seen=20)) is Level.L4


def test_unverified_executions_hold_a_level_back() -> None:
    made = [*runs(25), *runs(10, 25, outcome=Outcome.NO_DATA)]
    assert offered(made, Level.L3) is None


def test_a_false_action_starts_the_record_anew_and_is_not_forgotten() -> None:
    made = [done(0, WORSE), *runs(20, 1)]
    assert record_of(made, ALONE).recent_executions == 20
    assert offered(made, Level.L2) is None, "one of 21 false: it may be one in five"
    assert offered([done(0, WORSE), *runs(35, 1)], Level.L2) is Level.L3
    assert offered([*runs(35), done(36, WORSE)], Level.L2) is None


def test_nothing_goes_above_the_highest_level() -> None:
    record = record_of(runs(50), ALONE)
    assert earned(record, Level.L3, Level.L3) is None
    assert earned(record, Level.L4, Level.L4) is None


def test_what_is_lacking_is_said() -> None:
    said = " ".join(lacking(record_of(runs(5), Baseline(recovered=0, seen=0)), Level.L3))
    assert "15 more executions" in said
    assert "5 more like incidents" in said
    assert lacking(record_of(runs(20), ALONE), Level.L3) == ()
    assert "10 more verdicts" in " ".join(lacking(record_of([], ALONE), Level.L2))
    assert "9 of" not in words(record_of([], ALONE))


def test_bounds_are_honest_about_few_trials() -> None:
    assert upper_bound(0, 0) == 1.0
    assert upper_bound(0, 35) < 0.1 < upper_bound(0, 34)
    assert causes_of([run(cause="b"), run(cause="a"), run(cause="b")]) == ("a", "b")


RUNS = st.builds(
    run,
    st.integers(0, 200),
    status=st.sampled_from([None, *ExecutionStatus]),
    outcome=st.sampled_from([None, *Outcome]),
    judged=st.sampled_from([None, *Judgement]),
    choice=st.sampled_from([None, *Choice]),
    alone=st.sampled_from([None, *Outcome]),
)
BASELINES = st.integers(0, 50).flatmap(
    lambda seen: st.builds(Baseline, recovered=st.integers(0, seen), seen=st.just(seen))
)


@given(st.lists(RUNS, max_size=60), BASELINES, st.sampled_from([Level.L2, Level.L3]))
def test_one_more_false_action_never_earns_a_level(
    made: list[Run], alone: Baseline, level: Level
) -> None:
    worse = [*made, done(999, WORSE)]
    assert earned(record_of(worse, alone), level, Level.L4) is None
    record = record_of(made, alone)
    assert record.verified + record.false_actions <= record.executions
    assert 0.0 <= record.verified_bound <= 1.0
