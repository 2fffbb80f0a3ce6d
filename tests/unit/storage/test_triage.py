"""Alerts and incidents in SQL: in whole transactions, under a lease, as often as a crash asks."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.conversation import Judgement, PersonVerdict, Thread
from bot.domain.incident import Incident, Lesson, Limits, Plan, Route, Stage, State
from bot.domain.signal import Origin, Phase, Severity
from bot.storage.database import Database
from bot.storage.inbox import SignalInbox
from bot.storage.incident_threads import TriageStore
from bot.storage.incidents import Incidents
from bot.storage.routes import CallStore, Routes
from bot.storage.tables import IncidentRow, InvestigationRow
from tests.unit.triage.samples import NOW, absorbed, after, alert, signal

ME, OTHER = "a:1", "b:2"
THREAD = Thread(team="T1", channel="C1", ts="1.0")


class Still:
    """A clock that stands still unless a test moves it."""

    at = NOW

    def now(self) -> Any:
        return self.at

    def wall_seconds(self, seconds: float) -> float:
        return seconds


@pytest.fixture
def store(database: Database) -> TriageStore:
    return TriageStore(database, Still())


def incident(name: str = "sig-1", **changes: Any) -> Incident:
    made = Incident(
        id=name, environment="prod", title="checkout is slow", state=State.OPEN,
        severity=Severity.HIGH, service="checkout", origin="alertmanager", opened_at=NOW,
        began_at=NOW,
    )  # fmt: skip
    return replace(made, **changes)


async def opened(store: TriageStore, *incidents: Incident) -> None:
    """Keep each with one alert that fires."""
    assert await store.lease(ME, after(60), NOW)
    alerts = [alert("checkout", subject=f"of {i.id}", severity=i.severity) for i in incidents]
    assert await store.absorb(ME, (), alerts)
    joined = {f"of {i.id}": i.id for i in incidents}
    assert await store.carry_out(ME, Plan(opened=incidents, joined=joined))


async def test_only_one_holds_the_lease_until_it_ends(store: TriageStore) -> None:
    assert await store.lease(ME, after(10), NOW)
    assert await store.lease(ME, after(20), after(5))
    assert not await store.lease(OTHER, after(30), after(19))
    assert await store.lease(OTHER, after(40), after(20))


async def test_signals_count_once_and_only_for_the_holder(
    store: TriageStore, database: Database
) -> None:
    inbox = SignalInbox(database, Still())
    await inbox.put([signal(), signal("cart")], NOW)
    batch = await inbox.take(10)
    alerts = absorbed(*(r.signal for r in batch))
    assert not await store.absorb(ME, batch, alerts)
    await store.lease(ME, after(60), NOW)
    assert await store.absorb(ME, batch, alerts)
    assert await inbox.waiting() == 0
    again = [replace(a, count=a.count + 1) for a in alerts]
    assert not await store.absorb(ME, batch, again)
    assert {a.count for a in await store.pending("prod")} == {1}


async def test_an_alert_comes_back_as_it_was_kept(store: TriageStore) -> None:
    await store.lease(ME, after(60), NOW)
    (made,) = absorbed(signal(), signal(at=5, phase=Phase.RESOLVED, details={"status": "resolved"}))
    await store.absorb(ME, (), [alert()])
    await store.absorb(ME, (), [made])
    assert await store.alerts([made.subject, "unknown"]) == {made.subject: made}


async def test_a_plan_is_carried_out_whole(store: TriageStore) -> None:
    await opened(store, incident())
    (standing,) = await store.standing("prod", after(-60))
    assert standing.incident.alerts == 1
    assert standing.members["checkout"].firing == 1
    assert await store.pending("prod") == ()
    assert await store.untold(5) == ("sig-1",)
    more = alert("ledger", -30, severity=Severity.CRITICAL, title="ledger is down")
    await store.absorb(ME, (), [more])
    await store.carry_out(ME, Plan(joined={more.subject: "sig-1"}, roots={"sig-1": "ledger"}))
    (standing,) = await store.standing("prod", after(-60))
    kept = standing.incident
    assert (kept.alerts, kept.severity, kept.began_at) == (2, Severity.CRITICAL, after(-30))
    assert (kept.service, kept.title) == ("ledger", "ledger is down")


async def test_a_stranger_carries_nothing_out(store: TriageStore) -> None:
    await store.lease(OTHER, after(60), NOW)
    assert not await store.carry_out(ME, Plan(opened=(incident(),)))
    assert await store.incident("sig-1") is None


async def test_it_ends_with_its_last_alert_and_begins_again_with_one(store: TriageStore) -> None:
    await opened(store, incident())
    assert await store.settle(ME, NOW) == ()
    known = await store.alerts(["of sig-1"])
    over = replace(known["of sig-1"], firing=False)
    await store.absorb(ME, (), [over])
    assert await store.settle(ME, after(10)) == ("sig-1",)
    ended = await store.incident("sig-1")
    assert ended is not None
    assert (ended.incident.state, ended.incident.closed_at) == (State.RESOLVED, after(10))
    await store.absorb(ME, (), [replace(over, firing=True)])
    assert await store.settle(ME, after(20)) == ("sig-1",)
    again = await store.incident("sig-1")
    assert again is not None
    assert (again.incident.state, again.incident.closed_at) == (State.OPEN, None)


async def test_one_that_flaps_is_not_over_while_it_does(store: TriageStore) -> None:
    await opened(store, incident())
    known = (await store.alerts(["of sig-1"]))["of sig-1"]
    await store.absorb(ME, (), [replace(known, firing=False, flips=5, flipped_at=NOW)])
    assert await store.settle(ME, after(60)) == ()
    assert await store.settle(ME, after(601)) == ("sig-1",)


async def test_a_source_that_never_says_that_it_is_over_falls_silent(store: TriageStore) -> None:
    await opened(store, incident())
    known = (await store.alerts(["of sig-1"]))["of sig-1"]
    await store.absorb(ME, (), [replace(known, origin=Origin.KUBERNETES)])
    assert await store.settle(ME, after(14 * 60)) == ()
    assert await store.settle(ME, after(16 * 60)) == ("sig-1",)


async def test_alerts_of_long_ago_are_forgotten_unless_they_fire(store: TriageStore) -> None:
    await store.lease(ME, after(60), NOW)
    over = replace(alert("cart", subject="over"), firing=False)
    await store.absorb(ME, (), [over, alert("cart", subject="fires")])
    await store.forget(after(-1))
    assert len(await store.alerts(["over", "fires"])) == 2
    await store.forget(after(1))
    assert list(await store.alerts(["over", "fires"])) == ["fires"]


async def test_what_was_dismissed_stays_ended(store: TriageStore) -> None:
    await opened(store, incident())
    lesson = Lesson(
        id="l1", environment="prod", service="checkout", signature="is slow", noise=True,
        worst=Severity.HIGH, by="<@U1>", at=NOW,
    )  # fmt: skip
    assert await store.dismiss("sig-1", [lesson], "not an incident, says <@U1>")
    assert await store.dismiss("sig-1", [lesson], "not an incident, says <@U1>")
    assert await store.settle(ME, after(10)) == ()
    assert await store.lessons("prod", after(-60)) == (lesson,)
    assert not await store.dismiss("sig-none", [lesson], "x")


async def test_acknowledging_is_kept_with_its_time(store: TriageStore, database: Database) -> None:
    await opened(store, incident())
    known = (await store.alerts(["of sig-1"]))["of sig-1"]
    inbox = SignalInbox(database, Still())
    update = signal(
        at=7, subject="of sig-1", phase=Phase.UPDATED, event="incident.acknowledged", key="k"
    )
    await inbox.put([update], after(9))
    assert await store.absorb(ME, await inbox.take(5), [known])
    row = await database.run(lambda s: s.get(IncidentRow, "sig-1"))
    assert row is not None
    assert (row.acknowledged_at, row.escalated_at) == (after(7), None)


async def test_told_and_shown_are_noted(store: TriageStore) -> None:
    await opened(store, incident())
    assert await store.unshown(5) == ()
    await store.told("sig-1", THREAD)
    assert (await store.untold(5), await store.unshown(5)) == ((), ("sig-1",))
    await store.shown("sig-1", 1)
    await store.shown("sig-1", 0)
    assert await store.unshown(5) == ()


class TestPlaces:
    LIMITS = Limits(running=2, waiting=2)

    async def test_some_run_some_wait_and_the_rest_is_shed(self, store: TriageStore) -> None:
        names = [f"sig-{n}" for n in range(6)]
        await opened(store, *(incident(n, opened_at=after(i)) for i, n in enumerate(names)))
        stages = [await store.admit(n, self.LIMITS, NOW) for n in names]
        assert stages == [
            Stage.STARTED, Stage.STARTED, Stage.WAITING, Stage.WAITING, Stage.SHED, Stage.SHED,
        ]  # fmt: skip
        assert await store.admit(names[0], self.LIMITS, NOW) is Stage.STARTED

    async def test_the_worse_goes_first_when_a_place_is_free(
        self, store: TriageStore, database: Database
    ) -> None:
        bad = incident("sig-bad", severity=Severity.CRITICAL, opened_at=after(9))
        rest = [incident(f"sig-{n}", opened_at=after(n)) for n in range(3)]
        await opened(store, *rest, bad)
        for one in (*rest, bad):
            await store.admit(one.id, self.LIMITS, NOW)
        await _investigated(database, "sig-0", "root_cause")
        assert await store.admit("sig-2", self.LIMITS, after(1)) is Stage.WAITING
        assert await store.admit("sig-bad", self.LIMITS, after(1)) is Stage.STARTED

    async def test_one_that_is_stuck_holds_its_place_for_a_while_only(
        self, store: TriageStore
    ) -> None:
        await opened(store, *(incident(f"sig-{n}", opened_at=after(n)) for n in range(3)))
        for n in range(3):
            await store.admit(f"sig-{n}", self.LIMITS, NOW)
        late = after(self.LIMITS.stale_s + 1)
        assert await store.admit("sig-2", self.LIMITS, late) is Stage.STARTED

    async def test_another_environment_has_places_of_its_own(self, store: TriageStore) -> None:
        there = [incident(f"sig-s{n}", environment="staging") for n in range(2)]
        await opened(store, *(incident(f"sig-{n}") for n in range(2)), *there)
        for one in ("sig-0", "sig-1", "sig-s0"):
            assert await store.admit(one, self.LIMITS, NOW) is Stage.STARTED


async def test_a_face_shows_who_was_paged(store: TriageStore) -> None:
    await opened(store, incident())
    page = replace(
        alert("checkout", subject="pagerduty:P1"), origin=Origin.PAGERDUTY,
        signal=signal(details={"status": "acknowledged", "priority": "P2"}, link="https://x"),
    )  # fmt: skip
    await store.absorb(ME, (), [page])
    await store.carry_out(ME, Plan(joined={page.subject: "sig-1"}))
    face = await store.face("sig-1")
    assert face is not None
    assert (face.pager["priority"], face.link) == ("P2", "https://x")
    assert face.members[0].alerts == 2


async def test_two_of_one_cause_name_each_other_while_both_are_open(
    store: TriageStore, database: Database
) -> None:
    await opened(store, incident("sig-1", title="cart is slow"), incident("sig-2"))
    for n, name in enumerate(("sig-1", "sig-2")):
        row = InvestigationRow(
            id=f"inv-{name}", incident_id=name, asked_by="sre-bot", text="", state="root_cause",
            started_at=after(n), environment="prod", status="root_cause", cause="bad_release",
            object="deployment/store", confidence=0.9, report=None,
        )  # fmt: skip
        await database.run(lambda session, row=row: session.merge(row))  # type: ignore[misc]
    faces = [await store.face(name) for name in ("sig-1", "sig-2")]
    assert [f.twin if f else None for f in faces] == ["", "cart is slow"]


async def test_verdicts_on_reports_are_found(store: TriageStore, database: Database) -> None:
    await opened(store, incident())
    await _investigated(database, "sig-1", "healthy")
    verdict = PersonVerdict(
        investigation_id="inv-sig-1", user="U1", judgement=Judgement.RIGHT, comment="", at=NOW
    )
    await Incidents(database).save_verdict(verdict)
    (found,) = await store.judged("prod", NOW - timedelta(days=1))
    assert (found.healthy, found.right, found.title) == (True, True, "checkout is slow")


async def test_routes_are_set_replaced_and_removed(database: Database) -> None:
    routes = Routes(database)
    route = Route(environment="prod", service="cart", channel="C1", set_by="U1", at=NOW)
    await routes.set(route)
    await routes.set(replace(route, channel="C2"))
    assert await routes.all() == (replace(route, channel="C2"),)
    assert await routes.remove("prod", "cart")
    assert not await routes.remove("prod", "cart")


async def test_calls_are_learned_and_age(database: Database) -> None:
    calls = CallStore(database)
    await calls.learn("prod", [("a", "b"), ("b", "c"), ("x" * 300, "y")], NOW)
    await calls.learn("prod", [("a", "b")], after(100))
    assert sorted(await calls.known("prod", NOW)) == [("a", "b"), ("b", "c")]
    assert await calls.known("prod", after(50)) == [("a", "b")]
    assert await calls.known("staging", NOW) == []


async def _investigated(database: Database, incident_id: str, status: str) -> None:
    row = InvestigationRow(
        id=f"inv-{incident_id}", incident_id=incident_id, asked_by="sre-bot", text="", state=status,
        started_at=NOW, environment="prod", status=status, confidence=None, report=None,
    )  # fmt: skip
    await database.run(lambda session: session.merge(row))
