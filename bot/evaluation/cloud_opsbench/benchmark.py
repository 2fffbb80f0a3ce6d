"""Runs the product's reasoning over recorded cases and counts what it got right. Deterministic."""

import json
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

from bot.domain.diagnosis import HEALTHY, Diagnosis, Status
from bot.domain.errors import Malformed
from bot.evaluation.benchmark import Options, Scored, chosen
from bot.evaluation.cloud_opsbench.convert import is_folder, load_any
from bot.evaluation.cloud_opsbench.labels import answers_of, truth_of
from bot.evaluation.concluding import conclude, facts_of
from bot.evaluation.fitting import refitted
from bot.evaluation.honesty import Subject
from bot.evaluation.scoring import summary
from bot.reasoning.analyzers import Analyzer, discover

NAME = "cloud-opsbench"
ASIDE = "set_aside.txt"
SHOWN = 5


def subject(options: Options) -> Subject:
    """Return what the honesty check needs of this benchmark."""
    return Subject(
        cases=lambda directory: cases_of(directory, options),
        load=load_any,
        score=partial(score_all, jobs=options.jobs),
    )


def cases_in(directory: Path) -> list[Path]:
    """Return the case folders below a directory, in the order of their names."""
    found = {path.parent for path in directory.rglob("metadata.json") if is_folder(path.parent)}
    return sorted(found)


def cases_of(directory: Path, options: Options) -> list[Path]:
    """Return the case folders of a part below a directory, in the order of their names."""
    names = [path.relative_to(directory).as_posix() for path in cases_in(directory)]
    return [directory / name for name in chosen(NAME, names, options.part, _is_aside)]


def evaluate(directory: Path, options: Options) -> dict[str, Any]:
    """Return the score over all cases below a directory. Raises: Malformed: there are none."""
    cases = cases_of(directory, options)
    if not cases:
        raise Malformed(f"{directory}: no case with a metadata.json in it")
    scored = refitted(score_all(cases, directory, jobs=options.jobs), options)
    return summary(scored, failures=options.failures)


def score_all(cases: Sequence[Path], root: Path, *, jobs: int = 1) -> list[Scored]:
    """Return the scored cases in the order given, on `jobs` processes."""
    if jobs <= 1:
        analyzers = discover()
        return [score(case, root, analyzers) for case in cases]
    with ProcessPoolExecutor(max_workers=jobs) as pool:
        return list(pool.map(_score_alone, cases, [root] * len(cases), chunksize=8))


def score(path: Path, root: Path, analyzers: Sequence[Analyzer]) -> Scored:
    """Return one case's answer against its truth. Raises: Malformed."""
    started = time.process_time()
    case = load_any(path)
    concluded = conclude(case, analyzers)
    seconds = time.process_time() - started
    diagnosis = concluded.diagnosis
    truth = truth_of(_result(path))
    answers = answers_of(ranked.hypothesis for ranked in diagnosis.ranked)
    answered = diagnosis.status is Status.ROOT_CAUSE
    name = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
    return Scored(
        case=name,
        kind=truth[0],
        system=name.partition("/")[0],
        truth="@".join(truth),
        answers=tuple("@".join(answer) for answer in answers[:SHOWN]),
        answered=answered,
        right=answered and answers[:1] == [truth],
        among_three=truth in answers[:3],
        confidence=diagnosis.confidence,
        facts=facts_of(concluded.snapshot),
        seconds=seconds,
        correct=answers[:1] == [truth],
        log_odds=_first_log_odds(diagnosis),
    )


def _is_aside(_benchmark: str, case: str) -> bool:
    """Whether a case was set aside before the first rule was written, in part 1."""
    names = resources.files("bot.evaluation.cloud_opsbench").joinpath(ASIDE).read_text("utf-8")
    return "/".join(case.split("/")[-3:]) in names.split()


def _first_log_odds(diagnosis: Diagnosis) -> float | None:
    """Log-odds of what would be answered; "healthy" is no answer here."""
    first = diagnosis.ranked[0] if diagnosis.ranked else None
    return None if first is None or first.hypothesis.cause == HEALTHY else first.log_odds


def _score_alone(path: Path, root: Path) -> Scored:
    return score(path, root, discover())


def _result(path: Path) -> dict[str, Any]:
    data = json.loads((path / "metadata.json").read_text(encoding="utf-8"))
    result = data.get("result") if isinstance(data, dict) else None
    return result if isinstance(result, dict) else {}
