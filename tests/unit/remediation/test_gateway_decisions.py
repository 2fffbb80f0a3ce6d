"""Staging and deciding: what is offered, whose click counts, and what every refusal says."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.action import ActionCall, Choice, Level, Outcome, Verification
from bot.domain.codec import decode, encode
from bot.domain.errors import Unavailable
from bot.domain.people import Role
from bot.domain.policy import Verdict
from bot.domain.ports import Posted
from bot.remediation import desk
from bot.remediation.desk import Acted, Decided, Staged
from tests.unit.remediation.office import ID, KEY, START, Office
from tests.unit.slack.fakes import MemoryOutbox


async def test_staging_shows_target_diff_inverse_expiry_and_changes_nothing() -> None:
    office = Office()
    staged = await office.staged_at(Level.L3)
    assert staged.ruling.verdict is Verdict.APPROVAL
    assert staged.proposal.dry_run.diff == "-41\n+40\n"
    assert staged.proposal.inverse.arguments == {"name": "checkout", "value": 41}
    assert staged.proposal.expires_at > office.clock.moment
    assert office.writes == []
    assert office.audited("ruled") == 1


async def test_staging_twice_offers_the_same() -> None:
    office = Office()
    first = await office.staged_at(Level.L3)
    office.clock.pass_(60)
    office.cluster.objects["checkout"].value = 99
    again = await office.gateway().stage(office.proposal())
    assert again.proposal == first.proposal


async def test_an_id_cannot_be_given_to_another_call() -> None:
    office = Office()
    await office.staged_at(Level.L4)
    other = ActionCall(
        action="set_number", environment="prod", arguments={"name": "checkout", "value": 0}
    )
    staged = await office.gateway().stage(office.proposal(call=other))
    assert staged.ruling.denied
    assert office.actions.proposals[ID].call.arguments["value"] == 40


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ({"action": "rm_rf"}, "rm_rf"),
        ({"environment": "moon"}, "moon"),
        ({"arguments": {"name": "checkout", "value": "40; reboot"}}, "whole number"),
        ({"arguments": {"name": "checkout", "value": 40, "force": True}}, "name and value"),
        ({"arguments": {"name": "nobody", "value": 1}}, "Did you mean checkout"),
    ],
)
async def test_forged_calls_are_refused_and_audited(call: dict[str, object], said: str) -> None:
    office = Office()
    staged = await office.staged_at(Level.L4, call=replace(office.proposal().call, **call))
    assert staged.ruling.denied
    assert said in staged.why
    assert office.audited("refused") == 1
    assert ID not in office.actions.proposals


async def test_a_system_that_does_not_answer_is_an_error_to_try_again() -> None:
    office = Office()
    office.cluster.down = True
    with pytest.raises(Unavailable):
        await office.staged_at(Level.L3)


async def test_an_approver_approves_and_it_is_bound_to_what_was_shown() -> None:
    office = Office()
    staged = await office.staged_at(Level.L3)
    decided = await office.approve()
    assert decided.accepted
    assert decided.complete
    decision = decided.decision
    assert decision is not None
    assert decision.role == "approver"
    assert decision.diff_hash == staged.proposal.dry_run.diff_hash
    assert decision.spec_hash == staged.proposal.target.spec_hash
    assert decision.call_digest == staged.proposal.call.digest
    assert office.writes == []


@pytest.mark.parametrize(
    ("user", "rule"),
    [
        ("UOBSERVER", "role-needed"),
        ("UNKNOWN", "role-needed"),
        ("UADMIN", "role-needed"),
        ("URESPONDER", "prod-approver"),
        ("UGUEST", "people-only"),
        ("UBOT", "people-only"),
    ],
)
async def test_whose_click_does_not_count_in_production(user: str, rule: str) -> None:
    office = Office()
    await office.staged_at(Level.L3)
    decided = await office.approve(user)
    assert not decided.accepted
    assert f"(rule {rule})" in decided.why
    assert decided.why.startswith("⛔ Not run: ")
    assert office.actions.by_id == {}
    assert office.audited("refused") == 1


async def test_the_requester_in_production_is_told_who_can() -> None:
    office = Office()
    await office.staged_at(Level.L3, requester="UAPPROVER")
    decided = await office.approve("UAPPROVER")
    assert decided.why == (
        "⛔ Not run: production needs an approver and you asked for this action yourself "
        "(rule prod-two-people). An approver can, but not whoever asked for it."
    )


@pytest.mark.parametrize("environment", ["staging", "dev"])
async def test_the_requester_may_decide_elsewhere(environment: str) -> None:
    office = Office(environment=environment)
    await office.staged_at(Level.L3, requester="URESPONDER")
    decided = await office.approve("URESPONDER")
    assert decided.accepted
    assert (await office.execute()).execution is not None
    assert len(office.writes) == 1


async def test_a_double_click_counts_once() -> None:
    office = Office()
    await office.staged_at(Level.L3)
    first, second = await asyncio.gather(office.approve(), office.approve())
    again = await office.approve(click_id="from another device")
    assert first.decision == second.decision == again.decision
    assert len(office.actions.by_id) == 1


@pytest.mark.parametrize("choice", Choice)
async def test_nothing_is_taken_after_the_offer_expired(choice: Choice) -> None:
    office = Office()
    await office.staged_at(Level.L3)
    office.clock.pass_(1801)
    decided = await office.approve(choice=choice)
    assert "expired" in decided.why


@pytest.mark.parametrize("subject", ["inv-1-p2", "", "'; drop table"])
async def test_a_forged_button_value_is_refused(subject: str) -> None:
    office = Office()
    await office.staged_at(Level.L3)
    click = office.click("UAPPROVER", subject=subject)
    for proposal_id in (ID, subject):
        decided = await office.gateway().decide(proposal_id, click, Choice.APPROVE)
        assert not decided.accepted
    assert office.actions.by_id == {}


async def test_a_level_lowered_after_the_offer_refuses_the_click() -> None:
    office = Office()
    await office.staged_at(Level.L3)
    office.level(Level.L1)
    decided = await office.approve()
    assert "the level here is L1" in decided.why


async def test_the_kill_switch_refuses_the_click() -> None:
    office = Office()
    await office.staged_at(Level.L3)
    office.switches.on = True
    decided = await office.approve()
    assert "(rule kill-switch)" in decided.why


async def test_a_rejection_is_final_for_everybody() -> None:
    office = Office()
    await office.staged_at(Level.L3)
    rejected = await office.approve("URESPONDER", choice=Choice.REJECT)
    assert rejected.accepted
    assert rejected.complete
    assert rejected.decision is not None
    assert rejected.decision.reason == "because"
    for user in ("UAPPROVER", "URESPONDER"):
        later = await office.approve(user, click_id=f"later-{user}")
        assert "<@URESPONDER> rejected it" in later.why
    assert (await office.execute()).refused
    assert office.writes == []


@pytest.mark.parametrize("user", ["UOBSERVER", "UGUEST", "UBOT"])
async def test_who_cannot_approve_anywhere_cannot_reject(user: str) -> None:
    office = Office()
    await office.staged_at(Level.L3)
    assert not (await office.approve(user, choice=Choice.REJECT)).accepted


async def test_a_click_after_it_ran_is_told_so() -> None:
    office = Office()
    await office.staged_at(Level.L3)
    await office.approve()
    await office.execute()
    office.people.grant("USECOND", Role.APPROVER)
    assert "carried out already" in (await office.approve("USECOND")).why


async def test_a_click_is_not_taken_when_the_audit_is_down() -> None:
    office = Office()
    await office.staged_at(Level.L3)
    office.audit.down = True
    with pytest.raises(Unavailable):
        await office.approve()
    assert office.actions.by_id == {}


async def test_results_pass_through_the_journal() -> None:
    office = Office()
    staged = await office.staged_at(Level.L3)
    decided = await office.approve()
    acted = await office.execute()
    assert decode(Staged, encode(staged)) == staged
    assert decode(Decided, encode(decided)) == decided
    assert decode(Acted, encode(acted)) == acted


async def test_the_track_record_is_shown_with_its_lower_bound() -> None:
    office = Office()
    for number in range(9):
        proposal = replace(office.proposal(), id=f"old-{number}")
        office.level(Level.L4)
        office.cluster.objects["checkout"].value = 41
        office.clock.moment = START + timedelta(days=number)
        await office.gateway().stage(proposal)
        key = f"old-{number}-x"
        await office.gateway().execute(proposal.id)
        await office.gateway().release(key)
        await office.gateway().settle(
            Verification(
                execution_key=key,
                outcome=Outcome.RECOVERED,
                statement="ok",
                value=None,
                checked_at=START,
            )
        )
    office.cluster.objects["checkout"].value = 41
    staged = await office.staged_at(Level.L4)
    assert staged.proposal.track_record == (
        "9 of 9 times set number of checkout verified (lower bound 70 %)"
    )
    assert KEY not in office.actions.executions


async def rejected_and_asked_again(investigation: str = "inv-1-again1", **facts: object) -> Staged:
    office = Office()
    await office.staged_at(Level.L3)
    await office.approve("URESPONDER", choice=Choice.REJECT)
    office.cluster.objects["checkout"].value = int(str(facts.get("value", 41)))
    again = office.proposal(
        id=f"{investigation}-p1", investigation_id=investigation,
        cause=facts.get("cause", "wrong_number"),
    )  # fmt: skip
    return await office.gateway().stage(again)


async def test_a_rejection_stands_in_the_incident_while_nothing_changed() -> None:
    again = await rejected_and_asked_again()
    assert again.ruling.denied
    assert "declined in this incident on 2026-03-01" in again.why
    assert "because; nothing about it has changed since" in again.why


@pytest.mark.parametrize(
    ("facts", "news"),
    [({"value": 42}, "the target changed"), ({"cause": "other"}, "the cause is another one")],
)
async def test_what_changed_since_a_rejection_is_said(facts: dict[str, object], news: str) -> None:
    again = await rejected_and_asked_again(**facts)
    assert not again.ruling.denied
    assert again.proposal.warnings[0].endswith(f"because; since then {news}")


async def test_in_another_incident_the_rejection_is_shown_with_its_reason() -> None:
    again = await rejected_and_asked_again("inv-2")
    assert not again.ruling.denied
    assert again.proposal.warnings == ("declined on 2026-03-01 14:00 UTC: because",)


async def test_a_click_that_overtakes_our_record_of_its_card_counts() -> None:
    office = Office(posted=MemoryOutbox())
    await office.staged_at(Level.L3)
    assert office.posted is not None
    await office.posted.begin(f"{ID}/card", "C1")
    clicked = asyncio.create_task(office.approve())
    await asyncio.sleep(0.15)
    assert not clicked.done()
    await office.posted.finish(Posted(key=f"{ID}/card", channel="C1", ts="1.1", digest=""))
    assert (await clicked).accepted


async def test_a_click_on_a_card_that_stays_unwritten_is_to_be_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(desk, "LATE_TIMES", 1)
    office = Office(posted=MemoryOutbox())
    await office.staged_at(Level.L3)
    assert office.posted is not None
    await office.posted.begin(f"{ID}/card", "C1")
    with pytest.raises(Unavailable):
        await office.approve()
    assert office.audited("refused") == 0  # nobody is called a stranger
    await office.posted.finish(Posted(key=f"{ID}/card", channel="C1", ts="1.1", digest=""))
    assert (await office.approve()).accepted


@pytest.mark.parametrize("place", [None, ("C1", "9.9"), ("C9", "1.1")])
async def test_a_click_on_another_message_is_refused_at_once(place: tuple[str, str] | None) -> None:
    office = Office(posted=MemoryOutbox())
    await office.staged_at(Level.L3)
    assert office.posted is not None
    if place is not None:
        channel, ts = place
        await office.posted.finish(Posted(key=f"{ID}/card", channel=channel, ts=ts, digest=""))
    decided = await asyncio.wait_for(office.approve(), 0.1)
    assert "not on the card" in decided.why
