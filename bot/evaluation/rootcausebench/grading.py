"""How an answer is graded: right, a decoy, or partial credit. Source: shared/data/README.md."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.evaluation.rootcausebench.answer import NONE, Answer

LEAST_PREFIX = 7
SHARES = (0.5, 0.3, 0.2)  # service, blast radius, remediation
PARTIAL = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What a scenario's ground truth says."""

    commit: str  # a full hash, or "none"
    service: str
    blast_radius: frozenset[str]
    remediation: str
    decoys: tuple[str, ...]


def truth_of(data: Any) -> Truth:
    """Return the truth of a scenario; what is missing is empty."""
    known: Mapping[str, Any] = data if isinstance(data, Mapping) else {}
    return Truth(
        commit=str(known.get("root_cause_commit") or NONE),
        service=str(known.get("first_failing_service") or ""),
        blast_radius=frozenset(map(str, known.get("blast_radius") or ())),
        remediation=str(known.get("remediation") or ""),
        decoys=tuple(map(str, known.get("decoy_deploy_commits") or ())),
    )


def same_commit(one: str, other: str) -> bool:
    """Whether two hashes, one perhaps shortened to seven digits or more, mean the same commit."""
    if NONE in (one, other):
        return one == other
    short = min(len(one), len(other))
    return short >= LEAST_PREFIX and one[:short].lower() == other[:short].lower()


def is_right(commit: str, truth: Truth) -> bool:
    """Whether the culprit, or that there is none, is named."""
    return same_commit(commit, truth.commit)


def hits_decoy(answer: Answer, truth: Truth) -> bool:
    """Whether an innocent commit that was planted is blamed."""
    wrong = not is_right(answer.commit, truth)
    return wrong and any(same_commit(answer.commit, d) for d in truth.decoys)


def graded(answer: Answer, truth: Truth) -> float:
    """Return the graded reward in [0, 1]."""
    if is_right(answer.commit, truth):
        return 1.0
    if hits_decoy(answer, truth):
        return 0.0
    service, blast, remedy = SHARES
    return PARTIAL * (
        service * (answer.service == truth.service)
        + blast * jaccard(frozenset(answer.blast_radius), truth.blast_radius)
        + remedy * (answer.remediation == truth.remediation)
    )


def jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    """Return the share of what both have; 1 where both are empty."""
    return len(one & other) / len(one | other) if one | other else 1.0
