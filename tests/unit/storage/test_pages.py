"""Pages in SQL: folded from the inbox once, in any order, and tied to our incidents."""

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

from bot.domain.codec import encode
from bot.domain.errors import Unavailable
from bot.domain.paging import SIGNED, Called, Page, Place
from bot.domain.signal import Origin, Phase, Signal
from bot.domain.signal_limits import fitted
from bot.storage.database import Database
from bot.storage.page_tables import PageSignalRow
from bot.storage.pages import Pages
from bot.storage.signal_tables import AlertRow, InboxRow
from bot.storage.tables import IncidentRow, InvestigationRow
from tests.fakes.driven import MovedClock

AT = datetime(2026, 3, 4, 3, 0, tzinfo=UTC)
STATE = {
    "status": "triggered", "urgency": "high", "priority": "P2", "assignees": "Rosa Responder",
    "number": "12", "service_id": "PSHOP01", "service": "Shop", "escalation_policy_id": "PSHOPEP",
}  # fmt: skip
PLACES = {"PSHOP01": Place(environment="prod", service="checkout")}


def signal(number: int, *, note: str = "", agent: str = "Rosa", **changed: str) -> Signal:
    details = {"note": note, "agent": agent} if note else {**STATE, **changed}
    return Signal(
        key=f"pagerduty:e{number}", origin=Origin.PAGERDUTY, subject="pagerduty:PT4KHLK",
        phase=Phase.UPDATED, title="checkout is slow", at=AT + timedelta(seconds=number),
        event="incident.annotated" if note else "incident.acknowledged", details=details,
        link="https://sandbox.pagerduty.com/incidents/PT4KHLK",
    )  # fmt: skip


class Shelf:
    def __init__(self, database: Database) -> None:
        self.database, self.clock = database, MovedClock(AT)
        self.pages = self.another()

    def another(self) -> Pages:
        return Pages(self.database, self.clock, PLACES, frozenset({"PSREBOT"}))

    async def put(self, signals: Sequence[Signal]) -> None:
        def write(session: Any) -> None:
            for one in signals:
                session.add(
                    InboxRow(
                        key=one.key,
                        origin=one.origin.value,
                        subject=one.subject,
                        received_at=self.clock.now(),
                        done_at=None,
                        attempts=0,
                        body=encode(one),
                    )
                )
                session.flush()  # fmt: skip

        await self.database.run(write)

    async def incident(self, name: str, *, tie: bool = True, **changed: Any) -> None:
        row = {"team": "T1", "channel": "C1", "thread_ts": name, "title": "slow",
               "environment": "prod", "state": "open", "opened_at": AT, "closed_at": None,
               "origin": "pagerduty", "severity": 2, **changed}  # fmt: skip
        alert = AlertRow(
            subject="pagerduty:PT4KHLK", incident_id=name, origin="pagerduty", environment="prod",
            service="checkout", title="slow", severity=3, firing=True, first_at=AT, last_at=AT,
            count=1, flips=0, body={},
        )  # fmt: skip

        def write(session: Any) -> None:
            session.add(IncidentRow(id=name, **row))
            session.flush()
            if tie:
                session.add(alert)

        await self.database.run(write)

    async def report(
        self, name: str, incident: str, status: str = "root_cause", by: str = "sre-bot"
    ) -> None:
        row = InvestigationRow(
            id=name, incident_id=incident, asked_by=by, text="", state="x", started_at=AT,
            status=status, confidence=0.9, report=None,
        )  # fmt: skip
        await self.database.run(lambda session: session.add(row))

    async def the_page(self) -> Page:
        page = await self.pages.page("PT4KHLK")
        assert page is not None
        return page

    async def row(self, incident: str) -> IncidentRow:
        found = await self.database.run(lambda s: s.get(IncidentRow, incident))
        assert found is not None
        return found


@pytest.fixture
def shelf(database: Database) -> Shelf:
    return Shelf(database)


