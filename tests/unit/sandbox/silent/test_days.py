"""The simulated days: repeatable, seasonal, and ill by as much as they say."""

import itertools
from functools import cache

import numpy as np
import pytest

from bot.cli.grey_days import looks
from bot.sandbox.silent import counting, faults
from bot.sandbox.silent.alerts import Alerting
from bot.sandbox.silent.counting import BEFORE, STEP_S, Counted, quantile
from bot.sandbox.silent.days import Day, Days
from bot.sandbox.silent.faults import Fault
from bot.sandbox.world.series.requests import BOUNDS, NAMES
from bot.triage.grey.streams import LAGS_S, NOW, Kind


@cache
def two_days() -> tuple[tuple[Fault, ...], tuple[Day, ...]]:
    world = Days(4, days=2, count=2, calm=0)
    return world.faults, tuple(world)


def row(counted: Counted, kind: str, service: str, other: str = "") -> int:
    return counted.names.index((kind, service, other))


def test_the_same_seed_gives_the_same_days() -> None:
    _, (one, _) = two_days()
    other = next(iter(Days(4, days=2, count=2, calm=0)))
    assert one.counted.names == other.counted.names
    assert np.array_equal(one.counted.failed, other.counted.failed, equal_nan=True)
    assert one.alerts == other.alerts


def test_nights_are_quiet_and_days_join_without_a_gap() -> None:
    _, (one, other) = two_days()
    front = one.counted.requests[row(one.counted, "service", "storefront")]
    assert front[BEFORE + 360] < 0.3 * front[BEFORE + 1500]
    assert other.counted.times[BEFORE] - one.counted.times[-1] == STEP_S
    assert np.array_equal(other.counted.times[:BEFORE], one.counted.times[-BEFORE:])
    i, j = (row(d.counted, "service", "storefront") for d in (one, other))
    tail, head = one.counted.requests[i, -8:], other.counted.requests[j, BEFORE - 8 : BEFORE]
    assert np.array_equal(tail, head)


def test_a_fault_hurts_as_many_requests_as_it_says() -> None:
    told, days = two_days()
    kinds = {"version": "service", "some-fail": "service", "pod-fails": "service"}
    for fault, day in zip(told, days, strict=True):
        counted = day.counted
        full = (counted.times > fault.begins + fault.ramp_s + 300) & (counted.times < fault.ends)
        calm = counted.times < fault.begins
        i = row(counted, "service", fault.service)
        ratio = np.nansum(counted.failed[i, full]) / np.nansum(counted.requests[i, full])
        before = np.nansum(counted.failed[i, calm]) / np.nansum(counted.requests[i, calm])
        assert before < 0.005
        if fault.kind in kinds:
            assert ratio - before == pytest.approx(fault.share, rel=0.25)


def test_pods_are_parts_of_their_service() -> None:
    _, (day, _) = two_days()
    counted = day.counted
    pods = [i for i, n in enumerate(counted.names) if n[0] == "pod" and n[1] == "cart"]
    whole = counted.requests[row(counted, "service", "cart")]
    assert np.array_equal(np.nansum(counted.requests[pods], axis=0), np.nan_to_num(whole))


def test_degradations_never_meet_and_are_of_one_to_ten_percent() -> None:
    world = Days(9, days=50, count=25)
    every = world.faults
    assert len(every) == 25
    assert all(a.ends < b.begins for a, b in itertools.pairwise(every))
    assert all(0.01 <= f.share <= 0.10 for f in every)
    assert {f.kind for f in every} <= set(faults.KINDS)


def test_looks_are_the_windows_that_ended_so_long_ago() -> None:
    _, (_, day) = two_days()
    look = next(looks(day.counted))
    counted = day.counted
    assert look.at == counted.times[BEFORE]
    assert {s.kind for s in look.streams} == set(Kind)
    for place, lag in enumerate(LAGS_S):
        column = counted.requests[:, BEFORE - round(lag / STEP_S)]
        assert np.array_equal(look.requests[:, place], column, equal_nan=True)
    assert look.requests[0, NOW] == counted.requests[0, BEFORE]


def test_the_quantile_is_prometheus_own() -> None:
    buckets = np.zeros((3, len(NAMES)))
    buckets[0, BOUNDS.index(0.1)] = 100.0
    buckets[1, -1] = 10.0  # beyond the last bound
    found = quantile(buckets, 0.99)
    assert found[0] == pytest.approx(0.075 + 0.99 * 0.025)
    assert found[1] == BOUNDS[-1]
    assert np.isnan(found[2])


def counted(requests: float, ratio: np.ndarray, p99: np.ndarray) -> Counted:
    times = 30.0 * np.arange(len(ratio))
    n = np.full((1, len(ratio)), requests)
    return Counted(names=(("service", "web", ""),), times=times, requests=n,
                   failed=n * ratio[None, :], p99=p99[None, :])  # fmt: skip


def test_alerts_fire_after_two_minutes_over_the_limit_and_not_before() -> None:
    ratio, p99 = np.full(200, 0.0), np.full(200, 0.1)
    ratio[100:140] = 0.03
    p99[150:153] = 9.0
    (first, *others) = Alerting({"web": 0.5}).day(counted(1000.0, ratio, p99))
    assert (first.rule, first.at) == ("failed", 30.0 * 104)
    assert {a.rule for a in others} <= {"burn"}
    assert counting.WINDOW * STEP_S == 120.0
