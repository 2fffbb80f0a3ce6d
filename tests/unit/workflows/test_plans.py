"""A plan is seen through step by step; what fails or does not help is taken back, last first."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.domain.action import ActionCall, Level, Outcome, Proposal, VerificationPlan
from bot.domain.conversation import CardState
from bot.domain.errors import Refused
from tests.fakes.actions import FakeObject
from tests.unit.remediation.office import ID, KEY, UNDO, Office
from tests.unit.workflows.house import House

STEP = f"{ID}-s1"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = House(tmp_path)
    made.office.cluster.objects["quota"] = FakeObject(name="quota", value=4, uid="uid-2")
    made.office.cluster.objects["budget"] = FakeObject(name="budget", value=1, uid="uid-3")
    yield made
    made.close()


def step(name: str = "quota", number: int = 1) -> Proposal:
    call = ActionCall(action="set_number", environment="prod", arguments={"name": name, "value": 8})
    return Office().proposal(
        id=f"{ID}-s{number}", call=call, title=f"Set {name} to 8",
        verification=VerificationPlan(signal=None, threshold=0, window_s=120),
    )  # fmt: skip


async def approved(house: House, *steps: Proposal) -> None:
    await house.offer(Level.L3, preparations=steps or (step(),))
    await house.shown(CardState.WAITING)
    await house.bot.approve(house.click())


async def test_what_comes_first_is_done_first(house: House) -> None:
    await approved(house, step(), step("budget", 2))
    await house.shown(CardState.RECOVERED)
    written = [(f"{STEP}-x", "quota", 8), (f"{ID}-s2-x", "budget", 8), (KEY, "checkout", 40)]
    assert house.office.writes == written
    verified = house.office.actions.verifications
    assert verified[f"{STEP}-x"].outcome is Outcome.RECOVERED
    assert not house.office.actions.locks or set(house.office.actions.locks) == {
        "prod/Number/shop/checkout"
    }


async def test_when_the_second_step_is_refused_the_first_is_taken_back(house: House) -> None:
    await house.offer(Level.L3, preparations=(step(), step("budget", 2)))
    await house.shown(CardState.WAITING)
    house.office.cluster.objects["budget"].value = 3  # somebody changed it after it was shown
    await house.bot.approve(house.click())
    card = await house.shown(CardState.REFUSED)
    assert "Set budget to 8" in card.note
    assert [w[1:] for w in house.office.writes] == [("quota", 8), ("quota", 4)]
    assert house.value == 41


async def test_when_the_action_itself_is_refused_the_steps_are_taken_back(house: House) -> None:
    await house.offer(Level.L3, preparations=(step(),))
    await house.shown(CardState.WAITING)
    house.office.cluster.objects["checkout"].value = 7
    await house.bot.approve(house.click())
    await house.shown(CardState.REFUSED)
    assert [w[1:] for w in house.office.writes] == [("quota", 8), ("quota", 4)]


async def test_an_action_that_makes_it_worse_takes_its_steps_back_too(house: House) -> None:
    house.outcomes[:] = [Outcome.WORSE]
    await approved(house)
    await house.shown(CardState.UNDONE)
    assert house.office.writes == [
        (f"{STEP}-x", "quota", 8),
        (KEY, "checkout", 40),
        (UNDO, "checkout", 41),
        (f"{STEP}-u", "quota", 4),
    ]


async def test_a_step_that_cannot_be_taken_back_is_told(house: House) -> None:
    house.outcomes[:] = [Outcome.WORSE]
    await approved(house)
    await house.until(lambda: (KEY, "checkout", 40) in house.office.writes)
    house.office.cluster.objects["quota"].value = 9  # a person went on from there
    card = await house.shown(CardState.UNDONE)
    assert "Still as I set it: Set quota to 8" in card.note
    assert house.office.cluster.objects["quota"].value == 9
    await house.until(lambda: "person:inv-1-p1" in dict(house.notify.said))
    assert "Set quota to 8" in dict(house.notify.said)["person:inv-1-p1"].text
    assert await house.office.switches.breaker_open("prod", "set_number")


async def test_when_the_system_refuses_the_action_the_steps_are_taken_back(house: House) -> None:
    house.office.cluster.refuses, house.office.cluster.refused = Refused("no"), "checkout"
    await approved(house)
    card = await house.shown(CardState.FAILED)
    assert "Still as I set it" not in card.note
    assert [w[1:] for w in house.office.writes] == [("quota", 8), ("quota", 4)]


async def test_a_rejected_plan_is_rejected_step_by_step(house: House) -> None:
    await house.offer(Level.L3, preparations=(step(),))
    await house.shown(CardState.WAITING)
    await house.bot.reject(house.click())
    await house.shown(CardState.REJECTED)
    acted = await house.office.gateway().execute(STEP)
    assert "rejected it" in acted.why
    assert house.office.writes == []


async def test_a_step_the_system_refuses_ends_the_plan(house: House) -> None:
    await house.offer(Level.L3, preparations=(step(),))
    await house.shown(CardState.WAITING)
    house.office.cluster.refuses = Refused("quota is forbidden")
    await house.bot.approve(house.click())
    card = await house.shown(CardState.REFUSED)
    assert "quota is forbidden" in card.note
    assert house.office.writes == []
