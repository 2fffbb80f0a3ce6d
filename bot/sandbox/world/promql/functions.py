"""The functions of the subset, by name."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np

from bot.sandbox.world.noise import Bools, Floats
from bot.sandbox.world.promql import ranges
from bot.sandbox.world.promql.aggregation import histogram_quantile
from bot.sandbox.world.promql.values import (
    NAME,
    BadQuery,
    FailedQuery,
    Scalar,
    Text,
    Vector,
    Windows,
    merged,
)

Function = Callable[[list[Any], Floats], Any]  # of (arguments, step times)


def _quiet(reduce: Callable[[Floats], Floats]) -> Callable[[Floats], Floats]:
    def run(taken: Floats) -> Floats:
        with np.errstate(all="ignore"):
            empty = np.all(np.isnan(taken), axis=-1, keepdims=True)
            out: Floats = reduce(np.where(empty, 0.0, taken))
        return out

    return run


def _last(taken: Floats) -> Floats:
    has = ~np.isnan(taken)
    places = has.shape[-1] - 1 - np.argmax(has[..., ::-1], axis=-1)
    out: Floats = np.take_along_axis(taken, places[..., None], axis=-1)[..., 0]
    return out


OVER_TIME: dict[str, Callable[[Floats], Floats]] = {
    "sum_over_time": lambda t: np.nansum(t, axis=-1),
    "avg_over_time": lambda t: np.nanmean(t, axis=-1),
    "min_over_time": lambda t: np.nanmin(t, axis=-1),
    "max_over_time": lambda t: np.nanmax(t, axis=-1),
    "count_over_time": lambda t: (~np.isnan(t)).sum(axis=-1).astype(float),
    "present_over_time": lambda t: np.ones(t.shape[:-1]),
    "stddev_over_time": lambda t: np.nanstd(t, axis=-1),
    "stdvar_over_time": lambda t: np.nanvar(t, axis=-1),
}
SIMPLE: dict[str, Callable[[Floats], Floats]] = {
    "abs": np.abs,
    "ceil": np.ceil,
    "floor": np.floor,
    "exp": np.exp,
    "ln": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "sqrt": np.sqrt,
    "sgn": np.sign,
    "deg": np.degrees,
    "rad": np.radians,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
}


def table() -> dict[str, Function]:
    """Return every function of the subset by name."""
    out: dict[str, Function] = {
        "rate": lambda a, _: ranges.extrapolated(_range(a), counter=True, per_second=True),
        "increase": lambda a, _: ranges.extrapolated(_range(a), counter=True, per_second=False),
        "delta": lambda a, _: ranges.extrapolated(_range(a), counter=False, per_second=False),
        "irate": lambda a, _: ranges.instant_change(_range(a), per_second=True),
        "idelta": lambda a, _: ranges.instant_change(_range(a), per_second=False),
        "resets": lambda a, _: ranges.resets(_range(a), changes=False),
        "changes": lambda a, _: ranges.resets(_range(a), changes=True),
        "deriv": lambda a, _: ranges.regression(_range(a), None),
        "predict_linear": lambda a, _: ranges.regression(_range(a), float(a[1].values[0])),
        "quantile_over_time": _quantile_over_time,
        "last_over_time": _last_over_time,
        "histogram_quantile": lambda a, _: histogram_quantile(a[0].values, a[1]),
        "scalar": _scalar,
        "vector": _vector,
        "time": lambda _, t: Scalar(values=t),
        "pi": lambda _, t: Scalar(values=t * 0.0 + np.pi),
        "timestamp": _timestamp,
        "round": _round,
        "clamp": lambda a, _: _clamp(a[0], a[1].values, a[2].values),
        "clamp_min": lambda a, _: _clamp(a[0], a[1].values, a[1].values * 0.0 + np.inf),
        "clamp_max": lambda a, _: _clamp(a[0], a[1].values * 0.0 - np.inf, a[1].values),
        "label_replace": _label_replace,
        "label_join": _label_join,
        "sort": lambda a, _: _sorted(a[0], 1.0),
        "sort_desc": lambda a, _: _sorted(a[0], -1.0),
        "hour": lambda a, t: _calendar(a, t, "hour"),
        "minute": lambda a, t: _calendar(a, t, "minute"),
        "day_of_week": lambda a, t: _calendar(a, t, "weekday"),
    }
    out |= {n: _over_time(f) for n, f in OVER_TIME.items()}
    out |= {n: _simple(f) for n, f in SIMPLE.items()}
    return out


def _range(args: list[Any]) -> Windows:
    if not args or not isinstance(args[0], Windows):
        raise BadQuery("expected a range vector")
    return args[0]


def _over_time(reduce: Callable[[Floats], Floats]) -> Function:
    return lambda args, _: ranges.over_time(_range(args), _quiet(reduce))


def _simple(function: Callable[[Floats], Floats]) -> Function:
    def run(args: list[Any], _: Floats) -> Vector:
        vector: Vector = args[0]
        with np.errstate(all="ignore"):
            values = function(vector.values)
        return merged(Vector(labels=vector.unnamed(), values=values, present=vector.present))

    return run


def _quantile_over_time(args: list[Any], _: Floats) -> Vector:
    q = float(args[0].values[0])
    if not 0.0 <= q <= 1.0:
        limit = -np.inf if q < 0 else np.inf
        return ranges.over_time(args[1], lambda t: np.full(t.shape[:-1], limit))
    return ranges.over_time(args[1], _quiet(lambda t: np.nanquantile(t, q, axis=-1)))


def _last_over_time(args: list[Any], _: Floats) -> Vector:
    found = ranges.over_time(_range(args), _last)
    return Vector(labels=args[0].labels, values=found.values, present=found.present)


def _scalar(args: list[Any], times: Floats) -> Scalar:
    vector: Vector = args[0]
    one = vector.present.sum(axis=0) == 1
    total = np.where(vector.present, vector.values, 0.0).sum(axis=0)
    return Scalar(values=np.where(one, total, np.nan) if len(vector.labels) else times * np.nan)


def _vector(args: list[Any], times: Floats) -> Vector:
    return Vector(
        labels=[{}], values=args[0].values[None, :], present=np.ones((1, len(times)), dtype=bool)
    )


def _timestamp(args: list[Any], times: Floats) -> Vector:
    vector: Vector = args[0]
    values = np.where(vector.present, times[None, :], 0.0)
    return Vector(labels=vector.unnamed(), values=values, present=vector.present)


def _round(args: list[Any], times: Floats) -> Vector:
    vector: Vector = args[0]
    nearest = args[1].values if len(args) > 1 else times * 0.0 + 1.0
    with np.errstate(all="ignore"):
        inverse = 1.0 / nearest[None, :]
        values = np.floor(vector.values * inverse + 0.5) / inverse
    return Vector(labels=vector.unnamed(), values=values, present=vector.present)


def _clamp(vector: Vector, low: Floats, high: Floats) -> Vector:
    present = vector.present & (low <= high)[None, :]
    values = np.maximum(low[None, :], np.minimum(high[None, :], vector.values))
    return Vector(labels=vector.unnamed(), values=values, present=present)


def _text(value: Any) -> str:
    if not isinstance(value, Text):
        raise BadQuery("expected a string")
    return value.value


def _label_replace(args: list[Any], _: Floats) -> Vector:
    vector: Vector = args[0]
    target, template, source, pattern = (_text(a) for a in args[1:5])
    if not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", target):
        raise FailedQuery("invalid destination label name in label_replace()")
    try:
        regex = re.compile(pattern)
        shape = re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda m: rf"\g<{m[1] or m[2]}>",
                       template.replace("\\", "\\\\"))  # fmt: skip
        labels = [_replaced(row, (target, shape, source), regex) for row in vector.labels]
    except (re.error, IndexError) as error:
        raise FailedQuery(f"invalid regular expression in label_replace(): {pattern}") from error
    return merged(Vector(labels=labels, values=vector.values, present=vector.present))


def _replaced(
    row: dict[str, str], what: tuple[str, str, str], regex: "re.Pattern[str]"
) -> dict[str, str]:
    target, shape, source = what
    found = regex.fullmatch(row.get(source, ""))
    if found is None:
        return row
    value = found.expand(shape)
    out = {k: v for k, v in row.items() if k != target}
    return out | {target: value} if value else out


def _label_join(args: list[Any], _: Floats) -> Vector:
    vector: Vector = args[0]
    target, between, *sources = (_text(a) for a in args[1:])
    labels = [
        row | {target: between.join(row.get(s, "") for s in sources)} for row in vector.labels
    ]
    return merged(Vector(labels=labels, values=vector.values, present=vector.present))


def _sorted(vector: Vector, sign: float) -> Vector:
    if vector.values.shape[1] != 1:
        return vector
    column = np.where(np.isnan(vector.values[:, 0]), np.inf, sign * vector.values[:, 0])
    order = np.argsort(column, kind="stable")
    return Vector(
        labels=[vector.labels[i] for i in order],
        values=vector.values[order],
        present=vector.present[order],
    )


def _calendar(args: list[Any], times: Floats, field: str) -> Vector:
    vector = args[0] if args else _vector([Scalar(values=times)], times)
    values = np.array([[_part(v, field) for v in row] for row in vector.values])
    return Vector(labels=vector.unnamed(), values=values.reshape(vector.values.shape),
                  present=vector.present)  # fmt: skip


def _part(value: float, field: str) -> float:
    if not abs(value) < 1e11:
        return float("nan")
    moment = datetime.fromtimestamp(value, UTC)
    return float((moment.weekday() + 1) % 7 if field == "weekday" else getattr(moment, field))


def absent(vector: Vector, labels: dict[str, str]) -> Vector:
    """Return one series of the selector's equality labels where the vector is empty."""
    missing: Bools = ~np.any(vector.present, axis=0)
    shown = {k: v for k, v in labels.items() if k != NAME and v}
    return Vector(labels=[shown], values=np.ones((1, len(missing))), present=missing[None, :])
