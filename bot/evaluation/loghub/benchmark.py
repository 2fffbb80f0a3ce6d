"""Groups the lines of labelled logs as the product does, and compares with the labels."""

import csv
import time
from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.domain.errors import Malformed
from bot.evaluation.benchmark import Options, chosen
from bot.evaluation.loghub.repeating import repeated
from bot.logs.mining import mine

NAME = "loghub"
LABELS = "_structured_corrected.csv"
TIMES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """One system's lines: what they say, the whole lines, and the label of each."""

    name: str
    contents: tuple[str, ...]
    lines: tuple[str, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouped:
    """How well one system's lines were grouped, and how long its repeated lines took."""

    system: str
    accuracy: float
    accuracy_whole_line: float
    templates: int
    labels: int
    lines: int
    seconds: float


def evaluate(directory: Path, options: Options) -> dict[str, Any]:
    """Return grouping accuracy and speed over all systems below. Raises: Malformed: none there."""
    found = {_name(path): path for path in sorted(directory.rglob(f"*{LABELS}"))}
    names = chosen(NAME, found, options.part)
    if not names:
        raise Malformed(f"{directory}: no *{LABELS} in it")
    grouped = [measure(load(found[name])) for name in names]
    seconds = [g.seconds for g in grouped]
    report: dict[str, Any] = {
        "cases": len(grouped),
        "grouping_accuracy": _mean([g.accuracy for g in grouped]),
        "grouping_accuracy_whole_line": _mean([g.accuracy_whole_line for g in grouped]),
        "by_system": {g.system: _row(g) for g in grouped},
        "timings": {
            "lines_per_s": round(sum(g.lines for g in grouped) / max(sum(seconds), 1e-9)),
            "lines_per_s_slowest": round(min(g.lines / max(g.seconds, 1e-9) for g in grouped)),
        },
    }
    return report


def load(path: Path) -> System:
    """Return a system's lines and labels from its table and the log beside. Raises: Malformed."""
    with path.open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    log = path.with_name(path.name.removesuffix(LABELS))
    try:
        contents = tuple(row["Content"] or "" for row in rows)
        labels = tuple(row["EventId"] for row in rows)
        text = log.read_bytes().decode("utf-8", "replace")
    except (KeyError, OSError) as problem:
        raise Malformed(f"{path.name}: {problem}") from problem
    lines = [line.rstrip("\r") for line in text.split("\n")]
    lines = lines[:-1] if lines and not lines[-1] else lines
    if len(lines) != len(rows):
        raise Malformed(f"{path.name}: {len(rows)} labels for {len(lines)} lines")
    return System(name=_name(path), contents=contents, lines=tuple(lines), labels=labels)


def measure(system: System) -> Grouped:
    """Return how a system's lines are grouped, content alone and whole, and the time of many."""
    contents = mine(system.contents)
    whole = mine(system.lines)
    many = repeated(system.lines, TIMES)
    started = time.process_time()
    mine(many)
    seconds = time.process_time() - started
    return Grouped(
        system=system.name,
        accuracy=grouping_accuracy(contents.indices, system.labels),
        accuracy_whole_line=grouping_accuracy(whole.indices, system.labels),
        templates=len(contents.templates),
        labels=len(set(system.labels)),
        lines=len(many),
        seconds=seconds,
    )


def grouping_accuracy(found: Sequence[Hashable], truth: Sequence[Hashable]) -> float:
    """Return the share of lines whose group is exactly a group of the truth.

    Source: Zhu et al. 2019, "Tools and benchmarks for automated log parsing".
    """
    right = {tuple(lines) for lines in _groups(truth)}
    hits = sum(len(lines) for lines in _groups(found) if tuple(lines) in right)
    return hits / max(1, len(truth))


def _groups(keys: Sequence[Hashable]) -> list[list[int]]:
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for number, key in enumerate(keys):
        groups[key].append(number)
    return list(groups.values())


def _row(grouped: Grouped) -> dict[str, Any]:
    return {
        "grouping_accuracy": round(grouped.accuracy, 4),
        "grouping_accuracy_whole_line": round(grouped.accuracy_whole_line, 4),
        "templates": grouped.templates,
        "labels": grouped.labels,
    }


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / max(1, len(values)), 4)


def _name(path: Path) -> str:
    return path.name.removesuffix(LABELS).removesuffix(".log").removesuffix("_2k")
