"""The bot's own database is never a target, wherever in the cluster it runs."""

from dataclasses import replace

import pytest

from bot.domain.action import Level, Target
from bot.domain.errors import Transient, Unavailable
from bot.remediation.own import Own, own_database
from tests.unit.remediation.office import Office

TARGET = Target(
    environment="prod", kind="StatefulSet", namespace="data", name="postgres", uid="u",
    spec_hash="s", service="", replicas=1,
)  # fmt: skip
THERE = Own(name="postgres", namespace="data")


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("postgresql+psycopg://bot@postgres.data.svc.cluster.local/bot", THERE),
        ("postgresql+psycopg://bot:secret@postgres.data:5432/bot", THERE),
        ("postgresql://postgres/bot", Own(name="postgres")),
        ("postgresql://bot@127.0.0.1:5432/bot", Own()),
        ("postgresql://bot@[::1]:5432/bot", Own()),
        ("postgresql://bot@localhost/bot", Own()),
        ("postgresql://bot@db.abc.eu-west-1.example.com/bot", Own()),
        ("sqlite:////data/sre-bot.sqlite", Own()),
        ("postgresql://[broken/bot", Own()),
        ("", Own()),
    ],
)
def test_the_host_tells_where_the_database_is(url: str, own: Own) -> None:
    assert own_database(url) == own


@pytest.mark.parametrize(
    ("held", "changes"),
    [
        (True, {}),
        (True, {"kind": "Pod", "name": "postgres-0"}),
        (True, {"kind": "PersistentVolumeClaim", "name": "data-postgres-0"}),
        (True, {"kind": "Pod", "name": "pg-7d9", "service": "postgres"}),
        (False, {"namespace": "shop"}),
        (False, {"name": "postgres-exporter"}),
        (False, {"name": "orders-postgres"}),
    ],
)
def test_what_belongs_to_it(held: bool, changes: dict[str, str]) -> None:
    assert THERE.holds(replace(TARGET, **changes)) is held
    assert not Own().holds(replace(TARGET, **changes))


@pytest.mark.parametrize("level", [Level.L3, Level.L4])
async def test_nothing_is_done_to_it_at_any_level(level: Level) -> None:
    office = Office(own=Own(name="checkout", namespace="shop"))
    staged = await office.staged_at(level)
    assert "never acts on itself" in staged.why
    assert not (await office.approve()).accepted
    assert (await office.execute()).refused
    assert office.writes == []


class OwnThreads:
    """Knows which investigations are about the bot; the database may be away."""

    def __init__(self, *investigations: str) -> None:
        self.investigations = investigations
        self.down = False

    async def about_itself(self, investigation_id: str) -> bool:
        if self.down:
            raise Unavailable("database", "gone")
        return investigation_id in self.investigations


@pytest.mark.parametrize("level", list(Level))
async def test_nothing_is_done_in_an_incident_about_the_bot_at_any_level(level: Level) -> None:
    office = Office(own_incidents=OwnThreads("inv-1"))
    staged = await office.staged_at(level)
    assert staged.ruling.denied
    assert "never acts on itself" in staged.why
    assert not (await office.approve()).accepted
    assert (await office.execute()).refused
    assert office.writes == []


async def test_what_became_its_own_incident_after_the_approval_is_not_done_either() -> None:
    own = OwnThreads()
    office = Office(own_incidents=own)
    await office.staged_at(Level.L3)
    assert (await office.approve()).accepted
    own.investigations = ("inv-1",)
    assert (await office.execute()).refused
    assert office.writes == []


async def test_nothing_is_done_while_it_cannot_be_known_whose_incident_it_is() -> None:
    own = OwnThreads()
    office = Office(own_incidents=own)
    await office.staged_at(Level.L4)
    own.down = True
    with pytest.raises(Transient):
        await office.execute()
    assert office.writes == []


async def test_another_incident_is_seen_to_as_ever() -> None:
    office = Office(own_incidents=OwnThreads("inv-2"))
    await office.staged_at(Level.L4)
    assert (await office.execute()).execution is not None
    assert len(office.writes) == 1
