"""Reports reach pages once, people are called with evidence only, whatever PagerDuty answers."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from bot.domain.paging import SIGNED
from bot.storage.signal_tables import InboxRow
from bot.storage.tables import IncidentRow
from tests.fakes.pagerduty import ROSA, Pager, pager
from tests.unit.workflows.pager_house import SLOWER, PagerHouse, breaking


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[PagerHouse]:
    with pager() as server:
        house = PagerHouse(tmp_path, server)
        yield house
        await house.close()
        house.database.close()


def notes(server: Pager) -> list[str]:
    return [n.content for i in server.account.incidents.values() for n in i.notes]


async def a_paged_incident(house: PagerHouse, urgency: str = "high") -> str:
    page = house.pager.open(urgency=urgency)
    await house.an_incident(page=page)
    await house.hear()
    return page.id


# Reports as notes


async def test_a_report_is_a_note_on_the_page_once(house: PagerHouse) -> None:
    page = await a_paged_incident(house)
    await house.a_report()
    assert await house.recorded(f"note/inv-1/{page}") == "written"
    (note,) = notes(house.pager)
    assert note.startswith("sre-bot: root cause found, 95 % sure. It is 41.")
    assert "1. it is 41" in note
    assert house.pager.rest.writes == [(f"POST /incidents/{page}/notes", "sre-bot@sandbox.example")]
    await house.hear()  # our own note comes back as a webhook
    await house.restart()
    await asyncio.sleep(SLOWER)
    assert len(notes(house.pager)) == 1
    shown = await house.pages.page(page)
    assert shown is not None
    assert shown.note == ""


async def test_pagerduty_that_limits_and_fails_gets_the_note_once_and_people_are_told(
    house: PagerHouse,
) -> None:
    page = await a_paged_incident(house)
    house.pager.rest.limited, house.pager.lost = 25, 2
    await house.a_report()
    assert await house.recorded(f"note/inv-1/{page}") == "it was there"  # its answer was lost
    assert len(notes(house.pager)) == 1
    late = [text for text in house.said if "not on" in text]
    assert len(late) == 1
    assert "HTTP 429" in late[0]
    assert "I go on trying" in late[0]


async def test_a_note_that_pagerduty_will_never_take_is_said_in_the_thread(
    house: PagerHouse,
) -> None:
    page = await a_paged_incident(house)
    house.pager.rest.read_only = True
    await house.a_report()
    assert "its key needs write access" in await house.recorded(f"note/inv-1/{page}")
    assert notes(house.pager) == []
    assert len(house.said) == 1
    assert f"The report is not on {page}" in house.said[0]


async def test_a_bot_that_lost_its_memory_writes_nothing_twice(house: PagerHouse) -> None:
    page = await a_paged_incident(house)
    await house.a_report()
    assert await house.recorded(f"note/inv-1/{page}") == "written"
    await house.restart(forgetting=True)
    assert await house.recorded(f"note/inv-1/{page}") == "it was there"
    assert len(notes(house.pager)) == 1


# Who is on call


async def test_the_on_call_is_named_also_after_a_limit(house: PagerHouse) -> None:
    house.pager.rest.limited = 2
    house.paging._not_before.clear()
    page = await a_paged_incident(house)

    async def named() -> tuple[str, ...]:
        found = await house.pages.page(page)
        return found.on_call if found else ()

    async with asyncio.timeout(20):
        while not await named():
            house.paging._not_before.clear()  # the test need not wait the seconds it was told to
            await asyncio.sleep(0.05)
    assert await named() == ("Rosa Responder",)


# Webhooks that never came


async def test_what_was_never_told_is_seen_when_a_page_goes_silent(house: PagerHouse) -> None:
    page = await a_paged_incident(house)
    await house.pages.take(10)
    incident = house.pager.account.incidents[page]
    asked = len(house.pager.asked)
    await house.looking.round()  # it was told of just now
    assert [a for a in house.pager.asked[asked:] if a.path.endswith(page)] == []
    house.looking.silent = timedelta(0)
    await house.looking.round()
    assert await signals(house) == 1  # nothing differs
    house.pager.account.acknowledge(incident, ROSA)
    house.pager.account.prioritise(incident, "PRIO0P1", ROSA)
    house.pager.rest.limited = 4
    await house.looking.round()
    assert await signals(house) == 1
    for _ in range(3):
        await house.looking.round()
    assert await signals(house) == 2  # the same thing seen again is told once

    async def shown() -> tuple[str, str]:
        found = await house.pages.page(page)
        assert found is not None
        return found.status, found.priority

    async with asyncio.timeout(20):
        while await shown() != ("acknowledged", "P1"):
            await house.pages.take(10)
            await asyncio.sleep(0.05)
    house.pager.account.resolve(incident, ROSA)
    await house.looking.round()
    assert await signals(house) == 3


async def signals(house: PagerHouse) -> int:
    query = select(func.count()).select_from(InboxRow)
    return await house.database.run(lambda session: session.scalar(query) or 0)


# Calling somebody on its own


async def test_what_will_be_an_outage_calls_who_has_it_once(house: PagerHouse) -> None:
    page = await a_paged_incident(house, urgency="low")
    await house.a_report(breaking(2))
    assert house.pager.account.called == []
    await house.until(lambda: any("I called" in text for text in house.said))
    assert house.pager.account.called == [(page, ROSA)]
    assert (house.pager.account.incidents[page].urgency) == "high"
    assert "I called Rosa Responder: it will break at about" in house.said[-1]
    assert [e.event for e in house.audit.entries] == ["paged"]
    assert house.audit.entries[0].actor == "sre-bot"
    (why,) = (note for note in notes(house.pager) if note.startswith(f"{SIGNED}I called you: "))
    assert why.count(SIGNED) == 1
    await house.recorded("ruling/inv-1")
    await house.hear()  # our own note comes back as a webhook
    await house.pages.take(10)
    shown = await house.pages.page(page)
    assert shown is not None
    assert shown.note == ""
    assert shown.urgency == "high"  # PagerDuty does not tell: the bot says what it made of it
    await house.restart()
    await asyncio.sleep(SLOWER)
    assert house.pager.account.called == [(page, ROSA)]
    assert len(house.audit.entries) == 1


async def test_a_bot_that_lost_its_memory_calls_nobody_twice(house: PagerHouse) -> None:
    page = await a_paged_incident(house, urgency="low")
    await house.a_report(breaking(2))
    await house.recorded("ruling/inv-1")

    def forget(session: Any) -> None:
        session.get(IncidentRow, "sig-1").escalated_at = None

    await house.database.run(forget)
    await house.restart(forgetting=True)
    assert "page-answered" in await house.recorded("ruling/inv-1")
    assert house.pager.account.called == [(page, ROSA)]


async def test_without_a_page_one_is_opened_and_belongs_to_the_incident(house: PagerHouse) -> None:
    await house.an_incident()
    house.pager.lost = 1  # the answer to the opening
    await house.a_report(breaking(2))
    await house.until(lambda: any("I called" in text for text in house.said))
    (opened,) = house.pager.account.incidents.values()
    assert (opened.urgency, opened.key) == ("high", "sre-bot/sig-1")
    assert house.pager.account.called == [(opened.id, ROSA)]
    assert [p.id for p in await house.pages.of_incident("sig-1")] == [opened.id]
    await house.hear()
    await asyncio.sleep(SLOWER / 2)
    assert [p.id for p in await house.pages.of_incident("sig-1")] == [opened.id]


async def test_without_evidence_nobody_is_woken(house: PagerHouse) -> None:
    await a_paged_incident(house, urgency="low")
    await house.a_report(breaking(2, confidence=0.6))
    assert "page-needs-evidence" in await house.recorded("ruling/inv-1")
    assert house.pager.account.called == []
    assert house.audit.entries == []


async def test_who_acknowledged_is_not_called_again(house: PagerHouse) -> None:
    page = await a_paged_incident(house, urgency="low")
    house.pager.account.acknowledge(house.pager.account.incidents[page], ROSA)  # not heard of yet
    await house.a_report(breaking(2))
    assert "page-answered" in await house.recorded("ruling/inv-1")
    assert house.pager.account.called == []


async def test_what_cannot_be_audited_calls_nobody(house: PagerHouse) -> None:
    await a_paged_incident(house, urgency="low")
    house.audit.down = 10
    await house.a_report(breaking(2))
    await house.until(lambda: house.audit.down < 5)
    assert house.pager.account.called == []
    await house.until(lambda: house.pager.account.called)
    assert len(house.audit.entries) == 1


async def test_what_breaks_tomorrow_is_looked_at_again_when_it_is_near(house: PagerHouse) -> None:
    await a_paged_incident(house, urgency="low")
    await house.a_report(breaking(6.001))  # in three seconds it is soon
    await asyncio.sleep(SLOWER)
    assert house.pager.account.called == []
    await house.until(lambda: house.pager.account.called)


async def test_a_service_for_which_nobody_is_paged_is_said_so(house: PagerHouse) -> None:
    house.environment.connections["pagerduty"]["services"] = {}  # type: ignore[index]
    await house.restart()
    await house.an_incident()
    await house.a_report(breaking(2))
    await house.until(lambda: house.said)
    assert "A person is needed: it will break" in house.said[0]
    assert "nobody is paged for checkout" in house.said[0]
