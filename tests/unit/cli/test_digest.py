"""`sre-bot digest --preview`: the week as its channel would be told of it."""

import asyncio
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from PIL import Image
from pydantic import SecretStr

from bot.app.digest import checked, schedule_digests
from bot.app.health import _digests
from bot.app.serving import assemble
from bot.cli.company import INCIDENT_CHANNEL, Company, Plan
from bot.domain.environment import Environment, Tier
from bot.domain.errors import NotConfigured
from bot.domain.kpis import DigestPlan
from bot.domain.people import Role
from bot.domain.time import ScaledClock
from bot.reports.trend import WIDTH
from bot.sandbox.workspace.records import App
from bot.settings import Settings, load_environments, load_file
from bot.slack.notifier import SlackNotifier
from bot.storage.database import Database
from bot.storage.kpis import KpiFacts
from bot.storage.migrate import prepared, upgrade
from bot.storage.outbox import Messages
from bot.storage.people import People
from bot.workflows.digest_refused import DigestRefused
from bot.workflows.digesting import Digesting
from bot.workflows.engine import Engine
from tests.fakes.quarter import keep, quarter
from tests.fakes.team_week import busy, digest_of
from tests.fakes.workspace import running_workspace
from tests.unit.cli.conftest import Run
from tests.unit.workflows.test_digesting import Channel

PROD = Environment(name="prod", tier=Tier.PRODUCTION, namespaces=("shop",))
FILE = """
environments:
- {name: prod, tier: production, namespaces: [shop]}
digests:
- {channel: C0SHOP, zone: Europe/Paris, environments: [prod]}
- {channel: C0WEB, zone: Asia/Tokyo, cron: "30 10 * * 5", services: [search]}
"""


@pytest.fixture
def configured(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = home / "environments.yaml"
    path.write_text(FILE)
    monkeypatch.setenv("SRE_BOT_ENVIRONMENTS", str(path))
    return path


@pytest.fixture
def lived(home: Path) -> None:
    database = Database(f"sqlite:///{home / 'sre-bot.sqlite'}")
    upgrade(database.engine)
    keep(database, quarter(3, ZoneInfo("Europe/Paris"), date(2026, 3, 30)))
    database.close()


@pytest.mark.usefixtures("lived", "configured")
def test_the_preview_shows_the_week_and_writes_its_picture(sre_bot: Run, home: Path) -> None:
    picture = home / "trend.png"
    said = sre_bot("digest", "--preview", "--until", "2026-03-30", "--picture", str(picture))
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0] == "Week 13, 23 to 29 Mar · prod"
    assert "incidents, " in lines[1]
    assert {"How fast", "What I did", "Causes"} <= set(lines)
    assert lines[-1].endswith("docs/kpis.md. Weeks begin at midnight, Europe/Paris.")
    with Image.open(picture) as image:
        assert image.width == WIDTH


@pytest.mark.usefixtures("lived", "configured")
def test_the_preview_is_of_the_channel_zone_and_scope_that_are_asked_for(sre_bot: Run) -> None:
    until = ("--preview", "--until", "2026-03-30")
    web = sre_bot("digest", *until, "--channel", "C0WEB").out
    assert web.startswith("Week 13, 23 to 29 Mar · search\n")
    assert "Asia/Tokyo" in web
    staging = sre_bot("digest", *until, "--env", "staging", "--zone", "UTC").out
    assert staging.startswith("Week 13, 23 to 29 Mar · staging\n")


def test_an_empty_database_is_a_quiet_week(sre_bot: Run) -> None:
    said = sre_bot("digest", "--preview")
    assert said.code == 0
    assert "Nothing happened" in said.out


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ((), "--preview"),
        (("--preview", "--zone", "Mars/Olympus"), "no time zone 'Mars/Olympus'"),
        (("--preview", "--channel", "C0ELSE"), "there are: C0SHOP, C0WEB"),
        (("--preview", "--until", "soon"), "soon"),
    ],
)
@pytest.mark.usefixtures("configured")
def test_what_cannot_be_shown_is_said(sre_bot: Run, options: tuple[str, ...], says: str) -> None:
    said = sre_bot("digest", *options)
    assert said.code == 2
    assert says in said.err


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        (DigestPlan(channel="", zone="UTC"), "no channel: each digest needs a channel"),
        (DigestPlan(channel="C1", zone="Nowhere"), "C1: not a known time zone"),
        (DigestPlan(channel="C1", zone="UTC", cron="soon"), "C1: not a cron expression"),
        (DigestPlan(channel="C1", zone="UTC", environments=("prd",)), "no environment 'prd'"),
    ],
)
def test_a_wrong_plan_is_refused_by_what_is_wrong(plan: DigestPlan, says: str) -> None:
    with pytest.raises(NotConfigured, match=says):
        checked((plan,), (PROD,))


def test_two_digests_of_one_channel_are_refused() -> None:
    plan = DigestPlan(channel="C1", zone="UTC")
    with pytest.raises(NotConfigured, match="a channel of its own"):
        checked((plan, plan), (PROD,))


@pytest.mark.parametrize(
    ("line", "says"),
    [("{zone: UTC}", "missing channel"), ("{channel: C1, zone: UTC, at: Monday}", "unknown at")],
)
def test_a_misspelt_digest_is_refused_by_field(configured: Path, line: str, says: str) -> None:
    configured.write_text(f"environments: []\ndigests: [{line}]\n")
    with pytest.raises(NotConfigured, match=says):
        load_file(configured)


