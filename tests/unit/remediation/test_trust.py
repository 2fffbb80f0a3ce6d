"""Trust over real stores: demoted at once, offered when earned, granted by an administrator."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.action import Execution, ExecutionStatus, Level, Outcome
from bot.domain.conversation import Judgement, PersonVerdict, Thread
from bot.domain.people import Actor, ActorKind, Role
from bot.domain.trust import Promotion
from bot.remediation.track_record import record_of
from bot.remediation.trust import GrantRequest, Trust
from bot.storage.incidents import Incidents
from bot.storage.migrate import prepared
from bot.storage.people import People
from tests.unit.remediation.sql_office import SqlOffice

ADMIN = Actor(id="UADMIN", team="T1", kind=ActorKind.PERSON, roles=frozenset({Role.ADMINISTRATOR}))
NOBODY = Actor(id="UAPPROVER", team="T1", kind=ActorKind.PERSON, roles=frozenset({Role.APPROVER}))
GUEST = Actor(id="UG", team="T1", kind=ActorKind.GUEST, roles=frozenset({Role.ADMINISTRATOR}))


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[SqlOffice]:
    database = prepared(f"sqlite:///{tmp_path}/bot.sqlite")
    yield SqlOffice(database=database)
    database.close()


def trust(office: SqlOffice) -> Trust:
    assert office.trust is not None
    return office.trust


async def level(office: SqlOffice, service: str = "checkout") -> Level:
    found: Level = await office.levels.level_of("prod", "set_number", service)
    return found


async def earned(office: SqlOffice) -> Promotion:
    """Return the offer of L3, earned with twenty runs and five like cases left alone."""
    await office.grant(Level.L2)
    for number in range(5):
        await office.left_alone(number, Outcome.UNCHANGED)
    for number in range(20):
        await office.recorded(number)
    office.clock.pass_(7200)
    promotion = await trust(office).review("prod", "set_number")
    assert promotion is not None
    return promotion


async def test_what_made_it_worse_is_demoted_at_once_and_audited(office: SqlOffice) -> None:
    await office.grant(Level.L4)
    following = await office.ran(1, Outcome.WORSE)
    assert await level(office) is Level.L1
    assert following.demoted is not None
    assert (following.demoted.before, following.demoted.after) == (Level.L4, Level.L1)
    (entry,) = await office.events("level_changed")
    assert json.loads(entry.details) == {"before": 4, "after": 1}
    assert entry.actor == "sre-bot"
    again = await office.gateway().settle(office.verified("inv-1-p1-x", Outcome.WORSE))
    assert again.demoted == following.demoted, "a step that runs twice says the same"
    assert len(await office.events("level_changed")) == 1


async def test_a_demotion_holds_for_every_service_and_beats_the_level_of_all_actions(
    office: SqlOffice,
) -> None:
    await office.grant(Level.L4, "*")
    await office.ran(1, Outcome.WORSE)
    assert {await level(office, name) for name in ("", "checkout", "other")} == {Level.L1}
    assert await office.levels.level_of("prod", "burn", "") is Level.L4


async def test_what_a_person_marks_wrong_is_false_and_demoted(office: SqlOffice) -> None:
    await office.grant(Level.L3)
    await office.ran(1)
    (change,) = await trust(office).marked_wrong("inv-1", "<@U1>")
    assert change.before is Level.L3
    assert await level(office) is Level.L1
    assert await trust(office).marked_wrong("inv-of-others", "<@U1>") == ()


@pytest.mark.parametrize("outcome", [Outcome.UNCHANGED, Outcome.NO_DATA, Outcome.RECOVERED])
async def test_what_merely_did_not_help_is_not_false(office: SqlOffice, outcome: Outcome) -> None:
    await office.grant(Level.L3)
    assert (await office.ran(1, outcome)).demoted is None
    assert await level(office) is Level.L3


async def test_a_promotion_is_offered_once_and_never_taken(office: SqlOffice) -> None:
    promotion = await earned(office)
    assert promotion.level is Level.L3
    assert "20 verified" in promotion.evidence
    assert "alone 0 of 5" in promotion.evidence
    assert await level(office) is Level.L2, "offered is not granted"
    assert await trust(office).review("prod", "set_number") == promotion
    assert len(await office.events("promotion_offered")) == 1


async def test_an_administrator_grants_with_a_reason_and_an_expiry(office: SqlOffice) -> None:
    promotion = await earned(office)
    request = GrantRequest(promotion_id=promotion.id, reason="agreed on Monday", days=7)
    granted = await trust(office).grant(request, ADMIN)
    assert granted.why == ""
    assert await level(office) is Level.L3
    (entry,) = await office.events("level_changed")
    assert (entry.actor, "agreed on Monday" in entry.text) == ("UADMIN", True)
    assert json.loads(entry.details) == {"before": 2, "after": 3}
    assert (await trust(office).grant(request, ADMIN)).change is None, "an offer is used once"
    office.clock.moment += timedelta(days=8)
    assert await level(office) is Level.L2


@pytest.mark.parametrize(
    ("actor", "reason", "days", "said"),
    [
        (NOBODY, "because", 0, "only an administrator"),
        (GUEST, "because", 0, "only an administrator"),
        (ADMIN, "  ", 0, "a reason is needed"),
        (ADMIN, "because", -1, "1 to 365 days"),
        (ADMIN, "because", 10_000, "1 to 365 days"),
    ],
)
async def test_who_and_what_is_not_granted(
    office: SqlOffice, actor: Actor, reason: str, days: int, said: str
) -> None:
    promotion = await earned(office)
    request = GrantRequest(promotion_id=promotion.id, reason=reason, days=days)
    assert said in (await trust(office).grant(request, actor)).why
    assert await level(office) is Level.L2
    assert [e.actor for e in await office.events("refused")] == [actor.id]


@pytest.mark.parametrize("forged", ["promotion:prod:set_number:99", "", "'; drop table"])
async def test_a_forged_offer_is_refused_and_audited(office: SqlOffice, forged: str) -> None:
    granted = await trust(office).grant(GrantRequest(promotion_id=forged, reason="x"), ADMIN)
    assert "no such offer" in granted.why
    assert len(await office.events("refused")) == 1


async def test_an_offer_that_is_no_longer_earned_is_closed(office: SqlOffice) -> None:
    promotion = await earned(office)
    await office.ran(99, Outcome.WORSE)
    granted = await trust(office).grant(
        GrantRequest(promotion_id=promotion.id, reason="quick"), ADMIN
    )
    assert granted.change is None
    assert await level(office) is Level.L1


async def test_a_declined_offer_rests_for_a_month(office: SqlOffice) -> None:
    promotion = await earned(office)
    assert await trust(office).decline(promotion.id, NOBODY)
    assert await trust(office).decline(promotion.id, ADMIN) == ""
    assert await trust(office).review("prod", "set_number") is None
    office.clock.moment += timedelta(days=31)
    again = await trust(office).review("prod", "set_number")
    assert again is not None
    assert again.id != promotion.id


async def test_verdicts_count_from_who_holds_a_role_and_wrong_from_anybody(
    office: SqlOffice,
) -> None:
    incidents, people = Incidents(office.database), People(office.database)
    now = office.clock.now()
    await people.grant("T1", "UR", Role.RESPONDER, environment="", by="U9", at=now)
    verdicts = {0: ("UR", Judgement.RIGHT), 1: ("U0", Judgement.RIGHT), 2: ("U0", Judgement.WRONG)}
    for number in range(4):
        await office.left_alone(number, Outcome.UNCHANGED)
        thread = Thread(team="T1", channel="C1", ts=f"{number}.0")
        await incidents.open_investigation(f"alone-{number}", thread, "U1", "slow", now)
        if number in verdicts:
            user, judgement = verdicts[number]
            await incidents.save_verdict(
                PersonVerdict(
                    investigation_id=f"alone-{number}", user=user, judgement=judgement,
                    comment="", at=now,
                )
            )  # fmt: skip
    record = await trust(office).record("prod", "set_number")
    assert (record.right, record.wrong) == (1, 1)


async def test_records_are_not_pooled_over_environments(office: SqlOffice) -> None:
    await earned(office)
    assert (await trust(office).record("staging", "set_number")).proposals == 0
    assert (await trust(office).record("prod", "set_number", "other")).proposals == 0
    (standing,) = await trust(office).standings()
    assert (standing.level, standing.following) == (Level.L2, Level.L3)
    assert standing.lacks == ()


async def test_what_a_person_asked_for_earns_nothing_and_is_no_diagnosis_to_judge(
    office: SqlOffice,
) -> None:
    await office.grant(Level.L3)
    await office.recorded(1)
    asked = office.proposal(id="req-1-p1", investigation_id="inv-1", requester="U1")
    await office.actions.save_proposal(asked)
    await office.actions.intend(
        Execution(
            key="req-1-p1-x", proposal_id="req-1-p1", call=asked.call, actor_id="sre-bot",
            status=ExecutionStatus.APPLIED, started_at=office.clock.now(),
        )
    )  # fmt: skip
    await office.actions.save_verification(office.verified("req-1-p1-x", Outcome.RECOVERED))
    runs = await office.records.runs("prod", "set_number")
    found = record_of(runs, await office.records.baseline("prod", ()))
    assert (found.executions, found.verified) == (1, 1)
    assert [p.id for p in await office.records.carried_out("inv-1")] == ["inv-1-p1"]
