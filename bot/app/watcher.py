"""Watches the bot itself: is it alive, is it ready, its metrics and traces, its own incidents."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bot.app.heartbeat import Heartbeat
from bot.app.metrics import CONTENT_TYPE, Metrics, tallied
from bot.app.readiness import READY, Part, Readiness
from bot.app.selfwatch import FAILED_FOR, Facts, SelfWatch
from bot.app.tracing import Traces
from bot.domain.errors import SreBotError, Transient, Unavailable
from bot.domain.own_incident import Failed
from bot.domain.redaction import redact
from bot.domain.signal import Inbox, Signal
from bot.domain.time import Clock
from bot.storage.tallies import Tallies, Tally
from bot.supervision import supervised

LOG = logging.getLogger(__name__)
TALLY_EVERY_S = 10.0  # however often the metrics are asked for
TALLY_WITHIN_S = 3.0
STALLED_ROUNDS = 6.0  # so many rounds late, the watcher itself is not alive


@dataclass(frozen=True, slots=True, kw_only=True)
class Every:
    """How often the watcher goes round, in wall seconds."""

    round_s: float = 10.0
    heartbeat_s: float = 60.0


@dataclass(slots=True)
class SlackLink:
    """Whether Slack is reached; the listener says how to see that once it has connected."""

    see: Callable[[], Awaitable[bool]] | None = None

    def seen_by(self, see: Callable[[], Awaitable[bool]]) -> None:
        """Note what tells whether there is a connection."""
        self.see = see

    async def look(self) -> None:
        """Raises: Unavailable: there is no connection."""
        if self.see is None:
            raise Unavailable("Slack", "not connected yet")
        if not await self.see():
            raise Unavailable("Slack", "the connection is lost, I am reconnecting")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where the watcher looks."""

    metrics: Metrics
    tallies: Tallies
    unfinished: Callable[[], Awaitable[int]]  # workflows
    failed: Callable[[datetime], Awaitable[Sequence[Failed]]]  # workflows, since then
    slack: SlackLink
    wall: Clock
    inbox: Inbox | None = None  # where incidents about the bot are opened
    heartbeat: Heartbeat | None = None
    traces: Traces | None = None


@dataclass(slots=True)
class Watcher:
    """Goes round while the bot runs, and answers whoever asks how it is."""

    sources: Sources
    replica: str
    every: Every = field(default_factory=Every)
    readiness: Readiness = field(init=False)
    selfwatch: SelfWatch = field(init=False)
    _tally: Tally | None = None
    _unfinished: int = 0
    _failed: Sequence[Failed] = ()
    _tallied_at: float = float("-inf")
    _round_at: float = field(default_factory=time.monotonic)
    _beat_at: float = float("-inf")
    _lag_s: float = 0.0
    _reached: bool = False  # Slack, once
    _tallying: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.selfwatch = SelfWatch(self.replica)
        self.readiness = Readiness(
            (
                Part(name="database", look=self._database),
                Part(name="engine", look=self.sources.unfinished),
                Part(name="policy", look=_proved),
                Part(name="Slack", look=self.sources.slack.look, vital=False),
            )
        )

    def routes(self) -> Sequence[BaseRoute]:
        """Return /healthz, /readyz and /metrics."""
        return [
            Route("/healthz", self._healthy),
            Route("/readyz", self._ready),
            Route("/metrics", self._metrics),
        ]

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Go round while the block runs.

        A round that breaks is no round: if none is whole for too long, it is not alive.
        """
        rounds = supervised("the watcher", self._rounds, every_s=self.every.round_s)
        task = asyncio.create_task(rounds)
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.readiness.close()
            if self.sources.traces is not None:
                await asyncio.to_thread(self.sources.traces.close)

    async def round(self) -> None:
        """Look at everything once, and say what has to be said."""
        parts = await self.readiness.now()
        for part, why in parts.items():
            self.sources.metrics.ready.labels(part).set(why == READY)
        tally = await self._counted()
        away = self.sources.metrics.away()
        facts = Facts(
            parts=parts, away=away, lag_s=self._lag_s, tally=tally,
            failed=self._failed if tally is not None else (),
        )  # fmt: skip
        await self._say(self.selfwatch.judge(facts, self.sources.wall.now()))
        await self._beat(parts)
        self._round_at = time.monotonic()
        self.sources.metrics.alive.set(self.sources.wall.now().timestamp())

    async def _rounds(self) -> None:
        while True:
            await self.round()
            due = time.monotonic() + self.every.round_s
            await asyncio.sleep(self.every.round_s)
            self._lag_s = max(0.0, time.monotonic() - due)
            self.sources.metrics.lag.set(self._lag_s)

    async def _say(self, signals: Sequence[Signal]) -> None:
        if not signals or self.sources.inbox is None:
            return
        for signal in signals:
            LOG.warning("%s: %s", signal.title, signal.text or signal.phase.value)
        try:
            await self.sources.inbox.put(signals, self.sources.wall.now())
        except Transient as problem:
            LOG.warning("no incident about myself was opened: %s", redact(str(problem)))
        else:
            self.selfwatch.said(signals)

    async def _beat(self, parts: Mapping[str, str]) -> None:
        """Ping while work can be taken, and is: a bot that only looks alive must be noticed."""
        heartbeat, now = self.sources.heartbeat, time.monotonic()
        if heartbeat is None or now - self._beat_at < self.every.heartbeat_s:
            return
        if not self.readiness.vital(parts):
            self.sources.metrics.beats.labels("withheld").inc()
            return
        taken = await heartbeat.beat()
        self._beat_at = now if taken else self._beat_at
        self.sources.metrics.beats.labels("taken" if taken else "failed").inc()

    async def _database(self) -> None:
        await self.sources.tallies.reach()

    async def _counted(self) -> Tally | None:
        """Return the tally, a few seconds old at most; None while the database is away."""
        async with self._tallying:
            if time.monotonic() - self._tallied_at < TALLY_EVERY_S:
                return self._tally
            try:
                async with asyncio.timeout(TALLY_WITHIN_S):
                    await self._count(self.sources.wall.now())
            except (SreBotError, TimeoutError):
                self._tally = None
            self._tallied_at = time.monotonic()
            return self._tally

    async def _count(self, now: datetime) -> None:
        failed = await self.sources.failed(now - FAILED_FOR)
        self._failed = await self.sources.tallies.of_others(failed)
        self._unfinished = await self.sources.unfinished()
        self._tally = await self.sources.tallies.now(now)

    async def _healthy(self, _request: Request) -> JSONResponse:
        """Alive: the event loop answers, and the watcher goes round."""
        late = time.monotonic() - self._round_at
        alive = late < self.every.round_s * STALLED_ROUNDS
        return JSONResponse({"ok": alive}, status_code=200 if alive else 503)

    async def _ready(self, _request: Request) -> JSONResponse:
        """Ready: work can be taken. Slack counts until it was reached for the first time."""
        parts = await self.readiness.now()
        missing = {part: why for part, why in parts.items() if why}
        self._reached = self._reached or "Slack" not in missing
        ready = self.readiness.vital(parts) and self._reached
        told = {"ready": ready, "parts": {p: why or "ready" for p, why in parts.items()}}
        return JSONResponse(told, status_code=200 if ready else 503)

    async def _metrics(self, _request: Request) -> Response:
        tally = await self._counted()
        extra = tallied(tally, self._unfinished) if tally is not None else ()
        return Response(self.sources.metrics.text(extra), media_type=CONTENT_TYPE)


async def _proved() -> None:
    """Nothing starts before the policy was proved, and rules do not change while it runs."""
