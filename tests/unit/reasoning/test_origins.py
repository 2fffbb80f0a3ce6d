"""Root-cause ranking over hand-made graphs of metrics."""

import numpy as np

from bot.domain.snapshot import Series, Signal, Source
from bot.reasoning.excess import ERRORS, LATENCY, MEAN_LATENCY, baseline_of, trouble
from bot.reasoning.graph import ServiceGraph
from bot.reasoning.origins import Traced, trace

SOURCE = Source(system="prometheus", query="test")
HISTORY, RECENT, STEP = 200, 6, 300.0
SINCE = HISTORY * STEP


def one(signal, service, usual, bad=None, *, last=3, noise=0.03, history=HISTORY, **labels):
    size = history + RECENT
    rng = np.random.default_rng(sum(map(ord, service + signal)))
    values = usual * (1 + noise * rng.standard_normal(size))
    if bad is not None:
        values[-last:] = bad
    times = tuple((HISTORY - history + i) * STEP for i in range(size))
    return Series(
        signal=signal, service=service, times=times, values=tuple(values.tolist()), unit="s",
        source=SOURCE, labels=labels,
    )  # fmt: skip


def latency(service, usual, bad=None, **more):
    return one(MEAN_LATENCY, service, usual, bad, **more)


def first(found: Traced | None) -> str:
    assert found is not None
    return found.origins[0].service


def walk(series, pairs, target="front", family=LATENCY):
    return trace(series, ServiceGraph.from_pairs(pairs), target, (family,), SINCE)


def test_the_deepest_slow_callee_is_first():
    series = [latency("front", 0.2, 0.5), latency("mid", 0.1, 0.4), latency("db", 0.02, 0.32)]
    assert first(walk(series, [("front", "mid"), ("mid", "db")])) == "db"


def test_a_slow_service_with_healthy_callees_is_first_itself():
    series = [latency("front", 0.2, 0.5), latency("mid", 0.1, 0.4), latency("db", 0.02)]
    assert first(walk(series, [("front", "mid"), ("mid", "db")])) == "mid"


def test_a_callee_that_adds_too_little_is_not_first():
    series = [latency("front", 0.2, 0.6), latency("mid", 0.1, 0.5), latency("tiny", 0.001, 0.003)]
    assert first(walk(series, [("front", "mid"), ("mid", "tiny")])) == "mid"


def test_an_unmeasured_service_on_the_path_is_skipped():
    series = [latency("front", 0.2, 0.5), latency("db", 0.02, 0.32)]
    assert first(walk(series, [("front", "mid"), ("mid", "db")])) == "db"


def test_a_leaf_is_judged_by_its_callers_view():
    leaf = one(Signal.EDGE_LATENCY_P99, "mid", 0.02, 0.32, peer="bank")
    series = [latency("front", 0.2, 0.5), latency("mid", 0.1, 0.4), leaf]
    assert first(walk(series, [("front", "mid"), ("mid", "bank")])) == "bank"


def test_errors_follow_errors_not_latency():
    series = [
        one(Signal.ERROR_RATIO, "front", 0.001, 0.2),
        one(Signal.ERROR_RATIO, "pay", 0.001, 0.3),
        latency("front", 0.2),
        latency("search", 0.1, 0.9),
    ]
    assert first(walk(series, [("front", "pay"), ("front", "search")], family=ERRORS)) == "pay"


def test_cycles_end():
    series = [latency("front", 0.2, 0.5), latency("a", 0.1, 0.4), latency("b", 0.02)]
    pairs = [("front", "a"), ("a", "b"), ("b", "a"), ("a", "front")]
    assert first(walk(series, pairs)) == "a"


def test_a_single_service_is_its_own_origin():
    assert first(walk([latency("front", 0.2, 0.5)], [])) == "front"


def test_nothing_is_found_where_nothing_is_wrong():
    series = [latency("front", 0.2), latency("mid", 0.1)]
    assert walk(series, [("front", "mid")]) is None


def test_gaps_alone_are_no_trouble():
    series = [latency("front", 0.2, noise=float("nan")), latency("mid", 0.1, 0.9)]
    assert walk(series, [("front", "mid")]) is None


def test_a_level_from_before_the_trouble_is_innocent():
    series = [latency("front", 0.2, 0.5, last=2), latency("old", 0.1, 0.6, last=6)]
    series.append(latency("new", 0.1, 0.4, last=2))
    assert first(walk(series, [("front", "old"), ("front", "new")])) == "new"


def test_a_late_alarm_finds_the_window_by_itself():
    found = trouble(latency("front", 0.2, 0.5, last=4), SINCE)
    assert found is not None
    assert found.start == (HISTORY + RECENT - 4) * STEP


def test_minutes_of_history_are_enough():
    series = [latency("front", 0.2, 0.5, history=8), latency("db", 0.02, 0.32, history=8)]
    assert first(walk(series, [("front", "db")])) == "db"


def test_an_old_outage_does_not_widen_the_baseline():
    values = np.full(480, 0.001)
    values[100:110] = 0.5
    found = baseline_of(np.arange(480.0), values, 480.0, ERRORS)
    assert found is not None
    assert found.width < 0.01
