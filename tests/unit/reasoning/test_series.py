"""Robust statistics: what counts as a move, when it began, and that no input breaks them."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.reasoning import series as statistics
from tests.unit.reasoning.scenes import values

TIMES = tuple(i * 30.0 for i in range(240))
ANY = st.lists(
    st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.just(math.nan), st.just(0.0)),
    max_size=80,
)


def usual_by_arrays(v: statistics.Floats, direction: int) -> tuple[float, float]:
    """The same as `usual`, said with numpy: the reference."""
    parts = np.array_split(v, min(statistics.BLOCKS, max(1, v.size // 3)))
    medians = np.array([np.median(part) for part in parts])
    order = np.argsort(direction * medians, kind="stable")
    calm = [parts[i] for i in order[: max(1, (len(parts) + 2) // 3)]]
    every = np.concatenate(calm)
    level = np.median(every)
    mad = 1.4826 * np.median(np.abs(every - level))
    tails = [np.quantile(direction * (part - level), 0.95) for part in calm]
    return float(level), float(max(mad, np.median(tails) / 1.645))


@given(
    st.lists(st.floats(min_value=-1e9, max_value=1e9), min_size=1, max_size=150),
    st.sampled_from([1, -1]),
)
@settings(max_examples=300, deadline=None)
def test_the_usual_level_and_spread_are_those_of_the_reference(
    numbers: list[float], direction: int
):
    v = np.asarray(numbers)
    assert statistics.usual(v, direction) == usual_by_arrays(v, direction)


@given(ANY, st.sampled_from([1, -1]))
@settings(max_examples=150, deadline=None)
def test_no_series_breaks_the_statistics(numbers: list[float], direction: int):
    times = [float(i) for i in range(len(numbers))]
    shift = statistics.shift(times, numbers, floor=0.1, direction=direction)
    trend = statistics.trend(times, numbers)
    assert math.isfinite(statistics.median(numbers))
    assert math.isfinite(statistics.spread(numbers))
    if shift is not None:
        assert times[0] <= shift.onset <= times[-1]
        assert math.isfinite(shift.size)
    if trend is not None:
        assert 0.0 <= trend.steady <= 1.0


@given(st.floats(-1e6, 1e6), st.integers(0, 300))
@settings(max_examples=60, deadline=None)
def test_a_constant_never_shifts(level: float, count: int):
    times = [float(i) for i in range(count)]
    assert statistics.shift(times, [level] * count, floor=0.0) is None


@given(st.floats(0.01, 100.0), st.floats(2.0, 50.0), st.integers(85, 220), st.integers(0, 99))
@settings(max_examples=80, deadline=None)
def test_the_onset_of_a_step_is_found(usual: float, factor: float, at: int, seed: int):
    v = np.array(values(usual, noise=0.03, seed=seed))
    v[at:] *= factor
    shift = statistics.shift(TIMES, v, floor=0.0)
    assert shift is not None
    assert shift.until is None
    assert abs(shift.onset - TIMES[at]) <= 60.0
    assert shift.usual == pytest.approx(usual, rel=0.1)


def test_trouble_of_more_than_half_the_window_does_not_become_usual():
    shift = statistics.shift(TIMES, values(0.2, 2.0, at=45), floor=0.01)
    assert shift is not None
    assert shift.usual == pytest.approx(0.2, rel=0.1)
    assert abs(shift.onset - 45 * 60) <= 60


def test_a_drop_is_found_in_its_direction_only():
    v = values(10, 4)
    assert statistics.shift(TIMES, v, floor=1.0, ratio=0.2, direction=-1) is not None
    assert statistics.shift(TIMES, v, floor=1.0, ratio=0.2, direction=1) is None


def test_a_move_that_is_over_says_until_when():
    shift = statistics.shift(TIMES, values(0.2, 2.0, at=60, until=70), floor=0.01)
    assert shift is not None
    assert shift.until == pytest.approx(70 * 60, abs=60)


def test_one_odd_sample_is_no_move():
    v = np.array(values(0.2))
    v[200] = 9.0
    assert statistics.shift(TIMES, v, floor=0.01) is None


def test_a_move_says_how_long_it_lasted():
    shift = statistics.shift(TIMES, values(0.2, 2.0, at=115), floor=0.01)
    assert shift is not None
    assert shift.lasted_s == pytest.approx(300, abs=60)


def test_what_comes_and_goes_did_not_last():
    v = np.array(values(0.2))
    v[200::3] = 2.0
    shift = statistics.shift(TIMES, v, floor=0.01)
    assert shift is not None
    assert shift.lasted_s == 0.0


def test_gaps_are_skipped():
    v = np.array(values(0.2, 2.0))
    v[::3] = np.nan
    shift = statistics.shift(TIMES, v, floor=0.01)
    assert shift is not None
    assert abs(shift.onset - 6000) <= 90


@pytest.mark.parametrize("numbers", [[], [1.0], [math.nan] * 50, [math.inf] * 50, [1e300] * 50])
def test_too_little_says_nothing(numbers: list[float]):
    times = [float(i) for i in range(len(numbers))]
    assert statistics.shift(times, numbers, floor=0.1) is None
    assert statistics.trend(times, numbers) is None


def test_a_trend_reaches_its_limit_when_it_does():
    trend = statistics.trend(TIMES, [0.5 + t * 1e-5 for t in TIMES])
    assert trend is not None
    assert trend.reaches(1.0) == pytest.approx(50_000, rel=0.01)
    assert trend.reaches(0.1) is None
    assert trend.steady > 0.95


def test_noise_is_no_steady_trend():
    trend = statistics.trend(TIMES, values(0.5))
    assert trend is not None
    assert trend.steady < 0.5


def test_the_odd_one_out_is_one_only():
    assert statistics.odd_one_out({"a": 0.1, "b": 0.0, "c": 0.0}, floor=0.02) == "a"
    assert statistics.odd_one_out({"a": 0.1, "b": 0.1, "c": 0.0}, floor=0.02) is None
    assert statistics.odd_one_out({"a": 0.1}, floor=0.02) is None
    assert statistics.odd_one_out({}, floor=0.02) is None


@given(st.integers(0, 90), st.floats(0.001, 0.01))
@settings(max_examples=60, deadline=None)
def test_the_bend_of_a_level_that_becomes_a_line_is_found(at: int, slope: float):
    times = np.arange(100) * 60.0
    v = 0.4 + slope / 60.0 * np.maximum(0.0, times - times[at])
    bend = statistics.bend(times, v)
    assert bend is not None
    assert bend.start == pytest.approx(times[at], abs=60.0)
    assert bend.trend.slope == pytest.approx(slope / 60.0, rel=0.01)
    assert bend.trend.steady > 0.99


def test_a_constant_has_no_slope_and_a_short_series_no_bend():
    flat = statistics.bend(np.arange(10) * 60.0, np.full(10, 0.4))
    assert flat is not None
    assert flat.trend.steady == 0.0
    assert statistics.bend(np.arange(3) * 60.0, np.ones(3)) is None
