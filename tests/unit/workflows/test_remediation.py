"""A proposal is seen through: offered, decided, acted on once, watched, kept or undone."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.domain.action import ExecutionStatus, Level, Outcome, VerificationPlan
from bot.domain.conversation import Card, CardState, Judgement, Mark, Thread
from bot.domain.errors import Permanent
from bot.workflows import undoing
from tests.unit.remediation.office import ID, KEY, START, UNDO, FakeClock
from tests.unit.workflows.house import REPORT, THREAD, House

Make = Callable[..., House]


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Make]:
    houses: list[House] = []

    def made(**parts: Any) -> House:
        houses.append(House(tmp_path, **parts))
        return houses[-1]

    yield made
    for house in houses:
        house.close()


async def approved(house: House, **changes: Any) -> None:
    await house.offer(Level.L3, **changes)
    await house.shown(CardState.WAITING)
    notice = await house.bot.approve(house.click())
    assert notice.mark is Mark.DONE, notice


async def test_at_l1_nothing_is_waited_for(make: Make) -> None:
    house = make()
    await house.offer(Level.L1)
    assert await house.ended() == "suggested"
    assert house.notify.states == [CardState.SUGGESTED]
    assert house.office.writes == []


async def test_an_approved_action_that_helps_is_kept(make: Make) -> None:
    house = make()
    await approved(house)
    card = await house.shown(CardState.RECOVERED)
    assert card.can_undo
    await house.until(lambda: not house.office.actions.locks)  # the target is free again
    assert house.office.writes == [(KEY, "checkout", 40)]
    assert house.office.actions.verifications[KEY].outcome is Outcome.RECOVERED
    shown = [CardState.WAITING, CardState.APPROVED, CardState.WATCHING]
    assert house.notify.states[:3] == shown
    (decision,) = house.notify.cards[1].decisions
    assert decision.actor_id == "UAPPROVER"


async def test_it_watches_to_the_end_of_the_window(make: Make) -> None:
    house = make()
    await approved(house)
    await house.until(lambda: house.office.actions.verifications)
    checked = house.office.actions.verifications[KEY].checked_at
    card = await house.shown(CardState.WATCHING)
    assert card.watching_until is not None
    assert checked >= card.watching_until


async def test_at_l4_it_acts_by_itself(make: Make) -> None:
    house = make()
    house.office.environment = house.office.cluster.environment = "dev"
    await house.offer(Level.L4)
    await house.shown(CardState.RECOVERED)
    assert house.office.writes == [(KEY, "checkout", 40)]


async def test_a_rejected_proposal_ends_and_says_why(make: Make) -> None:
    house = make()
    await house.offer(Level.L3)
    await house.shown(CardState.WAITING)
    await house.bot.reject(house.click())
    assert await house.ended() == "not acted"
    assert house.notify.states[-1] is CardState.REJECTED
    (decision,) = house.notify.cards[-1].decisions
    assert (decision.actor_id, decision.reason) == ("UAPPROVER", "because")
    assert house.office.writes == []


async def test_a_click_after_the_end_is_told_that_the_offer_is_closed(make: Make) -> None:
    house = make()
    await house.offer(Level.L3)
    await house.shown(CardState.WAITING)
    await house.bot.reject(house.click())
    await house.ended()
    again = await house.bot.reject(house.click())
    assert "closed" in again.text
    late = await house.bot.approve(house.click("UADMIN"))
    assert "rejected" in late.text


async def test_an_offer_nobody_takes_expires(make: Make) -> None:
    late = FakeClock(moment=START)
    late.pass_(1799.8)  # the offer holds for half an hour
    house = make(wall=late)
    await house.offer(Level.L3)
    assert await house.ended() == "not acted"
    assert house.notify.states == [CardState.WAITING, CardState.EXPIRED]
    assert house.office.writes == []


async def test_an_action_that_makes_it_worse_is_undone_at_once(make: Make) -> None:
    house = make(outcomes=[Outcome.WORSE])
    await approved(house)
    assert await house.ended() == "worse"
    assert house.watch.looks == 1
    assert house.value == 41
    assert [key for key, _, _ in house.office.writes] == [KEY, UNDO]
    assert house.notify.states[-1] is CardState.UNDONE


async def test_an_action_that_changes_nothing_is_undone_and_its_cause_refuted(make: Make) -> None:
    house = make(outcomes=[Outcome.UNCHANGED])
    await approved(house)
    assert await house.ended() == "unchanged"
    assert house.value == 41
    await house.until(lambda: house.orders)
    (again,) = house.orders
    assert again.investigation_id == "inv-1-again1"
    assert [(r.cause, r.object) for r in again.refuted] == [("wrong_number", "number/checkout")]
    assert again.tried == (house.office.proposal().call.digest,)


async def test_an_undo_that_fails_opens_the_breaker_and_calls_a_person(make: Make) -> None:
    house = make(outcomes=[Outcome.WORSE])
    cluster = house.office.cluster

    def refuse_from_now_on(_: str) -> None:
        if cluster.writes:
            cluster.refuses = Permanent("the role was taken away")

    cluster.after_call = refuse_from_now_on
    await approved(house)
    await house.ended()
    assert house.value == 40
    assert house.notify.states[-1] is CardState.FAILED
    assert await house.office.switches.breaker_open("prod", "set_number")
    (called,) = [notice.text for key, notice in house.notify.said if key.startswith("person:")]
    assert "A person is needed" in called
    assert "the role was taken away" in called


async def test_an_incident_is_reopened_twice_at_most(make: Make) -> None:
    house = make(outcomes=[Outcome.UNCHANGED])
    await approved(house)
    await house.until(lambda: house.orders)
    order, refuted = house.orders[0], house.orders[0].refuted[0]
    second = order.again(refuted, "other")
    assert second is not None
    assert second.investigation_id == "inv-1-again2"
    assert len(second.refuted) == 2
    assert second.again(refuted, "third") is None


async def test_without_data_it_is_undone_and_a_person_is_called(make: Make) -> None:
    house = make(outcomes=[Outcome.NO_DATA])
    await approved(house)
    assert await house.ended() == "no_data"
    assert house.value == 41
    assert [key for key, _ in house.notify.said] == [f"person:{ID}"]


async def test_a_person_takes_it_back_while_it_is_watched(make: Make) -> None:
    house = make(outcomes=[Outcome.UNCHANGED])
    house.watch.every_s = 12_000.0  # ten seconds, of which the undo needs few
    plan = VerificationPlan(signal=None, threshold=0, window_s=house.watch.every_s)
    await approved(house, verification=plan)
    await house.shown(CardState.WATCHING)
    notice = await house.bot.undo(house.click("URESPONDER", KEY))
    assert notice.mark is Mark.UNDONE
    assert await house.ended() == "undone"
    assert house.value == 41
    assert house.orders == []  # a person knows why
    assert not house.office.actions.locks
    assert house.office.actions.verifications[KEY].outcome is Outcome.NO_DATA  # too early to tell
    assert not await house.office.switches.breaker_open("prod", "set_number")
    assert house.office.audited("verified") == 1


async def test_a_person_takes_it_back_after_it_recovered(make: Make) -> None:
    house = make()
    await approved(house)
    await house.until(lambda: house.office.actions.verifications)
    await house.bot.undo(house.click("URESPONDER", KEY))
    assert await house.ended() == "undone"
    assert house.value == 41


async def test_a_click_that_is_refused_takes_the_undo_from_nobody(make: Make) -> None:
    house = make()
    await approved(house)
    await house.until(lambda: house.office.actions.verifications)
    await house.bot.undo(house.click("UOBSERVER", KEY, click_id="may not"))
    await house.until(lambda: house.notify.whispered)
    assert house.value == 40

    await house.bot.undo(house.click("URESPONDER", KEY, click_id="may"))

    assert await house.ended() == "undone"
    assert house.value == 41


async def test_a_click_when_the_hour_is_just_over_is_told_that_it_is_too_late(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(undoing, "UNDO_WITHIN_S", 0.2)
    house = make()
    closing, go_on = asyncio.Event(), asyncio.Event()
    show = house.notify.card

    async def slowly(thread: Thread, card: Card) -> None:
        if card.state is CardState.RECOVERED and not card.can_undo:
            closing.set()
            await go_on.wait()
        await show(thread, card)

    monkeypatch.setattr(house.notify, "card", slowly)
    await approved(house)
    await closing.wait()
    await house.bot.undo(house.click("URESPONDER", KEY))  # the button is still there
    go_on.set()

    assert await house.ended() == "recovered"
    assert house.value == 40
    ((user, notice),) = house.notify.whispered
    assert (user, "I no longer look after this action" in notice.text) == ("URESPONDER", True)


async def test_an_observer_takes_nothing_back_and_is_told_so(make: Make) -> None:
    house = make()
    house.watch.every_s = 600.0
    await approved(house)
    await house.shown(CardState.WATCHING)
    await house.bot.undo(house.click("UOBSERVER", KEY))
    await house.until(lambda: house.notify.whispered)
    await house.shown(CardState.RECOVERED)
    assert house.value == 40
    assert [user for user, _ in house.notify.whispered] == ["UOBSERVER"]


async def test_who_cannot_be_told_why_not_stops_nothing(make: Make) -> None:
    house = make()
    house.watch.every_s, house.notify.gone = 600.0, True
    await approved(house)
    await house.shown(CardState.WATCHING)
    await house.bot.undo(house.click("UOBSERVER", KEY))
    await house.shown(CardState.RECOVERED)


async def test_what_was_changed_since_is_not_undone_and_a_person_is_called(make: Make) -> None:
    house = make(outcomes=[Outcome.UNCHANGED])
    house.watch.every_s = 600.0
    await approved(house)
    await house.shown(CardState.WATCHING)
    house.office.cluster.objects["checkout"].value = 7  # somebody else was quicker
    await house.ended()
    assert house.value == 7
    assert house.notify.states[-1] is CardState.FAILED
    assert [key for key, _ in house.notify.said] == [f"person:{ID}"]


async def test_an_undo_of_what_is_not_there_any_more_is_told_so(make: Make) -> None:
    house = make()
    unknown = await house.bot.undo(house.click("URESPONDER", "inv-of-another-database-p1-x"))
    assert (unknown.mark, "did nothing" in unknown.text) == (Mark.REFUSED, True)
    await approved(house)
    await house.until(lambda: house.office.actions.verifications)
    await house.bot.undo(house.click("URESPONDER", KEY))
    await house.ended()
    again = await house.bot.undo(house.click("UAPPROVER", KEY))
    assert (again.mark, "did nothing" in again.text) == (Mark.REFUSED, True)


async def test_an_action_that_fails_is_said_so_and_counts_once(make: Make) -> None:
    house = make()
    house.office.cluster.refuses = Permanent("no such revision")
    await approved(house)
    assert await house.ended() == "failed"
    assert house.notify.states[-1] is CardState.FAILED
    assert "no such revision" in house.notify.cards[-1].note
    assert house.office.switches.failures == {("prod", "set_number"): 1}
    assert not house.office.actions.locks


async def test_a_target_that_changed_since_the_approval_is_left_alone(make: Make) -> None:
    house = make()
    await house.offer(Level.L3)
    await house.shown(CardState.WAITING)
    house.office.cluster.objects["checkout"].value = 39
    await house.bot.approve(house.click())
    assert await house.ended() == "not acted"
    assert house.notify.states[-1] is CardState.REFUSED
    assert "changed" in house.notify.cards[-1].note


async def test_a_lost_answer_is_looked_up_until_it_is_certain(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.workflows.remediation.TRY_AGAIN_S", 0.05)
    house = make()
    cluster = house.office.cluster
    cluster.lost_answer = cluster.blind_after = True
    await house.offer(Level.L3)
    await house.shown(CardState.WAITING)
    await house.bot.approve(house.click())
    await house.until(lambda: cluster.writes)
    row = house.office.actions.executions
    await house.until(lambda: row[KEY].status is ExecutionStatus.UNCERTAIN)
    cluster.down = cluster.lost_answer = cluster.blind_after = False
    card = await house.shown(CardState.RECOVERED)
    assert card.execution is not None
    assert card.execution.status is ExecutionStatus.APPLIED
    assert house.office.writes == [(KEY, "checkout", 40)]


async def test_a_remediation_that_is_started_twice_runs_once(make: Make) -> None:
    house = make()
    await house.offer(Level.L1)
    await house.ended()
    await house.offer(Level.L1)
    await house.ended()
    assert len(house.notify.cards) == 1


async def test_telling_is_tried_again_while_slack_is_down(make: Make) -> None:
    house = make()
    house.notify.down = 2
    await house.offer(Level.L1)
    assert await house.ended() == "suggested"
    assert len(house.notify.cards) == 1


async def test_a_stop_while_waiting_loses_nothing(make: Make) -> None:
    house = make()
    await house.offer(Level.L3)
    await house.shown(CardState.WAITING)
    house.close()
    house.open()
    assert (await house.bot.approve(house.click())).mark is Mark.DONE
    await house.shown(CardState.RECOVERED)
    assert house.office.writes == [(KEY, "checkout", 40)]
    assert house.notify.states.count(CardState.WAITING) == 1


async def test_the_switch_is_asked_again_at_the_moment_of_acting(make: Make) -> None:
    house = make()
    await house.offer(Level.L3)
    await house.shown(CardState.WAITING)
    decided = await house.office.approve()
    assert decided.accepted
    house.office.switches.on = True
    await house.engine.send(ID, "decision", {"choice": "approve"}, key="k")
    assert await house.ended() == "not acted"
    assert house.office.writes == []


async def test_an_undo_that_the_kill_switch_holds_back_asks_a_person(make: Make) -> None:
    house = make(outcomes=[Outcome.WORSE])
    house.watch.every_s = 600.0
    await approved(house)
    await house.shown(CardState.WATCHING)
    house.office.switches.on = True
    card = await house.shown(CardState.NOT_VERIFIED)
    assert card.can_undo
    assert "(rule kill-switch)" in card.note
    await house.until(lambda: len(house.notify.said) == 2)
    assert [key for key, _ in house.notify.said] == [f"person:{ID}", f"demoted:{ID}"]
    await house.bot.undo(house.click("URESPONDER", KEY, click_id="while stopped"))
    await house.until(lambda: house.notify.whispered)
    assert house.value == 40
    house.office.switches.on = False
    await house.bot.undo(house.click("URESPONDER", KEY, click_id="started again"))
    assert await house.ended() == "undone"
    assert house.value == 41


async def test_a_responder_of_any_environment_stops_and_only_an_administrator_starts(
    make: Make,
) -> None:
    house = make()
    assert (await house.bot.command("E1", THREAD, "URESPONDER", "stop storm")).mark is Mark.STOPPED
    assert house.office.switches.on
    for user in ("URESPONDER", "UAPPROVER", "UGUEST", "UBOT"):
        notice = await house.bot.command("E2", THREAD, user, "start")
        assert notice.mark is Mark.REFUSED
    assert house.office.switches.on
    assert house.office.audited("refused") == 4
    assert (await house.bot.command("E3", THREAD, "UADMIN", "start")).mark is Mark.DONE
    assert not house.office.switches.on


async def test_what_made_it_worse_is_demoted_and_the_channel_is_told(make: Make) -> None:
    house = make(outcomes=[Outcome.WORSE])
    await approved(house)
    assert await house.ended() == "worse"
    assert house.office.levels.granted["prod", "set_number", "*"] is Level.L1
    (told,) = [n for key, n in house.notify.said if key == f"demoted:{ID}"]
    assert told.text.startswith("set number in prod is at L1 now, it was at L3: ")


async def test_without_an_action_it_is_watched_whether_it_goes_away(make: Make) -> None:
    house = make(outcomes=[Outcome.RECOVERED])
    await house.offer(Level.L1)
    assert await house.ended() == "suggested"
    assert await house.ended(f"{ID}-w") == "recovered"
    assert house.records.observed[ID][1].outcome is Outcome.RECOVERED
    assert house.office.writes == []


async def test_what_somebody_changed_by_hand_did_not_go_away_alone(make: Make) -> None:
    house = make()
    await house.offer(Level.L3)
    await house.shown(CardState.WAITING)
    await house.bot.reject(house.click())
    house.office.cluster.objects["checkout"].value = 40
    await house.ended()
    await house.ended(f"{ID}-w")
    assert house.records.observed == {}


async def test_a_wrong_verdict_makes_what_was_done_false(make: Make) -> None:
    house = make()
    await approved(house)
    await house.until(lambda: house.office.actions.verifications)
    guest = await house.bot.judge(house.click("UGUEST", "inv-1"), Judgement.WRONG)
    assert guest.mark is Mark.REFUSED
    assert house.office.levels.granted["prod", "set_number", "*"] is Level.L3
    await house.bot.judge(house.click("UOBSERVER", "inv-1"), Judgement.WRONG)
    assert house.office.levels.granted["prod", "set_number", "*"] is Level.L1
    await house.until(lambda: house.notify.said)
    assert [key for key, _ in house.notify.said] == ["demoted:inv-1:set_number"]


async def test_an_earned_level_is_offered_to_administrators_and_granted_by_one(
    make: Make,
) -> None:
    house = make()
    house.office.level(Level.L1)
    for number in range(10):
        proposal = house.office.proposal(id=f"i{number}-p1", investigation_id=f"i{number}")
        await house.office.gateway().stage(proposal)
        house.incidents.reports[f"i{number}"] = REPORT
        await house.bot.judge(house.click("URESPONDER", f"i{number}"), Judgement.RIGHT)
    await house.until(lambda: house.notify.promotions)
    ((thread, offered),) = house.notify.promotions
    assert (thread.channel, offered.level) == ("UADMIN", Level.L2)
    assert house.office.levels.granted["prod", "set_number", "*"] is Level.L1
    refused = await house.bot.grant(house.click("UAPPROVER", offered.id), 0)
    assert refused.mark is Mark.REFUSED
    assert await house.bot.offered(offered.id) == offered
    granted = await house.bot.grant(house.click("UADMIN", offered.id), 0)
    assert granted.text == "set number in prod is at L2 now."
    assert house.office.levels.granted["prod", "set_number", "*"] is Level.L2
    shown = await house.bot.command("E9", THREAD, "UOBSERVER", "levels")
    assert shown.text.startswith("prod · set number · L2: 10 proposed")
    assert (await house.bot.decline(house.click("UADMIN", offered.id))).mark is Mark.REFUSED
