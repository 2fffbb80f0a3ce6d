"""How easily chance alone does that: exact tests of small samples, and what many tests cost."""

import math
from collections.abc import Sequence
from typing import NamedTuple

SURELY = 1e-300  # the least probability that has a logarithm


class Counts(NamedTuple):
    """So many of so many now, against so many of so many before."""

    now: int
    total_now: int
    before: int
    total_before: int


def more_often(counts: Counts) -> float:
    """Return the chance of so many now, or more, if nothing changed. Source: Fisher 1935.

    Exact (hypergeometric), hence right for few traces; one-sided: rarer than before is no trouble.
    """
    now, total_now, before, total_before = counts
    marked, total = now + before, total_now + total_before
    most = min(marked, total_now)
    whole = _choices(total, marked)
    ways = [
        _choices(total_now, n) + _choices(total_before, marked - n) - whole
        for n in range(max(now, marked - total_before), most + 1)
    ]
    return min(1.0, math.fsum(math.exp(w) for w in ways))


def least_chance(counts: Counts) -> float:
    """Return the smallest chance that could have come out with as many marked in all."""
    now, total_now, before, total_before = counts
    most = min(now + before, total_now)
    return more_often(Counts(most, total_now, now + before - most, total_before))


def number_to_correct_for(least: Sequence[float], level: float) -> int:
    """Return by how many tests to correct: those that cannot succeed cost nothing.

    Source: Tarone, Biometrics 1990 (Bonferroni's correction for discrete tests).
    """
    for count in range(1, len(least) + 1):
        if sum(chance <= level / count for chance in least) <= count:
            return count
    return max(1, len(least))


def design_effect(clusters: Sequence[tuple[int, int]]) -> float:
    """Return how many neighbours count as one, from (marked, all) of clusters; at least 1.

    Source: Rao, Scott, Biometrics 1992: the variance between clusters against a binomial's.
    """
    marked, total = (sum(column) for column in zip(*clusters, strict=True)) if clusters else (0, 0)
    if not 0 < marked < total or len(clusters) < 2:
        return 1.0
    share, count = marked / total, len(clusters)
    between = math.fsum((m - share * n) ** 2 for m, n in clusters) * count / (count - 1)
    return max(1.0, between / (total * share * (1 - share)))


def thinned(counts: Counts, effect: float) -> Counts:
    """Return what is left of counts when `effect` neighbours count as one, rounded for the past."""
    now, total_now, before, total_before = (n / effect for n in counts)
    most = max(1, int(total_before))
    return Counts(int(now), max(1, int(total_now)), min(most, math.ceil(before)), most)


def weight_of(chance: float) -> float:
    """Return the most log likelihood ratio that a chance is worth, 0 from 1/e on.

    Source: Sellke, Bayarri, Berger, The American Statistician 2001: a chance of 0.05 is worth 0.9,
    0.001 is worth 4, far less than it looks.
    """
    if chance >= 1 / math.e:
        return 0.0
    log = math.log(max(chance, SURELY))
    return -1 - log - math.log(-log)


def most_weight(seen: int) -> float:
    """Return the most log-odds that "never seen in so many" is worth. Source: Laplace 1774."""
    return math.log(seen + 1)


def _choices(total: int, chosen: int) -> float:
    return math.lgamma(total + 1) - math.lgamma(chosen + 1) - math.lgamma(total - chosen + 1)
