"""Runs the product's reasoning over the change incidents and grades culprit, place and remedy."""

import json
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.domain.errors import Malformed
from bot.evaluation.benchmark import Options, Scored, chosen
from bot.evaluation.concluding import conclude, facts_of
from bot.evaluation.fitting import refitted
from bot.evaluation.honesty import Subject
from bot.evaluation.rootcausebench.answer import Answer, answer_of
from bot.evaluation.rootcausebench.convert import convert, is_folder
from bot.evaluation.rootcausebench.grading import Truth, graded, hits_decoy, is_right, truth_of
from bot.evaluation.scoring import summary
from bot.reasoning.analyzers import Analyzer, discover

NAME = "rootcausebench"
TRUTH = "ground_truth.json"


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
    cases = _chosen(directory, options)
    if not cases:
        raise Malformed(f"{directory}: no scenario with a {TRUTH} in it")
    judged = judge_all(cases, directory, jobs=options.jobs)
    report = summary(refitted([j.scored for j in judged], options), failures=False)
    report |= {
        "pass_rate": round(sum(j.scored.right for j in judged) / len(judged), 4),
        "mean_graded_reward": round(sum(j.reward for j in judged) / len(judged), 4),
        "decoy_hits": sum(hits_decoy(j.answer, j.truth) for j in judged),
        "answers": [_detail(j) for j in judged],
    }
    if options.failures:
        report["failures"] = [_detail(j) for j in judged if not j.scored.right]
    return report


def subject(options: Options) -> Subject:
    """Return what the honesty check needs of this benchmark."""
    return Subject(
        cases=lambda directory: _chosen(directory, options),
        load=convert,
        score=lambda cases, root: [j.scored for j in judge_all(cases, root, jobs=options.jobs)],
    )


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
    concluded = conclude(case, analyzers)
    answer = answer_of(concluded.diagnosis.ranked, concluded.snapshot)
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
            facts=facts_of(concluded.snapshot),
            seconds=seconds,
        ),
        answer=answer,
        truth=truth,
    )


def _chosen(directory: Path, options: Options) -> list[Path]:
    names = [path.relative_to(directory).as_posix() for path in cases_in(directory)]
    return [directory / name for name in chosen(NAME, names, options.part)]


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
