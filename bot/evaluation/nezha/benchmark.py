"""Scores Nezha's faults: is the service of the broken pod named first? A tie counts as wrong."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bot.domain.diagnosis import HEALTHY, Diagnosis, Status
from bot.domain.errors import Malformed
from bot.evaluation.benchmark import Options, Scored, chosen
from bot.evaluation.concluding import conclude, facts_of
from bot.evaluation.fitting import refitted
from bot.evaluation.nezha.convert import Fault, convert, faults_in, service_of
from bot.evaluation.scoring import average_of_five, summary
from bot.reasoning.analyzers import Analyzer, discover

NAME = "nezha-trainticket"
SHOWN = 5


def evaluate(directory: Path, options: Options) -> dict[str, Any]:
    """Return the figures over all faults of a directory. Raises: Malformed."""
    faults = {fault.name: fault for fault in faults_in(directory)}
    names = chosen(NAME, sorted(faults), options.part)
    if not names:
        raise Malformed(f"{directory}: no fault in it")
    analyzers = discover()
    scored = [score(directory, faults[name], analyzers) for name in names]
    figures = summary(refitted(scored, options), failures=options.failures)
    return {"avg5": average_of_five(scored), **figures}


def score(directory: Path, fault: Fault, analyzers: Sequence[Analyzer]) -> Scored:
    """Return one fault's answer against its truth."""
    started = time.process_time()
    concluded = conclude(convert(directory, fault.at), analyzers)
    seconds = time.process_time() - started
    diagnosis, truth = concluded.diagnosis, service_of(fault.pod)
    answers = services_of(diagnosis)
    answered = diagnosis.status is Status.ROOT_CAUSE
    correct = answers[:1] == [truth] and not _tied(diagnosis)
    first = diagnosis.ranked[0] if diagnosis.ranked else None
    return Scored(
        case=fault.name,
        kind=fault.kind,
        system="train-ticket",
        truth=truth,
        answers=tuple(answers[:SHOWN]),
        answered=answered,
        right=answered and correct,
        among_three=truth in answers[:3],
        confidence=diagnosis.confidence,
        facts=facts_of(concluded.snapshot),
        seconds=seconds,
        correct=correct,
        log_odds=first.log_odds if first and first.hypothesis.cause != HEALTHY else None,
    )


def services_of(diagnosis: Diagnosis) -> list[str]:
    """Return the blamed services, the likeliest first, each once."""
    blamed = (r.hypothesis.service for r in diagnosis.ranked if r.hypothesis.cause != HEALTHY)
    return list(dict.fromkeys(filter(None, blamed)))


def _tied(diagnosis: Diagnosis) -> bool:
    """Whether another service stands exactly as high as the first."""
    if len(diagnosis.ranked) < 2:
        return False
    first, second = diagnosis.ranked[:2]
    same = (first.confidence, first.hypothesis.log_odds) == (
        second.confidence,
        second.hypothesis.log_odds,
    )
    return same and first.hypothesis.service != second.hypothesis.service
