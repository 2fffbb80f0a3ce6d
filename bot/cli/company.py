"""Starts the sandbox company and the bot as two processes, for demo, benches and tests."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from bot.domain.action import Effect, Level
from bot.domain.codec import encode
from bot.domain.environment import Environment, Tier
from bot.domain.errors import Unavailable
from bot.domain.kpis import DigestPlan
from bot.domain.people import Role
from bot.domain.time import ScaledClock
from bot.sandbox.pagerduty.directory import BOT_EMAIL, SECRET, TOKEN, service_id
from bot.settings import Settings
from bot.storage.database import Database
from bot.storage.migrate import upgrade
from bot.storage.people import EVERY_ACTION, LevelGrant, Levels, People
from tools.catalog import actions

TEAM = "T0SANDBOX"
PEOPLE = {
    "U0RESPONDER": (Role.RESPONDER,),
    "U0APPROVER": (Role.RESPONDER, Role.APPROVER),
    "U0ADMIN": (Role.ADMINISTRATOR, Role.APPROVER),
    "U0OBSERVER": (Role.OBSERVER,),
}
ENVIRONMENTS = (
    ("prod", Tier.PRODUCTION, ("production", "live")),
    ("staging", Tier.STAGING, ("stage",)),
    ("dev", Tier.DEVELOPMENT, ("development",)),
)
PAGED = ("prod", "staging")
INCIDENT_CHANNEL, TEAM_CHANNEL = "C0INCIDENTS", "C0SHOP"
READY_WITHIN_S = 60.0
STOP_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Which company to start."""

    home: Path
    incident: str = ""
    environment: str = "prod"
    seed: int = 1
    rate: float = 20.0  # sandbox seconds per wall second
    port: int = 0
    digest: bool = False  # whether the incident channel is told of its weeks
    variables: Mapping[str, str] = field(default_factory=dict)  # more settings for the bot


class Company:
    """A running sandbox, and the bot beside it; the bot may die, the world goes on."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.origin = datetime.now(UTC)  # noqa: TID251 - where the sandbox's clock starts
        self.port = plan.port
        self._sandbox: subprocess.Popen[str] | None = None
        self.bot: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """Where the workspace's page is."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the sandbox, prepare the database, start the bot. Raises: Unavailable."""
        self.plan.home.mkdir(parents=True, exist_ok=True)
        try:
            self.start_sandbox()
            self.prepare()
            self.start_bot()
        except BaseException:
            self.stop()
            raise

    def start_sandbox(self) -> None:
        """Start the make-believe company; returns when it listens."""
        arguments = ["--port", str(self.plan.port), "--seed", str(self.plan.seed)]
        arguments += ["--rate", str(self.plan.rate), "--origin", self.origin.isoformat()]
        arguments += ["--environment", self.plan.environment]
        if self.plan.incident:
            arguments += ["--incident", self.plan.incident]
        self._sandbox = _spawn(["sandbox", "serve", *arguments], self._log("sandbox"), {})
        self.port = int(_first_line(self._sandbox, "the sandbox")["port"])

    def prepare(self) -> None:
        """Write the environments file, migrate the database, seed roles and levels."""
        self.write_environments()
        database = Database(self.database_url)
        try:
            upgrade(database.engine)
            _finish(seed(database, ScaledClock(origin=self.origin, rate=self.plan.rate)))
        finally:
            database.close()

    def write_environments(self) -> None:
        """Write the file that tells the bot where the sandbox's systems are."""
        (self.plan.home / "pagerduty-token").write_text(TOKEN, encoding="utf-8")
        file = {"environments": [encode(e) for e in self.environments()]}
        if self.plan.digest:
            file["digests"] = [encode(DigestPlan(channel=INCIDENT_CHANNEL, zone="UTC"))]
        (self.plan.home / "environments.yaml").write_text(yaml.safe_dump(file), encoding="utf-8")

    def as_settings(self) -> Settings:
        """Return settings that watch this company, for use inside this process."""
        return Settings(
            home=self.plan.home,
            environments=self.plan.home / "environments.yaml",
            clock_origin=self.origin,
            clock_rate=self.plan.rate,
        )

    def start_bot(self) -> dict[str, Any]:
        """Start the bot; when it is connected, return what it says of itself (mode, port)."""
        self.bot = _spawn(["run"], self._log("bot"), self.settings())
        said = _first_line(self.bot, "the bot")
        self.subscribe(int(said["port"]))
        return said

    def subscribe(self, port: int) -> None:
        """Have the sandbox's PagerDuty tell the bot. Raises: Unavailable."""
        body = {"do": "subscribe", "url": f"http://127.0.0.1:{port}/webhooks/pagerduty"}
        request = urllib.request.Request(  # noqa: S310 - our own sandbox on loopback
            f"{self.url}/control/pagerduty", json.dumps(body).encode(), method="POST"
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=READY_WITHIN_S):
                pass
        except OSError as error:
            raise Unavailable("the sandbox", "its PagerDuty does not answer") from error

    def kill_bot(self) -> None:
        """SIGKILL: no goodbye."""
        if self.bot is not None:
            self.bot.kill()
            _end(self.bot)

    def stop(self) -> None:
        """Stop both."""
        for process in (self.bot, self._sandbox):
            if process is not None:
                _end(process)

    def running(self) -> bool:
        """Whether both are alive."""
        return all(p is not None and p.poll() is None for p in (self.bot, self._sandbox))

    @property
    def database_url(self) -> str:
        """The bot's own tables."""
        return (
            self.plan.variables.get("DATABASE_URL") or f"sqlite:///{self.plan.home}/sre-bot.sqlite"
        )

    def settings(self) -> dict[str, str]:
        """Return the bot's settings as environment variables."""
        return {
            "SRE_BOT_HOME": str(self.plan.home),
            "DATABASE_URL": self.database_url,
            "SRE_BOT_ENVIRONMENTS": str(self.plan.home / "environments.yaml"),
            "SRE_BOT_SLACK_BASE_URL": f"{self.url}/slack/api/",
            "SRE_BOT_SLACK_BOT_TOKEN": "xoxb-sandbox-bot",
            "SRE_BOT_SLACK_APP_TOKEN": "xapp-sandbox-app",
            "SRE_BOT_SLACK_SIGNING_SECRET": "sandbox-signing-secret",
            "SRE_BOT_INCIDENT_CHANNELS": json.dumps([INCIDENT_CHANNEL]),
            "SRE_BOT_CLOCK_ORIGIN": self.origin.isoformat(),
            "SRE_BOT_CLOCK_RATE": str(self.plan.rate),
            "SRE_BOT_HTTP_PORT": "0",
            "SRE_BOT_PAGERDUTY_WEBHOOK_SECRETS": json.dumps([SECRET]),
            "SRE_BOT_GREY_WATCH": "false",  # its incidents are loud, and its past is a day
            **self.plan.variables,
        }

    def environments(self) -> tuple[Environment, ...]:
        """Return the three environments of the sandbox."""
        return tuple(
            Environment(
                name=name,
                tier=tier,
                aliases=aliases,
                namespaces=("shop",),
                default=name == self.plan.environment,
                channels=(INCIDENT_CHANNEL, TEAM_CHANNEL) if name == self.plan.environment else (),
                connections={
                    **_connections(f"{self.url}/world/{name}"),
                    **self._pagerduty(name),
                },
                fallbacks={"payment-provider": {"flag": "payment-queue-charges", "variant": "on"}},
            )
            for name, tier, aliases in ENVIRONMENTS
        )

    def _pagerduty(self, environment: str) -> dict[str, dict[str, Any]]:
        """Return how the bot reaches the sandbox's PagerDuty; nobody is paged for development."""
        if environment not in PAGED:
            return {}
        from bot.sandbox.world.shop import shop  # heavy, and needed here only

        services = {s.name: service_id(environment, s.name) for s in shop().services}
        return {
            "pagerduty": {
                "url": f"{self.url}/pagerduty",
                "token_file": str(self.plan.home / "pagerduty-token"),
                "from": BOT_EMAIL,
                "services": services,
            }
        }

    def _log(self, name: str) -> Path:
        return self.plan.home / f"{name}.log"


