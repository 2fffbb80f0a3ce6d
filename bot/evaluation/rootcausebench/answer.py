"""Reads the scenario's answer out of a diagnosis: the culprit commit or none, place and remedy."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.diagnosis import HEALTHY, Hypothesis, Ranked
from bot.domain.snapshot import ChangeKind, Snapshot
from bot.reasoning.analyzers import culprit_commit
from bot.reasoning.changes.signature import signature_of
from bot.reasoning.ranking import GENERIC

NONE = "none"
LEAST = 0.5  # a commit is named when it is likelier than not
REMEDIES = {
    "roll_forward": "roll-forward",
    "roll forward": "roll-forward",
    "config_revert": "config-revert",
    "revert config": "config-revert",
    "scale": "scale",
    "scale up": "scale",
    "raise_limit": "scale",
    "failover": "failover",
    "fall back": "failover",
    "fail over": "failover",
    "rotate_certificate": "rotate-cert",
    "rotate certificate": "rotate-cert",
    "disable_flag": "feature-flag-disable",
}  # the product's remediation classes in the data set's words


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the data set asks for. `commits`: the first answers, the best first."""

    commit: str
    commits: tuple[str, ...]
    cause: str
    service: str
    blast_radius: tuple[str, ...]
    remediation: str
    confidence: float


def answer_of(ranked: Sequence[Ranked], snapshot: Snapshot) -> Answer:
    """Return the answer that a ranking stands for; without a likely commit it is "none"."""
    judged = [r for r in ranked if _says_something(r.hypothesis)]
    commits = tuple(dict.fromkeys(commit_of(r.hypothesis) for r in judged))
    best = judged[0] if judged else None
    commit = commit_of(best.hypothesis) if best else NONE
    if best is not None and commit != NONE and best.hypothesis.probability < LEAST:
        best, commit = None, NONE
    if best is None:
        commits = (NONE, *commits)
    signature = signature_of(snapshot)
    return Answer(
        commit=commit,
        commits=tuple(dict.fromkeys(commits)),
        cause=best.hypothesis.cause if best else "",
        service=signature.first,
        blast_radius=signature.suffering,
        remediation=REMEDIES.get(best.hypothesis.hint if best else "", "rollback"),
        confidence=best.confidence if best else 0.5,
    )


def commit_of(hypothesis: Hypothesis) -> str:
    """Return the full hash of the commit that a hypothesis blames, or "none"."""
    change = hypothesis.change
    if change is None:
        return NONE
    if change.kind is ChangeKind.COMMIT:
        return change.id
    return change.commits[0] if change.commits else NONE


def _says_something(hypothesis: Hypothesis) -> bool:
    """Whether a hypothesis names a mechanism: that something is ill is no answer."""
    named = hypothesis.cause != HEALTHY and hypothesis.cause not in GENERIC
    own = hypothesis.analyzer == culprit_commit.NAME
    return (
        named
        or own
        or (hypothesis.change is not None and hypothesis.change.kind is ChangeKind.COMMIT)
    )
