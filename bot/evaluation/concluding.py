"""Runs the product's own round loop over a recorded case, with a blank question."""

import asyncio
from collections.abc import Sequence

from bot.domain.diagnosis import Budget, Concluded, Question, Symptom
from bot.domain.snapshot import Snapshot
from bot.perception.case import Case
from bot.reasoning.analyzers import Analyzer
from bot.reasoning.investigate import investigate

UNLIMITED = Budget(seconds=float("inf"), queries=1_000_000)
NOTHING = Budget(seconds=0.0, queries=0)
COUNTED = (
    "objects", "series", "logs", "spans", "changes", "edges", "probes", "components", "alerts",
)  # fmt: skip


def question_about(case: Case) -> Question:
    """Return the blank question: nothing of the case's own words is used."""
    return Question(
        text="",
        environment=case.environment,
        services=(),
        symptom=Symptom.ANY,
        asked_at=case.now,
        window=case.window,
    )


def conclude(
    case: Case, analyzers: Sequence[Analyzer], question: Question | None = None
) -> Concluded:
    """Return the diagnosis of a recorded case and the facts it rests on."""

    async def run() -> Concluded:
        return await investigate(
            question or question_about(case),
            case.replay().collect,
            analyzers=analyzers,
            budget=UNLIMITED,
            spent=lambda: NOTHING,
        )

    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(run())
    finally:
        loop.close()


def facts_of(snapshot: Snapshot) -> int:
    """Return how many facts a diagnosis could rest on."""
    return sum(len(getattr(snapshot, name)) for name in COUNTED)
