"""The figures of a benchmark: counts, ratios, calibration, per kind and system; timings apart."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import median
from typing import Any

from bot.evaluation.benchmark import Scored

BINS = 10


def summary(scored: Sequence[Scored], *, failures: bool = False) -> dict[str, Any]:
    """Return the figures of some cases, as `sre-bot eval … --json` prints them."""
    answered = [s for s in scored if s.answered]
    report: dict[str, Any] = {
        **_figures(scored),
        "abstained": len(scored) - len(answered),
        "coverage": _ratio(len(answered), len(scored)),
        "false_positive_rate": _ratio(sum(not s.right for s in answered), len(answered)),
        "ece": expected_calibration_error(answered),
        "auroc": auroc(answered),
        "facts_per_case": round(sum(s.facts for s in scored) / max(1, len(scored)), 1),
        "tokens": 0,
        "cost": 0.0,
        "by_kind": _grouped(scored, lambda s: s.kind),
        "by_system": _grouped(scored, lambda s: s.system),
        "timings": timings([s.seconds for s in scored]),
    }
    if failures:
        report["failures"] = [_failure(s) for s in scored if not s.right]
    return report


def expected_calibration_error(answered: Sequence[Scored], bins: int = BINS) -> float | None:
    """Return the mean gap of confidence and accuracy over equal-mass bins; None without answers.

    Source: Naeini et al. 2015; equal-mass bins: Nguyen and O'Connor 2015.
    """
    ordered = sorted(answered, key=lambda s: (s.confidence, s.case))
    if not ordered:
        return None
    edges = [round(i * len(ordered) / bins) for i in range(bins + 1)]
    groups = [ordered[a:b] for a, b in pairwise(edges) if b > a]
    gaps = [abs(sum(s.confidence for s in g) - sum(s.right for s in g)) for g in groups]
    return round(sum(gaps) / len(ordered), 4)


def auroc(answered: Sequence[Scored]) -> float | None:
    """Return how often a right answer is more confident than a wrong one; None if one is missing.

    Ties count half. Source: Hanley and McNeil 1982.
    """
    right = [s.confidence for s in answered if s.right]
    wrong = [s.confidence for s in answered if not s.right]
    if not right or not wrong:
        return None
    wins = sum((r > w) + 0.5 * (r == w) for r in right for w in wrong)
    return round(wins / (len(right) * len(wrong)), 4)


def average_of_five(scored: Sequence[Scored]) -> float:
    """Return the mean of top-1 to top-5, as root-cause rankings are compared by."""
    hits = [sum(s.truth in s.answers[:k] for s in scored) for k in range(1, 6)]
    return _ratio(sum(hits), 5 * len(scored))


def timings(seconds: Sequence[float]) -> dict[str, float]:
    """Return median and 95th percentile of the CPU seconds a case."""
    ordered = sorted(seconds) or [0.0]
    return {
        "seconds_median": round(median(ordered), 4),
        "seconds_p95": round(ordered[int(0.95 * (len(ordered) - 1))], 4),
    }


def _figures(scored: Sequence[Scored]) -> dict[str, Any]:
    return {
        "cases": len(scored),
        "top1": _ratio(sum(s.right for s in scored), len(scored)),
        "top3": _ratio(sum(s.among_three for s in scored), len(scored)),
    }


def _grouped(scored: Sequence[Scored], key: Callable[[Scored], str]) -> dict[str, Any]:
    groups: dict[str, list[Scored]] = {}
    for one in scored:
        groups.setdefault(key(one), []).append(one)
    return {name: _figures(group) for name, group in sorted(groups.items())}


def _failure(one: Scored) -> dict[str, Any]:
    return {
        "case": one.case,
        "truth": one.truth,
        "answers": list(one.answers[:3]),
        "answered": one.answered,
        "confidence": round(one.confidence, 3),
    }


def _ratio(part: int, whole: int) -> float:
    return round(part / max(1, whole), 4)
