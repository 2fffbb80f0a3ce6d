"""Puts together what watches the bot: from the settings, for `bot.app.serving`."""

import importlib.metadata
import socket
import time
from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient

from bot.app.heartbeat import Heartbeat
from bot.app.metrics import Metrics
from bot.app.tracing import Traces
from bot.app.watcher import Every, SlackLink, Sources, Watcher
from bot.domain.errors import NotConfigured, SreBotError
from bot.domain.policy import PolicyRequest, Ruling, RulingEngine
from bot.domain.telemetry import telemetry
from bot.domain.time import Clock
from bot.settings import Settings
from bot.slack.web import Web
from bot.storage.database import Database
from bot.storage.inbox import SignalInbox
from bot.storage.tallies import Tallies
from bot.workflows.engine import Engine

ASK_SLACK_EVERY_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruments:
    """What takes the measurements, from before anything is measured."""

    metrics: Metrics
    traces: Traces | None


def instruments_of(settings: Settings) -> Instruments:
    """Return what takes the measurements. Raises: NotConfigured: an address is none."""
    version, traces = _version(), None
    if settings.otlp_endpoint:
        if not settings.otlp_endpoint.startswith(("http://", "https://")):
            raise NotConfigured("SRE_BOT_OTLP_ENDPOINT must be an address: http://collector:4318")
        traces = Traces.to(settings.otlp_endpoint, version=version)
    return Instruments(metrics=Metrics(version=version, traces=traces), traces=traces)


def watcher_of(
    settings: Settings, instruments: Instruments, database: Database, engine: Engine, wall: Clock
) -> Watcher:
    """Return what watches the bot. Raises: NotConfigured: the heartbeat's address is none."""
    url = settings.heartbeat_url.get_secret_value()
    sources = Sources(
        metrics=instruments.metrics,
        traces=instruments.traces,
        tallies=Tallies(database),
        unfinished=engine.unfinished,
        failed=engine.failed,
        slack=SlackLink(),
        wall=wall,
        inbox=SignalInbox(database, wall),
        heartbeat=Heartbeat(url) if url else None,
    )
    every = Every(round_s=settings.watch_seconds, heartbeat_s=settings.heartbeat_seconds)
    return Watcher(sources, settings.executor_id or socket.gethostname(), every)


class CountedRulings(RulingEngine):
    """Rules as the engine inside does, and counts its answers."""

    def __init__(self, inside: RulingEngine) -> None:
        self._inside = inside

    def rule(self, request: PolicyRequest) -> Ruling:
        """Return the ruling."""
        ruling = self._inside.rule(request)
        telemetry().ruled(request.action.name, request.stage.value, ruling.verdict.value)
        return ruling


class AskedSlack:
    """Whether Slack answers, where there is no connection to look at: asked now and then."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._web = Web(timeout_s=5.0, longest_wait_s=0.0)
        self._at, self._ok = float("-inf"), False

    async def __call__(self) -> bool:
        """Return whether it answered lately."""
        if time.monotonic() - self._at >= ASK_SLACK_EVERY_S or not self._ok:
            self._at = time.monotonic()
            try:
                await self._web.call("auth.test", self._client.auth_test)
                self._ok = True
            except SreBotError:
                self._ok = False
        return self._ok


def _version() -> str:
    try:
        return importlib.metadata.version("sre-bot")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
