"""Runs the product's reasoning over the change incidents and grades culprit, place and remedy."""

import asyncio
import json
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.domain.diagnosis import Budget, Question, Ranked, Symptom
from bot.domain.errors import Malformed
from bot.domain.snapshot import Snapshot
from bot.evaluation.benchmark import Options, Scored, chosen
from bot.evaluation.rootcausebench.answer import Answer, answer_of
from bot.evaluation.rootcausebench.convert import convert, is_folder
from bot.evaluation.rootcausebench.grading import Truth, graded, hits_decoy, is_right, truth_of
from bot.evaluation.scoring import summary
from bot.perception.case import Case
from bot.reasoning.analyzers import Analyzer, discover
from bot.reasoning.investigate import investigate

NAME = "rootcausebench"
TRUTH = "ground_truth.json"
UNLIMITED = Budget(seconds=float("inf"), queries=1_000_000)
NOTHING = Budget(seconds=0.0, queries=0)
COUNTED = ("series", "logs", "spans", "changes", "edges", "alerts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One case's score beside what only this benchmark asks for."""

    scored: Scored
    answer: Answer
    truth: Truth

    @property
    def reward(self) -> float:
        """1 for the right answer, 0 for a decoy, else partial credit."""
        return graded(self.answer, self.truth)


def evaluate(directory: Path, options: Options) -> dict[str, Any]:
    """Return the score over all scenarios below a directory. Raises: Malformed: there are none."""
    names = [path.relative_to(directory).as_posix() for path in cases_in(directory)]
    cases = [directory / name for name in chosen(NAME, names, options.part)]
    if not cases:
        raise Malformed(f"{directory}: no scenario with a {TRUTH} in it")
    judged = judge_all(cases, directory, jobs=options.jobs)
    report = summary([j.scored for j in judged], failures=False)
    report |= {
        "pass_rate": round(sum(j.scored.right for j in judged) / len(judged), 4),
        "mean_graded_reward": round(sum(j.reward for j in judged) / len(judged), 4),
        "decoy_hits": sum(hits_decoy(j.answer, j.truth) for j in judged),
        "answers": [_detail(j) for j in judged],
    }
    if options.failures:
        report["failures"] = [_detail(j) for j in judged if not j.scored.right]
    return report


def cases_in(directory: Path) -> list[Path]:
    """Return the scenario folders below a directory, in the order of their names."""
    return sorted({p.parent for p in directory.rglob(TRUTH) if is_folder(p.parent)})


def judge_all(cases: Sequence[Path], root: Path, *, jobs: int = 1) -> list[Judged]:
    """Return the judged cases in the order given, on `jobs` processes."""
    if jobs <= 1:
        analyzers = discover()
        return [judge(case, root, analyzers) for case in cases]
    with ProcessPoolExecutor(max_workers=jobs) as pool:
        return list(pool.map(_judge_alone, cases, [root] * len(cases)))


def judge(path: Path, root: Path, analyzers: Sequence[Analyzer]) -> Judged:
    """Return one scenario's answer against its truth. Raises: Malformed."""
    started = time.process_time()
    case = convert(path)
    ranked, snapshot = conclude(case, analyzers)
    answer = answer_of(ranked, snapshot)
    seconds = time.process_time() - started
    truth = truth_of(_json(path / TRUTH))
    return Judged(
        scored=Scored(
            case=path.relative_to(root).as_posix(),
            kind="no_change" if truth.commit == "none" else "commit",
            system="recorded",
            truth=truth.commit,
            answers=answer.commits[:5],
            answered=True,
            right=is_right(answer.commit, truth),
            among_three=any(is_right(c, truth) for c in answer.commits[:3]),
            confidence=answer.confidence,
            facts=sum(len(getattr(snapshot, name)) for name in COUNTED),
            seconds=seconds,
        ),
        answer=answer,
        truth=truth,
    )


def conclude(case: Case, analyzers: Sequence[Analyzer]) -> tuple[tuple[Ranked, ...], Snapshot]:
    """Run the product's own round loop, with a blank question: nothing of the case's words."""
    question = Question(
        text="",
        environment=case.environment,
        services=(),
        symptom=Symptom.ANY,
        asked_at=case.now,
        window=case.window,
    )

    async def run() -> tuple[tuple[Ranked, ...], Snapshot]:
        concluded = await investigate(
            question,
            case.replay().collect,
            analyzers=analyzers,
            budget=UNLIMITED,
            spent=lambda: NOTHING,
        )
        return concluded.diagnosis.ranked, concluded.snapshot

    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(run())
    finally:
        loop.close()


def _judge_alone(path: Path, root: Path) -> Judged:
    return judge(path, root, discover())


def _detail(judged: Judged) -> dict[str, Any]:
    answer, truth = judged.answer, judged.truth
    return {
        "case": judged.scored.case,
        "truth": truth.commit,
        "root_cause_commit": answer.commit,
        "cause": answer.cause,
        "confidence": round(answer.confidence, 3),
        "first_failing_service": answer.service,
        "blast_radius": list(answer.blast_radius),
        "remediation": answer.remediation,
        "reward": round(judged.reward, 4),
        "decoy": hits_decoy(answer, truth),
    }


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise Malformed(f"{path.name}: not JSON: {str(error)[:120]}") from error
