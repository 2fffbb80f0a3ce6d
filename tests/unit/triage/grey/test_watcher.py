"""Quiet trouble is told once, of its root; noise, bursts, crowds and rollouts are not."""

from dataclasses import replace

import numpy as np
import pytest

from bot.triage.grey.episodes import Episode
from bot.triage.grey.streams import EVERY_S, Kind, Look, Stream
from bot.triage.grey.watcher import Watcher
from tests.unit.triage.grey.shop import NEXT, PODS, STREAMS, Shop, taught


def told(watcher: Watcher, shop: Shop, seconds: float, start: float = NEXT) -> list[Episode]:
    """Return what is told, `last` being the moment of the telling."""
    out: list[Episode] = []
    for look in shop.looks(start, seconds):
        watcher.look(look)
        for episode in watcher.to_tell():
            out.append(replace(episode, last=look.at))
            watcher.told(episode)
    return out


def since(moment: float, share: float, *services: str, until: float = 1e12) -> Shop:
    """Requests to these services fail, as they and their callers see it."""

    def failing(stream: Stream, at: float) -> float:
        whose = stream.other if stream.kind is Kind.CALL else stream.service
        return share if whose in services and moment <= at < until else 0.0

    return Shop(failing=failing)


ILL = NEXT + 1800.0


class TestQuietTrouble:
    @pytest.mark.parametrize("share", [0.01, 0.03, 0.10])
    def test_a_few_percent_that_fail_are_told_within_minutes_and_once(self, share: float) -> None:
        (episode,) = told(taught(), since(ILL, share, "store"), 7200.0)
        assert episode.service == "store"
        assert 0 < episode.last - ILL <= 600.0
        assert "usually 0.0" in episode.title

    def test_much_that_fails_is_told_before_a_rule_of_two_minutes_could(self) -> None:
        (episode,) = told(taught(), since(ILL, 0.05, "store"), 3600.0)
        assert episode.last - ILL <= 150.0

    def test_victims_above_are_no_trouble_of_their_own(self) -> None:
        shop = since(ILL, 0.04, "store", "web", "front")
        (episode,) = told(taught(), shop, 3600.0)
        assert episode.service == "store"

    def test_slow_requests_are_told(self) -> None:
        def slower(stream: Stream, at: float) -> float:
            return 1.6 if at >= ILL and "store" in (stream.service, stream.other) else 0.0

        (episode,) = told(taught(), Shop(slower=slower), 3600.0)
        assert (episode.service, "p99" in episode.title) == ("store", True)

    def test_a_little_slower_takes_longer_but_is_told(self) -> None:
        def slower(stream: Stream, at: float) -> float:
            return 0.55 if at >= ILL and stream.key == "service:front:" else 0.0

        (episode,) = told(taught(), Shop(slower=slower), 7200.0)
        assert episode.service == "front"

    def test_calls_that_fail_before_they_arrive_are_told_of_their_target(self) -> None:
        def failing(stream: Stream, at: float) -> float:
            lost = stream.kind is Kind.CALL and stream.other == "web" and at >= ILL
            return 0.03 if lost else 0.0

        (episode,) = told(taught(), Shop(failing=failing), 3600.0)
        assert episode.service == "web"
        assert episode.callers == ()

    def test_a_target_that_only_one_caller_cannot_reach_names_that_caller(self) -> None:
        def failing(stream: Stream, at: float) -> float:
            return 0.03 if (stream.service, stream.other) == ("jobs", "web") and at >= ILL else 0.0

        (episode,) = told(taught(), Shop(failing=failing), 3600.0)
        assert (episode.service, episode.callers) == ("web", ("jobs",))
        assert "Only jobs sees it; front do" in episode.text

    def test_one_pod_that_fails_among_its_peers_is_named(self) -> None:
        def failing(stream: Stream, at: float) -> float:
            return 0.05 if stream.other == PODS[2] and at >= ILL else 0.0

        (episode,) = told(taught(), Shop(failing=failing), 7200.0)
        assert PODS[2] in episode.title

    def test_pods_need_no_history(self) -> None:
        def failing(stream: Stream, at: float) -> float:
            return 0.06 if stream.other == PODS[0] and at >= ILL else 0.0

        (episode,) = told(Watcher("prod"), Shop(failing=failing), 7200.0)
        assert PODS[0] in episode.text

    def test_a_new_version_beside_the_old_one_is_named(self) -> None:
        fresh = ("web-55c-x", "web-55c-y")
        streams = tuple(
            replace(s, other=fresh[PODS.index(s.other)]) if s.other in PODS[:2] else s
            for s in STREAMS
        )

        def failing(stream: Stream, at: float) -> float:
            return 0.05 if stream.other in fresh else 0.0

        shop = Shop(failing=failing, streams=streams)
        episodes = told(Watcher("prod"), shop, 3600.0)
        assert any("web-55c-" in e.text for e in episodes)
        assert len({e.id for e in episodes}) == 1


