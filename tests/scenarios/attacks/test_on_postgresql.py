"""The attacks that a database decides, on PostgreSQL: two replicas, and the audit read by SQL."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.domain.action import Level
from bot.storage.database import Database
from bot.storage.migrate import upgrade
from tests.scenarios.attacks.desk import AttackedDesk, desk_of, refusals
from tests.scenarios.attacks.test_attacks import CLICKS, SPOILED, offered_and_approved
from tests.unit.remediation.office import ID, KEY
from tests.unit.slack.fakes import FakeSlack

pytestmark = pytest.mark.integration
SAMPLE = (
    "without the role", "by the requester", "by a guest", "forged value: SQL",
    "other message's button", "expired", "after /sre stop", "after a rejection",
)  # fmt: skip
PAST = ("the target changed", "the approval was used before", "/sre stop")


@pytest.fixture
async def replicas(postgres_url: str) -> AsyncIterator[list[AttackedDesk]]:
    """Two replicas of the bot: each its own connections, one workspace, one world."""
    databases = [Database(postgres_url), Database(postgres_url)]
    upgrade(databases[0].engine)
    slack = FakeSlack()
    await slack.start()
    desks = [desk_of(slack, database) for database in databases]
    await desks[0].prepare()
    desks[1].office.cluster, desks[1].journal = desks[0].office.cluster, desks[0].journal
    desks[1].office.clock = desks[0].office.clock
    desks[1].restart()
    yield desks
    for database in databases:
        database.close()
    await slack.stop()


@pytest.mark.parametrize("name", SAMPLE)
async def test_a_click_is_refused_and_audited(replicas: list[AttackedDesk], name: str) -> None:
    desk, other = replicas
    attack, said = CLICKS[name]
    await attack(desk)
    assert said in desk.told
    assert refusals(desk), "and every replica reads it"
    assert refusals(other) == refusals(desk)
    assert (await other.execute()).refused
    assert desk.office.writes == []
    assert await other.office.audit.check() is None


@pytest.mark.parametrize("name", PAST)
async def test_an_approval_is_worth_nothing_after(replicas: list[AttackedDesk], name: str) -> None:
    desk, other = replicas
    spoil, said = SPOILED[name]
    await desk.offer()
    await desk.click("U0APPROVER")
    spoiled = spoil(desk)
    if spoiled is not None:
        await spoiled
    assert said in (await other.execute()).why
    assert desk.office.writes == []
    assert refusals(desk)


async def test_double_clicked_within_ten_ms_on_two_replicas_acts_once(
    replicas: list[AttackedDesk],
) -> None:
    desk, other = replicas
    await desk.offer()
    click = desk.button("U0APPROVER")
    await asyncio.gather(desk.deliver(click), other.deliver(click))
    await asyncio.gather(desk.execute(), other.execute())
    assert desk.office.writes == [(KEY, "checkout", 40)]
    assert len(await other.office.actions.decisions(ID)) == len(desk.journal.sent) == 1
    assert [(actor, "counts once" in said) for actor, said in refusals(desk)] == [
        ("U0APPROVER", True)
    ]
    assert await desk.office.audit.check() is None


async def test_two_approvers_within_ten_ms_on_two_replicas_act_once(
    replicas: list[AttackedDesk],
) -> None:
    desk, other = replicas
    await desk.offer()
    await asyncio.gather(
        desk.deliver(desk.button("U0APPROVER")), other.deliver(desk.button("U0SECOND"))
    )
    await asyncio.gather(desk.execute(), other.execute())
    assert desk.office.writes == [(KEY, "checkout", 40)]


async def test_small_actions_on_two_replicas_at_one_moment_add_up(
    replicas: list[AttackedDesk],
) -> None:
    desk, other = replicas
    desk.office.cluster.pods, desk.office.cluster.total = 4, 10
    names = [await offered_and_approved(desk, number) for number in range(10)]
    acted = await asyncio.gather(
        *(replicas[n % 2].gateway.execute(name) for n, name in enumerate(names))
    )
    assert len(desk.office.writes) == 6, "six times 4 % is 24 %"
    assert sum(a.refused for a in acted) == len(refusals(other)) == 4


async def test_one_that_may_act_alone_acts_once_on_two_replicas(
    replicas: list[AttackedDesk],
) -> None:
    desk, other = replicas
    await desk.offer(Level.L4)
    await asyncio.gather(*(d.execute() for d in (desk, other, desk, other)))
    assert desk.office.writes == [(KEY, "checkout", 40)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET text = 'x'",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "INSERT INTO audit SELECT * FROM audit ON CONFLICT (id) DO UPDATE SET text = 'x'",
    ],
)
async def test_the_audit_is_read_only(replicas: list[AttackedDesk], statement: str) -> None:
    desk, _ = replicas
    await desk.offer()
    before = await desk.office.audit.lines()
    engine = desk.office.database.engine
    with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
        connection.execute(text(statement))
    assert await desk.office.audit.lines() == before
