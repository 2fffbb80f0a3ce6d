"""A team is told of each of its weeks once, whatever crashes, and of a missed one later, once."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.domain.conversation import Notice, Thread
from bot.domain.errors import Permanent, Unavailable
from bot.domain.kpis import DigestPlan, Facts, FactSource
from bot.domain.people import Role
from bot.domain.time import Clock, Window
from bot.reports.digest import Digest
from bot.reports.refusals import way_out
from bot.storage.database import Database
from bot.storage.kpis import KpiFacts
from bot.storage.migrate import upgrade
from bot.workflows.digest_refused import DigestRefused
from bot.workflows.digesting import Digesting
from bot.workflows.engine import Engine
from tests.fakes.clockwork import DrivenTime
from tests.fakes.quarter import keep, quarter
from tests.fakes.reckoning import figures
from tests.unit.storage.test_kpis import given

PATIENCE_S = 20.0
PARIS = ZoneInfo("Europe/Paris")
SHOP = DigestPlan(channel="C0SHOP", zone="Europe/Paris")


@dataclass
class Wall(Clock):
    """The wall as the driven time shows it."""

    time: DrivenTime

    def now(self) -> datetime:
        return self.time.at

    def wall_seconds(self, seconds: float) -> float:
        return seconds


@dataclass
class Channel:
    """Takes a digest for each (channel, week) once, as Slack with the outbox does."""

    told: dict[tuple[str, datetime], Digest] = field(default_factory=dict)
    calls: int = 0
    pictures: int = 0
    down: int = 0  # calls in a row that fail first
    said: dict[str, tuple[str, str]] = field(default_factory=dict)  # key → to whom, what
    left: frozenset[str] = frozenset()  # people who cannot be written to
    before: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None

    async def digest(self, place: Thread, digest: Digest, picture: bytes) -> None:
        assert place.ts == ""
        self.calls += 1
        self.before()
        if self.down > 0:
            self.down -= 1
            raise Unavailable("Slack", "no answer")
        self.pictures += picture.startswith(b"\x89PNG")
        self.told.setdefault((place.channel, digest.week.end), digest)
        self.after()

    async def say(self, thread: Thread, notice: Notice, *, key: str) -> None:
        if thread.channel in self.left:
            raise Permanent("Slack refused chat.postMessage: user_not_found")
        self.said.setdefault(key, (thread.channel, notice.text))


async def administrators(role: Role, environment: str) -> Sequence[tuple[str, str]]:
    assert role is Role.ADMINISTRATOR
    return {"": [("T1", "UADMIN")], "prod": [("T1", "UADMIN"), ("T1", "UOTHER")]}[environment]


class Died(BaseException):
    """Stands for the end of the process inside of a step."""


@dataclass
class Team:
    """Digests of some channels on a clock that the test drives; the bot can be restarted."""

    folder: Path
    plans: tuple[DigestPlan, ...] = (SHOP,)
    time: DrivenTime = field(default_factory=DrivenTime)
    channel: Channel = field(default_factory=Channel)
    facts: FactSource | None = None

    def open(self) -> None:
        self.engine = Engine(
            f"sqlite:///{self.folder / 'journal.sqlite'}",
            executor_id="test", poll_s=0.01, time=self.time,
        )  # fmt: skip
        for plan in self.plans:
            digesting = Digesting(
                plan=plan, facts=self.facts or Nothing(), notify=self.channel, wall=Wall(self.time),
                refused=DigestRefused(notify=self.channel, holders=administrators),
            )  # fmt: skip
            self.engine.schedule(f"digest:{plan.channel}", plan.cron, plan.zone, digesting.body)
        self.engine.launch()

    async def known(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            for plan in self.plans:
                await self.engine.known_since(f"digest:{plan.channel}")

    async def told(self, count: int) -> None:
        """Wait until so many digests were told and nothing is left to do."""
        await until(lambda: len(self.channel.told) >= count)
        await self.idle()
        await self.engine._schedules.serve()
        await self.idle()
        assert len(self.channel.told) == count

    async def idle(self) -> None:
        """Wait until no workflow runs."""
        async with asyncio.timeout(PATIENCE_S):
            while await self.engine.unfinished():  # noqa: ASYNC110 - the journal tells nobody
                await asyncio.sleep(0.01)

    async def restart(self) -> None:
        self.engine.close()
        self.open()

    @property
    def weeks(self) -> list[str]:
        """The first days of the weeks that were told, in the zone of each."""
        return [
            f"{d.week.start.astimezone(ZoneInfo(d.zone)):%m-%d %H:%M}"
            for d in self.channel.told.values()
        ]


async def until(holds: Callable[[], bool]) -> None:
    """Wait until it holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - a list tells nobody
            await asyncio.sleep(0.01)


