"""Break-glass: for the lone on-call in production, for what can be taken back, with a reason."""

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.action import Choice, Level
from bot.domain.people import Role
from bot.remediation.desk import Decided
from tests.unit.remediation.office import ID, KEY, Office

LONE = "ULONE"


async def asked_by(
    requester: str = LONE, environment: str = "prod", action: str = "set_number"
) -> Office:
    office = Office(environment=environment)
    office.people.grant(LONE, Role.APPROVER)
    call = replace(office.proposal().call, action=action)
    await office.staged_at(Level.L3, requester=requester, call=call)
    return office


async def broken(office: Office, user: str = LONE, **changes: Any) -> Decided:
    click = replace(office.click(user, f"glass-{user}"), **changes)
    return await office.gateway().break_glass(ID, click)


async def test_alone_one_cannot_approve_and_with_break_glass_one_can() -> None:
    office = await asked_by()
    assert "(rule prod-two-people)" in (await office.approve(LONE)).why
    decided = await broken(office, reason="two approvers do not answer")
    assert decided.complete
    assert decided.decision is not None
    assert decided.decision.reason == "break-glass: two approvers do not answer"
    assert (await office.execute()).execution is not None
    assert office.writes == [(KEY, "checkout", 40)]
    (entry,) = office.audit.events("break_glass")
    assert (entry.actor, entry.text) == (LONE, "two approvers do not answer")


@pytest.mark.parametrize(
    ("user", "changes", "said"),
    [
        ("URESPONDER", {}, "this takes the role approver"),
        ("UGUEST", {}, "never count"),
        ("UBOT", {}, "never count"),
        ("UAPPROVER", {}, "you did not ask for this yourself"),
        (LONE, {"reason": " \n "}, "a reason is needed"),
    ],
)
async def test_for_whom_it_is_not(user: str, changes: dict[str, str], said: str) -> None:
    office = await asked_by()
    decided = await broken(office, user, **changes)
    assert not decided.accepted
    assert said in decided.why
    assert office.audited("refused") == 1
    assert office.actions.declared == office.actions.by_id == {}


async def test_it_is_never_for_what_cannot_be_taken_back() -> None:
    office = await asked_by(action="burn")
    assert "taken back" in (await broken(office)).why
    assert (await office.execute()).refused
    assert office.writes == []


@pytest.mark.parametrize("environment", ["staging", "dev"])
async def test_elsewhere_nobody_needs_it(environment: str) -> None:
    office = await asked_by(environment=environment)
    assert "just approve" in (await broken(office)).why


async def test_it_does_not_outlive_its_time() -> None:
    office = await asked_by()
    await broken(office)
    office.clock.pass_(901)
    assert (await office.execute()).refused
    assert office.writes == []


async def test_it_opens_no_other_stop() -> None:
    office = await asked_by()
    office.switches.on = True
    assert "(rule kill-switch)" in (await broken(office)).why
    office.switches.on = False
    office.level(Level.L1)
    assert not (await broken(office)).accepted
    assert (await office.execute()).refused


async def test_it_does_not_let_a_second_proposal_through() -> None:
    office = await asked_by()
    await broken(office)
    other = office.proposal(id="inv-2-p1", requester=LONE)
    await office.gateway().stage(other)
    click = office.click(LONE, "other", "inv-2-p1")
    decided = await office.gateway().decide("inv-2-p1", click, Choice.APPROVE)
    assert "(rule prod-two-people)" in decided.why
