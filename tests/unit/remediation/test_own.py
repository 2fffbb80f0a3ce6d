"""The bot's own database is never a target, wherever in the cluster it runs."""

from dataclasses import replace

import pytest

from bot.domain.action import Level, Target
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
