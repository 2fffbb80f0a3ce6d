"""Faults of our own in quiet history: one node gets slow or fails, its callers feel their share.

Fixed before any rule was tuned. What is physical: a caller waits as often as it calls, so its mean
grows by the callee's excess times the calls per request; quantiles move only as far as enough of
its requests are hit; part of every fault is hidden by asynchronous calls, retries and fallbacks;
the first sample holds only a part of the incident; the alarm rings late.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bot.evaluation.petshop.table import Floats, Key, Table, Target

BASELINE = 288  # samples before any window: a day
BEFORE = 3  # quiet samples in the window of an injection
LASTS = 2  # samples of an incident before its alarm, at the least
LATEST = 2  # samples that an alarm may be late
MEASURED = 0.5  # a node needs so many of its samples to be chosen
TRIES = 200
QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
SLOWER = (1.5, 10.0)
FAILING = (0.02, 0.60)
PASSED_ON = (0.6, 1.0)  # share of a callee's trouble that its caller feels
WOBBLE = 0.15  # log-normal noise of every sample's effect
RINGS = 0.995  # an alarm rings above this quantile of its own history


@dataclass(frozen=True, slots=True, kw_only=True)
class Injected:
    """A window with a fault (or, with no root, without one) after its own baseline."""

    baseline: Table
    window: Table
    target: Target
    root: str  # "" for an untouched window
    metric: str


def inject(
    history: Table, pairs: Sequence[tuple[str, str]], rng: np.random.Generator
) -> Injected | None:
    """Return one injection at a random node, None if no alarm would ring for many of them."""
    nodes = _measured(history)
    for _ in range(TRIES):
        root = nodes[int(rng.integers(len(nodes)))]
        metric = "latency" if rng.random() < 0.5 else "availability"
        late = int(rng.integers(LATEST + 1))
        size = BEFORE + LASTS + late
        start = int(rng.integers(BASELINE, history.times.size - size))
        felt = _felt(history, pairs, root, metric, start, rng)
        window = _disturbed(history.rows(start, start + size), felt, metric, rng)
        baseline = history.rows(0, start)
        target = _alarm(baseline, window, pairs, root, metric)
        if target is not None:
            return Injected(
                baseline=baseline, window=window, target=target, root=root, metric=metric
            )
    return None


def untouched(history: Table, node: str, rng: np.random.Generator) -> Injected:
    """Return a quiet window, asked about as if an objective of `node` were violated."""
    size = BEFORE + LASTS + int(rng.integers(LATEST + 1))
    start = int(rng.integers(BASELINE, history.times.size - size))
    metric = "latency" if rng.random() < 0.5 else "availability"
    window = history.rows(start, start + size)
    stamp = float(window.times[-1])
    return Injected(
        baseline=history.rows(0, start),
        window=window,
        target=Target(node=node, metric=metric, statistic="Average", timestamp=stamp),
        root="",
        metric=metric,
    )


def _measured(history: Table) -> list[str]:
    """Nodes with enough samples, traffic, and not always failing already."""
    found = []
    for service in sorted({key[0] for key in history.keys}):
        latency = history.column((service, "latency", "Average"))
        healthy = history.column((service, "availability", "Average"))
        if latency is None or healthy is None or np.isfinite(latency).mean() < MEASURED:
            continue
        if np.nanmedian(healthy) > 90.0:
            found.append(service)
    return found


def _felt(
    history: Table,
    pairs: Sequence[tuple[str, str]],
    root: str,
    metric: str,
    start: int,
    rng: np.random.Generator,
) -> dict[str, tuple[float, float]]:
    """Return per node the excess of the requests hit (s, or share failing) and the share hit."""
    low, high = SLOWER if metric == "latency" else FAILING
    level = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    if metric == "latency":
        usual = history.column((root, "latency", "Average"))
        level = (level - 1) * float(np.nanmedian(usual[:start])) if usual is not None else 0.0
    rates = _rates(history.rows(0, start))
    felt = {root: (level, 1.0)}
    todo = [root]
    while todo:
        callee = todo.pop(0)
        callers = sorted(a for a, b in pairs if b == callee)
        total = sum(rates.get(c, 0.0) for c in callers)
        for caller in callers:
            if caller in felt or total <= 0 or rates.get(caller, 0.0) <= 0:
                continue
            calls = rates.get(callee, 0.0) / total  # per request of the caller
            excess, hit = felt[callee]
            passed = excess * float(rng.uniform(*PASSED_ON)) * max(1.0, calls)
            felt[caller] = (passed, min(1.0, hit * calls))
            todo.append(caller)
    return felt


def _rates(history: Table) -> dict[str, float]:
    return {
        key[0]: float(np.nanmean(history.values[:, j]))
        for j, key in enumerate(history.keys)
        if key[1] == "requests"
    }


def _disturbed(
    window: Table,
    felt: Mapping[str, tuple[float, float]],
    metric: str,
    rng: np.random.Generator,
) -> Table:
    values = window.values.copy()
    strength = np.zeros(window.times.size)
    strength[BEFORE:] = 1.0
    strength[BEFORE] = rng.uniform(0.2, 1.0)  # it began within this sample
    for node, (excess, hit) in felt.items():
        wobble = strength * np.exp(WOBBLE * rng.standard_normal(strength.size))
        for j, key in enumerate(window.keys):
            if key[0] == node and key[1] == metric:
                values[:, j] = _moved(values[:, j], key, excess, hit, wobble)
    return Table(times=window.times, keys=window.keys, values=values)


def _moved(column: Floats, key: Key, excess: float, hit: float, strength: Floats) -> Floats:
    if key[1] == "availability":
        failing = np.minimum(1.0, excess * hit * strength)
        return column * (1.0 - failing)
    if key[2] not in QUANTILES:
        return column + excess * hit * strength
    reaches = hit * np.minimum(1.0, strength) > 1.0 - QUANTILES[key[2]]
    return column + np.where(reaches, excess * np.minimum(1.5, strength / max(hit, 0.2)) * hit, 0.0)


def _alarm(
    baseline: Table, window: Table, pairs: Sequence[tuple[str, str]], root: str, metric: str
) -> Target | None:
    """The farthest caller whose objective is visibly violated is what rings, None if none is."""
    ordered, i = [root], 0
    while i < len(ordered):
        ordered += sorted({a for a, b in pairs if b == ordered[i]} - set(ordered))
        i += 1
    for node in reversed(ordered):
        key = (node, metric, "Average")
        usual, now = baseline.column(key), window.column(key)
        if usual is None or now is None or np.isfinite(usual).mean() < MEASURED:
            continue
        if _rings(usual, now[BEFORE:], metric):
            stamp = float(window.times[-1])
            return Target(node=node, metric=metric, statistic="Average", timestamp=stamp)
    return None


def _rings(usual: Floats, now: Floats, metric: str) -> bool:
    """Whether two samples leave what is usual, and by more than a hair."""
    sign = 1.0 if metric == "latency" else -1.0
    old, new = sign * usual[np.isfinite(usual)], sign * now[np.isfinite(now)]
    limit = float(np.quantile(old, RINGS))
    hair = 0.1 * abs(float(np.median(old))) if metric == "latency" else 0.5
    return int((new > max(limit, float(np.median(old)) + hair)).sum()) >= 2
