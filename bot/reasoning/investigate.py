"""The round loop: collect, let all analyzers look, rank, and stop as soon as the answer is clear.

Pure and deterministic between two calls of `collect`: it runs inside a durable, replayed workflow.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bot.domain.diagnosis import Budget, Concluded, Diagnosis, Finding, Question
from bot.domain.environment import Tier
from bot.domain.needs import Need
from bot.domain.ports import Collect
from bot.domain.redaction import redact
from bot.domain.snapshot import BlindSpot, Snapshot
from bot.reasoning import needs, remedies
from bot.reasoning.analyzers import Analyzer
from bot.reasoning.ranking import conclude, settled
from bot.reasoning.report import chart_data

ROUNDS = {Tier.PRODUCTION: 4, Tier.STAGING: 3, Tier.DEVELOPMENT: 3}
BUGS = (ArithmeticError, LookupError, TypeError, ValueError)  # what a wrong analyzer raises

Tell = Callable[[Snapshot, Sequence[Need]], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What all analyzers together make of a snapshot, and which of them failed."""

    findings: tuple[Finding, ...]
    failed: tuple[BlindSpot, ...]

    @property
    def needs(self) -> tuple[Need, ...]:
        """Everything that some analyzer still wants to know."""
        return tuple(n for finding in self.findings for n in finding.needs)


async def investigate(  # noqa: PLR0913 - the loop's whole contract, five of them by keyword
    question: Question,
    collect: Collect,
    *,
    analyzers: Sequence[Analyzer],
    budget: Budget,
    spent: Callable[[], Budget],
    progress: Tell | None = None,
    environment_tier: Tier | None = None,
) -> Concluded:
    """Return the diagnosis of `question` and the facts it rests on.

    Each round is one `collect` of everything wanted. It ends when the best hypothesis is confident
    and well separated, when nothing more is wanted, or when `spent()` reaches `budget`.
    `environment_tier` sets how many rounds at most; None counts as production.
    """
    snapshot = Snapshot(
        environment=question.environment, window=question.window, now=question.asked_at
    )
    asked: set[needs.Key] = set()
    wanted: tuple[Need, ...] = needs.first_round(question)
    rounds = 0
    while True:
        if progress is not None:
            await progress(snapshot, wanted)
        snapshot = snapshot.merge(await collect(wanted))
        asked.update(map(needs.key, wanted))
        rounds += 1
        # it takes a second of computing at times, in which others would wait for the loop
        looked = await asyncio.to_thread(look, snapshot, question, analyzers)
        diagnosis = await asyncio.to_thread(_diagnose, looked, snapshot, question)
        wanted = needs.fresh(looked.needs, asked)
        if rounds == 1:
            wanted = (*needs.unanswered(snapshot, question), *wanted)
        done = rounds >= ROUNDS[environment_tier or Tier.PRODUCTION]
        if (
            done
            or not wanted
            or settled(diagnosis, snapshot, question)
            or exhausted(spent(), budget)
        ):
            chart = chart_data(diagnosis, snapshot, question)
            return Concluded(diagnosis=diagnosis, snapshot=snapshot, rounds=rounds, chart=chart)


def look(snapshot: Snapshot, question: Question, analyzers: Sequence[Analyzer]) -> Looked:
    """Let every analyzer look. One that raises is a bug, named as a blind spot; the rest counts."""
    findings, failed = [], []
    for analyzer in analyzers:
        try:
            findings.append(remedies.classed(analyzer.look(snapshot, question)))
        except BUGS as bug:
            failed.append(_failed(analyzer, bug))
    return Looked(findings=tuple(findings), failed=tuple(failed))


def diagnose(snapshot: Snapshot, question: Question, analyzers: Sequence[Analyzer]) -> Diagnosis:
    """Return what the facts at hand say, without collecting more: for replay and evaluation."""
    return _diagnose(look(snapshot, question, analyzers), snapshot, question)


def exhausted(spent: Budget, budget: Budget) -> bool:
    """Whether any limit of the budget is reached; 0 tokens or money means no such limit."""
    return (
        spent.seconds >= budget.seconds
        or spent.queries >= budget.queries
        or 0 < budget.tokens <= spent.tokens
        or 0 < budget.money_usd <= spent.money_usd
    )


def _diagnose(looked: Looked, snapshot: Snapshot, question: Question) -> Diagnosis:
    return conclude(looked.findings, snapshot, question, failed=looked.failed)


def _failed(analyzer: Analyzer, bug: Exception) -> BlindSpot:
    return BlindSpot(
        system="reasoning",
        reason=f"the analyzer failed with {type(bug).__name__}: {redact(str(bug))[:120]}",
        wanted=f"what {analyzer.name} would say",
    )
