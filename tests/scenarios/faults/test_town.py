"""What the bot talks to goes away for five minutes: it is said, nothing lost, nothing twice."""

import asyncio
import sqlite3
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.app.selfwatch import Limits
from bot.cli.company import INCIDENT_CHANNEL
from bot.domain.conversation import Thread
from bot.sandbox.workspace.state import Fault
from bot.storage.database import Database
from bot.storage.incidents import Incidents
from tests.fakes.hanging import Hanging
from tests.fakes.story import text_of
from tests.fakes.town import Faults, Json, is_finished, is_report, no_names, running_town

pytestmark = pytest.mark.long  # each starts the whole company and has it investigate


def once(replies: list[Json]) -> None:
    """One head, one report, at most one chart and one card: each message is there once."""
    texts = [text_of(m) for m in replies]
    assert len(texts) == len(set(texts)) <= 4, "\n---\n".join(texts)
    assert [is_report(m) for m in replies].count(True) == 1
    assert sum(bool(m.get("files")) for m in replies) <= 1


async def test_slack_that_fails_and_limits_for_five_minutes_hears_everything_once(
    tmp_path: Path,
) -> None:
    faults = Faults()
    async with running_town(tmp_path, faults=faults) as town:
        await town.good_morning()
        faults.slack["*"] = Fault(status=500, error="internal_error")
        ts = await town.ask()  # Slack delivers; it is the answers that it does not take
        await asyncio.sleep(1.5)
        faults.slack["*"] = Fault(status=429, error="ratelimited", retry_after_s=1)
        await asyncio.sleep(1.0)
        faults.slack["*"] = Fault(drop=True)
        await asyncio.sleep(0.5)
        assert await town.replies(ts) == []
        status, told = await town.probe("readyz")
        assert (status, told["parts"]["database"]) == (200, "ready")  # alerts are taken in
        faults.slack.clear()
        once(await town.until(is_finished, ts))
        await asyncio.sleep(0.5)
        once(await town.replies(ts))
        assert faults.failed
        shown = town.watcher.sources.metrics.text().decode()
        for outcome in ("error", "limited", "ok"):
            assert f'outcome="{outcome}",system="Slack"' in shown


async def test_no_name_resolves_for_five_minutes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = Faults()
    no_names(faults, monkeypatch)
    async with running_town(tmp_path, faults=faults, host="localhost") as town:
        await town.good_morning()
        ts = await town.ask()
        await asyncio.sleep(0.05)
        faults.names_fail = True
        await asyncio.sleep(3.0)
        faults.names_fail = False
        once(await town.until(is_finished, ts))
        assert faults.failed


def seen_by(message: Json) -> str:
    """Return the line that says what was looked at."""
    lines = text_of(message).splitlines()
    return " ".join(line for line in lines if line.startswith("Looked at"))


async def test_prometheus_hangs_and_kubernetes_is_away_and_both_come_back(tmp_path: Path) -> None:
    faults, hanging = Faults(), await Hanging.start()

    def connections(url: str) -> Mapping[str, Mapping[str, str]]:
        hanging.target = url
        return {
            "prometheus": {"url": f"{hanging.url}/world/prod/prometheus"},
            "kubernetes": {"url": f"{hanging.url}/world/prod/kubernetes"},
        }

    async with running_town(tmp_path, faults=faults, connections=connections) as town:
        await town.good_morning()
        hanging.mode = {"prometheus": "hang", "kubernetes": "refuse"}
        ts = await town.ask()
        began = asyncio.get_running_loop().time()
        head, report, *_ = await town.until(is_finished, ts)
        assert asyncio.get_running_loop().time() - began < 40
        assert "metrics" not in seen_by(head) + seen_by(report)
        assert "series" in text_of(report)  # it names what it could not read
        away = town.watcher.sources.metrics.away()
        assert {"metrics", "Kubernetes"} <= set(away)
        hanging.mode = {}
        again = await town.ask()
        replies = await town.until(is_finished, again)
        once(replies)
        assert "metrics" in seen_by(replies[0]) + seen_by(replies[1])
        assert "Kubernetes" not in town.watcher.sources.metrics.away()
    await hanging.close()


async def test_the_database_is_away_and_what_was_said_meanwhile_is_answered_once(
    tmp_path: Path,
) -> None:
    """SQLite, held by somebody else: as with a PostgreSQL that does not answer."""
    async with running_town(tmp_path) as town:
        await town.good_morning()
        await town.is_ready()
        held = sqlite3.connect(town.database_url.removeprefix("sqlite:///"), timeout=10)
        held.execute("BEGIN EXCLUSIVE")
        ts = await town.ask()
        await asyncio.sleep(1.5)
        status, told = await town.probe("readyz")
        assert (status, told["ready"]) == (503, False)
        assert told["parts"]["database"] != "ready", told
        assert (await town.probe("healthz"))[0] == 200
        assert await town.replies(ts) == []
        held.rollback()
        held.close()
        once(await town.until(is_finished, ts))
        await town.is_ready()


async def test_it_opens_an_incident_about_itself_in_which_it_may_not_act(tmp_path: Path) -> None:
    async with running_town(tmp_path) as town:
        town.watcher.selfwatch.limits = Limits(lag_s=-1.0, lagging_s=0.0)  # always too slow

        async def told() -> list[Json]:
            said = await town.workspace.messages()
            return [m for m in said if "I am too slow" in text_of(m)]

        database = Database(town.database_url)
        incidents = Incidents(database)
        async with asyncio.timeout(60):
            while not (found := await told()):  # noqa: ASYNC110 - state is polled
                await asyncio.sleep(0.1)
            thread = Thread(team="T0SANDBOX", channel=INCIDENT_CHANNEL, ts=str(found[0]["ts"]))
            while not (asked := await incidents.investigation_of(thread)):  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.1)
        assert len(await told()) == 1
        assert await incidents.about_itself(asked)
        database.close()
