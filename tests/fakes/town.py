"""The whole bot and the whole sandbox in one event loop: what is between them can be broken."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.app.doorkeeper import doorkeeper
from bot.app.serving import _listen, _wall, _working, assemble
from bot.app.watcher import Watcher
from bot.app.watcherparts import instruments_of, watcher_of
from bot.cli.company import INCIDENT_CHANNEL, Company, Plan
from bot.domain.environment import Environment
from bot.domain.telemetry import watched
from bot.domain.time import ScaledClock
from bot.sandbox.workspace.state import Fault
from bot.sandbox.world import catalog
from bot.sandbox.world.routes import routes
from bot.sandbox.world.running import World
from bot.sandbox.world.truth import Truth
from bot.settings import Settings
from bot.storage.migrate import prepared
from bot.workflows.patience import PATIENCE, Patience
from tests.fakes.story import has, text_of
from tests.fakes.workspace import QUICK, Running, running_workspace

INCIDENT = "pool-exhausted"
# Five minutes last three seconds: what is tried every half minute is tried every 0.3 s.
HUNDREDTH = Patience(first_s=0.05, longest_s=0.3, most_s=864.0)
HUNDREDTH_OF_SLACK = replace(QUICK, retry_scale=0.01)  # its retries of events, too
PATIENCE_S = 60.0  # of the test
Json = dict[str, Any]


@dataclass
class Town:
    """The running bot, the workspace it talks to, and what stands between them."""

    workspace: Running
    truth: Truth
    watcher: Watcher
    faults: "Faults"
    url: str  # the bot's own HTTP door
    database_url: str
    http: aiohttp.ClientSession

    async def good_morning(self) -> None:
        """Have the bot hear something, so that it knows who it is."""
        await self.workspace.say("good morning")
        async with asyncio.timeout(PATIENCE_S):
            while not any(m == "auth.test" for m, _ in self.workspace.workspace.calls):  # noqa: ASYNC110 - state is polled
                await asyncio.sleep(0.02)

    async def ask(self) -> str:
        """Ask what is wrong, as a person; returns the thread's ts."""
        return await self.workspace.say(f"<@U0SREBOT> {self.truth.question}")

    async def replies(self, ts: str) -> list[Json]:
        """Return what stands in the thread below the question."""
        return (await self.workspace.thread(ts))[1:]

    async def until(self, done: Callable[[list[Json]], object], ts: str) -> list[Json]:
        """Wait until the thread's replies are as they should be."""
        async with asyncio.timeout(PATIENCE_S):
            while not done(found := await self.replies(ts)):  # noqa: ASYNC110 - state is polled
                await asyncio.sleep(0.05)
        return found

    async def is_ready(self) -> None:
        """Wait until the bot says so."""
        async with asyncio.timeout(PATIENCE_S):
            while (await self.probe("readyz"))[0] != 200:  # noqa: ASYNC110 - state is polled
                await asyncio.sleep(0.1)

    async def quiet(self) -> None:
        """Wait until the bot has nothing more to say: what still runs would be cut in two."""
        calls = -1
        async with asyncio.timeout(PATIENCE_S):
            while calls != (calls := len(self.workspace.workspace.calls)):  # noqa: ASYNC110 - polled
                await asyncio.sleep(1.0)

    async def probe(self, path: str) -> tuple[int, Any]:
        """Ask the bot about itself."""
        async with self.http.get(f"{self.url}/{path}") as answer:
            return answer.status, await answer.json()


@dataclass
class Faults:
    """What is broken now. Slack's faults by method, "*" for any."""

    slack: dict[str, Fault] = field(default_factory=dict)
    failed: int = 0
    names_fail: bool = False

    def of(self, method: str, _arguments: Mapping[str, Any]) -> Fault | None:
        """Return the fault of a call to Slack, None if it goes through."""
        found = self.slack.get(method) or self.slack.get("*")
        self.failed += found is not None
        return found


