"""When to speak, when to wait, when to stay quiet, and what to do with too much."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.diagnosis import Budget
from bot.domain.environment import Environment, Tier
from bot.domain.incident import STORM, Alert, Lesson, Plan, Standing, State
from bot.domain.signal import Origin, Phase, Severity
from bot.triage.calls import Calls
from bot.triage.deciding import MOST_THREADS, Scene, decide
from bot.triage.depth import deepened, depth
from tests.unit.triage.samples import PROD, absorbed, after, alert, place, signal, standing


def decided(
    *pending: Alert, at: float = 300.0, stands: Sequence[Standing] = (), **changes: Any
) -> Plan:
    heard = {a.subject: a.last_at for a in pending}
    scene = Scene(
        place=changes.pop("place", place()), pending=pending, standing=stands, heard=heard,
        now=after(at),
    )  # fmt: skip
    return decide(replace(scene, **changes))


def lesson(**changes: Any) -> Lesson:
    made = Lesson(
        id="l1", environment="prod", service="checkout", signature="is slow", noise=True,
        worst=Severity.HIGH, by="<@U1>", at=after(-86400),
    )  # fmt: skip
    return replace(made, **changes)


class TestSpeaking:
    def test_a_cause_with_its_victims_is_one_incident_named_by_its_root(self) -> None:
        plan = decided(alert("front", 2), alert("checkout", 1), alert("payments"))
        (incident,) = plan.opened
        assert (incident.state, incident.service) == (State.OPEN, "payments")
        assert incident.title == "payments is slow"
        assert set(plan.joined.values()) == {incident.id}
        assert len(plan.joined) == 3

    def test_deciding_twice_at_one_moment_gives_the_same_id(self) -> None:
        one, other = decided(alert()), decided(alert())
        assert one == other

    def test_a_grave_alert_is_told_after_seconds(self) -> None:
        assert decided(alert(), at=2).opened == ()
        assert len(decided(alert(), at=4).opened) == 1

    def test_a_group_that_grows_is_waited_for_but_not_for_long(self) -> None:
        growing = [alert("ledger"), alert("payments", 3.5)]
        assert decided(*growing, at=4).opened == ()
        assert len(decided(alert("ledger"), alert("payments", 7.9), at=8.1).opened) == 1

    def test_a_warning_may_heal_for_a_minute(self) -> None:
        warning = alert(severity=Severity.WARNING)
        assert decided(warning, at=30).opened == ()
        (incident,) = decided(warning, at=61).opened
        assert incident.state is State.OPEN

    def test_warnings_of_three_services_are_not_waited_for(self) -> None:
        wide = [alert(s, severity=Severity.WARNING) for s in ("checkout", "payments", "ledger")]
        assert len(decided(*wide, at=10).opened) == 1

    def test_in_a_storm_the_groups_get_longer_to_show_where_they_begin(self) -> None:
        storm = [alert(f"s{n}", n) for n in range(10)]
        assert decided(*storm, at=9.5).opened == ()
        assert len(decided(*storm, at=16).opened) > 0


class TestQuiet:
    @pytest.mark.parametrize(
        ("pending", "reason"),
        [
            (alert(severity=Severity.INFO), "information only"),
            (
                absorbed(signal(), signal(at=40, phase=Phase.RESOLVED))[0],
                "recovered by itself after 40 s",
            ),
            (alert(flips=6, flipped_at=after(290), last_at=after(290)), "flapping: it changed 6"),
        ],
    )
    def test_it_stays_quiet_and_keeps_the_reason(self, pending: Alert, reason: str) -> None:
        (incident,) = decided(pending).opened
        assert incident.state is State.QUIET
        assert incident.quiet.startswith(reason)

    def test_a_critical_one_that_flaps_is_told(self) -> None:
        flapping = alert(severity=Severity.CRITICAL, flips=9, flipped_at=after(290))
        assert decided(flapping).opened[0].state is State.OPEN

    def test_a_warning_in_development_is_kept_quiet(self) -> None:
        lab = place(environment=Environment(name="prod", tier=Tier.DEVELOPMENT, namespaces=()))
        assert decided(alert(severity=Severity.WARNING), place=lab).opened[0].quiet
        assert not decided(alert(), place=lab).opened[0].quiet

    def test_what_is_said_quietly_again_joins_the_same_quiet_incident(self) -> None:
        quiet = standing("sig-q", "checkout", state=State.QUIET, severity=Severity.INFO)
        plan = decided(alert(severity=Severity.INFO, subject="again"), stands=[quiet])
        assert (plan.opened, plan.joined) == ((), {"again": "sig-q"})


class TestEvents:
    """Kubernetes says what it saw, never that it is over."""

    @staticmethod
    def event(*at: float) -> Alert:
        told = (signal(at=t, origin=Origin.KUBERNETES, severity=Severity.WARNING) for t in at)
        return absorbed(*told)[0]

    def test_one_that_is_not_told_again_is_kept_quiet(self) -> None:
        assert decided(self.event(0), at=100).opened == ()
        (incident,) = decided(self.event(0), at=181).opened
        assert incident.quiet == "an event of Kubernetes that was not told again for 3 min"

    def test_one_that_goes_on_is_told(self) -> None:
        assert decided(self.event(0, 10, 20), at=100).opened == ()
        (incident,) = decided(self.event(0, 30, 70), at=100).opened
        assert incident.state is State.OPEN

    def test_one_that_was_quiet_and_goes_on_after_all_is_looked_at_again(self) -> None:
        known = replace(self.event(0), incident_id="sig-q")
        again = [
            signal(at=t, origin=Origin.KUBERNETES, severity=Severity.WARNING) for t in (40, 90)
        ]
        (made,) = absorbed(*again, known=[known], quiet=["sig-q"])
        assert made.incident_id == ""

    def test_a_grave_one_and_one_beside_an_alert_are_told_at_once(self) -> None:
        grave = replace(self.event(0), severity=Severity.HIGH)
        assert decided(grave, at=10).opened[0].state is State.OPEN
        beside = [self.event(0), alert("checkout", subject="am")]
        assert decided(*beside, at=10).opened[0].state is State.OPEN


class TestLessons:
    def test_what_people_called_no_incident_is_quiet(self) -> None:
        (incident,) = decided(alert(), place=place(lessons=(lesson(),))).opened
        assert incident.quiet == (
            "not an incident, as <@U1> said on 2026-11-20 of alerts like this"
        )

    @pytest.mark.parametrize(
        "changes",
        [
            {"worst": Severity.WARNING},
            {"service": "cart"},
            {"signature": "certificate expires"},
            {"noise": False},
        ],
    )
    def test_unless_it_is_worse_elsewhere_or_something_else(self, changes: dict[str, Any]) -> None:
        (incident,) = decided(alert(), place=place(lessons=(lesson(**changes),))).opened
        assert incident.quiet == ""

    def test_unless_another_service_is_hit_too(self) -> None:
        taught = place(lessons=(lesson(),))
        plan = decided(alert("checkout"), alert("payments"), place=taught)
        assert [i.quiet for i in plan.opened] == [""]

    def test_the_newest_lesson_counts(self) -> None:
        real = lesson(id="l2", noise=False, at=after(-3600))
        (incident,) = decided(alert(), place=place(lessons=(lesson(), real))).opened
        assert incident.quiet == ""


class TestTooMuch:
    def test_there_are_never_more_threads_than_eight(self) -> None:
        many = [alert(f"s{n:02}", subject=f"a{n}") for n in range(30)]
        plan = decided(*many, place=place(calls=Calls()))
        assert len(plan.opened) == MOST_THREADS + 1
        shared = [i for i in plan.opened if i.origin == STORM]
        assert len(shared) == 1
        assert len(plan.joined) == 30

    def test_the_worst_get_threads_of_their_own(self) -> None:
        many = [alert(f"s{n:02}", subject=f"a{n}") for n in range(30)]
        many[25] = replace(many[25], severity=Severity.CRITICAL)
        plan = decided(*many, place=place(calls=Calls()))
        own = {i.service for i in plan.opened if i.origin != STORM}
        assert "s25" in own

    def test_what_comes_later_joins_what_takes_all(self) -> None:
        stands = [standing(f"sig-{n}", f"s{n:02}", at=290) for n in range(MOST_THREADS)]
        shared = standing("sig-all", "", at=291, origin=STORM)
        plan = decided(alert("new", subject="n"), stands=[*stands, shared])
        assert (plan.opened, plan.joined) == ((), {"n": "sig-all"})


def of_itself(**changes: Any) -> Alert:
    made = signal("sre-bot", origin=Origin.SELF, subject="self:work", **changes)
    return absorbed(made)[0]


class TestItself:
    """What the bot says of itself shares no incident with anything, whatever the others are."""

    def test_in_a_storm_it_has_a_thread_of_its_own(self) -> None:
        many = [alert(f"s{n:02}", subject=f"a{n}") for n in range(30)]
        own = of_itself(severity=Severity.WARNING)
        plan = decided(*many, own, place=place(calls=Calls()))
        (incident,) = (i for i in plan.opened if i.origin == Origin.SELF.value)
        assert [s for s, i in plan.joined.items() if i == incident.id] == ["self:work"]

    @pytest.mark.parametrize(
        "there",
        [
            standing("sig-all", "sre-bot", "x", at=291, origin=STORM),
            standing("sig-pd", "sre-bot", at=291, origin="pagerduty"),
            standing("sig-below", "ledger", at=291),
        ],
    )
    def test_it_joins_nothing_that_stands(self, there: Standing) -> None:
        full = [standing(f"sig-{n}", f"s{n:02}", at=290) for n in range(MOST_THREADS)]
        known = place(calls=Calls.of([("sre-bot", "ledger")]))
        plan = decided(of_itself(), stands=[there, *full], place=known)
        (incident,) = plan.opened
        assert (incident.origin, plan.joined) == ("self", {"self:work": incident.id})

    def test_nothing_joins_it(self) -> None:
        own = standing("sig-own", "sre-bot", at=291, origin="self")
        page = alert("sre-bot", 292, subject="pd", origin=Origin.PAGERDUTY)
        above = alert("front", 292)
        known = place(calls=Calls.of([("front", "sre-bot")]))
        plan = decided(page, above, stands=[own], place=known)
        assert plan.opened
        assert "sig-own" not in plan.joined.values()
        together = decided(of_itself(), page, above, place=known)
        assert sorted(i.origin for i in together.opened) == ["pagerduty", "self"]

    def test_it_joins_its_own(self) -> None:
        own = standing("sig-own", "sre-bot", at=291, origin="self")
        plan = decided(of_itself(), stands=[own])
        assert (plan.opened, plan.joined) == ((), {"self:work": "sig-own"})

    @pytest.mark.parametrize(
        ("severity", "opened_at", "joins"),
        [
            (Severity.CRITICAL, 250, True),  # together with it
            (Severity.CRITICAL, -86400, False),  # days later nobody reads it there
            (Severity.HIGH, -86400, False),
            (Severity.WARNING, -86400, True),
            (Severity.INFO, -86400, True),
        ],
    )
    def test_what_is_worse_does_not_hide_in_an_old_one(
        self, severity: Severity, opened_at: float, *, joins: bool
    ) -> None:
        own = standing("sig-own", "sre-bot", at=opened_at, origin="self", severity=Severity.WARNING)
        still = {"sre-bot": replace(own.members["sre-bot"], last_at=after(290))}  # said again
        worse, alike = (
            replace(of_itself(severity=s), subject=n, first_at=after(298), last_at=after(298))
            for n, s in (("self:inbox", severity), ("self:work", Severity.WARNING))
        )
        plan = decided(worse, alike, stands=[replace(own, members=still)], at=400)
        told = [i.id for i in plan.opened]
        assert plan.joined["self:work"] == "sig-own"
        assert [plan.joined["self:inbox"]] == (["sig-own"] if joins else told)
        assert len(told) == (0 if joins else 1)

    def test_of_two_of_its_own_what_is_worse_joins_the_worse_one(self) -> None:
        ids = {"sig-new": (-3600, Severity.WARNING), "sig-old": (-7200, Severity.CRITICAL)}
        own = [
            standing(i, "sre-bot", at=at, origin="self", severity=s) for i, (at, s) in ids.items()
        ]
        joined = decided(of_itself(severity=Severity.CRITICAL), stands=own).joined
        assert joined == {"self:work": "sig-old"}

    def test_what_is_kept_quiet_is_kept_apart_too(self) -> None:
        quiet = standing("sig-q", "sre-bot", state=State.QUIET, severity=Severity.INFO)
        (incident,) = decided(of_itself(severity=Severity.INFO), stands=[quiet]).opened
        assert (incident.state, incident.origin) == (State.QUIET, "self")


class TestDepth:
    def test_what_hurts_more_is_looked_at_longer(self) -> None:
        shop = replace(PROD, service_tiers={"pay": 1, "blog": 3})
        shares = [
            depth(Severity.CRITICAL, shop, ["pay"]),
            depth(Severity.HIGH, shop, ["cart"]),
            depth(Severity.HIGH, shop, ["blog"]),
            depth(Severity.INFO, replace(shop, tier=Tier.DEVELOPMENT), ["blog"]),
        ]
        assert shares == sorted(shares, reverse=True)
        assert (shares[0], shares[1], shares[-1]) == (2.0, 1.0, 0.4)

    def test_the_most_important_service_decides(self) -> None:
        shop = replace(PROD, service_tiers={"pay": 1, "blog": 3})
        assert depth(Severity.HIGH, shop, ["blog", "pay"]) == 1.5

    def test_a_budget_is_scaled(self) -> None:
        whole = Budget(seconds=20.0, queries=400, money_usd=1.0)
        assert deepened(whole, 0.5) == Budget(seconds=10.0, queries=200, money_usd=1.0)
