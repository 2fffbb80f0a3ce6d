"""Exact chances of small counts, and what looking at many things costs."""

import math

import pytest

from bot.reasoning.significance import (
    Counts,
    design_effect,
    least_chance,
    more_often,
    most_weight,
    number_to_correct_for,
    thinned,
    weight_of,
)


@pytest.mark.parametrize(
    ("counts", "chance"),
    [
        (Counts(8, 8, 0, 6), 1 / 3003),  # one of 14 over 6 ways
        (Counts(3, 4, 1, 4), 17 / 70),  # Fisher's lady and her tea
        (Counts(4, 4, 0, 4), 1 / 70),
        (Counts(0, 9, 0, 9), 1.0),
        (Counts(0, 9, 9, 9), 1.0),  # rarer than before is no trouble
        (Counts(0, 0, 0, 0), 1.0),
    ],
)
def test_the_chance_is_exact(counts: Counts, chance: float) -> None:
    assert more_often(counts) == pytest.approx(chance)


def test_a_large_sample_takes_no_longer_and_stays_a_probability() -> None:
    assert 0 <= more_often(Counts(90_000, 100_000, 10_000, 100_000)) < 1e-300
    assert more_often(Counts(500, 1000, 500, 1000)) == pytest.approx(0.5, abs=0.03)


def test_the_least_chance_is_that_of_all_marked_being_now() -> None:
    assert least_chance(Counts(2, 9, 1, 9)) == more_often(Counts(3, 9, 0, 9))
    assert least_chance(Counts(0, 9, 0, 9)) == 1.0


def test_tests_that_cannot_succeed_cost_nothing() -> None:
    assert number_to_correct_for([1e-6] + [0.9] * 300, 0.05) == 1
    assert number_to_correct_for([1e-6] * 10 + [0.9] * 300, 0.05) == 10
    assert number_to_correct_for([], 0.05) == 1


def test_a_chance_is_worth_less_than_it_looks() -> None:
    assert weight_of(0.05) == pytest.approx(0.9, abs=0.01)
    assert weight_of(0.001) == pytest.approx(3.97, abs=0.01)
    assert weight_of(0.5) == weight_of(1.0) == 0.0
    assert math.isfinite(weight_of(0.0))
    assert weight_of(1e-9) > weight_of(1e-6) > weight_of(0.3) >= 0


def test_never_seen_in_so_many_is_worth_more_the_more_there_were() -> None:
    assert most_weight(0) == 0.0
    assert most_weight(9) == pytest.approx(math.log(10))


def test_neighbours_that_are_alike_count_as_one() -> None:
    assert design_effect([(3, 3), (0, 3)] * 10) == pytest.approx(3, rel=0.1)
    assert design_effect([(1, 2)] * 10) == 1.0
    assert design_effect([(0, 9), (0, 9)]) == design_effect([]) == design_effect([(1, 2)]) == 1.0
    assert thinned(Counts(30, 60, 4, 30), 3.0) == Counts(10, 20, 2, 10)
    assert thinned(Counts(1, 1, 1, 1), 9.0) == Counts(0, 1, 1, 1)
