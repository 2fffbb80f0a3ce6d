"""Watches every environment for grey failures, and puts what it finds into the inbox.

One replica watches an environment at a time, by lease. What it stands at is saved before anything
is told, and a signal's key is made of what was saved: so a crash, or a replica that takes over,
tells nothing twice and forgets nothing. A look is a few range queries of the last minutes; after
an outage of the bot or of the metrics up to four hours are made up for. On its first start it
learns what is usual from the metrics of the last week.
"""

import asyncio
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from bot.domain.errors import Malformed, SreBotError
from bot.domain.needs import Fact, Need
from bot.domain.redaction import redact
from bot.domain.signal import Inbox, Origin, Phase, Severity, Signal
from bot.domain.time import Clock, Window
from bot.perception.collector import Collector
from bot.supervision import supervised
from bot.triage.grey import keeping
from bot.triage.grey.episodes import Episode
from bot.triage.grey.streams import EVERY_S, LAGS_S, NAMES, WINDOW_S, Tape
from bot.triage.grey.watcher import Watcher

LOG = logging.getLogger(__name__)
SETTLED_S = 20.0  # the last samples before now may still come in
CATCH_UP_S = 4 * 3600.0  # the longest window whose samples are still two minutes apart
LEARN_S = 7 * 86400.0
LEAST_PAUSE_S = 5.0  # wall, between two looks, however fast the watched world runs
LEASE_S = 120.0  # wall
KEEP_EVERY_S = 1800.0  # world, between two savings of the baselines
MOST_PARTIAL = 4  # answers in a row that lack something; then what there is has to do
MOST_PAUSE_S = 300.0  # wall, after failures in a row
AGAIN_S = 60.0  # wall, after something unforeseen: taking up may mean to learn a week
Json = Mapping[str, Any]


class Memory(Protocol):
    """What outlives a process, and which replica watches."""

    async def take(self, environment: str, now: datetime, seconds: float) -> bool:
        """Take or prolong the lease; return whether this replica has it. Raises: Unavailable."""
        ...

    async def release(self, environment: str, now: datetime) -> None:
        """Give the lease back. Raises: Unavailable."""
        ...

    async def load(self, environment: str) -> tuple[Json, Mapping[str, Json]]:
        """Return what the watch stands at, and the baselines by stream. Raises: Unavailable."""
        ...

    async def save(self, environment: str, standing: Json, now: datetime) -> bool:
        """Keep what the watch stands at; False if the lease was lost. Raises: Unavailable."""
        ...

    async def keep(self, environment: str, bodies: Mapping[str, Json], now: datetime) -> None:
        """Keep baselines. Raises: Unavailable."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the watch works with. `world` is the watched world's clock, `wall` people's."""

    collectors: Mapping[str, Collector]
    inbox: Inbox
    memory: Memory
    world: Clock
    wall: Clock


