"""What triage knows of each environment: names, who calls whom, what people taught; kept fresh.

Nothing here waits for a slow system: what is known from before serves until the answer comes.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.domain.environment import Environment
from bot.domain.errors import SreBotError
from bot.domain.incident import CallStore, Lesson, TriageStore
from bot.domain.needs import Fact, Need
from bot.domain.redaction import redact
from bot.domain.time import Clock, Window
from bot.perception.collector import Collector
from bot.triage.calls import Calls
from bot.triage.learning import learned
from bot.triage.places import Place

LOG = logging.getLogger(__name__)
CALLS_WINDOW_S = 3600.0  # world
CALLS_KEPT = timedelta(days=7)  # wall; a call that was not seen for longer is forgotten
TAUGHT = timedelta(days=90)  # wall; after that people are asked again
FRESH_S = 300.0  # wall
LESSONS_FRESH_S = 15.0  # wall
FIRST_WITHIN_S = 3.0  # wall; how long the first decision waits for names and calls


@dataclass(slots=True)
class _Known:
    """One environment's."""

    services: frozenset[str] = frozenset()
    calls: Calls = field(default_factory=Calls)
    lessons: tuple[Lesson, ...] = ()
    asked_at: datetime | None = None
    lessons_at: datetime | None = None
    turn: int = 0  # how often somebody taught something
    task: asyncio.Task[None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where it is learned. `world` is the watched world's clock, `wall` that of people."""

    environments: Mapping[str, Environment]
    collectors: Mapping[str, Collector]
    calls: CallStore
    store: TriageStore
    world: Clock
    wall: Clock


class Maps:
    """Hands out places. Use it from one event loop."""

    def __init__(self, sources: Sources) -> None:
        self._from = sources
        self._known = {name: _Known() for name in sources.environments}

    async def places(self) -> Mapping[str, Place]:
        """Return every environment as known now; asks for news in the background."""
        return {name: await self.place(name) for name in self._known}

    async def place(self, name: str) -> Place:
        """Return one environment. Raises: Unavailable: the database."""
        known, now = self._known[name], self._from.wall.now()
        if known.asked_at is None:
            await self._first(name, known)
        if known.asked_at is None or (now - known.asked_at).total_seconds() > FRESH_S:
            known.asked_at = now
            known.task = asyncio.create_task(self._learn(name, known))
            if not known.services:
                await asyncio.wait({known.task}, timeout=FIRST_WITHIN_S)
        await self._lessons(name, known, now)
        return Place(
            environment=self._from.environments[name],
            services=known.services,
            calls=known.calls,
            lessons=known.lessons,
        )

    def taught(self, name: str) -> None:
        """Forget the lessons: there are new ones."""
        if name in self._known:
            self._known[name].lessons_at = None
            self._known[name].turn += 1

    async def _first(self, name: str, known: _Known) -> None:
        pairs = await self._from.calls.known(name, self._from.wall.now() - CALLS_KEPT)
        known.calls = Calls.of(pairs)
        known.services = frozenset(service for pair in pairs for service in pair)

    async def _learn(self, name: str, known: _Known) -> None:
        """Ask who calls whom, and keep it; what fails leaves what was known."""
        try:
            collector = self._from.collectors[name]
            window = Window.last(CALLS_WINDOW_S, before=self._from.world.now())
            need = Need(fact=Fact.EDGES, window=window, reason="which alerts belong together")
            found = await collector.fresh().collect((need,))
            pairs = [(e.caller, e.callee) for e in found.snapshot.edges]
            names = await collector.service_names()
            now = self._from.wall.now()
            await self._from.calls.learn(name, pairs, now)
            kept = await self._from.calls.known(name, now - CALLS_KEPT)
            known.calls = Calls.of(kept)
            known.services = frozenset(names) | {s for pair in kept for s in pair}
        except SreBotError as error:
            LOG.warning("who calls whom in %s could not be read: %s", name, redact(str(error)))

    async def _lessons(self, name: str, known: _Known, now: datetime) -> None:
        """Read what people taught, if it may be old; anew if somebody taught meanwhile."""
        while (
            known.lessons_at is None or (now - known.lessons_at).total_seconds() > LESSONS_FRESH_S
        ):
            turn, since = known.turn, now - TAUGHT
            said = await self._from.store.lessons(name, since)
            verdicts = await self._from.store.judged(name, since)
            if turn == known.turn:
                known.lessons, known.lessons_at = (*said, *learned(name, verdicts)), now