class TestSilence:
    def test_a_calm_day_is_silent(self) -> None:
        assert told(taught(), Shop(seed=5), 86400.0) == []

    @pytest.mark.parametrize("seconds", [15.0, 45.0, 60.0])
    @pytest.mark.parametrize("share", [0.05, 0.5])
    def test_a_burst_of_failures_passes(self, seconds: float, share: float) -> None:
        for began in (ILL, ILL + 907.0):
            shop = since(began, share, "store", "web", until=began + seconds)
            assert told(taught(), shop, 3600.0) == []

    def test_a_blip_of_latency_passes(self) -> None:
        def slower(stream: Stream, at: float) -> float:
            return 0.8 if ILL <= at < ILL + 200.0 and stream.service == "web" else 0.0

        assert told(taught(), Shop(slower=slower), 5400.0) == []

    def test_a_crowd_is_no_quiet_trouble(self) -> None:
        def slower(_stream: Stream, at: float) -> float:
            return 1.5 if at >= ILL else 0.0

        def busier(at: float) -> float:
            return 1.4 if at >= ILL else 1.0

        assert told(taught(), Shop(slower=slower, busier=busier), 3600.0) == []

    def test_what_is_not_known_yet_is_not_judged(self) -> None:
        shop = since(0.0, 0.05, "store", "web", "front")
        assert told(Watcher("prod"), shop, 3600.0) == []

    def test_too_few_requests_say_nothing(self) -> None:
        shop = Shop(per_step=1.0, failing=lambda s, at: 0.3 if s.service == "front" else 0.0)
        assert told(taught(), shop, 600.0) == []

    def test_gaps_and_nonsense_harm_nothing(self) -> None:
        watcher = taught()
        for look in Shop().looks(NEXT, 600.0):
            empty = np.full_like(look.requests, np.nan)
            watcher.look(replace(look, requests=empty, failed=empty, p99=empty))
        for look in Shop().looks(NEXT + 900.0, 600.0):
            watcher.look(replace(look, p99=np.zeros_like(look.p99), failed=look.requests * 0.0))
        nothing = np.zeros((0, 5))
        watcher.look(Look(at=NEXT + 1800.0, streams=(), requests=nothing, failed=nothing,
                          p99=nothing))  # fmt: skip
        assert watcher.to_tell() == []
        assert watcher.looked == NEXT + 1800.0


class TestEpisodes:
    def test_it_ends_when_it_was_calm_for_a_while(self) -> None:
        watcher = taught()
        assert len(told(watcher, since(ILL, 0.05, "store", until=ILL + 1200.0), 5400.0)) == 1
        (ended,) = watcher.ended()
        assert 1200.0 < ended.closed - ILL < 1200.0 + 900.0 + 600.0
        watcher.told(ended)
        assert watcher.ended() == []

    def test_what_comes_back_within_the_hour_is_the_same_trouble(self) -> None:
        watcher = taught()

        def failing(stream: Stream, at: float) -> float:
            ill = ILL <= at < ILL + 900.0 or ILL + 3600.0 <= at < ILL + 4500.0
            return 0.05 if ill and "store" in (stream.service, stream.other) else 0.0

        found = told(watcher, Shop(failing=failing), 7200.0)
        assert len({e.id for e in found}) == 1
        assert [e.turn for e in found] == [0, 1]

    def test_a_look_that_is_late_does_nothing(self) -> None:
        watcher = taught()
        looks = list(Shop().looks(NEXT, 300.0))
        for look in looks:
            watcher.look(look)
        before = watcher.sums.failures.copy()
        watcher.look(looks[0])
        assert watcher.looked == looks[-1].at
        assert (watcher.sums.failures == before).all()

    def test_at_most_two_new_troubles_are_told_an_hour_and_the_others_later(self) -> None:
        watcher = Watcher("prod")
        streams = tuple(Stream(kind=Kind.SERVICE, service=f"s{i}") for i in range(5))
        calm = Shop(streams=streams)
        for look in calm.looks(NEXT - 1.2 * 86400.0, 1.1 * 86400.0):
            if look.at % 120 == 0:
                watcher.learn(look)
        ill = Shop(streams=streams, failing=lambda s, at: 0.05 if at >= ILL else 0.0)
        found = told(watcher, ill, 3 * 3600.0)
        assert len(found) == 5
        moments = sorted(e.last for e in found)
        assert moments[2] - moments[0] >= 3600.0 - EVERY_S

    def test_what_lasts_a_day_is_the_new_usual(self) -> None:
        watcher = taught()
        found = told(watcher, since(ILL, 0.02, "store"), 1.3 * 86400.0)
        assert len({e.id for e in found}) == 1
        assert all(not e.open for e in watcher.episodes)
