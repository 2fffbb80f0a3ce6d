"""What every benchmark shares: its options, one scored case, and which third is set aside."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum


class Part(StrEnum):
    """Which cases are looked at: rules may be written from the worked-on part only."""

    ALL = "all"
    WORKED_ON = "worked-on"
    SET_ASIDE = "set-aside"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a caller of an evaluation may choose.

    `folds`: fit the calibration on the other folds, 0 uses the product's own. `unseen`: kinds of
    fault that the fit must not see; the figures are of these alone.
    """

    jobs: int = 1
    failures: bool = False
    folds: int = 0
    unseen: tuple[str, ...] = ()
    part: Part = Part.ALL


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One case's answer against its truth. An abstention (`answered` false) is never right."""

    case: str
    kind: str  # of fault, as the data set names it
    system: str  # the application that was broken
    truth: str
    answers: tuple[str, ...]  # the first few, the best first
    answered: bool
    right: bool
    among_three: bool
    confidence: float  # of the first answer, calibrated
    facts: int
    seconds: float  # of CPU, loading included
    correct: bool = False  # whether the first answer is the truth, though it may not be given
    log_odds: float | None = None  # of the first answer before calibration; None: there is none


def is_aside(benchmark: str, case: str) -> bool:
    """Say whether a case belongs to the third that no rule was written from, by its name's hash."""
    digest = hashlib.sha256(f"{benchmark}/{case}".encode()).hexdigest()
    return int(digest, 16) % 3 == 0


def chosen(
    benchmark: str,
    cases: Iterable[str],
    part: Part,
    aside: Callable[[str, str], bool] = is_aside,
) -> list[str]:
    """Return the cases of a part, in the order given."""
    if part is Part.ALL:
        return list(cases)
    return [c for c in cases if aside(benchmark, c) is (part is Part.SET_ASIDE)]
