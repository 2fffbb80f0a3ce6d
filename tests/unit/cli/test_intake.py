"""Dead letters at the command line."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli.intake import intake
from bot.storage.database import Database
from bot.storage.inbox import MOST_ATTEMPTS, SignalInbox
from bot.storage.migrate import prepared
from tests.unit.intake.samples import event, raw
from tests.unit.remediation.office import FakeClock
from tests.unit.storage.test_inbox import a_signal

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setenv("SRE_BOT_HOME", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    database = prepared(f"sqlite:///{tmp_path / 'sre-bot.sqlite'}")
    yield database
    database.close()


@pytest.fixture
def inbox(database: Database) -> SignalInbox:
    inbox = SignalInbox(database, FakeClock(moment=NOW))

    async def fill() -> None:
        await inbox.put([a_signal("webhook:bad")], NOW)
        number = (await inbox.take(1))[0].number
        for _ in range(MOST_ATTEMPTS):
            await inbox.failed(number, "triage broke\x1b[31m")
        await inbox.bury("pagerduty", raw(event()).decode(), "read by an older version", NOW)
        await inbox.bury("pagerduty", "{", "not JSON", NOW)

    asyncio.run(fill())
    return inbox


def ran(*words: str) -> Result:
    return CliRunner().invoke(intake, list(words))


def test_the_list_names_what_failed_and_why(inbox: SignalInbox) -> None:
    lines = ran("list").output.splitlines()
    assert [line.split()[0] for line in lines] == ["3", "2", "1", "0"]
    assert "pagerduty" in lines[0]
    assert lines[0].endswith("not JSON")
    assert "\x1b" not in "".join(lines)
    assert lines[3] == "0 signals wait for triage."
    assert "01EVENT" in ran("show", "2").output
    assert ran("show", "99").exit_code == 1


def test_a_replay_puts_back_what_can_be_read(inbox: SignalInbox) -> None:
    done = ran("replay", "--all")
    assert done.exit_code == 1
    assert "3: not replayed: it is not whole" in done.output
    taken = asyncio.run(inbox.take(10))
    assert sorted(r.signal.key for r in taken) == ["pagerduty:01EVENT", "webhook:bad"]
    assert [line.split()[0] for line in ran("list").output.splitlines()] == ["3", "2"]
    assert "replayed" in ran("list", "--replayed").output
    again = ran("replay", "1")
    assert again.exit_code == 1
    assert "was replayed" in again.output


def test_nothing_is_replayed_by_accident(inbox: SignalInbox) -> None:
    assert ran("replay").exit_code == 2
    assert ran("replay", "1", "--all").exit_code == 2
    assert ran("replay", "77").exit_code == 1
    assert asyncio.run(inbox.waiting()) == 0
