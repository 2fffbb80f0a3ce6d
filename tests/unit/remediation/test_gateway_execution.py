"""Acting: ruled again at the moment, exactly once, and honest about what is certain."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.action import (
    ActionCall,
    Choice,
    Execution,
    ExecutionStatus,
    Level,
    Outcome,
    Verification,
)
from bot.domain.errors import Permanent, Refused, SreBotError, Unavailable
from bot.remediation.verification import Move
from tests.unit.remediation.office import ID, KEY, START, UNDO, Office

APPLIED, FAILED, UNCERTAIN = (
    ExecutionStatus.APPLIED,
    ExecutionStatus.FAILED,
    ExecutionStatus.UNCERTAIN,
)


async def approved(level: Level = Level.L3) -> Office:
    office = Office()
    await office.staged_at(level)
    await office.approve()
    return office


@pytest.mark.parametrize("level", [Level.L2, Level.L3])
async def test_it_acts_once_approved(level: Level) -> None:
    office = await approved(level)
    acted = await office.execute()
    assert acted.execution is not None
    assert acted.execution.status is APPLIED
    assert office.writes == [(KEY, "checkout", 40)]
    assert all(d.used for d in office.actions.by_id.values())
    assert [e.event for e in office.audit.entries] == ["ruled", "decided", "executing", "executed"]


async def test_production_is_not_touched_until_a_person_approves() -> None:
    office = Office()
    await office.staged_at(Level.L3)
    acted = await office.execute()
    assert acted.refused
    assert "(rule prod-approver)" in acted.why
    assert office.writes == []
    assert office.actions.locks == {}


async def test_at_level_four_it_acts_by_itself() -> None:
    office = Office()
    await office.staged_at(Level.L4)
    await office.execute()
    assert len(office.writes) == 1


async def test_at_level_one_nothing_acts() -> None:
    office = await approved()
    office.level(Level.L1)
    assert (await office.execute()).refused
    assert office.writes == []


def stop(office: Office) -> None:
    office.switches.on = True


def lower(office: Office) -> None:
    office.level(Level.L1)


def expire(office: Office) -> None:
    office.clock.pass_(901)


def change_target(office: Office) -> None:
    office.cluster.objects["checkout"].value = 42


def replace_target(office: Office) -> None:
    office.cluster.objects["checkout"].uid = "uid-2"


def widen(office: Office) -> None:
    office.cluster.pods, office.cluster.total = 10, 1


def fail_dry_run(office: Office) -> None:
    office.cluster.dry_run_ok = False


def hold(office: Office) -> None:
    until = office.clock.now() + timedelta(hours=1)
    office.actions.locks["prod/Number/shop/checkout"] = ("somebody", until)


def become_bot(office: Office) -> None:
    office.cluster.objects["checkout"].is_bot_itself = True


def forge_binding(office: Office) -> None:
    for key, decision in office.actions.by_id.items():
        office.actions.by_id[key] = replace(decision, diff_hash="other")


def replay(office: Office) -> None:
    for key, decision in office.actions.by_id.items():
        office.actions.by_id[key] = replace(decision, used=True)


def swap_call(office: Office) -> None:
    proposal = office.actions.proposals[ID]
    call = ActionCall(
        action="set_number", environment="prod", arguments={"name": "checkout", "value": 0}
    )
    office.actions.proposals[ID] = replace(proposal, call=call)


def many_before(office: Office) -> None:
    call = office.actions.proposals[ID].call
    for n in range(30):
        office.actions.executions[f"e{n}"] = Execution(
            key=f"e{n}",
            proposal_id="p",
            call=call,
            status=APPLIED,
            actor_id="sre-bot",
            started_at=office.clock.now(),
        )


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (stop, "rule kill-switch"),
        (lower, "no rule allows this at L1"),
        (expire, "The approval has expired"),
        (change_target, "the target changed since it was approved"),
        (replace_target, "the target changed since it was approved"),
        (fail_dry_run, "rule dry-run-failed"),
        (hold, "rule target-held"),
        (become_bot, "rule never-itself"),
        (forge_binding, "was for something else"),
        (replay, "rule prod-approver"),
        (swap_call, "no longer what was approved"),
        (many_before, "rule blast-thirty-an-hour"),
    ],
)
async def test_what_changed_after_the_approval_refuses_and_is_audited(
    spoil: Callable[[Office], None], said: str
) -> None:
    office = await approved()
    spoil(office)
    acted = await office.execute()
    assert acted.refused
    assert said in acted.why + (acted.ruling.words if acted.ruling else "")
    assert office.writes == []
    assert office.audited("refused") == 1


@pytest.mark.parametrize("spoil", ["freeze", "breaker", "novel", "unsure", "stateful"])
async def test_autonomy_stops_where_an_approval_passes(spoil: str) -> None:
    office = Office()
    changes: dict[str, object] = {"novel": spoil == "novel"}
    if spoil == "freeze":
        office.switches.freezes.append(("prod", START, START + timedelta(days=1)))
    if spoil == "breaker":
        office.switches.failures["prod", "set_number"] = 2
    if spoil == "unsure":
        changes["confidence"] = 0.5
    office.cluster.objects["checkout"].stateful = spoil == "stateful"
    await office.staged_at(Level.L4, **changes)
    assert (await office.execute()).refused
    assert office.writes == []
    assert (await office.approve()).accepted
    await office.execute()
    assert len(office.writes) == 1


async def test_an_oversized_blast_radius_is_never_offered() -> None:
    office = Office()
    office.cluster.pods, office.cluster.total = 30, 10  # 30 % of the fleet
    office.cluster.pods = 10
    staged = await office.staged_at(Level.L4)
    assert staged.ruling.verdict.value == "approval"
    assert "autonomy-blast-production" in staged.ruling.words


async def test_a_held_target_can_be_tried_again_when_it_is_given_back() -> None:
    office = await approved()
    hold(office)
    assert (await office.execute()).refused
    office.actions.locks.clear()
    await office.execute()
    assert len(office.writes) == 1


async def test_nothing_is_done_when_the_audit_is_down() -> None:
    office = await approved()
    office.audit.down = True
    with pytest.raises(Unavailable):
        await office.execute()
    assert office.writes == []
    assert office.actions.executions == {}
    assert office.actions.locks == {}
    office.audit.down = False
    await office.execute()
    assert len(office.writes) == 1


async def test_two_workers_with_one_proposal_act_once() -> None:
    office = await approved()
    await asyncio.gather(*(office.execute() for _ in range(5)))
    assert len(office.writes) == 1


async def test_executing_again_returns_what_is_there() -> None:
    office = await approved()
    first = await office.execute()
    assert (await office.execute()).execution == first.execution
    assert len(office.writes) == 1


class Killed(BaseException):
    """kill -9 right after a call took effect."""


def killer(at: int) -> Callable[[str], None]:
    calls = 0

    def after(name: str) -> None:
        nonlocal calls
        calls += 1
        if calls == at:
            raise Killed(name)

    return after


async def crash_and_rerun(office: Office, step: str, at: int) -> bool:
    """Run a step, killed after its at-th call, then run it again. False: it has fewer calls."""
    method, argument = {"execute": ("execute", ID), "undo": ("undo", KEY)}[step]
    try:
        await getattr(office.gateway(killer(at)), method)(argument)
    except Killed:
        await getattr(office.gateway(), method)(argument)
        return True
    return False


async def test_killed_anywhere_while_executing_it_acts_exactly_once() -> None:
    for at in range(1, 100):
        office = await approved()
        if not await crash_and_rerun(office, "execute", at):
            break
        assert office.writes == [(KEY, "checkout", 40)], at
        assert office.actions.executions[KEY].status is APPLIED
        assert office.actions.proposals[ID].applied is not None
    assert at > 15


async def test_killed_anywhere_while_undoing_it_undoes_exactly_once() -> None:
    for at in range(1, 100):
        office = await approved()
        await office.execute()
        if not await crash_and_rerun(office, "undo", at):
            break
        assert office.writes == [(KEY, "checkout", 40), (UNDO, "checkout", 41)], at
        assert office.actions.executions[UNDO].status is APPLIED
        assert office.actions.executions[KEY].status is ExecutionStatus.UNDONE
    assert at > 10


async def test_killed_while_deciding_the_click_counts_once() -> None:
    for at in range(1, 100):
        office = Office()
        await office.staged_at(Level.L3)
        click = office.click("UAPPROVER")
        try:
            await office.gateway(killer(at)).decide(ID, click, Choice.APPROVE)
            break
        except Killed:
            again = await office.gateway().decide(ID, click, Choice.APPROVE)
        assert again.accepted
        assert again.complete
        assert len(office.actions.by_id) == 1
    assert at > 3


async def test_stopped_between_crash_and_restart_it_does_not_act() -> None:
    office = await approved()
    names: list[str] = []

    def after(name: str) -> None:
        names.append(name)
        if name == "use_decisions":
            raise Killed

    with pytest.raises(Killed):
        await office.gateway(after).execute(ID)
    assert "intend" in names
    office.switches.on = True
    acted = await office.execute()
    assert "(rule kill-switch)" in acted.why
    assert office.writes == []
    assert office.actions.executions[KEY].status is FAILED


async def test_a_stop_between_the_ruling_and_the_act_is_heeded() -> None:
    office = await approved()

    def stop_late(name: str) -> None:
        if name == "write" and office.audit.entries[-1].event == "executing":
            office.switches.on = True

    acted = await office.gateway(stop_late).execute(ID)
    assert "(rule kill-switch)" in acted.why
    assert office.writes == []
    assert office.actions.locks == office.actions.executions == {}
    assert office.audited("refused") == 1
    office.switches.on = False
    assert (await office.execute()).execution is not None  # the approval was not used up


async def test_a_lost_answer_is_read_back() -> None:
    office = await approved()
    office.cluster.lost_answer = True
    acted = await office.execute()
    assert acted.execution is not None
    assert acted.execution.status is APPLIED
    assert acted.execution.detail.endswith("I read the object back: checkout is at 40")


async def test_a_lost_answer_that_cannot_be_read_back_is_uncertain_then_settled() -> None:
    office = await approved()
    office.cluster.lost_answer = office.cluster.blind_after = True
    acted = await office.execute()
    assert acted.execution is not None
    assert acted.execution.status is UNCERTAIN
    assert "could not be read back" in acted.execution.detail
    with pytest.raises(Unavailable):
        await office.execute()
    office.cluster.down = False
    await office.execute()
    assert office.actions.executions[KEY].status is APPLIED
    assert len(office.writes) == 1


async def test_a_lost_call_is_uncertain_and_safe_to_repeat() -> None:
    office = await approved()
    office.cluster.lost_call = True
    acted = await office.execute()
    assert acted.execution is not None
    assert acted.execution.status is UNCERTAIN
    assert "no trace of it so far" in acted.execution.detail
    office.cluster.lost_call = False
    await office.execute()
    assert office.actions.executions[KEY].status is APPLIED
    assert office.writes == [(KEY, "checkout", 40)]


@pytest.mark.parametrize(
    ("error", "failures"),
    [(Refused("forbidden: patch deployments"), 0), (Permanent("it is broken"), 1)],
)
async def test_a_failure_is_recorded_and_only_real_ones_count_for_the_breaker(
    error: SreBotError, failures: int
) -> None:
    office = await approved()
    office.cluster.refuses = error
    acted = await office.execute()
    assert acted.execution is not None
    assert acted.execution.status is FAILED
    assert str(error) in acted.why
    assert office.switches.failures.get(("prod", "set_number"), 0) == failures


async def test_an_undo_restores_what_was_there() -> None:
    office = await approved()
    await office.execute()
    acted = await office.gateway().undo(KEY)
    assert acted.execution is not None
    assert acted.execution.is_undo
    assert office.cluster.objects["checkout"].value == 41
    assert office.actions.executions[KEY].status is ExecutionStatus.UNDONE
    assert office.audited("undone") == 1


async def test_an_undo_passes_a_demotion_and_a_freeze() -> None:
    office = await approved()
    await office.execute()
    office.level(Level.L1)
    office.switches.freezes.append(("", START, START + timedelta(days=1)))
    await office.gateway().undo(KEY)
    assert office.cluster.objects["checkout"].value == 41


async def test_a_stopped_bot_asks_a_person_for_the_undo() -> None:
    office = await approved()
    await office.execute()
    office.switches.on = True
    acted = await office.gateway().undo(KEY)
    assert "a person has to decide" in acted.why
    assert office.cluster.objects["checkout"].value == 40


async def test_what_somebody_changed_since_is_not_undone() -> None:
    office = await approved()
    await office.execute()
    office.cluster.objects["checkout"].value = 43
    acted = await office.gateway().undo(KEY)
    assert "changed since I acted" in acted.why
    assert office.cluster.objects["checkout"].value == 43


@pytest.mark.parametrize(("user", "done"), [("URESPONDER", True), ("UOBSERVER", False)])
async def test_who_may_click_undo(user: str, done: bool) -> None:
    office = await approved()
    await office.execute()
    acted = await office.gateway().undo(KEY, office.click(user, subject=KEY))
    assert acted.refused is not done
    assert (UNDO in office.actions.executions) is done


async def test_an_irreversible_action_has_no_undo() -> None:
    office = Office()
    call = replace(office.proposal().call, action="burn")
    await office.staged_at(Level.L3, call=call)
    await office.approve()
    await office.execute()
    assert "cannot be taken back" in (await office.gateway().undo(KEY)).why
    assert len(office.writes) == 1


@pytest.mark.parametrize("key", ["nothing", ID, UNDO])
async def test_an_undo_of_nothing_is_refused(key: str) -> None:
    office = await approved()
    assert (await office.gateway().undo(key)).refused


async def test_an_undo_that_fails_counts_for_the_breaker() -> None:
    office = await approved()
    await office.execute()
    office.cluster.refuses = Refused("forbidden")
    acted = await office.gateway().undo(KEY)
    assert acted.refused
    assert office.switches.failures["prod", "set_number"] == 1


async def test_the_target_stays_held_until_it_is_released() -> None:
    office = await approved()
    await office.execute()
    assert len(office.actions.locks) == 1
    await office.gateway().release(KEY)
    assert office.actions.locks == {}


@pytest.mark.parametrize(
    ("outcome", "move", "failures"),
    [
        (Outcome.RECOVERED, Move.KEEP, 0),
        (Outcome.WORSE, Move.UNDO, 1),
        (Outcome.UNCHANGED, Move.UNDO, 1),
        (Outcome.NO_DATA, Move.UNDO, 1),
    ],
)
async def test_an_outcome_is_recorded_counted_and_says_what_follows(
    outcome: Outcome, move: Move, failures: int
) -> None:
    office = await approved()
    await office.execute()
    verification = Verification(
        execution_key=KEY, outcome=outcome, statement="p99 4 s", value=4.0, checked_at=START
    )
    for _ in range(2):  # a crash may come after all is written
        following = await office.gateway().settle(verification)
        assert following.move is move
    assert office.actions.verifications[KEY] == verification
    assert office.switches.failures.get(("prod", "set_number"), 0) == failures


async def test_secrets_do_not_reach_the_audit() -> None:
    office = Office()
    await office.staged_at(Level.L3)
    gateway = office.gateway(redact=lambda text: text.replace("because", "***"))
    await gateway.decide(ID, office.click("UAPPROVER"), Choice.APPROVE)
    assert "***" in office.audit.entries[-1].text
    assert not any("because" in entry.text for entry in office.audit.entries)
