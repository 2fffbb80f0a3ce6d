"""A press decides about the page it was about, as who pressed, and through every check there is."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.domain.action import Level, Outcome, Verification
from bot.domain.errors import Malformed
from bot.domain.ports import Posted
from bot.domain.wish import Verb
from tests.fakes.pagerduty import pager
from tests.unit.remediation.office import ID, KEY, START, Office
from tests.unit.remediation.page_office import EMAIL, ROSA, PageOffice
from tests.unit.slack.fakes import MemoryOutbox


@pytest.fixture
def office(tmp_path: Path) -> Iterator[PageOffice]:
    with pager() as there:
        yield PageOffice(pager=there, token=tmp_path / "key")


@pytest.mark.parametrize("level", [Level.L2, Level.L3, Level.L4])
async def test_the_press_is_the_decision_of_who_pressed(office: PageOffice, level: Level) -> None:
    decided = await office.press(level)
    assert decided.complete, decided.why
    (entry,) = office.audit.events("decided")
    assert (entry.actor, entry.text) == (ROSA, "approve as responder: Acknowledge it (because)")
    assert (await office.execute()).execution is not None
    assert office.pager.rest.writes == [(f"PUT /incidents/{office.page.id}", EMAIL)]


async def test_the_same_press_after_a_crash_counts_once(office: PageOffice) -> None:
    await office.press()
    again = await office.gateway().press(ID, office.pressed())
    assert again.complete
    assert (office.audited("decided"), office.audited("refused")) == (1, 0)


async def test_a_decision_that_stands_is_not_called_refused_when_a_crash_took_long(
    office: PageOffice,
) -> None:
    pressed = office.pressed()
    assert await office.gateway().pressed(ID, pressed) is None
    assert (await office.press(pressed=pressed)).complete
    office.clock.pass_(901)
    again = await office.gateway().press(ID, pressed)
    assert again.complete
    assert await office.gateway().pressed(ID, pressed) == again
    others = (replace(pressed.click, click_id="click-2"), replace(pressed.click, user="UAPPROVER"))
    for click in others:
        assert await office.gateway().pressed(ID, replace(pressed, click=click)) is None
    assert (office.audited("decided"), office.audited("refused")) == (1, 0)


async def test_two_pages_of_one_press_are_two_decisions(office: PageOffice) -> None:
    await office.press()
    first, office.page = office.page, office.pager.open("cart is slow")
    other = replace(office.answer(), id="inv-2-p1")
    await office.gateway().stage(other)
    assert (await office.gateway().press("inv-2-p1", office.pressed())).complete
    for name in (ID, "inv-2-p1"):
        assert (await office.gateway().execute(name)).execution is not None
    assert first.status == office.page.status == "acknowledged"


async def refused(office: PageOffice, said: str, **how: Any) -> None:
    decided = await office.press(**how)
    assert not decided.accepted
    assert said in decided.why
    assert office.audited("refused") == 1
    assert office.actions.by_id == {}
    assert (await office.execute()).refused
    assert office.pager.rest.writes == []


async def test_at_l1_it_decides_nothing(office: PageOffice) -> None:
    await refused(office, "the level here is L1", level=Level.L1)


async def test_the_kill_switch_stops_it(office: PageOffice) -> None:
    office.switches.on = True
    await refused(office, "kill-switch")


@pytest.mark.parametrize(
    ("user", "said"),
    [
        ("UOBSERVER", "role-needed"), ("UADMIN", "role-needed"), ("UGUEST", "people-only"),
        ("UBOT", "people-only"), ("UNOBODY", "role-needed"),
    ],
)  # fmt: skip
async def test_who_may_not_decide_does_not_by_pressing(
    office: PageOffice, user: str, said: str
) -> None:
    asked = replace(office.answer(), requester=user)
    office.level(Level.L3, "acknowledge_incident")
    await office.gateway().stage(asked)
    decided = await office.gateway().press(ID, office.pressed(user=user))
    assert said in decided.why
    assert office.audited("refused") == 1
    assert (await office.execute()).refused
    assert office.pager.rest.writes == []


async def test_a_press_of_long_ago_decides_nothing(office: PageOffice) -> None:
    pressed = office.pressed()
    office.clock.pass_(901)
    await refused(office, "too long ago", pressed=pressed)


async def test_the_press_of_somebody_else_decides_nothing(office: PageOffice) -> None:
    pressed = office.pressed(user="UAPPROVER")
    await refused(office, "asked for by somebody else", pressed=pressed)


@pytest.mark.parametrize(
    "other",
    [
        {"verb": Verb.RESOLVE}, {"verb": Verb.ESCALATE, "goal": "2"}, {"verb": Verb.NOTE},
        {"verb": Verb.CALL, "people": ("U0ADA",), "reason": "you know it"},
    ],
)  # fmt: skip
async def test_a_press_for_something_else_decides_nothing(
    office: PageOffice, other: dict[str, Any]
) -> None:
    await refused(office, "not what the button was pressed for", pressed=office.pressed(**other))


async def test_a_press_about_another_page_decides_nothing(office: PageOffice) -> None:
    pressed = replace(office.pressed(), page_id="POTHER1")
    await refused(office, "not what the button was pressed for", pressed=pressed)


@pytest.mark.parametrize(
    ("action", "arguments", "press"),
    [
        ("escalate_incident", {"level": 3}, {"verb": Verb.ESCALATE, "goal": "2"}),
        ("add_responders", {"users": ["PADA001", "PANIL01"], "message": "come"},
         {"verb": Verb.CALL, "people": ("U0ADA",), "reason": "come"}),
        ("add_responders", {"users": ["PADA001"], "message": "go"},
         {"verb": Verb.CALL, "people": ("U0ADA",), "reason": "come"}),
    ],
)  # fmt: skip
async def test_what_was_entered_is_what_is_decided(
    office: PageOffice, action: str, arguments: dict[str, Any], press: dict[str, Any]
) -> None:
    office.level(Level.L3, action)
    await office.gateway().stage(office.answer(action, **arguments))
    decided = await office.gateway().press(ID, office.pressed(**press))
    assert "not what the button was pressed for" in decided.why
    assert office.actions.by_id == {}


@pytest.mark.parametrize(("goal", "arguments"), [("2", {"level": 2})])
async def test_an_escalation_is_decided_by_its_modal(
    office: PageOffice, goal: str, arguments: dict[str, Any]
) -> None:
    office.level(Level.L3, "escalate_incident")
    await office.gateway().stage(office.answer("escalate_incident", **arguments))
    pressed = office.pressed(verb=Verb.ESCALATE, goal=goal)
    assert (await office.gateway().press(ID, pressed)).complete
    await office.execute()
    assert list(office.page.assigned) == ["PANIL01"]


@pytest.mark.parametrize("place", [None, ("C1", "9.9"), ("C9", "1.0")])
async def test_a_press_on_another_message_decides_nothing(
    office: PageOffice, place: tuple[str, str] | None
) -> None:
    office.posted = MemoryOutbox()
    if place is not None:
        channel, ts = place
        await office.posted.finish(Posted(key="sig-1/root", channel=channel, ts=ts, digest=""))
    await refused(office, "not on the card")


async def test_a_press_on_the_incidents_own_message_counts(office: PageOffice) -> None:
    office.posted = MemoryOutbox()
    await office.posted.finish(Posted(key="sig-1/root", channel="C1", ts="1.0", digest=""))
    assert (await office.press()).complete


@pytest.mark.parametrize("by", ["somebody else", "an escalation"])
async def test_a_page_that_changed_after_the_press_is_left_alone(
    office: PageOffice, by: str
) -> None:
    assert (await office.press()).complete
    account = office.pager.account
    if by == "an escalation":
        account.escalate(office.page, 2, "PADA001")
    else:
        account.acknowledge(office.page, "PADA001")
    assert "changed since it was approved" in (await office.execute()).why
    assert office.pager.rest.writes == []


@pytest.mark.parametrize("outcome", list(Outcome))
async def test_no_breaker_counts_what_became_of_an_answer(
    office: PageOffice, outcome: Outcome
) -> None:
    counted = {("prod", "acknowledge_incident"): 1}
    office.switches.failures = dict(counted)
    await office.press()
    await office.execute()
    seen = Verification(
        execution_key=KEY, outcome=outcome, statement="seen", value=None, checked_at=START
    )
    await office.gateway().settle(seen)
    assert office.actions.verifications[KEY].outcome is outcome
    assert office.switches.failures == counted


async def test_no_breaker_counts_an_answer_that_pagerduty_does_not_accept(
    office: PageOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def not_accepted(*_: Any) -> None:
        raise Malformed("PagerDuty does not accept it: HTTP 400")

    monkeypatch.setattr("tools.clients.pagerduty.PagerDuty.update", not_accepted)
    await office.press()
    assert "does not accept it" in (await office.execute()).why
    assert office.switches.failures == {}


async def test_what_is_no_page_is_not_decided_by_a_press(office: PageOffice) -> None:
    other = Office(clock=office.clock)
    other.people.grant(ROSA)
    await other.staged_at(Level.L3, requester=ROSA)
    decided = await other.gateway().press(ID, office.pressed())
    assert "no answer to a page" in decided.why
    assert other.actions.by_id == {}


async def test_a_press_without_a_proposal_is_refused(office: PageOffice) -> None:
    decided = await office.gateway().press("req-none-p1", office.pressed())
    assert "no proposal that I know" in decided.why
    assert office.audited("refused") == 1
