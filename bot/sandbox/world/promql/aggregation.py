"""Aggregations over series: sum, avg, min, max, count, topk, quantile and their kin."""

import math
from collections.abc import Callable

import numpy as np

from bot.sandbox.world.noise import Bools, Floats, Ints
from bot.sandbox.world.promql.values import Labels, Vector, signature

Group = tuple[tuple[str, str], ...]


def grouping(vector: Vector, names: tuple[str, ...], without: bool) -> "dict[Group, list[int]]":
    """Return the rows of every group, by the group's labels."""
    groups: dict[Group, list[int]] = {}
    drop = {*names, "__name__"}
    for i, labels in enumerate(vector.labels):
        if without:
            key = tuple(sorted((k, v) for k, v in labels.items() if k not in drop))
        else:
            key = tuple(sorted((n, labels[n]) for n in names if labels.get(n)))
        groups.setdefault(key, []).append(i)
    return groups


def reduce_groups(
    vector: Vector, groups: "dict[Group, list[int]]", op: str, param: Floats
) -> Vector:
    """Return one series per group."""
    if not groups:
        return Vector.empty(vector.values.shape[1])
    order = np.array([i for rows in groups.values() for i in rows])
    bounds = np.cumsum([0] + [len(rows) for rows in groups.values()])[:-1]
    values, present = vector.values[order], vector.present[order]
    count = np.add.reduceat(present.astype(float), bounds, axis=0)
    with np.errstate(all="ignore"):
        out = _fast(op, values, present, bounds)
        if out is None:
            out = _slow(op, (values, present), bounds, param)
        if op == "avg":
            out = out / np.maximum(count, 1.0)
    labels = [dict(key) for key in groups]
    return Vector(labels=labels, values=out, present=count > 0)


def _fast(op: str, values: Floats, present: Bools, bounds: Ints) -> Floats | None:
    if op in ("sum", "avg"):
        summed: Floats = np.add.reduceat(np.where(present, values, 0.0), bounds, axis=0)
        return summed
    if op in ("min", "max"):
        fill = math.inf if op == "min" else -math.inf
        filled = np.where(present & ~np.isnan(values), values, fill)
        ufunc = np.minimum if op == "min" else np.maximum
        real = np.add.reduceat((present & ~np.isnan(values)).astype(float), bounds, axis=0)
        best: Floats = np.where(real > 0, ufunc.reduceat(filled, bounds, axis=0), np.nan)
        return best
    if op == "count":
        counted: Floats = np.add.reduceat(present.astype(float), bounds, axis=0)
        return counted
    if op == "group":
        ones: Floats = np.ones((len(bounds), values.shape[1]))
        return ones
    return None


def _slow(op: str, rows: tuple[Floats, Bools], bounds: Ints, param: Floats) -> Floats:
    values, present = rows
    ends = [*bounds[1:], len(values)]
    out = np.zeros((len(bounds), values.shape[1]))
    for g, (a, b) in enumerate(zip(bounds, ends, strict=True)):
        for step in range(values.shape[1]):
            picked = values[a:b, step][present[a:b, step]]
            if len(picked):
                out[g, step] = _one(op, picked, float(param[step]))
    return out


def _one(op: str, values: Floats, param: float) -> float:
    if op == "quantile":
        return quantile(param, values)
    mean = values.mean()
    variance = float(((values - mean) ** 2).mean())
    return math.sqrt(variance) if op == "stddev" else variance


def quantile(q: float, values: Floats) -> float:
    """Return a quantile as Prometheus interpolates it."""
    if not len(values) or math.isnan(q):
        return math.nan
    if q < 0 or q > 1:
        return -math.inf if q < 0 else math.inf
    ordered = np.sort(values)
    rank = q * (len(ordered) - 1)
    low = max(0, math.floor(rank))
    high = min(len(ordered) - 1, low + 1)
    weight = rank - math.floor(rank)
    return float(ordered[low] * (1.0 - weight) + ordered[high] * weight)