class Nothing:
    """Nothing ever happened."""

    async def facts(self, span: Window) -> Facts:
        return Facts()


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    team = Team(tmp_path)
    team.open()
    await team.known()
    yield team
    team.engine.close()


async def test_thirteen_weeks_are_told_once_each_and_every_figure_is_right(
    team: Team, tmp_path: Path
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite'}")
    upgrade(database.engine)
    first = date(2026, 3, 2)
    stories = quarter(11, PARIS, first + timedelta(days=91), busy=10, empty=(5,))
    keep(database, stories)
    team.facts = KpiFacts(database)
    await team.restart()
    for week in range(1, 14):
        team.time.advance(days=7)
        if week % 4 == 0:
            await team.restart()
        await team.told(week)
    for number, made in enumerate(team.channel.told.values()):
        days = first + timedelta(days=7 * number), first + timedelta(days=7 * number + 7)
        assert figures(stories, days, PARIS, made.made_at) == given(made.week)
        assert made.made_at.astimezone(PARIS).date() == days[1]
    assert team.channel.calls == 13
    database.close()


async def test_after_a_week_down_it_is_made_up_for_once(team: Team) -> None:
    team.engine.close()
    team.time.advance(days=9)
    team.open()
    await team.told(1)
    await team.restart()
    await team.told(1)
    assert team.weeks == ["03-02 00:00"]


async def test_after_weeks_down_the_newest_is_told_and_says_how_many_were_not(team: Team) -> None:
    team.engine.close()
    team.time.advance(days=23)
    team.open()
    await team.told(1)
    (made,) = team.channel.told.values()
    assert (team.weeks, made.missed) == (["03-16 00:00"], 2)


async def test_a_death_before_or_after_the_post_tells_it_once(team: Team) -> None:
    def die() -> None:
        raise Died

    team.channel.before = die
    team.time.advance(days=7)
    await until(lambda: team.channel.calls == 1)
    team.engine.close()
    team.channel.before, team.channel.after = lambda: None, die
    team.open()
    await until(lambda: team.channel.calls == 2)
    team.engine.close()
    team.channel.after = lambda: None
    team.open()
    await team.told(1)


async def test_figures_that_were_reckoned_stay_though_slack_answers_later(team: Team) -> None:
    team.channel.down = 2
    team.time.advance(days=7)
    due = team.time.at
    await team.told(1)
    (made,) = team.channel.told.values()
    assert (team.channel.calls, made.made_at) == (3, due)


async def test_a_channel_that_is_gone_ends_it_and_the_next_week_is_tried_again(team: Team) -> None:
    refuse(team, "channel_not_found")
    team.time.advance(days=7)
    await until(lambda: team.channel.calls == 1)
    await team.idle()
    team.channel.before = lambda: None
    team.time.advance(days=7)
    await team.told(1)
    assert team.weeks == ["03-09 00:00"]


async def test_channels_in_several_zones_are_told_at_their_own_monday_morning(
    team: Team,
) -> None:
    team.engine.close()
    zones = ("Asia/Tokyo", "Europe/Paris", "America/New_York")
    team.plans = tuple(DigestPlan(channel=f"C{n}", zone=z) for n, z in enumerate(zones))
    team.time.set(datetime(2026, 3, 22, 12, tzinfo=UTC))  # a Sunday; Paris changes on the 29th
    team.open()
    await team.known()
    told: list[str] = []
    for hours, count in ((12, 1), (8, 2), (5, 3), (155, 4), (7, 5), (6, 6)):
        team.time.advance(hours=hours)
        await team.told(count)
        told.append(f"{list(team.channel.told)[-1][0]} {team.time.at:%m-%d %H}")
    assert told == [
        "C0 03-23 00", "C1 03-23 08", "C2 03-23 13", "C0 03-30 00", "C1 03-30 07", "C2 03-30 13",
    ]  # fmt: skip


async def test_an_empty_history_has_no_picture(team: Team) -> None:
    team.time.advance(days=7)
    await team.told(1)
    assert team.channel.pictures == 0


def refuse(team: Team, code: str) -> None:
    def refused() -> None:
        raise Permanent(f"Slack refused chat.postMessage: {code}")

    team.channel.before = refused


async def test_administrators_hear_once_a_month_where_the_bot_is_missing(team: Team) -> None:
    refuse(team, "not_in_channel")
    for week in range(1, 4):  # the weeks that end on the 9th, 16th and 23rd of March
        team.time.advance(days=7)
        await until(lambda week=week: team.channel.calls == week)  # type: ignore[misc]
        await team.idle()
    ((who, text),) = team.channel.said.values()
    assert who == "UADMIN"
    assert text == (
        "The weekly digest of <#C0SHOP> was not posted: I am not in that channel: invite me there "
        "with `/invite @sre-bot`. To read it now: `sre-bot digest --preview --channel C0SHOP`."
    )
    assert await team.engine.failed(team.time.at) == ()


async def test_the_administrators_of_what_it_is_about_hear_of_it_also_when_one_has_left(
    team: Team,
) -> None:
    team.engine.close()
    team.plans = (replace(SHOP, environments=("prod",)),)
    team.channel.left = frozenset({"UADMIN"})
    team.open()
    refuse(team, "is_archived")
    team.time.advance(days=7)
    await until(lambda: team.channel.calls == 1)
    await team.idle()
    assert [who for who, _ in team.channel.said.values()] == ["UOTHER"]


@pytest.mark.parametrize(
    ("refusal", "says"),
    [
        ("Slack refused chat.postMessage: not_in_channel", "/invite @sre-bot"),
        ("Slack refused chat.postMessage: channel_not_found", "correct it under `digests:`"),
        ("Slack refused chat.postMessage: msg_blocks_too_long", "(msg_blocks_too_long)"),
        ("", "(no reason)"),
        ("<!channel> *x* " + "a_" * 500, "(no reason)"),
        ("x_" + "y" * 500, "(x_yyy"),
    ],
)
def test_a_refusal_is_told_with_its_way_out_and_has_no_power(refusal: str, says: str) -> None:
    told = way_out(refusal)
    assert says in told
    assert len(told) < 200
    assert "<!" not in told


@pytest.mark.parametrize(
    ("about", "known", "hear"),
    [
        ((), ("prod", "stage"), ["UADMIN", "UOTHER", "USTAGE"]),  # all there is
        ((), (), ["UADMIN"]),
        (("prod",), ("prod", "stage"), ["UADMIN", "UOTHER"]),
    ],
)
async def test_a_digest_of_all_environments_is_told_to_the_administrators_of_each_once(
    about: tuple[str, ...], known: tuple[str, ...], hear: list[str]
) -> None:
    async def holders(role: Role, environment: str) -> Sequence[tuple[str, str]]:
        if environment == "stage":
            return [("T1", "UADMIN"), ("T1", "USTAGE")]
        return await administrators(role, environment)

    channel = Channel()
    refused = DigestRefused(notify=channel, holders=holders, environments=known)
    await refused.tell(replace(SHOP, environments=about), "is_archived", datetime.now(UTC))
    assert sorted(who for who, _ in channel.said.values()) == hear
