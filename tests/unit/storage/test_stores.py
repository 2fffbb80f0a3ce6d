"""The stores keep what the ports promise, on every database."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.action import (
    ActionCall,
    BreakGlass,
    Choice,
    Decision,
    Execution,
    ExecutionStatus,
    Level,
    Outcome,
    Proposal,
    Target,
    Verification,
    VerificationPlan,
)
from bot.domain.conversation import Judgement, PersonVerdict, Thread
from bot.domain.errors import Unavailable
from bot.domain.people import ANYWHERE, Role
from bot.domain.ports import AuditEntry, Posted
from bot.domain.time import ScaledClock
from bot.storage.actions import Actions
from bot.storage.audit import AuditLog
from bot.storage.database import Database
from bot.storage.incidents import Incidents
from bot.storage.outbox import Messages
from bot.storage.people import LevelGrant, Levels, People
from bot.storage.switches import Switches
from tests.unit.remediation.office import FakeClock

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
THREAD = Thread(team="T1", channel="C1", ts="1.000")
CALL = ActionCall(action="restart", environment="prod", arguments={"name": "web"})
TARGET = Target(
    environment="prod", kind="Deployment", namespace="shop", name="web", uid="u", spec_hash="s",
    service="", replicas=2,
)  # fmt: skip


def proposal(identifier: str = "p1") -> Proposal:
    return Proposal(
        id=identifier, investigation_id="inv-1", call=CALL, title="Restart web", reason="leak",
        runbook="leak", trade_off="", confidence=0.9, cause="memory_leak", novel=False,
        requester="sre-bot",
        verification=VerificationPlan(signal=None, threshold=0.5, window_s=600.0),
    )  # fmt: skip


def decision(identifier: str = "d1") -> Decision:
    return Decision(
        id=identifier, proposal_id="p1", choice=Choice.APPROVE, actor_id="U1", team="T1",
        role="approver", at=NOW, reason="", call_digest=CALL.digest, target_uid="u", spec_hash="s",
        diff_hash="d", expires_at=NOW + timedelta(minutes=30),
    )  # fmt: skip


def execution(key: str = "p1-x") -> Execution:
    return Execution(
        key=key, proposal_id="p1", call=CALL, status=ExecutionStatus.INTENDED, actor_id="U1",
        started_at=NOW,
    )  # fmt: skip


async def test_an_unknown_user_holds_no_role_and_an_unknown_action_is_at_l1(
    database: Database,
) -> None:
    clock = ScaledClock(origin=NOW)
    assert await People(database).roles_of("T1", "U1", "prod") == frozenset()
    assert await Levels(database, clock).level_of("prod", "restart", "web") is Level.L1


async def test_roles_hold_where_they_were_granted(database: Database) -> None:
    people = People(database)
    await people.grant("T1", "U1", Role.APPROVER, environment="staging", by="U9", at=NOW)
    await people.grant("T1", "U1", Role.RESPONDER, environment="", by="U9", at=NOW)
    assert await people.roles_of("T1", "U1", "staging") == {Role.APPROVER, Role.RESPONDER}
    assert await people.roles_of("T1", "U1", "prod") == {Role.RESPONDER}
    assert await people.roles_of("T2", "U1", "prod") == frozenset()
    await people.revoke("T1", "U1", Role.RESPONDER, environment="")
    assert await people.roles_of("T1", "U1", "prod") == frozenset()


async def test_the_lowest_level_that_applies_wins_and_an_expired_one_does_not_count(
    database: Database,
) -> None:
    levels = Levels(database, ScaledClock(origin=NOW))
    past = NOW - timedelta(days=300)

    async def grant(service: str, level: Level, expires_at: datetime | None = None) -> None:
        await levels.grant(
            LevelGrant(
                environment="prod",
                action="restart",
                level=level,
                by="U9",
                reason="r",
                service=service,
                expires_at=expires_at,
            )
        )

    await grant("", Level.L4)
    await grant("web", Level.L2)
    await grant("old", Level.L1, past)
    assert await levels.level_of("prod", "restart", "web") is Level.L2
    assert await levels.level_of("prod", "restart", "other") is Level.L4
    assert await levels.level_of("prod", "restart", "old") is Level.L4
    assert await levels.level_of("dev", "restart", "web") is Level.L1


async def test_an_expired_level_falls_back_to_what_held_before(database: Database) -> None:
    clock = FakeClock(moment=NOW)
    levels = Levels(database, clock)

    async def grant(level: Level, days: int = 0, service: str = "") -> Level:
        until = clock.moment + timedelta(days=days) if days else None
        await levels.grant(
            LevelGrant(
                environment="prod", action="restart", level=level, by="U9", reason="r",
                service=service, expires_at=until,
            )
        )  # fmt: skip
        return await levels.level_of("prod", "restart", "web")

    assert await grant(Level.L3, days=7) is Level.L3
    clock.pass_(8 * 86400)
    assert await levels.level_of("prod", "restart", "web") is Level.L1
    assert await grant(Level.L2) is Level.L2
    assert await grant(Level.L4, days=7) is Level.L4
    assert await grant(Level.L3, days=1) is Level.L3
    clock.pass_(2 * 86400)
    assert await levels.level_of("prod", "restart", "web") is Level.L4
    granted = await levels.held("prod", "restart", "")
    assert granted is not None
    assert granted.fallback is Level.L4


async def test_roles_are_found_in_any_place_and_their_holders(database: Database) -> None:
    people = People(database)
    await people.grant("T1", "U1", Role.RESPONDER, environment="staging", by="U9", at=NOW)
    await people.grant("T1", "U2", Role.RESPONDER, environment="", by="U9", at=NOW)
    assert await people.roles_of("T1", "U1", ANYWHERE) == {Role.RESPONDER}
    assert await people.roles_of("T1", "U1", "") == frozenset()
    assert await people.holders(Role.RESPONDER, "prod") == (("T1", "U2"),)
    assert await people.holders(Role.RESPONDER, "staging") == (("T1", "U1"), ("T1", "U2"))


async def test_a_decision_is_taken_once_and_used_once(database: Database) -> None:
    actions = Actions(database)
    await actions.save_proposal(proposal())
    taken = await asyncio.gather(*(actions.add_decision(decision()) for _ in range(8)))
    assert sorted(taken) == [False] * 7 + [True]
    used = await asyncio.gather(*(actions.use_decisions(["d1"]) for _ in range(4)))
    assert sorted(used) == [False] * 3 + [True]
    assert [d.used for d in await actions.decisions("p1")] == [True]
    assert not await actions.use_decisions(["d1", "unknown"])


async def test_the_same_key_is_intended_once(database: Database) -> None:
    actions = Actions(database)
    await actions.save_proposal(proposal())
    assert await actions.proposal("p1") == proposal()
    await actions.intend(execution())
    await actions.finish("p1-x", ExecutionStatus.APPLIED, "done")
    again = await actions.intend(execution())
    assert again.status is ExecutionStatus.APPLIED
    assert again.detail == "done"
    assert await actions.execution("other") is None
    assert await actions.actions_since("prod", NOW - timedelta(hours=1)) == 1
    assert await actions.actions_since("prod", NOW + timedelta(hours=1)) == 0


async def test_the_track_record_counts_verified_executions(database: Database) -> None:
    actions = Actions(database)
    await actions.save_proposal(proposal())
    await actions.intend(execution())
    assert not await actions.verified_before(CALL, TARGET)
    verification = Verification(
        execution_key="p1-x", outcome=Outcome.RECOVERED, statement="p99 0.2 s", value=0.2,
        checked_at=NOW,
    )  # fmt: skip
    await actions.save_verification(verification)
    await actions.save_verification(verification)
    assert await actions.verification("p1-x") == verification
    await actions.finish("p1-x", ExecutionStatus.APPLIED, "done")
    assert not await actions.verified_before(CALL, TARGET), "nobody approved it"
    await actions.add_decision(decision())
    assert not await actions.verified_before(CALL, TARGET), "on what it was is not known"
    await actions.save_proposal(replace(proposal(), target=TARGET))
    assert await actions.verified_before(CALL, TARGET)
    assert await actions.verified_before(replace(CALL, arguments={"revision": 7}), TARGET)
    assert not await actions.verified_before(CALL, replace(TARGET, name="cart"))
    assert not await actions.verified_before(replace(CALL, environment="dev"), TARGET)
    assert not await actions.verified_before(replace(CALL, action="scale"), TARGET)
    assert await actions.track_record("prod", "restart", "") == (1, 1)


async def test_what_is_under_way_may_still_hold_something_down(database: Database) -> None:
    actions = Actions(database)
    hour_ago = NOW - timedelta(hours=1)

    async def ids() -> set[str]:
        return {p.id for p in await actions.under_way("prod", hour_ago)}

    for name in ("p1", "p2", "p3", "p4", "p5"):
        await actions.save_proposal(proposal(name))
        await actions.intend(replace(execution(f"{name}-x"), proposal_id=name))
    assert await ids() == {"p1", "p2", "p3", "p4", "p5"}
    outcomes = {"p1": Outcome.RECOVERED, "p2": Outcome.WORSE, "p5": Outcome.UNCHANGED}
    for name, outcome in outcomes.items():
        await actions.save_verification(
            Verification(
                execution_key=f"{name}-x", outcome=outcome, statement="", value=None, checked_at=NOW
            )
        )
    await actions.finish("p3-x", ExecutionStatus.UNDONE, "")
    assert await ids() == {"p2", "p4"}
    assert await actions.under_way("dev", hour_ago) == ()
    assert await actions.under_way("prod", NOW + timedelta(hours=1)) == ()


async def test_a_rejection_is_remembered_first_that_of_the_same_incident(
    database: Database,
) -> None:
    actions, incidents = Actions(database), Incidents(database)
    for number, channel in enumerate(("C1", "C2", "C1"), 1):
        thread = replace(THREAD, channel=channel)
        await incidents.open_investigation(f"inv-{number}", thread, "U1", "slow", NOW)
        made = replace(proposal(f"p{number}"), investigation_id=f"inv-{number}")
        await actions.save_proposal(made)
    assert await actions.rejected_before(proposal("p3")) is None
    for number, minutes in ((1, 0), (2, 5)):
        await actions.add_decision(
            replace(
                decision(f"d{number}"), proposal_id=f"p{number}", choice=Choice.REJECT,
                reason=f"reason {number}", at=NOW + timedelta(minutes=minutes),
            )
        )  # fmt: skip
    found = await actions.rejected_before(replace(proposal("p3"), investigation_id="inv-3"))
    assert found is not None
    assert (found.here, found.decision.reason, found.proposal.id) == (True, "reason 1", "p1")
    elsewhere = await actions.rejected_before(replace(proposal("p9"), investigation_id="inv-9"))
    assert elsewhere is not None
    assert (elsewhere.here, elsewhere.decision.reason) == (False, "reason 2")


async def test_break_glass_is_kept_per_proposal(database: Database) -> None:
    actions = Actions(database)
    await actions.save_proposal(proposal())
    assert await actions.break_glass("p1") is None
    declared = BreakGlass(
        proposal_id="p1", team="T1", user="U1", reason="alone", at=NOW,
        expires_at=NOW + timedelta(minutes=15),
    )  # fmt: skip
    await actions.declare(declared)
    assert await actions.break_glass("p1") == declared


async def test_one_holder_at_a_time_has_a_target(database: Database) -> None:
    actions = Actions(database)
    later = NOW + timedelta(minutes=10)
    got = await asyncio.gather(
        *(actions.lock("prod/web", holder=f"x{n}", until=later, now=NOW) for n in range(6))
    )
    assert sum(got) == 1
    holder = await actions.locked_by("prod/web", NOW)
    assert holder == f"x{got.index(True)}"
    await actions.unlock("prod/web", holder="somebody else")
    assert await actions.locked_by("prod/web", NOW) == holder
    assert await actions.locked_by("prod/web", later) is None
    assert await actions.lock("prod/web", holder="next", until=later, now=later)


async def became(
    database: Database, outcome: Outcome, name: str = "p1", action: str = "restart"
) -> None:
    """Have a proposal executed, and watched with that outcome."""
    actions = Actions(database)
    made = replace(proposal(name), call=replace(CALL, action=action))
    await actions.save_proposal(made)
    await actions.intend(replace(execution(f"{name}-x"), proposal_id=name, call=made.call))
    verification = Verification(
        execution_key=f"{name}-x", outcome=outcome, statement="", value=None, checked_at=NOW
    )
    await actions.settle(verification, NOW, failure=outcome is not Outcome.RECOVERED)


async def test_failures_in_a_row_open_the_breaker_and_a_success_closes_it(
    database: Database,
) -> None:
    switches = Switches(database)
    await became(database, Outcome.WORSE, "p1")
    assert not await switches.breaker_open("prod", "restart")
    await became(database, Outcome.WORSE, "p2")
    assert await switches.breaker_open("prod", "restart")
    assert not await switches.breaker_open("prod", "scale")
    await became(database, Outcome.RECOVERED, "p3")
    assert not await switches.breaker_open("prod", "restart")
    await switches.open_breaker("prod", "restart", NOW)
    assert await switches.breaker_open("prod", "restart")
    await became(database, Outcome.RECOVERED, "p4")
    for action in ("a", "b", "c", "d"):
        await became(database, Outcome.UNCHANGED, f"p-{action}", action=action)
    assert await switches.breaker_open("dev", "scale")


async def test_what_a_crash_makes_run_again_counts_once_for_the_breaker(
    database: Database,
) -> None:
    actions, switches = Actions(database), Switches(database)
    for _ in range(2):
        await became(database, Outcome.WORSE)
    assert [row.failures for row in await switches.breakers()] == [1, 1]
    for _ in range(2):
        await actions.fail("p1-x", "the API said no", NOW)
    assert [row.failures for row in await switches.breakers()] == [2, 2]
    found = await actions.execution("p1-x")
    assert found is not None
    assert (found.status, found.detail) == (ExecutionStatus.FAILED, "the API said no")


async def test_a_breaker_that_is_opened_twice_counts_one_failure_more(database: Database) -> None:
    switches = Switches(database)
    await became(database, Outcome.UNCHANGED)
    for _ in range(2):
        await switches.open_breaker("prod", "restart", NOW)
    assert await switches.breaker_open("prod", "restart")
    counts = {(row.environment, row.action): row.failures for row in await switches.breakers()}
    assert counts == {("prod", "restart"): 2, ("*", "*"): 2}


async def test_the_kill_switch_stays_as_it_was_left(database: Database) -> None:
    switches = Switches(database)
    assert not await switches.stopped()
    await switches.set_stopped(True, by="U1", reason="storm", at=NOW)
    assert await Switches(database).stopped()
    await switches.set_stopped(False, by="U9", reason="over", at=NOW)
    assert not await switches.stopped()


async def test_the_audit_is_a_chain_also_with_many_writers(database: Database) -> None:
    audit = AuditLog(database)
    entry = AuditEntry(
        at=NOW, actor="U1", event="ruled", environment="prod", subject="p1", text="allowed"
    )
    await asyncio.gather(*(audit.write(entry) for _ in range(12)))
    assert len(await audit.entries()) == 12
    assert await audit.check() is None


async def test_a_message_is_intended_once_and_found_again(database: Database) -> None:
    outbox = Messages(database)
    assert await outbox.begin("head:inv-1", "C1") is None
    assert await outbox.begin("head:inv-1", "C1") == Posted(
        key="head:inv-1", channel="C1", ts="", digest=""
    )
    posted = Posted(key="head:inv-1", channel="C1", ts="2.0", digest="x")
    await outbox.finish(posted)
    assert await outbox.begin("head:inv-1", "C1") == posted
    assert await outbox.by_key("head:inv-1") == posted
    assert await outbox.by_key("head:inv-2") is None


async def test_an_investigation_is_opened_once_and_known_by_its_thread(database: Database) -> None:
    incidents = Incidents(database)
    for _ in range(2):
        await incidents.open_investigation("inv-1", THREAD, "U1", "why is web slow", NOW)
    await incidents.open_investigation("inv-2", THREAD, "U1", "and now", NOW + timedelta(minutes=1))
    assert await incidents.investigation_of(THREAD) == "inv-2"
    assert await incidents.thread_of("inv-1") == THREAD
    assert [row.id for row in await incidents.recent(10)] == ["inv-2", "inv-1"]
    await incidents.save_verdict(
        PersonVerdict(
            investigation_id="inv-1", user="U1", judgement=Judgement.RIGHT, comment="", at=NOW
        )
    )
    assert await incidents.report("inv-1") is None


async def test_a_database_that_is_gone_is_unavailable_and_says_so() -> None:
    database = Database("postgresql+psycopg://bot@127.0.0.1:1/none")
    with pytest.raises(Unavailable, match="database"):
        await Switches(database).stopped()
    database.close()