def pick_groups(vector: Vector, groups: "dict[Group, list[int]]", op: str, param: Floats) -> Vector:
    """Return topk or bottomk: the same series, present only where they are among the best."""
    present = np.zeros_like(vector.present)
    for rows in groups.values():
        for step in range(vector.values.shape[1]):
            k = int(param[step]) if not math.isnan(param[step]) else 0
            here = [i for i in rows if vector.present[i, step]]
            here.sort(key=_ranker(vector.values[:, step], op))
            present[here[: max(0, k)], step] = True
    return Vector(labels=vector.labels, values=vector.values, present=present).thinned()


def _ranker(column: Floats, op: str) -> Callable[[int], tuple[bool, float]]:
    sign = -1.0 if op == "topk" else 1.0

    def key(i: int) -> tuple[bool, float]:
        value = float(column[i])
        return (math.isnan(value), 0.0 if math.isnan(value) else sign * value)

    return key


def histogram_quantile(q: Floats, vector: Vector) -> Vector:
    """Return the quantile per histogram. Source: Prometheus 2.42, quantile.go, bucketQuantile."""
    groups: dict[Group, list[tuple[float, int]]] = {}
    named: dict[Group, Labels] = {}
    for i, labels in enumerate(vector.labels):
        try:
            bound = float(labels.get("le", "").replace("Inf", "inf"))
        except ValueError:
            continue
        rest = {k: v for k, v in labels.items() if k not in ("le", "__name__")}
        groups.setdefault(signature(rest), []).append((bound, i))
        named[signature(rest)] = rest
    out: list[Floats] = []
    seen: list[Bools] = []
    for buckets in groups.values():
        values, present = _histogram(q, vector, sorted(buckets))
        out.append(values)
        seen.append(present)
    if not out:
        return Vector.empty(vector.values.shape[1])
    return Vector(labels=list(named.values()), values=np.array(out), present=np.array(seen))


def _histogram(q: Floats, vector: Vector, buckets: list[tuple[float, int]]) -> tuple[Floats, Bools]:
    rows = [i for _, i in buckets]
    present = vector.present[rows]
    some: Bools = np.any(present, axis=0)
    bounds = np.array([b for b, _ in buckets])
    nothing = np.full(len(some), np.nan)
    if not math.isinf(bounds[-1]):
        return nothing, some
    steps = vector.values.shape[1]
    if (present.all(axis=0) | ~some).all() and len(set(bounds)) == len(bounds):
        counts = np.where(present, vector.values[rows], 0.0)
        return _quantile_columns(q, bounds, counts), some
    for step in range(steps):
        use = present[:, step]
        merged: dict[float, float] = {}
        for bound, value in zip(bounds[use], vector.values[rows, step][use], strict=True):
            merged[bound] = merged.get(bound, 0.0) + value
        if merged and math.isinf(max(merged)):
            column = np.array(list(merged.values()))[:, None]
            nothing[step] = _quantile_columns(q[step : step + 1], np.array(list(merged)), column)[0]
    return nothing, some


def _quantile_columns(q: Floats, bounds: Floats, counts: Floats) -> Floats:
    """Return the quantile of every column of cumulative counts [buckets, steps]."""
    if len(bounds) < 2:
        return np.full(counts.shape[1], np.nan)
    counts = np.maximum.accumulate(counts, axis=0)
    total = counts[-1]
    rank = q * total
    b = np.minimum((counts[:-1] < rank[None, :]).sum(axis=0), len(bounds) - 1)
    columns = np.arange(counts.shape[1])
    before = np.maximum(b - 1, 0)
    start = np.where(b > 0, bounds[before], 0.0)
    below = np.where(b > 0, counts[before, columns], 0.0)
    with np.errstate(all="ignore"):
        inside = counts[b, columns] - below
        value = start + (bounds[b] - start) * ((rank - below) / inside)
    value = np.where((b == 0) & (bounds[0] <= 0), bounds[0], value)
    value = np.where(b == len(bounds) - 1, bounds[-2], value)
    value = np.where((total == 0) | np.isnan(q) | np.isnan(total), np.nan, value)
    value = np.where(q < 0, -np.inf, value)
    out: Floats = np.where(q > 1, np.inf, value)
    return out