class GreyWatch:
    """One environment."""

    def __init__(self, parts: Parts, environment: str) -> None:
        self._parts, self._environment = parts, environment
        self._watcher: Watcher | None = None
        self._kept = self._saved = 0.0
        self._partial = 0  # answers in a row that lacked something

    async def run(self) -> None:
        """Look again and again, until cancelled; gives its lease back, also when it breaks."""
        pause = self._pause()
        try:
            while True:
                try:
                    await self.tick()
                    pause = self._pause()
                except SreBotError as error:
                    LOG.warning("grey watch of %s: %s", self._environment, redact(str(error)))
                    pause = min(MOST_PAUSE_S, 2.0 * pause)
                await asyncio.sleep(pause)
        finally:
            await self._leave()

    async def tick(self) -> None:
        """Look once, if this replica is the one that watches. Raises: SreBotError."""
        parts = self._parts
        if not await parts.memory.take(self._environment, parts.wall.now(), LEASE_S):
            self._watcher = None
            return
        watcher = self._watcher or await self._taken_up()
        await self._look(watcher)
        due = [*watcher.to_tell(), *watcher.ended()]
        worth = bool(due) or watcher.looked - self._saved >= WINDOW_S
        if worth and not await self._save(watcher):
            self._watcher = None  # somebody else watches now, and tells
            return
        self._watcher = watcher
        await self._tell(watcher, due)
        if watcher.looked - self._kept >= KEEP_EVERY_S:
            bodies = await asyncio.to_thread(watcher.dump)
            await parts.memory.keep(self._environment, bodies, parts.wall.now())
            self._kept = watcher.looked

    async def _taken_up(self) -> Watcher:
        standing, bodies = await self._parts.memory.load(self._environment)
        watcher = Watcher(self._environment)
        try:
            keeping.restore(watcher, bodies, standing)
        except Malformed as error:
            LOG.warning("what was kept of %s is damaged: %s", self._environment, error)
            watcher = Watcher(self._environment)
        if not watcher.baseline.keys:
            await self._learn(watcher)
        self._kept = watcher.looked if bodies else 0.0
        return watcher

    async def _learn(self, watcher: Watcher) -> None:
        """Take in what the metrics still know of the last week, four hours at a time."""
        parts = self._parts
        end = _floor(parts.world.now().timestamp() - CATCH_UP_S / 2, WINDOW_S)
        start = end - LEARN_S
        while start < end:
            window = _window(start, min(end, start + CATCH_UP_S))
            tape, _ = await self._tape(window)
            await asyncio.to_thread(_learned, watcher, tape, window)
            start += CATCH_UP_S
            if not await parts.memory.take(self._environment, parts.wall.now(), LEASE_S):
                return

    async def _look(self, watcher: Watcher) -> None:
        newest = _floor(self._parts.world.now().timestamp() - SETTLED_S, EVERY_S)
        first = max(watcher.looked + EVERY_S, newest - CATCH_UP_S + LAGS_S[-1] + WINDOW_S + EVERY_S)
        if not watcher.looked:
            first = newest
        if first > newest:
            return
        tape, whole = await self._tape(_window(first - LAGS_S[-1] - WINDOW_S, newest + 1.0))
        self._partial = 0 if whole else self._partial + 1
        if 0 < self._partial < MOST_PARTIAL:
            return  # looked at again, from the same moment on
        if tape.newest():
            await asyncio.to_thread(_looked, watcher, tape, (first, min(newest, tape.newest())))

    async def _tape(self, window: Window) -> tuple[Tape, bool]:
        """Return what the metrics say, and whether all that was asked was answered.

        A signal without a metric is an answer.
        """
        need = Need(fact=Fact.SERIES, window=window, names=NAMES, reason="grey failures")
        collector = self._parts.collectors[self._environment].fresh()
        found = (await collector.collect((need,))).snapshot
        return Tape(found.series), all(spot.wanted in NAMES for spot in found.blind_spots)

    async def _save(self, watcher: Watcher) -> bool:
        now, body = self._parts.wall.now(), keeping.standing(watcher)
        self._saved = watcher.looked
        return await self._parts.memory.save(self._environment, body, now)

    async def _tell(self, watcher: Watcher, due: Sequence[Episode]) -> None:
        if not due:
            return
        now = self._parts.wall.now()
        signals = [signal_of(self._environment, episode, now) for episode in due]
        await self._parts.inbox.put(signals, now)
        for episode in due:
            watcher.told(episode)
        await self._save(watcher)

    async def _leave(self) -> None:
        if self._watcher is None:
            return
        self._watcher = None  # others may watch now: whoever begins again takes up what was saved
        try:
            await self._parts.memory.release(self._environment, self._parts.wall.now())
        except SreBotError as error:
            LOG.warning("grey watch of %s: %s", self._environment, redact(str(error)))

    def _pause(self) -> float:
        return max(LEAST_PAUSE_S, self._parts.world.wall_seconds(EVERY_S))


def signal_of(environment: str, episode: Episode, now: datetime) -> Signal:
    """Return what the inbox is told of an episode as it is."""
    turn = f"{episode.turn}" if episode.open else f"{episode.turn}:end"
    moment = datetime.fromtimestamp(episode.closed or episode.last, UTC)
    return Signal(
        key=f"grey:{episode.id}:{turn}"[:200],
        origin=Origin.GREY,
        subject=f"grey:{episode.id}"[:200],
        phase=Phase.FIRING if episode.open else Phase.RESOLVED,  # anew when it came back
        title=redact(episode.title)[:300],
        at=min(moment, now),
        severity=Severity.HIGH if episode.severe else Severity.WARNING,
        environment=environment,
        services=(episode.service, *episode.callers),
        text=redact(episode.text)[:3000],
        event="grey.ended" if not episode.open else "grey.found",
        began=min(datetime.fromtimestamp(episode.began, UTC), now),
    )


def _learned(watcher: Watcher, tape: Tape, window: Window) -> None:
    for at in _grid(window.start.timestamp(), window.end.timestamp() - 1.0, WINDOW_S):
        if tape.streams:
            watcher.learn(tape.look(at))


def _looked(watcher: Watcher, tape: Tape, span: tuple[float, float]) -> None:
    for at in _grid(*span, EVERY_S):
        watcher.look(tape.look(at))


def _grid(first: float, last: float, every_s: float) -> Sequence[float]:
    start, end = math.ceil(first / every_s), math.floor(last / every_s)
    return [number * every_s for number in range(start, end + 1)]


def _floor(moment: float, every_s: float) -> float:
    return math.floor(moment / every_s) * every_s


def _window(start: float, end: float) -> Window:
    return Window(start=datetime.fromtimestamp(start, UTC), end=datetime.fromtimestamp(end, UTC))


async def watch_all(parts: Parts) -> None:
    """Watch all environments, each for itself, until cancelled."""
    watches = (
        supervised(f"the grey watch of {name}", GreyWatch(parts, name).run, every_s=AGAIN_S)
        for name in parts.collectors
    )
    await asyncio.gather(*watches)
