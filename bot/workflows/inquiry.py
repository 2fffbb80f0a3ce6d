"""Understands a question and investigates it; the same with and without the durable engine."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.diagnosis import (
    Budget,
    Concluded,
    Evidence,
    Finding,
    Hypothesis,
    Progress,
    Question,
    Report,
    Step,
)
from bot.domain.environment import Environment
from bot.domain.errors import UnknownName
from bot.domain.needs import Need
from bot.domain.ports import Collect
from bot.domain.snapshot import PastIncident, Snapshot, Source
from bot.domain.time import Clock, Window
from bot.domain.wish import Wanted, Wish
from bot.perception.collector import Collector
from bot.reasoning.analyzers import Analyzer
from bot.reasoning.investigate import investigate
from bot.reasoning.question import understand
from bot.reasoning.wishes import resolve
from bot.triage.depth import deepened
from bot.workflows.orders import Refuted

LONGEST_THOUGHT_S = 5.0  # wall; a longer gap between two rounds was a crash, not thinking
REFUTED_WEIGHT = -6.0  # a repair that did not help all but rules its cause out
NAMES_WITHIN_S = 3.0  # wall; then those known from before will do


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One round's facts and the queries that gave them."""

    snapshot: Snapshot
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """All that an investigation needs, handed in by the composition root."""

    environments: Mapping[str, Environment]
    collectors: Mapping[str, Collector]
    analyzers: tuple[Analyzer, ...]
    clock: Clock
    budget: Budget

    @property
    def default_environment(self) -> str:
        """The environment that is meant when none is named."""
        chosen = [e.name for e in self.environments.values() if e.default]
        return (chosen or sorted(self.environments) or [""])[0]

    async def understand(
        self, text: str, *, channel: str = "", environment: str = "", previous: Question | None
    ) -> Question:
        """Return the question. Raises: UnknownName, Ambiguous, Malformed, each with a way out."""
        if environment and environment not in self.environments:
            raise UnknownName("environment", environment, near=sorted(self.environments))
        return understand(
            text,
            environments=tuple(self.environments.values()),
            services=await self._names(),
            default_environment=environment or self._environment_of(channel),
            now=self.clock.now(),
            previous=previous,
        )

    async def wanted(
        self, wish: Wish, *, channel: str, previous: Question | None, environment: str = ""
    ) -> Wanted | None:
        """Return a wish with names that exist, None if it reads like a question after all.

        `environment`: where the thread is, if it is not the channel's or the default one.
        Raises: UnknownName, Ambiguous, Malformed, each with a way out.
        """
        return resolve(
            wish,
            environments=tuple(self.environments.values()),
            services=await self._names(),
            default_environment=environment or self._environment_of(channel),
            previous=previous,
        )

    async def run(
        self, question: Question, collect: Collect, meter: "Meter", refuted: Sequence[Refuted] = ()
    ) -> Concluded:
        """Investigate with what `collect` finds; `meter` tells what was spent."""
        return await investigate(
            question,
            collect,
            analyzers=without(self.analyzers, refuted),
            budget=self.budget,
            spent=lambda: meter.spent,
            environment_tier=self.environments[question.environment].tier,
        )

    def deepened(self, share: float) -> "Inquiry":
        """Return the same with that share of the budget."""
        return self if share == 1.0 else replace(self, budget=deepened(self.budget, share))

    def _environment_of(self, channel: str) -> str:
        for environment in self.environments.values():
            if channel in environment.channels:
                return environment.name
        return self.default_environment

    async def _names(self) -> dict[str, Sequence[str]]:
        async def of(name: str) -> tuple[str, Sequence[str]]:
            collector = self.collectors[name]
            try:
                async with asyncio.timeout(NAMES_WITHIN_S):
                    return name, await collector.service_names()
            except TimeoutError:
                return name, collector.known_names

        return dict(await asyncio.gather(*(of(name) for name in self.collectors)))