NEWEST = {"status": "acknowledged", "assignees": "Anil Approver", "priority": "P1"}


async def test_whatever_the_order_of_arrival_the_newest_word_counts(shelf: Shelf) -> None:
    told = [signal(1), signal(2, note="we look at it"), signal(3, **NEWEST)]
    for order in itertools.permutations(range(3)):
        batch = [
            replace(told[i], key=f"k{order}{i}", subject=f"pagerduty:P{''.join(map(str, order))}XX")
            for i in order
        ]
        await shelf.put(batch)
    assert await shelf.pages.take(100) == 18
    for order in itertools.permutations(range(3)):
        page = await shelf.pages.page(f"P{''.join(map(str, order))}XX")
        assert page is not None
        assert (page.status, page.assignees, page.priority) == (
            "acknowledged", ("Anil Approver",), "P1",
        )  # fmt: skip
        assert (page.environment, page.service, page.number) == ("prod", "checkout", 12)
        assert (page.note, page.note_by) == ("we look at it", "Rosa")
        assert page.told_at == AT + timedelta(seconds=3)


async def test_a_signal_is_taken_once_by_all_replicas_together(shelf: Shelf) -> None:
    await shelf.put([signal(n) for n in range(5)])
    other = shelf.another()
    assert await shelf.pages.take(3) == 3
    assert await other.take(100) == 2
    assert await shelf.pages.take(100) == 0
    assert await shelf.another().take(100) == 0


async def test_replicas_that_take_at_the_same_time_take_each_signal_once(shelf: Shelf) -> None:
    await shelf.incident("sig-1")
    states = ["triggered", "acknowledged"]
    await shelf.put([signal(n, status=states[n % 2]) for n in range(40)])
    replicas = [shelf.another() for _ in range(4)]
    taken = 0
    for _ in range(10):
        found = await asyncio.gather(*(r.take(5) for r in replicas), return_exceptions=True)
        taken += sum(n for n in found if isinstance(n, int))
        assert all(isinstance(n, int | Unavailable) for n in found)
    while more := await shelf.pages.take(5):
        taken += more
    assert taken == 40
    assert (await shelf.the_page()).status == "acknowledged"
    assert (await shelf.row("sig-1")).version == taken // 5  # once a batch


async def test_a_signal_that_commits_late_is_not_missed(shelf: Shelf) -> None:
    async def commit(number: int, one: Signal, at: datetime) -> None:
        row = InboxRow(
            id=number, key=one.key, origin=one.origin.value, subject=one.subject, received_at=at,
            done_at=None, attempts=0, body=encode(one),
        )  # fmt: skip
        await shelf.database.run(lambda session: session.add(row))

    await commit(90, signal(1), AT)
    assert await shelf.pages.take(10) == 1
    await commit(50, signal(2, **NEWEST), AT)  # its transaction began before, and took longer
    assert await shelf.pages.take(10) == 1
    assert (await shelf.the_page()).status == "acknowledged"
    shelf.clock.at = AT + timedelta(minutes=5)
    assert await shelf.pages.take(10) == 0
    await commit(91, signal(3, status="resolved"), shelf.clock.at)
    assert await shelf.pages.take(10) == 1


async def test_an_inbox_that_was_emptied_and_counts_anew_is_read_on(shelf: Shelf) -> None:
    async def commit(number: int, one: Signal, at: datetime) -> None:
        row = InboxRow(
            id=number, key=one.key, origin=one.origin.value, subject=one.subject, received_at=at,
            done_at=None, attempts=0, body=encode(one),
        )  # fmt: skip
        await shelf.database.run(lambda session: session.add(row))

    for number in (1, 2, 90):
        await commit(number, signal(number), AT)
    shelf.clock.at = AT + timedelta(days=40)
    assert await shelf.pages.take(10) == 3
    assert await shelf.pages.take(10) == 0
    await shelf.database.run(lambda session: session.execute(delete(InboxRow)))
    await commit(1, signal(100, **NEWEST), shelf.clock.at)
    while await shelf.pages.take(10):
        pass
    assert (await shelf.the_page()).status == "acknowledged"


