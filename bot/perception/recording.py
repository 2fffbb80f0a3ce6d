"""Writes down what an investigation was told, round by round, as a case that can be replayed."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from bot.domain.diagnosis import Question
from bot.domain.needs import Fact, Need
from bot.domain.ports import Collect
from bot.domain.snapshot import FACTS, Snapshot
from bot.perception.case import Answer, Case

HOLDS: Mapping[Fact, str] = {
    Fact.OBJECTS: "objects", Fact.SERIES: "series", Fact.LOGS: "logs", Fact.SPANS: "spans",
    Fact.EDGES: "edges", Fact.CHANGES: "changes", Fact.ALERTS: "alerts",
    Fact.OBJECTIVES: "objectives", Fact.PROBES: "probes", Fact.COMPONENTS: "components",
}  # fmt: skip


class Recording:
    """Listens to one investigation's `collect`."""

    def __init__(self, collect: Collect) -> None:
        self._collect = collect
        self._answers: list[Answer] = []

    async def collect(self, needs: Sequence[Need]) -> Snapshot:
        """Return what the wrapped `collect` returns, and keep it."""
        snapshot = await self._collect(needs)
        self._answers += answers_of(needs, snapshot)
        return snapshot

    def case(self, question: Question, tool: str) -> Case:
        """Return everything that was told so far as a case."""
        return Case(
            environment=question.environment,
            question=question,
            window=question.window,
            now=question.asked_at,
            tool=tool,
            answers=tuple(self._answers),
        )


def answers_of(needs: Sequence[Need], snapshot: Snapshot) -> list[Answer]:
    """Return one answer per need of a round. The first need of a kind of fact holds all of it.

    What belongs to no need (blind spots, past incidents) goes with the round's first.
    """
    nothing: dict[str, Any] = dict.fromkeys(FACTS, ())
    left = {f.name: getattr(snapshot, f.name) for f in fields(Snapshot) if f.name in FACTS}
    answers = []
    for need in needs:
        name = HOLDS[need.fact]
        part = replace(snapshot, **{**nothing, name: left.pop(name, ())})
        answers.append(Answer(need=need, facts=part, took_s=0.0))
    if answers:
        first = answers[0].facts or snapshot
        rest = {name: getattr(first, name) + facts for name, facts in left.items()}
        answers[0] = replace(answers[0], facts=replace(first, **rest))
    return answers
