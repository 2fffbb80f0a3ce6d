"""Fits the calibration on scored cases, and scores cases by a fit that never saw them."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bot.evaluation.benchmark import Options, Scored
from bot.reasoning import calibration

PRIOR = 20.0  # pseudo-cases that hold slope at 1 and intercept at 0: errors are few
ROUNDS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A calibration: the probability is the logistic of slope · log-odds + intercept."""

    slope: float
    intercept: float


def fit(scored: Iterable[Scored]) -> Line:
    """Return the line that fits best whether first answers are right, held near slope 1.

    Source: Platt 1999, with a Gaussian prior on both parameters instead of his target smoothing;
    Newton's method.
    """
    pairs = [(s.log_odds, s.correct) for s in scored if s.log_odds is not None]
    x = np.array([[log_odds, 1.0] for log_odds, _ in pairs]).reshape(-1, 2)
    y = np.array([float(correct) for _, correct in pairs])
    start = np.array([1.0, 0.0])
    w = start.copy()
    for _ in range(ROUNDS):
        p = 1 / (1 + np.exp(-np.clip(x @ w, -30, 30)))
        slope = x.T @ (p - y) + PRIOR * (w - start)
        curve = (x * (p * (1 - p))[:, None]).T @ x + PRIOR * np.eye(2)
        step = np.linalg.solve(curve, slope)
        w = w - np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < 1e-9:
            break
    return Line(slope=float(w[0]), intercept=float(w[1]))


def refitted(scored: Sequence[Scored], options: Options) -> list[Scored]:
    """Return the cases that are asked for, with confidences of fits that never saw them.

    Without `folds` and `unseen` they stay as the product calibrates them.
    """
    asked = [s for s in scored if not options.unseen or s.kind in options.unseen]
    if not options.folds:
        if not options.unseen:
            return list(scored)
        return applied(asked, fit(s for s in scored if s.kind not in options.unseen))
    result = []
    for number in range(options.folds):
        inside = [s for s in asked if fold_of(s.case, options.folds) == number]
        others = [s for s in scored if fold_of(s.case, options.folds) != number]
        result += applied(inside, fit(s for s in others if s.kind not in options.unseen))
    return sorted(result, key=lambda s: s.case)


def fold_of(case: str, folds: int) -> int:
    """Return a case's fold, by its name's hash."""
    return int(hashlib.sha256(f"fold/{case}".encode()).hexdigest(), 16) % folds


def applied(scored: Iterable[Scored], line: Line) -> list[Scored]:
    """Return the cases as another calibration answers them: it may abstain where one did not."""
    return [_applied(one, line) for one in scored]


def _applied(one: Scored, line: Line) -> Scored:
    if one.log_odds is None:
        return one
    confidence = calibration.probability(one.log_odds, line.slope, line.intercept)
    answered = confidence >= calibration.ANSWER_FROM
    return replace(one, confidence=confidence, answered=answered, right=answered and one.correct)