async def test_the_bots_own_notes_are_no_news(shelf: Shelf) -> None:
    by_user = replace(signal(3, note="mine"), details={"note": "mine", "agent_id": "PSREBOT"})
    short = signal(4, note=f"{SIGNED}nothing is wrong now.\n(ref 0123456789ab)")
    long = signal(5, note=f"{SIGNED}{'root cause found. ' * 200}\n(ref 0123456789ab)")
    kept = fitted(long, long.at)
    assert not kept.details["note"].endswith(")")
    await shelf.put([signal(1, note="a person's"), by_user, short, kept])
    await shelf.pages.take(10)
    assert (await shelf.the_page()).note == "a person's"


@pytest.mark.parametrize(
    ("note", "shown"),
    [
        (f"{SIGNED}you are wrong", f"{SIGNED}you are wrong"),
        (f"as {SIGNED}said", f"as {SIGNED}said"),
        ("rolled back by hand (ref 0123456789ab)", "rolled back by hand"),  # through the bot
        ("see (ref 12) below", "see (ref 12) below"),
    ],
)
async def test_what_people_note_is_shown_whatever_it_begins_with(
    shelf: Shelf, note: str, shown: str
) -> None:
    await shelf.put([signal(1, note="before"), signal(2, note=note)])
    await shelf.pages.take(10)
    assert (await shelf.the_page()).note == shown


async def test_a_change_shows_the_incident_again_and_dates_the_acknowledgement(
    shelf: Shelf,
) -> None:
    await shelf.incident("sig-1")
    await shelf.put([signal(1)])
    await shelf.pages.take(10)
    assert (await shelf.row("sig-1")).version == 1
    assert (await shelf.row("sig-1")).acknowledged_at is None
    await shelf.put([signal(5, **NEWEST), signal(4)])
    await shelf.pages.take(10)
    row = await shelf.row("sig-1")
    assert row.acknowledged_at == AT + timedelta(seconds=5)
    assert row.version == 2
    await shelf.put([replace(signal(6, **NEWEST), key="said again")])
    await shelf.pages.take(10)
    assert (await shelf.row("sig-1")).version == 2  # nothing new in it
    assert [p.id for p in await shelf.pages.of_incident("sig-1")] == ["PT4KHLK"]


async def test_a_report_is_due_once_on_each_page(shelf: Shelf) -> None:
    await shelf.put([signal(1)])
    await shelf.pages.take(10)
    assert await shelf.pages.notes_due(10) == []
    await shelf.incident("sig-1")
    await shelf.report("inv-1", "sig-1", status="")
    assert await shelf.pages.notes_due(10) == []
    await shelf.report("inv-2", "sig-1")
    (due,) = await shelf.pages.notes_due(10)
    assert (due.page_id, due.investigation_id) == ("PT4KHLK", "inv-2")
    done = Called(
        key="note/inv-2/PT4KHLK", kind="note", page_id="PT4KHLK", incident_id="sig-1", at=AT,
        text="written",
    )  # fmt: skip
    await shelf.pages.called(done)
    await shelf.pages.called(replace(done, text="again"))
    assert await shelf.pages.notes_due(10) == []
    assert await shelf.pages.done(done.key) == done


async def test_what_people_ask_in_the_thread_is_noted_if_it_found_the_cause(shelf: Shelf) -> None:
    await shelf.incident("sig-1")
    await shelf.put([signal(1)])
    await shelf.pages.take(10)
    await shelf.report("inv-1", "sig-1", status="unknown", by="UROSA")
    assert await shelf.pages.notes_due(10) == []
    await shelf.report("inv-2", "sig-1", status="unknown")
    await shelf.report("inv-3", "sig-1", by="UROSA")
    due = [d.investigation_id for d in await shelf.pages.notes_due(10)]
    assert due == ["inv-2", "inv-3"]
    shelf.clock.at = AT + timedelta(days=3)
    assert await shelf.pages.notes_due(10) == []


