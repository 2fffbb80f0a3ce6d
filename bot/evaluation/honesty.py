"""Whether a score is earned: renamed cases, blank paths and questions, and a permuted truth.

A reasoning that knows the data set's names, reads the folder's name or the question's text, or
scores without looking, is found out here.
"""

import hashlib
import json
import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.evaluation.benchmark import Scored
from bot.evaluation.renaming import bijection, images_of, names_of, renamed_copy, renamer
from bot.perception.case import Case

QUESTIONS = frozenset({"query", "question", "path", "paths", "process"})
SHUFFLES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """How one benchmark finds, loads and scores its cases."""

    cases: Callable[[Path], Sequence[Path]]
    load: Callable[[Path], Case]
    score: Callable[[Sequence[Path], Path], Sequence[Scored]]


def examine(subject: Subject, directory: Path) -> dict[str, Any]:
    """Return top-1 as it is, renamed, blanked, and by a permuted truth, with the cases that moved.

    `honest` says that renaming and blanking moved nothing and that the permuted truth scores at
    most twice what always giving the commonest answer would.
    """
    cases = subject.cases(directory)
    plain = list(subject.score(cases, directory))
    renamed = _again(subject, cases, _renaming(subject, cases))
    blanked = _again(subject, cases, _blanked)
    moved = {
        "renamed": [a.case for a, b in zip(plain, renamed, strict=True) if a.right != b.right],
        "blanked": [a.case for a, b in zip(plain, blanked, strict=True) if a.right != b.right],
    }
    permuted, chance = _permuted(plain), _chance(plain)
    return {
        "cases": len(plain),
        "top1": _top1(plain),
        "top1_renamed": _top1(renamed),
        "top1_blanked": _top1(blanked),
        "top1_permuted": permuted,
        "chance": chance,
        "moved": moved,
        "honest": not any(moved.values()) and permuted <= 2 * chance + 0.02,
    }


Copy = Callable[[Path, Path], None]


def _again(subject: Subject, cases: Sequence[Path], copy: Copy) -> list[Scored]:
    """Score copies of the cases, in folders whose names say nothing, in the same order."""
    with tempfile.TemporaryDirectory(prefix="sre-bot-honesty-") as place:
        root = Path(place)
        copies = []
        for number, case in enumerate(cases):
            name = hashlib.sha256(f"{number}/{case.name}".encode()).hexdigest()[:12]
            copy(case, root / name)
            copies.append(root / name)
        return list(subject.score(copies, root))


def _renaming(subject: Subject, cases: Sequence[Path]) -> Copy:
    snapshots = [subject.load(case).snapshot() for case in cases]
    mapping = bijection(name for s in snapshots for name in names_of(s))
    rename = renamer(mapping, (image for s in snapshots for image in images_of(s)))
    return lambda source, target: renamed_copy(source, target, rename)


def _blanked(source: Path, target: Path) -> None:
    renamed_copy(source, target, lambda text: text)
    for path in target.rglob("*.json"):
        data = json.loads(path.read_text(encoding="utf-8") or "null")
        if isinstance(data, dict) and QUESTIONS & set(data):
            blank = {k: ("" if k in QUESTIONS else v) for k, v in data.items()}
            path.write_text(json.dumps(blank), encoding="utf-8")


def _permuted(scored: Sequence[Scored]) -> float:
    """Mean top-1 over many shufflings of the truth."""
    truths = [s.truth for s in scored]
    firsts = [s.answers[0] if s.answered and s.answers else "" for s in scored]
    shuffle = random.Random(1).shuffle  # noqa: S311 - an experiment, no secret
    hits = 0
    for _ in range(SHUFFLES):
        shuffle(truths)
        hits += sum(a == b for a, b in zip(firsts, truths, strict=True))
    return round(hits / max(1, SHUFFLES * len(scored)), 4)


def _chance(scored: Sequence[Scored]) -> float:
    """What always giving the commonest truth would score."""
    truths = [s.truth for s in scored]
    return round(max((truths.count(t) for t in set(truths)), default=0) / max(1, len(truths)), 4)


def _top1(scored: Sequence[Scored]) -> float:
    return round(sum(s.right for s in scored) / max(1, len(scored)), 4)
