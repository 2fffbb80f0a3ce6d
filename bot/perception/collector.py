"""Asks the read tools of one environment in parallel, under limits, and gathers their facts."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bot.domain.diagnosis import Step
from bot.domain.environment import Environment
from bot.domain.errors import SreBotError
from bot.domain.needs import Fact, Need
from bot.domain.redaction import redact
from bot.domain.snapshot import BlindSpot, Snapshot
from bot.domain.telemetry import telemetry
from bot.domain.time import Clock, Window
from bot.perception.facts import Seen
from tools.contract import Query, ReadTool, recorded_queries

LOG = logging.getLogger(__name__)
HAND_OVER = 0.92  # of its time, after which a tool hands over what it has
NAMES_ARE_FRESH_S = 60.0
NAMES_WINDOW_S = 3600.0
NAMED_KINDS = ("Deployment", "StatefulSet", "DaemonSet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one collection may take, on the wall clock."""

    deadline_s: float = 8.0
    parallel: int = 8  # tools at work at once, per system: one that hangs holds up no other


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one tool made of one need: kept in recorded cases. `error`: "" when it answered."""

    need: Need
    tool: str
    snapshot: Snapshot
    took_s: float
    error: str = ""
    queries: tuple[Query, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """The new facts of one collection, and every query that was made for them."""

    snapshot: Snapshot
    steps: tuple[Step, ...]
    answers: tuple[Answer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Whether a tool's system answers, in words."""

    ok: bool
    words: str


@dataclass(slots=True)
class _Names:
    """The last service names, shared by all investigations of an environment."""

    at: float = -1e9
    found: tuple[str, ...] = ()
    reading: asyncio.Task[None] | None = None

    @property
    def fresh(self) -> bool:
        """Whether they need not be read again."""
        return bool(self.found) and time.monotonic() - self.at < NAMES_ARE_FRESH_S


