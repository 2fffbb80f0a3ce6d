"""The calibration fits what was right, and a case never fits itself."""

import math

import pytest

from bot.evaluation.benchmark import Options, Part, Scored, chosen, is_aside
from bot.evaluation.fitting import Line, applied, fit, fold_of, refitted
from bot.evaluation.scoring import auroc, expected_calibration_error, summary


def one(number: int, log_odds: float | None, *, correct: bool, kind: str = "a") -> Scored:
    confidence = 1 / (1 + math.exp(-(log_odds or 0.0)))
    return Scored(
        case=f"case-{number}", kind=kind, system="s", truth="t", answers=("t",),
        answered=log_odds is not None and log_odds > 0.5, right=correct, among_three=correct,
        confidence=confidence, facts=1, seconds=0.1, correct=correct, log_odds=log_odds,
    )  # fmt: skip


def overconfident() -> list[Scored]:
    """Say 95 % and be right three times in four."""
    return [one(n, 3.0, correct=n % 4 != 0) for n in range(400)]


def test_an_overconfident_reasoning_is_taken_back() -> None:
    line = fit(overconfident())
    assert 1 / (1 + math.exp(-(line.slope * 3.0 + line.intercept))) == pytest.approx(0.75, abs=0.04)


def test_few_cases_move_the_line_little() -> None:
    line = fit([one(1, 3.0, correct=True)])
    assert line.slope == pytest.approx(1.0, abs=0.2)
    assert line.intercept == pytest.approx(0.0, abs=0.2)


def test_no_cases_leave_the_line_as_it_is() -> None:
    assert fit([]) == Line(slope=1.0, intercept=0.0)


def test_cases_without_a_hypothesis_stay_as_they_are() -> None:
    silent = one(1, None, correct=False)
    assert applied([silent], Line(slope=1.0, intercept=9.0)) == [silent]


def test_every_case_is_in_one_fold_and_the_result_is_in_the_order_of_names() -> None:
    scored = overconfident()
    assert {fold_of(s.case, 5) for s in scored} == set(range(5))
    again = refitted(scored, Options(folds=5))
    assert [s.case for s in again] == sorted(s.case for s in scored)
    assert all(0.7 < s.confidence < 0.82 for s in again)


def test_a_fold_is_not_fitted_on_itself() -> None:
    scored = [one(n, 3.0, correct=fold_of(f"case-{n}", 2) == 0) for n in range(200)]
    low = {s.case: s.confidence for s in refitted(scored, Options(folds=2))}
    right = [low[s.case] for s in scored if s.correct]
    assert max(right) < 0.5


def test_unseen_kinds_are_scored_alone_by_a_fit_without_them() -> None:
    seen = [one(n, 3.0, correct=True) for n in range(100)]
    unseen = [one(n, 3.0, correct=False, kind="b") for n in range(100, 120)]
    again = refitted(seen + unseen, Options(unseen=("b",)))
    assert [s.case for s in again] == [s.case for s in unseen]
    assert all(s.confidence > 0.95 for s in again)


def test_calibration_error_is_the_gap_of_confidence_and_accuracy() -> None:
    assert expected_calibration_error(overconfident()) == pytest.approx(0.2, abs=0.03)
    assert expected_calibration_error([]) is None
    sure = [one(n, 50.0, correct=True) for n in range(20)]
    assert expected_calibration_error(sure) == pytest.approx(0.0, abs=1e-6)


def test_auroc_counts_how_often_right_is_surer_than_wrong() -> None:
    good = [one(1, 3.0, correct=True), one(2, 1.0, correct=False)]
    bad = [one(1, 1.0, correct=True), one(2, 3.0, correct=False)]
    assert (auroc(good), auroc(bad), auroc(good[:1])) == (1.0, 0.0, None)
    assert auroc([one(1, 2.0, correct=True), one(2, 2.0, correct=False)]) == 0.5


def test_the_figures_of_no_case_are_zero_and_no_error() -> None:
    figures = summary([])
    assert (figures["cases"], figures["top1"], figures["ece"]) == (0, 0.0, None)


def test_a_third_is_set_aside_and_the_parts_add_up() -> None:
    names = [f"case-{n}" for n in range(300)]
    aside = chosen("some", names, Part.SET_ASIDE)
    worked_on = chosen("some", names, Part.WORKED_ON)
    assert 70 < len(aside) < 130
    assert sorted(aside + worked_on) == sorted(names) == sorted(chosen("some", names, Part.ALL))
    assert all(is_aside("some", name) for name in aside)