def no_names(faults: Faults, patch: pytest.MonkeyPatch) -> None:
    """Have no name resolve in this process while `faults.names_fail`, loopback's included."""
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, *rest: Any, **named: Any) -> Any:
        if faults.names_fail and host not in (None, "127.0.0.1"):
            faults.failed += 1
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return real(host, *rest, **named)

    patch.setattr(socket, "getaddrinfo", getaddrinfo)


def _settings(home: Path, url: str, named: str, environment: Environment) -> Settings:
    company = Company(Plan(home=home, rate=60.0))
    company.origin = datetime.now(UTC)
    file = home / "environments.yaml"
    company.environments = lambda: (environment,)  # type: ignore[method-assign] # the only one
    company.write_environments()
    return Settings(
        home=home, environments=file, slack_base_url=f"{named}/slack/api/", http_port=0,
        slack_bot_token="xoxb-sandbox-bot", slack_app_token="xapp-sandbox-app",
        incident_channels=(INCIDENT_CHANNEL,), watch_seconds=0.2, investigation_seconds=20.0,
    )  # fmt: skip


@asynccontextmanager
async def running_town(
    home: Path,
    *,
    faults: Faults | None = None,
    host: str = "127.0.0.1",
    connections: Callable[[str], Mapping[str, Mapping[str, Any]]] = lambda _: {},
) -> AsyncIterator[Town]:
    """Start everything. `connections`: production's that are not the sandbox's, by its address."""
    faults = faults or Faults()
    clock = ScaledClock(origin=datetime.now(UTC))
    world = World(clock, 1)
    truth = catalog.start(world, INCIDENT, 1)
    async with (
        running_workspace(
            faults=faults.of, extra=routes(world), clock=clock, limits=HUNDREDTH_OF_SLACK
        ) as workspace,
        aiohttp.ClientSession() as http,
    ):
        named = workspace.url.replace("127.0.0.1", host)
        production = _production(named)
        changed = {**production.connections, **connections(named)}
        settings = _settings(home, workspace.url, named, replace(production, connections=changed))
        async with _bot(settings) as (watcher, port):
            town = Town(
                workspace=workspace, truth=truth, watcher=watcher, faults=faults, http=http,
                url=f"http://127.0.0.1:{port}", database_url=settings.database,
            )  # fmt: skip
            yield town
            await town.quiet()


def _production(url: str) -> Environment:
    company = Company(Plan(home=Path()))
    company.port = int(url.rsplit(":", 1)[1])
    found = next(e for e in company.environments() if e.name == "prod")
    base = f"{url}/world/prod"
    return replace(
        found, connections={name: {"url": f"{base}/{name}"} for name in found.connections}
    )


@asynccontextmanager
async def _bot(settings: Settings) -> AsyncIterator[tuple[Watcher, int]]:
    """Run the bot as `serve` does, without its proof, its log and its signals."""
    PATIENCE.set(HUNDREDTH)
    instruments = instruments_of(settings)
    database = prepared(settings.database)
    told: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    with watched(instruments.metrics), doorkeeper(settings, start="forkserver") as door:
        bot = assemble(settings, database)
        watcher = watcher_of(settings, instruments, database, bot.engine, _wall())
        async with _working(bot), bot.intake.running(), watcher.watching():
            listening = asyncio.create_task(
                _listen(
                    settings, bot, watcher, door, stop, lambda facts: told.set_result(facts["port"])
                )
            )
            try:
                yield watcher, await asyncio.wait_for(told, PATIENCE_S)
            finally:
                stop.set()
                await listening
    database.close()


def is_finished(replies: list[Json]) -> bool:
    """Whether the answer is there: the head is no longer investigating, the report stands."""
    return (
        len(replies) >= 2 and "investigating" not in text_of(replies[0]) and is_report(replies[1])
    )


def is_report(message: Json) -> bool:
    """Whether people can say of it whether it was right."""
    return has(message, "verdict_right")