async def test_a_storm_of_pages_is_no_storm_of_notes(shelf: Shelf) -> None:
    await shelf.incident("sig-1", tie=False)
    pages = [replace(signal(n), subject=f"pagerduty:P{n:06}") for n in range(30)]
    await shelf.put(pages)
    await shelf.pages.take(100)
    for n in range(30):
        page = await shelf.pages.page(f"P{n:06}")
        assert page is not None
        await shelf.pages.opened(replace(page, incident_id="sig-1"), AT)
    await shelf.report("inv-1", "sig-1")
    due = await shelf.pages.notes_due(100)
    assert [d.page_id for d in due] == [f"P{n:06}" for n in range(20)]


async def test_only_what_nobody_was_called_for_is_ruled_on(shelf: Shelf) -> None:
    await shelf.incident("low", tie=False)
    await shelf.incident("high", tie=False, severity=4)
    await shelf.incident("asked", tie=False, origin="")
    await shelf.incident("over", tie=False, state="resolved")
    for name in ("low", "high", "asked", "over"):
        await shelf.report(f"inv-{name}", name)
    assert [q.incident_id for q in await shelf.pages.quiet(10)] == ["low"]
    await shelf.pages.escalated("low", AT)
    assert await shelf.pages.quiet(10) == []
    assert (await shelf.row("low")).escalated_at == AT


async def test_a_severe_incident_with_a_page_that_calls_nobody_is_ruled_on(shelf: Shelf) -> None:
    await shelf.incident("sig-1", severity=4)
    await shelf.report("inv-1", "sig-1")
    await shelf.put([signal(1, urgency="low")])
    await shelf.pages.take(10)
    assert [q.incident_id for q in await shelf.pages.quiet(10)] == ["sig-1"]


async def test_who_is_on_call_is_asked_for_once(shelf: Shelf) -> None:
    await shelf.incident("sig-1")
    await shelf.put([signal(1)])
    await shelf.pages.take(10)
    assert [p.id for p in await shelf.pages.unnamed(10)] == ["PT4KHLK"]
    await shelf.pages.name("PT4KHLK", [])
    assert await shelf.pages.unnamed(10) == []
    await shelf.pages.name("PT4KHLK", ["Rosa Responder"])
    assert (await shelf.the_page()).on_call == ("Rosa Responder",)


async def test_a_page_that_the_bot_opened_belongs_to_its_incident(shelf: Shelf) -> None:
    await shelf.incident("sig-1", tie=False)
    page = Page(
        id="PT4KHLK", environment="prod", service="checkout", number=3, title="slow",
        status="triggered", urgency="high", priority="", assignees=("Rosa",), policy="PSHOPEP",
        link="", incident_id="sig-1",
    )  # fmt: skip
    await shelf.put([signal(1)])
    await shelf.pages.take(10)
    await shelf.pages.opened(page, AT)
    assert (await shelf.the_page()).incident_id == "sig-1"
    await shelf.pages.opened(replace(page, id="POTHER1"), AT)
    assert {p.id for p in await shelf.pages.of_incident("sig-1")} == {"PT4KHLK", "POTHER1"}


async def test_what_is_gone_from_the_inbox_is_forgotten(shelf: Shelf) -> None:
    await shelf.put([signal(1)])
    await shelf.pages.take(10)
    await shelf.pages.forget(timedelta(days=30))
    assert await shelf.another().take(10) == 0  # it is still there, and stays taken
    await shelf.database.run(lambda session: session.execute(delete(InboxRow)))
    shelf.clock.at = AT + timedelta(days=31)
    await shelf.pages.forget(timedelta(days=30))
    assert await shelf.pages.page("PT4KHLK") is None
    assert await shelf.database.run(lambda s: s.scalars(select(PageSignalRow)).all()) == []
