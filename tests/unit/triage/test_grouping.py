"""A storm becomes a few groups, each with the service where it begins."""

import random
from dataclasses import replace

from bot.domain.incident import Alert
from bot.domain.signal import Severity
from bot.triage.calls import Calls
from bot.triage.grouping import group, origins
from tests.unit.triage.samples import CALLS, alert, standing


def roots(*alerts: Alert) -> dict[str, set[str]]:
    grouped = group(alerts, (), CALLS)
    return {g.root: set(g.services) for g in grouped.groups}


class TestNewGroups:
    def test_victims_go_with_the_trouble_below_them(self) -> None:
        found = roots(
            alert("front", 9), alert("checkout", 5), alert("payments", 2), alert("ledger")
        )
        assert found == {"ledger": {"front", "checkout", "payments", "ledger"}}

    def test_two_causes_are_two_groups(self) -> None:
        found = roots(alert("ledger"), alert("payments", 1), alert("store", 2), alert("cart", 3))
        assert found == {"ledger": {"ledger", "payments"}, "store": {"store", "cart"}}

    def test_a_victim_of_two_goes_with_the_nearest(self) -> None:
        found = roots(alert("front", 5), alert("ledger"), alert("payments"), alert("cart", 1))
        assert found["cart"] == {"cart", "front"}

    def test_one_service_on_the_way_may_be_silent_but_not_two(self) -> None:
        assert roots(alert("checkout"), alert("ledger")) == {"ledger": {"checkout", "ledger"}}
        assert set(roots(alert("front"), alert("ledger"))) == {"front", "ledger"}

    def test_services_that_call_each_other_are_one_group(self) -> None:
        circle = Calls.of([("a", "b"), ("b", "a"), ("c", "a")])
        grouped = group([alert("a", 1), alert("b"), alert("c", 2)], (), circle)
        assert [g.root for g in grouped.groups] == ["a"]

    def test_without_a_graph_services_stay_apart(self) -> None:
        grouped = group([alert("front"), alert("checkout")], (), Calls())
        assert len(grouped.groups) == 2

    def test_alerts_without_a_service_are_grouped_by_their_words(self) -> None:
        def node(n: int, words: str) -> Alert:
            return alert("", subject=f"s{n}", title=f"node worker-{n} {words}")

        found = group(
            [node(1, "is not ready"), node(2, "is not ready"), node(3, "disk full")], (), CALLS
        )
        assert sorted(len(g.alerts) for g in found.groups) == [1, 2]

    def test_the_leading_alert_is_the_worst_of_the_root(self) -> None:
        worst = alert("ledger", 5, severity=Severity.CRITICAL, subject="x", title="ledger is down")
        grouped = group([alert("payments"), alert("ledger", 3), worst], (), CALLS)
        assert grouped.groups[0].leading.title == "ledger is down"

    def test_the_order_of_arrival_does_not_matter(self) -> None:
        alerts = [
            alert(s, n) for n, s in enumerate(("front", "checkout", "ledger", "store", "cart"))
        ]
        expected = roots(*alerts)
        for seed in range(20):
            random.Random(seed).shuffle(alerts)
            assert roots(*alerts) == expected


class TestJoining:
    def test_more_of_the_same_service_joins(self) -> None:
        grouped = group([alert("ledger", 60, subject="new")], [standing("sig-1", "ledger")], CALLS)
        assert grouped.joined == {"new": "sig-1"}

    def test_a_victim_joins_what_explains_it(self) -> None:
        told = [standing("sig-1", "ledger"), standing("sig-2", "store")]
        late = [alert("front", 30), alert("checkout", 20), alert("payments", 10), alert("cart", 20)]
        joined = group(late, told, CALLS).joined
        assert joined["alertmanager:payments"] == "sig-1"
        assert joined["alertmanager:checkout"] == "sig-1"
        assert joined["alertmanager:cart"] == "sig-2"

    def test_what_explains_an_incident_joins_it_and_is_where_it_begins(self) -> None:
        grouped = group([alert("ledger", 30)], [standing("sig-1", "payments")], CALLS)
        assert grouped.joined == {"alertmanager:ledger": "sig-1"}
        assert grouped.roots == {"sig-1": "ledger"}

    def test_a_second_cause_below_the_same_victim_is_an_incident_of_its_own(self) -> None:
        told = [standing("sig-1", "front")]
        grouped = group([alert("checkout", 10), alert("store", 12)], told, CALLS)
        assert grouped.joined == {"alertmanager:checkout": "sig-1"}
        assert [g.root for g in grouped.groups] == ["store"]

    def test_trouble_of_long_ago_takes_nothing_in(self) -> None:
        told = [standing("sig-1", "ledger")]
        grouped = group([alert("ledger", 4000), alert("payments", 4000)], told, CALLS)
        assert grouped.joined == {}

    def test_a_nearer_new_cause_wins_over_a_told_one(self) -> None:
        calls = Calls.of([("cart", "store"), ("cart", "mid"), ("mid", "ledger")])
        told = [standing("sig-1", "ledger", "mid")]
        grouped = group([alert("store", 9), alert("cart", 10)], told, calls)
        assert {g.root: set(g.services) for g in grouped.groups} == {"store": {"store", "cart"}}

    def test_words_without_a_service_join_the_incident_that_says_the_same(self) -> None:
        told = replace(
            standing("sig-1", "x"),
            incident=replace(standing("sig-1", "x").incident, title="node worker-1 is not ready"),
        )
        late = alert("", 9, subject="n2", title="node worker-2 is not ready")
        assert group([late], [told], CALLS).joined == {"n2": "sig-1"}


def test_origins_are_the_ends_the_first_in_front() -> None:
    services = ["front", "checkout", "cart", "payments", "store"]
    assert origins(services, CALLS) == ("payments", "store")
    assert origins(services, CALLS, "store") == ("store", "payments")
    assert origins([], CALLS) == ()
