"""One press on the incident's message and the page is answered; else the card stands as ever."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.domain.action import Level, VerificationPlan
from bot.domain.conversation import CardState
from bot.domain.pressing import Pressed
from bot.workflows.orders import InvestigationOrder, RemediationOrder, start_remediation
from tests.fakes.pagerduty import pager
from tests.unit.remediation.page_office import EMAIL, ROSA, PageOffice
from tests.unit.workflows.house import MENTION, REPORT, WINDOW_S, House
from tools.clients.paging import PagerDutyPager


class PageHouse(House):
    """A house whose office answers pages."""

    office: PageOffice

    async def ask(self, level: Level, pressed: Pressed | None) -> None:
        """Start the remediation that a button's request ends in."""
        office = self.office
        plan = VerificationPlan(signal=None, threshold=0, window_s=WINDOW_S)
        proposal = replace(office.answer(), verification=plan)
        office.level(level, proposal.call.action)
        asked = InvestigationOrder(investigation_id="inv-1", mention=MENTION)
        order = RemediationOrder(proposal=proposal, asked=asked, pressed=pressed)
        await start_remediation(self.engine, order)

    @property
    def whispers(self) -> list[str]:
        return [notice.text for _, notice in self.notify.whispered]

    @property
    def writes(self) -> list[Any]:
        return self.office.pager.rest.writes


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[PageHouse]:
    with pager() as there:
        office = PageOffice(pager=there, token=tmp_path / "key")
        bound = PagerDutyPager.of(office.environments()["prod"])
        assert bound is not None
        made = PageHouse(tmp_path, office=office, pagers={"prod": bound})
        yield made
        made.close()


@pytest.mark.parametrize("level", [Level.L2, Level.L3])
async def test_one_press_and_the_card_comes_approved_with_its_outcome(
    house: PageHouse, level: Level
) -> None:
    await house.ask(level, house.office.pressed())
    await house.shown(CardState.RECOVERED)
    assert house.notify.states[0] is CardState.APPROVED  # no button was ever shown
    assert [d.actor_id for d in house.notify.cards[0].decisions] == [ROSA]
    assert house.writes == [(f"PUT /incidents/{house.office.page.id}", EMAIL)]
    assert house.whispers == []


async def test_a_page_leaves_the_last_line_to_what_is_proposed_against_the_cause(
    house: PageHouse,
) -> None:
    house.incidents.reports["inv-1"] = REPORT
    await house.ask(Level.L3, house.office.pressed())
    await house.shown(CardState.RECOVERED)
    assert house.notify.heads == []
    assert house.incidents.states == {}


@pytest.mark.parametrize("pressed", [True, False])
async def test_at_l1_the_card_stands_for_people_to_run(house: PageHouse, pressed: bool) -> None:
    await house.ask(Level.L1, house.office.pressed() if pressed else None)
    assert await house.ended() == "suggested"
    assert (house.notify.states, house.writes) == ([CardState.SUGGESTED], [])
    assert house.office.audited("refused") == 0
    told = (
        "⛔ Not run: the level here is L1, so people run it themselves (rule level-1-suggest). "
        "Acknowledge it in PagerDuty, if that is still needed."
    )
    assert house.whispers == ([told] if pressed else [])


async def test_a_press_that_is_denied_is_told_to_who_pressed(house: PageHouse) -> None:
    house.office.switches.on = True
    await house.ask(Level.L3, house.office.pressed())
    assert await house.ended() == "refused"
    (said,) = house.whispers
    assert "the bot is stopped" in said
    assert said.endswith("Acknowledge it in PagerDuty, if that is still needed.")
    assert (house.notify.states, house.writes) == ([CardState.REFUSED], [])


async def test_what_was_typed_still_takes_a_click(house: PageHouse) -> None:
    await house.ask(Level.L3, None)
    await house.shown(CardState.WAITING)
    assert house.office.audited("decided") == 0
    await house.bot.approve(house.click(ROSA))
    await house.shown(CardState.RECOVERED)


@pytest.mark.parametrize(
    "shown", [{"status": "acknowledged"}, {"assignees": ("Anil Approver",)}, {"assignees": ()}]
)
async def test_a_page_that_is_not_as_it_was_shown_asks_again(
    house: PageHouse, shown: dict[str, Any]
) -> None:
    await house.ask(Level.L3, replace(house.office.pressed(), **shown))
    await house.shown(CardState.WAITING)
    assert "changed since you pressed" in house.whispers[0]
    assert (house.office.audited("decided"), house.writes) == (0, [])
    await house.bot.approve(house.click(ROSA))
    await house.shown(CardState.RECOVERED)


async def test_a_page_that_cannot_be_read_just_now_asks_again(house: PageHouse) -> None:
    house.pagers.clear()
    await house.ask(Level.L3, house.office.pressed())
    await house.shown(CardState.WAITING)
    assert "I could not read" in house.whispers[0]
    assert house.office.audited("decided") == 0


async def test_a_decision_that_stood_before_a_crash_stands_whatever_can_be_seen_by_now(
    house: PageHouse,
) -> None:
    pressed = house.office.pressed()
    assert (await house.office.press(pressed=pressed)).complete
    house.pagers.clear()
    house.office.clock.pass_(901)
    await house.ask(Level.L3, pressed)
    await house.shown(CardState.APPROVED)
    assert house.whispers == []
    assert (house.office.audited("decided"), house.office.audited("refused")) == (1, 0)


async def test_who_may_not_decide_is_told_and_the_card_waits_for_who_may(house: PageHouse) -> None:
    pressed = house.office.pressed()
    house.office.people.roles.clear()
    await house.ask(Level.L3, pressed)
    await house.shown(CardState.WAITING)
    assert "role-needed" in house.whispers[0]
    assert house.writes == []


async def test_who_cannot_be_told_stops_nothing(house: PageHouse) -> None:
    house.notify.gone = True
    await house.ask(Level.L3, replace(house.office.pressed(), status="acknowledged"))
    await house.shown(CardState.WAITING)
    await house.bot.approve(house.click(ROSA))
    await house.shown(CardState.RECOVERED)