def _finish(work: Coroutine[Any, Any, None]) -> None:
    """Run it to its end, also when this thread has an event loop already."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(asyncio.run, work).result()


def _connections(base: str) -> dict[str, dict[str, Any]]:
    systems = ("kubernetes", "prometheus", "loki", "jaeger", "changes", "flags")
    return {system: {"url": f"{base}/{system}"} for system in systems}


async def seed(database: Database, clock: ScaledClock) -> None:
    """Grant the sandbox's people their roles, and its environments their levels."""
    people, levels = People(database), Levels(database, clock)
    for user, roles in PEOPLE.items():
        for role in roles:
            await people.grant(TEAM, user, role, environment="", by="sandbox", at=clock.now())
    for environment, action, level in seeded_levels():
        await levels.grant(
            LevelGrant(
                environment=environment, action=action, level=level, by="sandbox", reason="seed"
            )
        )


def seeded_levels() -> Iterator[tuple[str, str, Level]]:
    """Yield dev L4, staging L3; in prod L3 for pages, L2 for what can be undone, else L1."""
    yield "dev", EVERY_ACTION, Level.L4
    yield "staging", EVERY_ACTION, Level.L3
    for name, action in actions().items():
        undoable = Level.L2 if action.facts.reversible else Level.L1
        yield "prod", name, Level.L3 if action.facts.effect is Effect.PAGE else undoable


def _spawn(arguments: list[str], log: Path, variables: Mapping[str, str]) -> subprocess.Popen[str]:
    environment = {**os.environ, **variables, "PYTHONUNBUFFERED": "1"}  # noqa: TID251 - a child's
    with log.open("a", encoding="utf-8") as sink:
        return subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "bot", *arguments],
            stdout=subprocess.PIPE, stderr=sink, text=True, env=environment,
        )  # fmt: skip


def _end(process: subprocess.Popen[str]) -> None:
    """Have a process end, politely first, and leave nothing of it behind."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_WITHIN_S)
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _first_line(process: subprocess.Popen[str], what: str) -> dict[str, Any]:
    """Return the JSON that a process prints when it is ready."""
    deadline = time.monotonic() + READY_WITHIN_S
    assert process.stdout is not None  # noqa: S101 - it was opened with a pipe
    while time.monotonic() < deadline:
        line = process.stdout.readline()
        if line.startswith("{"):
            found: dict[str, Any] = json.loads(line)
            return found
        if process.poll() is not None:
            break
    _end(process)
    raise Unavailable(what, "did not start; its log says why")
