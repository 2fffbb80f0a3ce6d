"""A plan is staged, ruled, approved and refused as one; no step runs before those before it."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.domain.action import ActionCall, Choice, ExecutionStatus, Level, Proposal
from bot.domain.people import Role
from bot.domain.policy import Reason, Ruling, Verdict
from bot.remediation.plans import combined, faults
from tests.fakes.actions import FakeObject
from tests.unit.remediation.office import ID, KEY, Office

STEP = f"{ID}-s1"


def office_with_quota(level: Level = Level.L3) -> Office:
    office = Office()
    office.cluster.objects["quota"] = FakeObject(name="quota", value=4, uid="uid-2")
    office.level(level)
    return office


def step(name: str = "quota", action: str = "set_number", number: int = 1) -> Proposal:
    call = ActionCall(action=action, environment="prod", arguments={"name": name, "value": 8})
    return Office().proposal(id=f"{ID}-s{number}", call=call, title=f"Set {name} to 8")


def plan(office: Office, *steps: Proposal) -> Proposal:
    return office.proposal(preparations=steps or (step(),))


async def test_every_step_is_staged_with_its_own_dry_run() -> None:
    office = office_with_quota()
    staged = await office.gateway().stage(plan(office))
    (first,) = staged.proposal.preparations
    assert staged.ruling.verdict is Verdict.APPROVAL
    assert first.dry_run.diff == "-4\n+8\n"
    assert first.inverse.arguments == {"name": "quota", "value": 4}
    assert staged.proposal.dry_run.diff == "-41\n+40\n"
    assert office.writes == []


async def test_a_plan_is_as_free_as_its_least_free_step() -> None:
    office = office_with_quota(Level.L4)
    office.level(Level.L2, "burn")
    staged = await office.gateway().stage(plan(office, step(action="burn")))
    assert staged.ruling.verdict is Verdict.ONE_CLICK
    assert staged.level is Level.L2


async def test_a_step_that_is_not_allowed_forbids_the_plan() -> None:
    office = office_with_quota()
    office.cluster.objects["quota"].is_bot_itself = True
    staged = await office.gateway().stage(plan(office))
    assert staged.ruling.denied
    assert not (await office.approve()).accepted
    assert (await office.execute()).execution is None
    assert office.writes == []


async def test_two_steps_on_one_object_are_no_plan() -> None:
    office = office_with_quota()
    staged = await office.gateway().stage(plan(office, step(name="checkout")))
    assert staged.ruling.denied
    assert "same object" in staged.why
    assert not (await office.approve()).accepted


async def test_one_click_decides_every_step_bound_to_what_was_shown() -> None:
    office = office_with_quota()
    staged = await office.gateway().stage(plan(office))
    decided = await office.approve()
    assert decided.accepted
    assert decided.complete
    (own,) = await office.actions.decisions(STEP)
    assert own.diff_hash == staged.proposal.preparations[0].dry_run.diff_hash
    assert own.actor_id == "UAPPROVER"


async def test_who_may_not_approve_a_step_may_not_approve_the_plan() -> None:
    office = office_with_quota()
    await office.gateway().stage(plan(office))
    decided = await office.approve("URESPONDER")
    assert not decided.accepted
    assert list(await office.actions.decisions(ID)) == []


async def test_the_action_is_refused_until_what_comes_first_is_done() -> None:
    office = office_with_quota()
    await office.gateway().stage(plan(office))
    await office.approve()
    early = await office.execute()
    assert early.execution is None
    assert "the step before it was not carried out" in early.why
    assert office.writes == []


async def test_step_after_step_it_is_carried_out_once_each() -> None:
    office = office_with_quota()
    await office.gateway().stage(plan(office))
    await office.approve()
    for proposal_id in (STEP, STEP, ID, ID):
        acted = await office.gateway().execute(proposal_id)
        assert acted.execution.status is ExecutionStatus.APPLIED
    assert office.writes == [(f"{STEP}-x", "quota", 8), (KEY, "checkout", 40)]


async def test_a_rejection_after_the_approval_stops_every_step_that_is_left() -> None:
    office = office_with_quota()
    office.people.grant("USECOND", Role.APPROVER)
    office.cluster.objects["budget"] = FakeObject(name="budget", value=4, uid="uid-3")
    await office.gateway().stage(plan(office, step(), step("budget", number=2)))
    await office.approve()
    assert (await office.gateway().execute(STEP)).execution is not None
    assert (await office.approve("USECOND", choice=Choice.REJECT)).accepted
    for left in (f"{ID}-s2", ID):
        assert "rejected it" in (await office.gateway().execute(left)).why
    assert [name for _, name, _ in office.writes] == ["quota"]
    (own,) = await office.actions.decisions(STEP)
    assert own.choice is Choice.APPROVE, "what is done already is not rejected"


async def test_a_step_that_changed_since_the_click_is_refused() -> None:
    office = office_with_quota()
    await office.gateway().stage(plan(office))
    await office.approve()
    office.cluster.objects["quota"].value = 5
    acted = await office.gateway().execute(STEP)
    assert acted.execution is None
    assert "changed since it was approved" in acted.why


async def test_rejecting_a_plan_rejects_all_of_it() -> None:
    office = office_with_quota()
    await office.gateway().stage(plan(office))
    assert (await office.approve(choice=Choice.REJECT)).accepted
    assert (await office.execute()).execution is None
    assert (await office.gateway().execute(STEP)).execution is None
    assert office.writes == []


async def test_a_click_on_a_step_alone_is_no_approval_of_the_plan() -> None:
    office = office_with_quota()
    await office.gateway().stage(plan(office))
    click = office.click("UAPPROVER", "forged", STEP)
    await office.gateway().decide(STEP, click, Choice.APPROVE)
    assert (await office.execute()).execution is None
    assert ("checkout", 40) not in {(name, value) for _, name, value in office.writes}


async def test_what_is_applied_reads_back() -> None:
    office = office_with_quota()
    await office.gateway().stage(plan(office))
    await office.approve()
    assert not await office.gateway().holds(STEP)
    await office.gateway().execute(STEP)
    assert await office.gateway().holds(STEP)
    assert not await office.gateway().holds("nobody-p1")


def rulings(*verdicts: Verdict) -> Sequence[Ruling]:
    return [
        Ruling(verdict=v, reasons=(Reason(rule=v.value, text="so"),), approvals_needed=n)
        for n, v in enumerate(verdicts)
    ]


@pytest.mark.parametrize(
    ("verdicts", "whole"),
    [
        ((Verdict.AUTONOMOUS, Verdict.APPROVAL), Verdict.APPROVAL),
        ((Verdict.ONE_CLICK, Verdict.AUTONOMOUS), Verdict.ONE_CLICK),
        ((Verdict.APPROVAL, Verdict.ONE_CLICK), Verdict.APPROVAL),
        ((Verdict.AUTONOMOUS, Verdict.SUGGEST, Verdict.APPROVAL), Verdict.SUGGEST),
        ((Verdict.DENY, Verdict.SUGGEST), Verdict.DENY),
    ],
)
def test_the_strictest_step_rules(verdicts: tuple[Verdict, ...], whole: Verdict) -> None:
    ruling = combined(rulings(*verdicts))
    assert ruling.verdict is whole
    assert ruling.approvals_needed == len(verdicts) - 1
    assert {r.rule for r in ruling.reasons} == {v.value for v in verdicts}


def test_a_page_in_a_plan_does_not_lower_who_decides_it() -> None:
    page, other = (
        replace(r, approver_role=role)
        for r, role in zip(
            rulings(Verdict.APPROVAL, Verdict.ONE_CLICK), (Role.RESPONDER, Role.APPROVER),
            strict=True,
        )
    )  # fmt: skip
    whole = combined([replace(page, requester_may_approve=True), other])
    assert whole.approver_role is Role.APPROVER
    assert not whole.requester_may_approve


def test_a_plan_in_a_plan_or_in_two_environments_is_none() -> None:
    office = Office()
    nested = replace(step(), preparations=(step(number=2),))
    elsewhere = replace(step(), call=replace(step().call, environment="staging"))
    assert faults(plan(office, nested))
    assert faults(plan(office, elsewhere))
    assert not faults(plan(office))


async def test_only_one_of_two_people_is_not_enough_for_any_step() -> None:
    office = office_with_quota()
    office.people.grant("USECOND", Role.APPROVER)
    await office.gateway().stage(plan(office))
    first, second = await office.approve(), await office.approve("USECOND")
    assert first.complete
    assert second.accepted
