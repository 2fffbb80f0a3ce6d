"""Runs the product's reasoning over PetShop's issues, and over injections of our own."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bot.domain.diagnosis import HEALTHY, Diagnosis, Status
from bot.domain.errors import Malformed
from bot.evaluation.benchmark import Options, Scored, chosen
from bot.evaluation.fitting import refitted
from bot.evaluation.petshop.convert import question_of, snapshot_of
from bot.evaluation.petshop.injection import BASELINE, Injected, inject, untouched
from bot.evaluation.petshop.table import Table, Target, read_graph, read_table, read_target
from bot.evaluation.scoring import average_of_five, summary
from bot.reasoning.analyzers import Analyzer, discover
from bot.reasoning.investigate import diagnose

NAME = "petshop"
SEED = 20261121
INJECTIONS = 100
DEEPEST = 5  # avg5 is the mean of the hit rates of the first 1, 2, … 5 answers
QUIET = "noissue"
Pairs = tuple[tuple[str, str], ...]


def cases_in(directory: Path) -> list[Path]:
    """Return the issues below a directory, in the order of their names."""
    found = {p.parent for p in directory.rglob("target.json")}
    return sorted(p for p in found if (p / "metrics.csv").is_file())


def evaluate(directory: Path, options: Options) -> dict[str, Any]:
    """Return the score over all issues below a directory. Raises: Malformed: there are none."""
    names = [path.relative_to(directory).as_posix() for path in cases_in(directory)]
    cases = chosen(NAME, names, options.part)
    if not cases:
        raise Malformed(f"{directory}: no issue with a target.json and a metrics.csv in it")
    analyzers = discover()
    scored = [score(directory / name, name, analyzers) for name in cases]
    report = summary(refitted(scored, options), failures=options.failures)
    report["avg5"] = average_of_five(scored)
    return report | _own(directory, analyzers)


def score(path: Path, name: str, analyzers: Sequence[Analyzer]) -> Scored:
    """Return one issue's answer against its truth. Raises: Malformed."""
    started = time.process_time()
    scenario = _scenario(path)
    target, truth = read_target(path / "target.json")
    quiet = scenario / QUIET / "metrics.csv"
    window = read_table(path / "metrics.csv")
    baseline = read_table(quiet) if quiet.is_file() else window.rows(0, 0)
    pairs = read_graph(scenario / "graph.csv")
    return _scored(
        name, scenario.name, (baseline, window, pairs), target, truth, analyzers, started
    )


def _scored(  # noqa: PLR0913 - one case's whole score
    name: str,
    system: str,
    facts: tuple[Table, Table, Pairs],
    target: Target,
    truth: str,
    analyzers: Sequence[Analyzer],
    started: float,
) -> Scored:
    snapshot = snapshot_of(*facts)
    diagnosis = diagnose(snapshot, question_of(target, snapshot), analyzers)
    answers = services_of(diagnosis)
    answered = diagnosis.status is Status.ROOT_CAUSE
    first = diagnosis.ranked[0] if diagnosis.ranked else None
    nothing = first is None or first.hypothesis.cause == HEALTHY
    return Scored(
        case=name,
        kind=target.metric,
        system=system,
        truth=truth,
        answers=answers[:DEEPEST],
        answered=answered,
        right=answered and answers[:1] == (truth,),
        among_three=truth in answers[:3],
        confidence=diagnosis.confidence,
        facts=len(snapshot.series) + len(snapshot.edges),
        seconds=time.process_time() - started,
        correct=answers[:1] == (truth,),
        log_odds=None if first is None or nothing else first.log_odds,
    )


def services_of(diagnosis: Diagnosis) -> tuple[str, ...]:
    """Return the services that are blamed, each once, the likeliest first."""
    blamed = [r.hypothesis.service for r in diagnosis.ranked if r.hypothesis.cause != HEALTHY]
    return tuple(dict.fromkeys(blamed))


def _scenario(path: Path) -> Path:
    """The folder of the call graph: the nearest above a case that holds one."""
    for above in path.parents:
        if (above / "graph.csv").is_file():
            return above
    raise Malformed(f"{path}: no graph.csv above it")


def _own(directory: Path, analyzers: Sequence[Analyzer]) -> dict[str, Any]:
    """Score injections into the quiet histories below a directory; nothing without any."""
    histories = [
        (read_table(path), read_graph(_scenario(path) / "graph.csv"))
        for path in sorted(directory.rglob(f"{QUIET}/metrics.csv"))
    ]
    histories = [(h, pairs) for h, pairs in histories if h.times.size > 2 * BASELINE]
    if not histories:
        return {}
    injected = _drawn(histories, SEED, lambda h, pairs, rng: inject(h, pairs, rng), analyzers)
    quiet = _drawn(histories, SEED + 1, _quiet, analyzers)
    figures = summary(injected)
    return {
        "injections": {
            "cases": len(injected),
            "top1": figures["top1"],
            "top3": figures["top3"],
            "avg5": average_of_five(injected),
            "abstained": figures["abstained"],
        },
        "untouched": {"cases": len(quiet), "answered": sum(s.answered for s in quiet)},
    }


def _quiet(history: Table, pairs: Pairs, rng: np.random.Generator) -> Injected:
    """A quiet window, asked about the service that most of the graph is below."""
    return untouched(history, busiest(pairs), rng)


def busiest(pairs: Pairs) -> str:
    """Return the service that calls most others: the shop's front."""
    callers = [caller for caller, _ in pairs]
    return max(sorted(set(callers)), key=callers.count, default="")


def _drawn(
    histories: Sequence[tuple[Table, Pairs]],
    seed: int,
    draw: Callable[[Table, Pairs, np.random.Generator], Injected | None],
    analyzers: Sequence[Analyzer],
) -> list[Scored]:
    rng = np.random.default_rng(seed)
    scored = []
    for number in range(INJECTIONS):
        history, pairs = histories[number % len(histories)]
        drawn = draw(history, pairs, rng)
        if drawn is None:
            continue
        started = time.process_time()
        facts = (drawn.baseline, drawn.window, pairs)
        name = f"own-{number}"
        scored.append(
            _scored(name, drawn.metric, facts, drawn.target, drawn.root, analyzers, started)
        )
    return scored
