"""What the bot answers about itself, what it says of itself, and when its heart stops."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bot.app.heartbeat import Heartbeat
from bot.app.metrics import Metrics
from bot.app.watcher import Every, SlackLink, Sources, Watcher
from bot.domain.errors import NotConfigured, Unavailable
from bot.domain.own_incident import Failed
from bot.domain.signal import Origin, Phase, Received, Signal
from bot.domain.time import ScaledClock
from bot.storage.tallies import Tally
from tests.unit.app.test_selfwatch import QUIET


@dataclass
class FakeTallies:
    """The tables' counts; the database may be away."""

    tally: Tally = QUIET
    down: bool = False

    async def reach(self) -> None:
        if self.down:
            raise Unavailable("database", "OperationalError")

    async def now(self, at: datetime) -> Tally:
        await self.reach()
        return self.tally

    async def of_others(self, failed: Sequence[Failed]) -> Sequence[Failed]:
        return [f for f in failed if f.incident != "inc-own"]


@dataclass
class FakeInbox:
    """Keeps what is put."""

    kept: list[Signal] = field(default_factory=list)
    down: bool = False

    async def put(self, signals: Sequence[Signal], at: datetime) -> int:
        if self.down:
            raise Unavailable("database", "OperationalError")
        self.kept.extend(signals)
        return len(signals)

    async def take(self, limit: int) -> Sequence[Received]:
        return ()

    async def done(self, numbers: Sequence[int]) -> None:
        """Do nothing."""

    async def failed(self, number: int, error: str) -> None:
        """Do nothing."""

    async def bury(self, origin: str, body: str, error: str, at: datetime) -> None:
        """Do nothing."""

    async def waiting(self) -> int:
        return 0


@dataclass
class House:
    """A watcher and everything it looks at."""

    tallies: FakeTallies = field(default_factory=FakeTallies)
    inbox: FakeInbox = field(default_factory=FakeInbox)
    connected: bool | None = True
    heartbeat: Heartbeat | None = None
    metrics: Metrics = field(default_factory=lambda: Metrics(version="1"))
    failed: list[Failed] = field(default_factory=list)

    def watcher(self) -> Watcher:
        link = SlackLink(see=None if self.connected is None else self._see)
        sources = Sources(
            metrics=self.metrics,
            tallies=self.tallies,  # type: ignore[arg-type] # the part of it that is used
            unfinished=self._unfinished,
            failed=self._failed,
            slack=link,
            wall=ScaledClock(origin=datetime(2000, 1, 1, tzinfo=UTC)),
            inbox=self.inbox,
            heartbeat=self.heartbeat,
        )
        made = Watcher(sources, "a", Every(round_s=0.02, heartbeat_s=0.0))
        made.readiness.every_s = 0.0
        made.selfwatch.limits = made.selfwatch.limits.__class__(part_s=0.0)
        return made

    async def _see(self) -> bool:
        return bool(self.connected)

    async def _failed(self, since: datetime) -> Sequence[Failed]:
        return self.failed

    async def _unfinished(self) -> int:
        await self.tallies.reach()
        return 3


def client(watcher: Watcher) -> TestClient:
    return TestClient(Starlette(routes=list(watcher.routes())))


def test_ready_says_so_of_every_part() -> None:
    answer = client(House().watcher()).get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {
        "ready": True,
        "parts": {"database": "ready", "engine": "ready", "policy": "ready", "Slack": "ready"},
    }


UNHURRIED = Every(round_s=10.0, heartbeat_s=0.0)  # a slow machine is no stalled watcher


def test_without_its_database_it_is_alive_and_not_ready() -> None:
    watcher = House(tallies=FakeTallies(down=True)).watcher()
    watcher.every = UNHURRIED
    asked = client(watcher)
    answer = asked.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"]["database"] == "database: OperationalError"
    assert asked.get("/healthz").status_code == 200


def test_slack_counts_until_it_was_reached_and_is_named_afterwards() -> None:
    house = House(connected=None)
    watcher = house.watcher()
    asked = client(watcher)
    assert asked.get("/readyz").status_code == 503
    house.connected = True
    watcher.sources.slack.seen_by(house._see)
    assert asked.get("/readyz").status_code == 200
    house.connected = False  # alerts must still be taken in
    answer = asked.get("/readyz")
    assert answer.status_code == 200
    assert "the connection is lost" in answer.json()["parts"]["Slack"]


