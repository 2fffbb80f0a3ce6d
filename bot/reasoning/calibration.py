"""How sure is sure: from log-odds to a probability that holds; the threshold of abstaining."""

import math

ANSWER_FROM = 0.6
"""Below this confidence the answer is "unknown". Naming a cause must be right clearly more often
than not; acting on it needs more, and policy says how much."""

ALSO_FROM = 0.7  # a second root beside the first: rarer, so it takes more
SETTLED_FROM = 0.9  # no further round when the best is this sure …
SETTLED_APART = 0.5  # … and the next is this far below
HIGHEST = 0.97  # observation alone never proves more

SLOPE = (
    0.9  # below 1: evidence counted as independent rarely is (Platt scaling, regularised towards 1)
)
INTERCEPT = 0.0

_LIMIT = 60.0  # exp() beyond this adds nothing and may overflow


def odds(log_odds: float) -> float:
    """Return e^log_odds, bounded."""
    return math.exp(max(-_LIMIT, min(_LIMIT, log_odds)))


def logit(share: float) -> float:
    """Return the log-odds of a share in [0, 1], within ±20.7."""
    bounded = min(max(share, 1e-9), 1 - 1e-9)
    return math.log(bounded / (1 - bounded))


def calibrated(share: float) -> float:
    """Return the probability that a raw share in [0, 1] stands for. Source: Platt 1999."""
    return probability(logit(share), SLOPE, INTERCEPT)


def probability(log_odds: float, slope: float, intercept: float) -> float:
    """Return the logistic of a line through the log-odds, never above HIGHEST."""
    return min(HIGHEST, 1 / (1 + math.exp(-(slope * log_odds + intercept))))