def anchored(question: Question, now: datetime) -> Question:
    """Return the question as asked now, over a window that reaches from its start until now."""
    start = min(question.window.start, now)
    return replace(question, asked_at=now, window=Window(start=start, end=now))


class Meter:
    """Counts what an investigation spends, from the results of its steps only.

    The time between a crash and the next start is not spent: it was nobody's work.
    """

    def __init__(self, started: datetime, clock: Clock) -> None:
        self._last, self._clock = started, clock
        self.spent = Budget(seconds=0.0, queries=0)
        self.steps: tuple[Step, ...] = ()

    def count(self, found: Found, *, began: datetime, ended: datetime) -> None:
        """Add a round that was at work from `began` to `ended`."""
        first = len(self.steps)
        self.steps += tuple(
            replace(step, number=first + n) for n, step in enumerate(found.steps, start=1)
        )
        thought = self._clock.wall_seconds((began - self._last).total_seconds())
        worked = self._clock.wall_seconds((ended - began).total_seconds())
        seconds = self.spent.seconds + min(max(0.0, thought), LONGEST_THOUGHT_S) + worked
        self._last = ended
        self.spent = Budget(seconds=seconds, queries=len(self.steps))


def progress_of(snapshot: Snapshot, wanted: Sequence[Need], elapsed_s: float) -> Progress:
    """Return where an investigation stands, for the head message."""
    waiting = dict.fromkeys(SYSTEMS.get(need.fact.value, need.fact.value) for need in wanted)
    return Progress(
        elapsed_s=elapsed_s,
        looked_at=snapshot.looked_at,
        waiting_for=tuple(name for name in waiting if name not in snapshot.looked_at),
        observation="",
    )


SYSTEMS = {
    "objects": "Kubernetes", "series": "metrics", "logs": "logs", "spans": "traces",
    "edges": "traces", "changes": "changes", "alerts": "metrics", "objectives": "metrics",
}  # fmt: skip


def report_of(
    investigation_id: str, question: Question, concluded: Concluded, meter: Meter
) -> Report:
    """Return the finished report."""
    return Report(
        investigation_id=investigation_id,
        question=question,
        diagnosis=concluded.diagnosis,
        steps=meter.steps,
        looked_at=concluded.snapshot.looked_at,
        spent=meter.spent,
        chart=concluded.chart,
    )


def with_past(past: Sequence[PastIncident], collect: Collect) -> Collect:
    """Return a collect that adds what earlier incidents turned out to be to its first answer."""
    given = False

    async def collecting(needs: Sequence[Need]) -> Snapshot:
        nonlocal given
        snapshot = await collect(needs)
        if given:
            return snapshot
        given = True
        return replace(snapshot, past=snapshot.past + tuple(past))

    return collecting


def without(analyzers: Sequence[Analyzer], refuted: Sequence[Refuted]) -> tuple[Analyzer, ...]:
    """Return the analyzers, with evidence against what was refuted in their findings."""
    if not refuted:
        return tuple(analyzers)

    def wrap(analyzer: Analyzer) -> Analyzer:
        def look(snapshot: Snapshot, question: Question) -> Finding:
            finding = analyzer.look(snapshot, question)
            return replace(
                finding, hypotheses=tuple(_weakened(h, refuted) for h in finding.hypotheses)
            )

        return replace(analyzer, look=look)

    return tuple(wrap(analyzer) for analyzer in analyzers)


def _weakened(hypothesis: Hypothesis, refuted: Sequence[Refuted]) -> Hypothesis:
    against = tuple(
        Evidence(
            statement=r.why,
            weight=REFUTED_WEIGHT,
            source=Source(system="sre-bot", query="outcome of the last action"),
        )
        for r in refuted
        if (r.cause, r.object) == (hypothesis.cause, hypothesis.object)
    )
    return replace(hypothesis, evidence=hypothesis.evidence + against) if against else hypothesis