class Collector:
    """The eyes of one investigation: what was answered once is not asked again.

    Take a `fresh()` one for each investigation, and for each later look at the same environment.
    """

    def __init__(
        self,
        environment: Environment,
        tools: Sequence[ReadTool],
        clock: Clock,
        limits: Limits | None = None,
        *,
        names: _Names | None = None,
    ) -> None:
        self._environment, self._tools, self._clock = environment, tuple(tools), clock
        self._limits = limits or Limits()
        self._names = names or _Names()
        self._answered: set[tuple[object, ...]] = set()
        self._seen = Seen()
        self._steps = 0

    def fresh(self) -> "Collector":
        """Return a collector for another investigation of this environment."""
        return Collector(
            self._environment, self._tools, self._clock, self._limits, names=self._names
        )

    async def collect(self, needs: Sequence[Need], *, deadline_s: float | None = None) -> Collected:
        """Return the facts that answer the needs and were not returned before.

        Never raises for a system's failure: a tool that fails or is not done by the deadline, and
        a need that no tool answers, become blind spots.
        """
        wanted = [n for n in dict.fromkeys(needs) if _key(n) not in self._answered]
        wanted = list({_key(n): n for n in wanted}.values())
        work = [(need, tool) for need in wanted for tool in self._tools_for(need)]
        answers = await self._run(work, deadline_s or self._limits.deadline_s)
        for need in wanted:
            own = [a for a in answers if a.need is need]
            if own and not any(a.error for a in own):
                self._answered.add(_key(need))
        snapshot = self._gathered(wanted, answers)
        return Collected(snapshot=snapshot, steps=self._numbered(answers), answers=tuple(answers))

    def recall(self, snapshot: Snapshot) -> None:
        """Take facts for seen that this investigation found before a crash; else does nothing."""
        self._seen.only_new(snapshot)

    async def service_names(self) -> tuple[str, ...]:
        """Return the names of the environment's workloads and of everything they call.

        At most a minute old; what cannot be read stays as it was known. An empty answer: nothing
        could be read yet. All callers share one reading, which goes on without who gives up.
        """
        names = self._names
        if not names.fresh:
            if names.reading is None or names.reading.done():
                names.reading = asyncio.create_task(self._read_names())
                names.reading.add_done_callback(_told)
            await asyncio.wait({names.reading})
        return names.found

    @property
    def known_names(self) -> tuple[str, ...]:
        """The service names as they were read last, however long ago."""
        return self._names.found

    async def _read_names(self) -> None:
        """Read the service names; if a tool fails, the next caller has them read again."""
        window = Window.last(NAMES_WINDOW_S, before=self._clock.now())
        needs = (
            Need(fact=Fact.OBJECTS, window=window, names=NAMED_KINDS, reason="service names"),
            Need(fact=Fact.EDGES, window=window, reason="service names"),
        )
        collected = await self.fresh().collect(needs)
        snapshot = collected.snapshot
        names = {o.name for o in snapshot.objects if o.kind in NAMED_KINDS}
        names |= {end for e in snapshot.edges for end in (e.caller, e.callee)}
        if any(answer.error for answer in collected.answers):
            names |= set(self._names.found)
        else:
            self._names.at = time.monotonic()
        self._names.found = tuple(sorted(names))

    async def check(self) -> Mapping[str, Reach]:
        """Return for each tool what is reachable, or why not, for `sre-bot doctor`."""
        lines = await asyncio.gather(*(self._check(tool) for tool in self._tools))
        return dict(lines)

    async def _check(self, tool: ReadTool) -> tuple[str, Reach]:
        try:
            async with asyncio.timeout(tool.timeout_s):
                return tool.name, Reach(ok=True, words=await tool.check())
        except TimeoutError:
            words = f"did not answer within {tool.timeout_s:g} s"
            return tool.name, Reach(ok=False, words=words)
        except SreBotError as error:
            return tool.name, Reach(ok=False, words=str(error))

    def _tools_for(self, need: Need) -> list[ReadTool]:
        return [tool for tool in self._tools if tool.answers is need.fact]

    async def _run(self, work: Sequence[tuple[Need, ReadTool]], deadline_s: float) -> list[Answer]:
        systems = {tool.system for _, tool in work}
        places = {system: asyncio.Semaphore(self._limits.parallel) for system in systems}
        deadline = time.monotonic() + deadline_s

        async def one(need: Need, tool: ReadTool) -> Answer:
            async with places[tool.system]:
                return await self._ask(need, tool, deadline)

        return list(await asyncio.gather(*(one(need, tool) for need, tool in work)))

    async def _ask(self, need: Need, tool: ReadTool, deadline: float) -> Answer:
        started = time.monotonic()
        limit = max(0.0, min(tool.timeout_s, deadline - started))
        empty, outcome = self._empty(need.window), "ok"
        with (
            recorded_queries(within_s=limit * HAND_OVER) as queries,
            telemetry().span(tool.name, system=tool.system, fact=need.fact.value),
        ):
            try:
                async with asyncio.timeout(limit):
                    snapshot, error = await tool.read(need), ""
            except TimeoutError:
                snapshot, error, outcome = empty, f"not done after {limit:.1f} s", "timeout"
            except SreBotError as failed:
                snapshot, error, outcome = empty, str(failed), "error"
        telemetry().called(tool.system, tool.name, outcome, time.monotonic() - started)
        return Answer(
            need=need,
            tool=tool.name,
            snapshot=snapshot,
            took_s=round(time.monotonic() - started, 4),
            error=error,
            queries=tuple(queries),
        )

    def _gathered(self, needs: Sequence[Need], answers: Sequence[Answer]) -> Snapshot:
        ends = [n.window for n in needs] or [Window.last(0.0, before=self._clock.now())]
        window = Window(start=min(w.start for w in ends), end=max(w.end for w in ends))
        whole = self._empty(window)
        systems = {tool.name: tool.system for tool in self._tools}
        for answer in answers:
            system = systems[answer.tool]
            named = tuple(replace(b, system=system) for b in answer.snapshot.blind_spots)
            part = self._seen.only_new(replace(answer.snapshot, blind_spots=named))
            if answer.error:
                spot = BlindSpot(system=system, reason=answer.error, wanted=_words(answer.need))
                part = replace(part, blind_spots=(*part.blind_spots, spot))
            else:
                part = replace(part, looked_at=(system,))
            whole = whole.merge(part)
        unread = tuple(_unread(n) for n in needs if not self._tools_for(n))
        return replace(whole, blind_spots=(*whole.blind_spots, *unread))

    def _empty(self, window: Window) -> Snapshot:
        return Snapshot(environment=self._environment.name, window=window, now=self._clock.now())

    def _numbered(self, answers: Sequence[Answer]) -> tuple[Step, ...]:
        queries = [query for answer in answers for query in answer.queries]
        first = self._steps + 1
        self._steps += len(queries)
        return tuple(
            Step(number=number, source=query.source, took_s=query.took_s, found=query.found)
            for number, query in enumerate(queries, start=first)
        )


def _told(reading: asyncio.Task[None]) -> None:
    """Say what broke: whoever waited, or no longer does, is answered with what is known."""
    error = None if reading.cancelled() else reading.exception()
    if error is not None:
        LOG.error("reading the service names broke: %s", redact(repr(error)))


def _key(need: Need) -> tuple[object, ...]:
    return (need.fact, need.window, need.services, need.names)


def _words(need: Need) -> str:
    services = f" of {', '.join(need.services[:5])}" if need.services else ""
    start, end = (m.strftime("%H:%M") for m in (need.window.start, need.window.end))
    return f"{need.fact.value}{services}, {start}-{end}"


def _unread(need: Need) -> BlindSpot:
    return BlindSpot(
        system=need.fact.value,
        reason="nothing that knows it is connected to this environment",
        wanted=_words(need),
    )