def test_digests_are_beside_the_environments(configured: Path) -> None:
    assert [p.channel for p in load_file(configured).digests] == ["C0SHOP", "C0WEB"]
    assert [e.name for e in load_environments(configured)] == ["prod"]


@pytest.mark.usefixtures("configured")
def test_every_configured_channel_is_scheduled_and_a_wrong_time_is_named(
    home: Path, configured: Path
) -> None:
    database = Database(f"sqlite:///{home / 'sre-bot.sqlite'}")
    wall = ScaledClock(origin=datetime(2026, 1, 1, tzinfo=UTC))
    engine = Engine(f"sqlite:///{home / 'journal.sqlite'}", executor_id="t")
    try:
        schedule_digests(Settings(), engine, database, Channel(), wall)
        assert set(engine._schedules._schedules) == {"digest:C0SHOP", "digest:C0WEB"}
        configured.write_text(FILE.replace("C0WEB", "C0BAD").replace("C0SHOP", "C0ELSE")
                              .replace("30 10 * * 5", "at noon"))  # fmt: skip
        with pytest.raises(NotConfigured, match="digest of C0BAD: not a cron expression"):
            schedule_digests(Settings(), engine, database, Channel(), wall)
    finally:
        engine.close()
        database.close()


async def test_the_doctor_says_when_a_channel_is_told_next_and_where_the_bot_is_missing(
    home: Path,
) -> None:
    path = home / "environments.yaml"
    digests = "".join(f"- {{channel: {c}, zone: Asia/Tokyo}}\n" for c in ("C0SHOP", "C0NOWHERE"))
    path.write_text(f"environments: []\ndigests:\n{digests}")
    async with running_workspace() as workspace:
        settings = Settings(
            environments=path, slack_bot_token=SecretStr(App().bot_token),
            slack_base_url=f"{workspace.url}/slack/api/",
        )  # fmt: skip
        told, missing = await _digests(settings)
        workspace.workspace.channels["C0SHOP"] = replace(
            workspace.workspace.channels["C0SHOP"], members=frozenset()
        )
        gone, _ = await _digests(settings)
    assert told.state == "ok"
    assert re.fullmatch(r"next \d{4}-\d\d-\d\d 09:00 Asia/Tokyo", told.words)
    assert (missing.state, "I see no such channel" in missing.words) == ("wrong", True)
    assert (gone.state, "I am not in that channel: invite me" in gone.words) == ("wrong", True)
    (away, _) = await _digests(settings)
    assert (away.state, "it is not known: Slack" in away.words) == ("wrong", True)


@pytest.mark.usefixtures("configured")
async def test_the_preview_says_if_the_channel_would_not_take_it(
    sre_bot: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_workspace() as workspace:
        monkeypatch.setenv("SRE_BOT_SLACK_BOT_TOKEN", App().bot_token)
        monkeypatch.setenv("SRE_BOT_SLACK_BASE_URL", f"{workspace.url}/slack/api/")
        said = await asyncio.to_thread(sre_bot, "digest", "--preview")
        assert (said.code, said.err) == (0, "")
        said = await asyncio.to_thread(sre_bot, "digest", "--preview", "--channel", "C0WEB")
    assert said.code == 0
    assert "Nothing happened" in said.out
    assert said.err.startswith("It would not be posted: I see no such channel")


async def test_an_administrator_gets_one_direct_message_when_the_bot_is_missing(
    home: Path,
) -> None:
    database = prepared(f"sqlite:///{home / 'bot.sqlite'}")
    people, now = People(database), datetime(2026, 11, 23, tzinfo=UTC)
    await people.grant("T1", "U0ADMIN", Role.ADMINISTRATOR, environment="", by="t", at=now)
    async with running_workspace() as workspace:
        notify = SlackNotifier(workspace.web_client(), Messages(database), lambda *_: b"")
        plan = DigestPlan(channel="C0NOWHERE", zone="Europe/Paris")
        digesting = Digesting(
            plan=plan, facts=KpiFacts(database), notify=notify, wall=ScaledClock(origin=now),
            refused=DigestRefused(notify=notify, holders=people.holders),
        )  # fmt: skip
        for _ in range(2):  # a step may run twice
            assert await digesting._post(digest_of(busy())) is False
        direct = workspace.workspace.direct_message("U0ADMIN")
        (message,) = workspace.workspace.messages[direct.id].values()
    assert "The weekly digest of <#C0NOWHERE> was not posted" in message.text
    database.close()


@pytest.mark.usefixtures("configured")
async def test_the_bot_is_put_together_with_its_digests(home: Path, configured: Path) -> None:
    settings = Settings(home=home, environments=configured, slack_bot_token=SecretStr("xoxb-1"))
    database = prepared(settings.database)
    bot = assemble(settings, database)
    try:
        assert {"digest:C0SHOP", "digest:C0WEB"} <= set(bot.engine._schedules._schedules)
    finally:
        bot.engine.close()
        database.close()


def test_the_demos_incident_channel_has_a_digest_that_can_be_previewed(
    sre_bot: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = Company(Plan(home=home, digest=True))
    company.prepare()
    monkeypatch.setenv("SRE_BOT_ENVIRONMENTS", str(home / "environments.yaml"))
    tomorrow = (company.origin + timedelta(days=1)).date().isoformat()
    said = sre_bot("digest", "--preview", "--until", tomorrow, "--channel", INCIDENT_CHANNEL)
    assert (said.code, said.err) == (0, "")
    assert "Nothing happened" in said.out
    assert [p.channel for p in load_file(home / "environments.yaml").digests] == [INCIDENT_CHANNEL]
    Company(Plan(home=home)).write_environments()
    assert load_file(home / "environments.yaml").digests == ()
