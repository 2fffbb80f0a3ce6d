"""Freeze windows over the real store: administrators set and lift them, and it is on record."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.action import Level
from bot.domain.conversation import Mark, Notice, Thread
from bot.domain.people import Actor, ActorKind, Role
from bot.domain.policy import Verdict
from bot.storage.migrate import prepared
from bot.workflows.freezing import Freezing
from tests.unit.remediation.sql_office import SqlOffice

THREAD = Thread(team="T1", channel="C1", ts="")
ROLES = {"UADMIN": Role.ADMINISTRATOR, "UAPPROVER": Role.APPROVER}


class FakePeople:
    """Two people with a role everywhere."""

    async def actor(self, team: str, user: str, environment: str) -> Actor:
        held = frozenset({ROLES[user]}) if user in ROLES else frozenset[Role]()
        return Actor(id=user, team=team, kind=ActorKind.PERSON, roles=held)


@dataclass
class Room:
    """Freezing, and the office whose proposals it holds back."""

    office: SqlOffice

    def __post_init__(self) -> None:
        self.freezing = Freezing(
            freezes=self.office.switches, people=FakePeople(), audit=self.office.audit,
            clock=self.office.clock, environments=self.office.environments(),
        )  # fmt: skip

    async def freeze(self, words: str, user: str = "UADMIN", key: str = "cmd-1") -> Notice:
        return await self.freezing.freeze(key, THREAD, user, words)

    async def ids(self) -> list[str]:
        return [f.id for f in await self.office.switches.freezes(self.office.clock.now())]


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    database = prepared(f"sqlite:///{tmp_path}/bot.sqlite")
    yield Room(SqlOffice(database=database))
    database.close()


async def test_a_freeze_takes_autonomy_away_until_its_end(room: Room) -> None:
    room.office.calibrated = True
    said = await room.freeze("prod for 4h because we release")
    assert said.mark is Mark.STOPPED
    assert "we release" in said.text
    staged = await room.office.staged_at(Level.L4)
    assert staged.ruling.verdict is Verdict.APPROVAL
    assert "freeze" in {r.rule.removeprefix("guard:") for r in staged.ruling.reasons}
    room.office.clock.pass_(4 * 3600)
    assert not await room.office.switches.frozen("prod", room.office.clock.now())
    assert await room.ids() == []


async def test_only_an_administrator_sets_and_lifts_one(room: Room) -> None:
    said = await room.freeze("prod for 4h because we release", "UAPPROVER")
    assert (said.mark, said.text) == (Mark.REFUSED, "Not frozen: only an administrator may.")
    assert await room.ids() == []
    await room.freeze("prod for 4h because we release")
    (name,) = await room.ids()
    said = await room.freezing.lift(THREAD, "UAPPROVER", f"{name} because I want to")
    assert said.mark is Mark.REFUSED
    assert [e.actor for e in await room.office.events("refused")] == ["UAPPROVER", "UAPPROVER"]
    assert await room.office.switches.frozen("prod", room.office.clock.now())


async def test_it_is_lifted_with_a_reason_and_stays_on_record(room: Room) -> None:
    await room.freeze("all for 4h because of a move")
    (name,) = await room.ids()
    assert "Why?" in (await room.freezing.lift(THREAD, "UADMIN", name)).text
    assert "Which freeze?" in (await room.freezing.lift(THREAD, "UADMIN", "f000000 x")).text
    room.office.clock.pass_(60)
    said = await room.freezing.lift(THREAD, "UADMIN", f"{name} because it is done")
    assert said.mark is Mark.DONE
    assert not await room.office.switches.frozen("prod", room.office.clock.now())
    kept = await room.office.switches.freeze(name)
    assert kept is not None
    assert round(kept.window.seconds) == 60
    (entry,) = await room.office.events("freeze_lifted")
    assert (entry.actor, entry.text, entry.subject) == ("UADMIN", "it is done", name)


async def test_one_ahead_is_shown_and_lifted_before_it_begins(room: Room) -> None:
    now = room.office.clock.now()
    begins = (now + timedelta(days=3)).strftime("%Y-%m-%d %H:%M")
    await room.freeze(f"prod from {begins} for 2h because a change")
    assert await room.freezing.on() == ()
    shown = (await room.freezing.shown()).text
    assert "a change" in shown
    (name,) = await room.ids()
    assert name in shown
    await room.freezing.lift(THREAD, "UADMIN", f"{name} because called off")
    room.office.clock.pass_(3 * 86_400 + 3600)
    assert not await room.office.switches.frozen("prod", room.office.clock.now())


async def test_a_retry_of_the_command_sets_no_second_one(room: Room) -> None:
    for _ in range(2):
        await room.freeze("prod for 4h because we release")
    assert len(await room.ids()) == 1
    assert len(await room.office.events("frozen")) == 1


async def test_a_place_that_is_not_there_is_said_so(room: Room) -> None:
    said = await room.freeze("mars for 4h because of dust")
    assert "mars" in said.text
    assert await room.ids() == []
    assert "No freeze is on" in (await room.freezing.shown()).text
