"""A watcher that was put away and taken up again goes on as if nothing had been."""

import copy
import json
from typing import Any

import pytest

from bot.domain.errors import Malformed
from bot.domain.snapshot import Series, Signal, Source
from bot.triage.grey import keeping
from bot.triage.grey.baseline import Baseline
from bot.triage.grey.streams import LAGS_S, NOW, Kind, Stream, Tape
from bot.triage.grey.watcher import Watcher
from tests.unit.triage.grey.shop import NEXT, PODS, STREAMS, Shop, taught


def put_away(watcher: Watcher) -> Watcher:
    bodies = json.loads(json.dumps(watcher.dump()))
    standing = json.loads(json.dumps(keeping.standing(watcher)))
    fresh = Watcher(watcher.environment)
    keeping.restore(fresh, bodies, standing)
    return fresh


def ill() -> Shop:
    def failing(stream: Stream, at: float) -> float:
        return 0.04 if "store" in (stream.service, stream.other) and at > NEXT + 900 else 0.0

    return Shop(failing=failing)


def test_a_restart_at_any_look_changes_nothing_that_is_told() -> None:
    whole, cut, parted = taught(), taught(), []
    told: list[tuple[str, int]] = []
    for number, look in enumerate(ill().looks(NEXT, 2400.0)):
        whole.look(look)
        if number % 7 == 3:
            cut = put_away(cut)
        cut.look(look)
        for watcher, heard in ((whole, told), (cut, parted)):
            for episode in watcher.to_tell():
                heard.append((episode.id, episode.turn))
                watcher.told(episode)
    assert told == parted != []
    assert [e.id for e in whole.episodes] == [e.id for e in cut.episodes]


def test_streams_that_are_gone_for_a_while_are_remembered() -> None:
    watcher = taught()
    known = watcher.baseline.keys
    fewer = Shop(streams=STREAMS[:3])
    for look in fewer.looks(NEXT, 300.0):
        watcher.look(look)
    assert watcher.baseline.keys == known
    for look in ill().looks(NEXT + 600.0, 1800.0):
        watcher.look(look)
    assert [e.service for e in watcher.to_tell()] == ["store"]


@pytest.mark.parametrize(
    "damage",
    [
        {"looked": "soon"}, {"sums": []}, {"pods": None}, {"episodes": [{"id": 1}]},
        {"told_at": 7}, {"pods": {"since": {}}}, {"sums": {"service:front:": [1]}},
    ],
)  # fmt: skip
def test_what_is_damaged_is_refused_and_leaves_the_watcher_as_it_was(damage: Any) -> None:
    watcher = taught()
    standing = {**copy.deepcopy(dict(keeping.standing(watcher))), **damage}
    fresh = Watcher("prod")
    with pytest.raises(Malformed):
        keeping.restore(fresh, watcher.dump(), standing)
    assert fresh.baseline.keys == ()


def test_a_damaged_baseline_is_as_none_and_the_others_stay() -> None:
    bodies = {key: dict(body) for key, body in taught().dump().items()}
    bodies["service:web:"]["mean"] = [1.0]
    bodies["service:front:"]["failed"][3] = float("nan")
    bodies["service:store:"]["seen"] = "many"
    left = Baseline.load(bodies).keys
    assert set(left) == {"call:front:web", "call:jobs:web", "call:web:store"}


def series(signal: str, service: str, values: list[float], **labels: str) -> Series:
    times = tuple(NEXT + 30.0 * i for i in range(len(values)))
    source = Source(system="prometheus", query="")
    return Series(signal=signal, service=service, times=times, values=tuple(values), unit="",
                  source=source, labels=labels)  # fmt: skip


def test_a_tape_reads_services_calls_and_pods_of_series() -> None:
    tape = Tape([
        series(Signal.REQUEST_RATE, "web", [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]),
        series(Signal.ERROR_RATIO, "web", [0.5] * 8),
        series(Signal.LATENCY_P99, "web", [0.1] * 8),
        series(Signal.REQUEST_RATE, "web", [1.0] * 8, pod=PODS[0]),
        series(Signal.EDGE_RATE, "front", [1.0] * 8, peer="web"),
        series(Signal.CPU_CORES, "web", [1.0] * 8),
        series(Signal.EDGE_RATE, "front", [1.0] * 8),
        series(Signal.REQUEST_RATE, "w" * 300, [1.0] * 8),
    ])  # fmt: skip
    assert [(s.kind, s.service, s.other) for s in tape.streams] == [
        (Kind.CALL, "front", "web"), (Kind.POD, "web", PODS[0]), (Kind.SERVICE, "web", ""),
    ]  # fmt: skip
    look = tape.look(NEXT + 210.0)
    assert tape.newest() == NEXT + 210.0
    assert look.requests.shape == (3, len(LAGS_S))
    assert look.requests[2].tolist() == [960.0, 840.0, 600.0, 480.0, 120.0]
    assert look.failed[2, NOW] == 480.0
    assert Tape([]).newest() == 0.0


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, -1e300, 1e300, 0.0])
@pytest.mark.parametrize("signal", [Signal.REQUEST_RATE, Signal.ERROR_RATIO, Signal.LATENCY_P99])
def test_absurd_numbers_in_one_series_are_no_trouble_and_do_no_harm(
    signal: Signal, value: float
) -> None:
    watcher = taught()
    values = {Signal.REQUEST_RATE: 6.0, Signal.ERROR_RATIO: 0.0001, Signal.LATENCY_P99: 0.2}
    tape = Tape([
        series(s, "web", [value if s is signal else usual] * 60)
        for s, usual in values.items()
    ])  # fmt: skip
    for number in range(8, 60):
        watcher.look(tape.look(NEXT + 30.0 * number))
    assert watcher.to_tell() == []
    assert put_away(watcher).looked == watcher.looked