def test_a_watcher_that_stands_still_is_not_alive() -> None:
    watcher = House().watcher()
    watcher.every = UNHURRIED
    asked = client(watcher)
    assert asked.get("/healthz").json() == {"ok": True}
    watcher._round_at -= 3600
    assert asked.get("/healthz").status_code == 503


@pytest.mark.parametrize("down", [False, True])
def test_metrics_are_told_with_and_without_the_database(down: bool) -> None:
    asked = client(House(tallies=FakeTallies(down=down)).watcher())
    answer = asked.get("/metrics")
    assert answer.status_code == 200
    names = {family.name for family in text_string_to_metric_families(answer.text)}
    assert "sre_bot_calls" in names
    assert ("sre_bot_inbox_waiting" in names) is not down


async def test_it_opens_an_incident_about_itself_and_closes_it() -> None:
    house = House(connected=False)
    watcher = house.watcher()
    await watcher.round()
    await watcher.round()
    (said,) = house.inbox.kept
    assert (said.origin, said.phase, said.services) == (Origin.SELF, Phase.FIRING, ("sre-bot",))
    house.connected = True
    await watcher.round()
    assert [s.phase for s in house.inbox.kept] == [Phase.FIRING, Phase.RESOLVED]


async def test_work_of_its_own_that_failed_is_said_but_not_if_it_was_about_itself() -> None:
    house = House(failed=[Failed(kind="investigate", workflow="inv-own", incident="inc-own")])
    watcher = house.watcher()
    await watcher.round()
    assert house.inbox.kept == []
    house.failed.append(Failed(kind="remediate", workflow="prop-1", incident="inc-1"))
    watcher._tallied_at = float("-inf")
    await watcher.round()
    assert [s.title for s in house.inbox.kept] == ["A repair of mine ended with an error"]


async def test_what_cannot_be_kept_is_said_when_the_database_is_back() -> None:
    house = House(connected=False, inbox=FakeInbox(down=True))
    watcher = house.watcher()
    await watcher.round()
    house.inbox.down = False
    await watcher.round()
    assert len(house.inbox.kept) == 1


async def test_it_goes_round_by_itself() -> None:
    house = House()
    watcher = house.watcher()
    async with watcher.watching():
        before = watcher._round_at
        async with asyncio.timeout(5):
            while watcher._round_at <= before:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.02)
    assert b"sre_bot_heartbeat_timestamp_seconds 1." in house.metrics.text()


class Snitch:
    """Somebody else's clock."""

    def __init__(self) -> None:
        self.beats = 0
        self.status = 200
        self.url = ""

    async def start(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_get("/ping/secret", self.beat)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        self.url = f"http://127.0.0.1:{port}/ping/secret"
        return runner

    async def beat(self, _request: web.Request) -> web.Response:
        self.beats += 1
        return web.Response(status=self.status)


@pytest.fixture
async def snitch() -> AsyncIterator[Snitch]:
    made = Snitch()
    runner = await made.start()
    yield made
    await runner.cleanup()


async def test_the_heart_beats_while_work_can_be_taken(snitch: Snitch) -> None:
    house = House(heartbeat=Heartbeat(snitch.url))
    watcher = house.watcher()
    await watcher.round()
    assert snitch.beats == 1
    house.tallies.down = True
    await watcher.round()
    assert snitch.beats == 1
    assert b'sre_bot_heartbeats_total{outcome="withheld"} 1.0' in house.metrics.text()


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_a_beat_that_is_not_taken_is_tried_again_and_its_address_is_no_secret_told(
    snitch: Snitch, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    snitch.status = status
    house = House(heartbeat=Heartbeat(snitch.url))
    watcher = house.watcher()
    watcher.every = Every(round_s=0.02, heartbeat_s=60.0)
    await watcher.round()
    await watcher.round()
    assert snitch.beats == 2
    assert "secret" not in caplog.text
    snitch.status = 200
    await watcher.round()
    await watcher.round()
    assert snitch.beats == 3


async def test_an_address_that_is_away_does_not_stop_the_rounds() -> None:
    house = House(heartbeat=Heartbeat("http://127.0.0.1:1/x"))
    await house.watcher().round()
    assert b'sre_bot_heartbeats_total{outcome="failed"} 1.0' in house.metrics.text()


@pytest.mark.parametrize("url", ["http://example.com/x", "ftp://x", "x", "http://[broken"])
def test_a_heartbeat_needs_a_safe_address(url: str) -> None:
    with pytest.raises(NotConfigured, match="https"):
        Heartbeat(url)
