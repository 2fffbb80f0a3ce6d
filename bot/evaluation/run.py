"""Runs the product's reasoning over recorded cases and counts what it got right. Deterministic."""

import asyncio
import json
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bot.domain.diagnosis import Budget, Concluded, Question, Status, Symptom
from bot.domain.errors import Malformed
from bot.evaluation.cloud_opsbench import is_folder, load_any
from bot.evaluation.labels import Answer, answers_of, truth_of
from bot.perception.case import Case
from bot.reasoning.analyzers import Analyzer, discover
from bot.reasoning.investigate import investigate

UNLIMITED = Budget(seconds=float("inf"), queries=1_000_000)
NOTHING = Budget(seconds=0.0, queries=0)
COUNTED = (
    "objects",
    "series",
    "logs",
    "spans",
    "changes",
    "edges",
    "probes",
    "components",
    "alerts",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One case's answer against its truth."""

    case: str
    system: str
    truth: Answer
    answers: tuple[Answer, ...]
    status: Status
    confidence: float
    facts: int
    seconds: float

    @property
    def right(self) -> bool:
        """Whether the first answer has the exact cause and object. An abstention is wrong."""
        return self.status is Status.ROOT_CAUSE and self.answers[:1] == (self.truth,)

    @property
    def among_three(self) -> bool:
        """Whether the truth is among the first three answers."""
        return self.truth in self.answers[:3]


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


def cases_in(directory: Path) -> list[Path]:
    """Return the case folders below a directory, in the order of their names."""
    found = {path.parent for path in directory.rglob("metadata.json") if is_folder(path.parent)}
    return sorted(found)


def evaluate_cloud_opsbench(
    directory: Path, *, jobs: int = 1, failures: bool = False
) -> dict[str, Any]:
    """Return the score over all cases below a directory. Raises: Malformed: there are none."""
    cases = cases_in(directory)
    if not cases:
        raise Malformed(f"{directory}: no case with a metadata.json in it")
    return summary(score_all(cases, directory, jobs=jobs), failures=failures)


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
    concluded = _conclude(case, analyzers)
    seconds = time.process_time() - started
    diagnosis = concluded.diagnosis
    truth = truth_of(_result(path))
    name = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
    return Scored(
        case=name,
        system=name.partition("/")[0],
        truth=truth,
        answers=tuple(answers_of(ranked.hypothesis for ranked in diagnosis.ranked)),
        status=diagnosis.status,
        confidence=diagnosis.confidence,
        facts=sum(len(getattr(concluded.snapshot, name)) for name in COUNTED),
        seconds=seconds,
    )


def summary(scored: Sequence[Scored], *, failures: bool = False) -> dict[str, Any]:
    """Return the figures: counts, ratios, per kind and system, and the timings apart."""
    answered = [s for s in scored if s.status is Status.ROOT_CAUSE]
    report: dict[str, Any] = {
        **_figures(scored),
        "abstained": len(scored) - len(answered),
        "coverage": round(len(answered) / max(1, len(scored)), 4),
        "facts_per_case": round(sum(s.facts for s in scored) / max(1, len(scored)), 1),
        "tokens": 0,
        "cost": 0.0,
        "by_kind": _grouped(scored, lambda s: s.truth[0]),
        "by_system": _grouped(scored, lambda s: s.system),
        "timings": _timings([s.seconds for s in scored]),
    }
    if failures:
        report["failures"] = [_failure(s) for s in scored if not s.right]
    return report


def _figures(scored: Sequence[Scored]) -> dict[str, Any]:
    total = max(1, len(scored))
    return {
        "cases": len(scored),
        "top1": round(sum(s.right for s in scored) / total, 4),
        "top3": round(sum(s.among_three for s in scored) / total, 4),
    }


def _grouped(scored: Sequence[Scored], key: Any) -> dict[str, Any]:
    groups: dict[str, list[Scored]] = {}
    for one in scored:
        groups.setdefault(key(one), []).append(one)
    return {name: _figures(group) for name, group in sorted(groups.items())}


def _timings(seconds: Sequence[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {
        "seconds_median": round(median(ordered), 4),
        "seconds_p95": round(ordered[int(0.95 * (len(ordered) - 1))], 4),
    }


def _failure(one: Scored) -> dict[str, Any]:
    return {
        "case": one.case,
        "truth": "@".join(one.truth),
        "answers": ["@".join(answer) for answer in one.answers[:3]],
        "status": one.status.value,
        "confidence": round(one.confidence, 3),
    }


def _score_alone(path: Path, root: Path) -> Scored:
    return score(path, root, discover())


def _result(path: Path) -> dict[str, Any]:
    data = json.loads((path / "metadata.json").read_text(encoding="utf-8"))
    result = data.get("result") if isinstance(data, dict) else None
    return result if isinstance(result, dict) else {}


def _conclude(case: Case, analyzers: Sequence[Analyzer]) -> Concluded:
    """Run the product's own round loop over the recorded facts."""

    async def run() -> Concluded:
        return await investigate(
            question_about(case),
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
