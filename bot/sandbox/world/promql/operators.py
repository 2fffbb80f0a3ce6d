"""Arithmetic, comparison and set operators, with Prometheus' vector matching."""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from bot.sandbox.world.noise import Bools, Floats
from bot.sandbox.world.promql.values import (
    NAME,
    BadQuery,
    FailedQuery,
    Labels,
    Scalar,
    Vector,
    merged,
    signature,
)

ARITHMETIC: dict[str, Callable[[Floats, Floats], Floats]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": np.divide,
    "%": np.fmod,
    "^": np.power,
    "atan2": np.arctan2,
}
COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}
SETS = ("and", "or", "unless")
Side = Vector | Scalar


class Matching:
    """How two vectors are matched: on or ignoring which labels, one to one or many to one."""

    def __init__(self, modifier: Any) -> None:
        matching = modifier.matching if modifier is not None else None
        self.on = matching is not None and str(matching.type).endswith("Include")
        self.labels = tuple(matching.labels) if matching is not None else ()
        self.bool = bool(modifier.return_bool) if modifier is not None else False
        card = str(modifier.card) if modifier is not None else "OneToOne"
        self.card = card.rpartition(".")[2]
        self.include = tuple(modifier.group_labels or ()) if modifier is not None else ()

    def key(self, labels: Labels) -> tuple[tuple[str, str], ...]:
        """Return what two series must share."""
        if self.on:
            return tuple(sorted((n, labels[n]) for n in self.labels if labels.get(n)))
        drop = {*self.labels, NAME}
        return tuple(sorted((k, v) for k, v in labels.items() if k not in drop))


def binary(op: str, left: Side, right: Side, modifier: Any) -> Side:
    """Return `left op right`. Raises: BadQuery, FailedQuery."""
    matching = Matching(modifier)
    if isinstance(left, Scalar) and isinstance(right, Scalar):
        return Scalar(values=_plain(op, left.values, right.values))
    if op in SETS:
        if isinstance(left, Scalar) or isinstance(right, Scalar):
            raise BadQuery("set operators need vectors on both sides")
        return _sets(op, left, right, matching)
    if isinstance(left, Vector) and isinstance(right, Vector):
        return _vectors(op, left, right, matching)
    return _with_scalar(op, left, right, matching.bool)


def _plain(op: str, a: Floats, b: Floats) -> Floats:
    with np.errstate(all="ignore"):
        if op in COMPARE:
            out: Floats = COMPARE[op](a, b).astype(float)
            return out
        if op not in ARITHMETIC:
            raise BadQuery(f"operator {op} is not supported")
        return ARITHMETIC[op](a, b)


def _with_scalar(op: str, left: Side, right: Side, as_bool: bool) -> Vector:
    vector = left if isinstance(left, Vector) else right
    assert isinstance(vector, Vector)  # noqa: S101 - one side is, by the caller
    a = left.values if isinstance(left, Vector) else left.values[None, :]
    b = right.values if isinstance(right, Vector) else right.values[None, :]
    out = _plain(op, a + np.zeros_like(vector.values), b + np.zeros_like(vector.values))
    if op in COMPARE and not as_bool:
        return Vector(
            labels=vector.labels, values=vector.values, present=vector.present & (out > 0)
        )
    return Vector(labels=vector.unnamed(), values=out, present=vector.present)


def _sets(op: str, left: Vector, right: Vector, matching: Matching) -> Vector:
    keys: dict[Any, Bools] = {}
    base = left if op == "or" else right
    for labels, present in zip(base.labels, base.present, strict=True):
        key = matching.key(labels)
        keys[key] = keys[key] | present if key in keys else present
    nothing = np.zeros(left.values.shape[1], dtype=bool)
    if op == "or":
        extra = [~keys.get(matching.key(labels), nothing) for labels in right.labels]
        if not extra:
            return left
        added = Vector(
            labels=right.labels, values=right.values, present=right.present & np.array(extra)
        )
        added = added.thinned()
        both = Vector(
            labels=left.labels + added.labels,
            values=np.concatenate([left.values, added.values]),
            present=np.concatenate([left.present, added.present]),
        )
        return merged(both)
    if not left.labels:
        return left
    inside = np.array([keys.get(matching.key(labels), nothing) for labels in left.labels])
    keep = inside if op == "and" else ~inside
    return Vector(labels=left.labels, values=left.values, present=left.present & keep)


def _vectors(op: str, left: Vector, right: Vector, matching: Matching) -> Vector:
    swap = matching.card == "OneToMany"
    many, one = (right, left) if swap else (left, right)
    index = _one_side(one, matching, "left" if swap else "right")
    rows: list[tuple[Labels, Floats, Bools]] = []
    taken: dict[Any, Bools] = {}
    for i, labels in enumerate(many.labels):
        key = matching.key(labels)
        if key not in index:
            continue
        other, other_present, other_labels = index[key]
        present = many.present[i] & other_present
        if not present.any():
            continue
        pair = (other, many.values[i]) if swap else (many.values[i], other)
        values, keep = _pair(op, pair, many.values[i], matching.bool)
        result = _result_labels(labels, other_labels, (op, matching))
        _no_duplicate(taken, key if matching.card == "OneToOne" else signature(result), present)
        rows.append((result, values, present & keep))
    if not rows:
        return Vector.empty(left.values.shape[1])
    found = Vector(
        labels=[r[0] for r in rows],
        values=np.array([r[1] for r in rows]),
        present=np.array([r[2] for r in rows]),
    )
    return merged(found)


def _no_duplicate(taken: dict[Any, Bools], key: Any, present: Bools) -> None:
    before = taken.get(key)
    if before is not None and (before & present).any():
        raise FailedQuery(
            "multiple matches for labels: many-to-one matching must be explicit "
            "(group_left/group_right)"
        )
    taken[key] = present if before is None else before | present


def _pair(
    op: str, pair: tuple[Floats, Floats], kept: Floats, as_bool: bool
) -> tuple[Floats, Bools]:
    out = _plain(op, pair[0], pair[1])
    if op in COMPARE and not as_bool:
        return (pair[0] if kept is pair[0] else kept), out > 0
    return out, np.ones(len(out), dtype=bool)


def _one_side(
    one: Vector, matching: Matching, side: str
) -> dict[Any, tuple[Floats, Bools, Labels]]:
    index: dict[Any, tuple[Floats, Bools, Labels]] = {}
    for i, labels in enumerate(one.labels):
        key = matching.key(labels)
        if key not in index:
            index[key] = (one.values[i], one.present[i], labels)
            continue
        values, present, first = index[key]
        if (present & one.present[i]).any():
            raise FailedQuery(
                f"found duplicate series for the match group {dict(key)} on the {side} hand-side "
                "of the operation;many-to-many matching not allowed: matching labels must be "
                "unique on one side"
            )
        index[key] = (
            np.where(one.present[i], one.values[i], values),
            present | one.present[i],
            first,
        )
    return index


def _result_labels(labels: Labels, other: Labels, how: tuple[str, Matching]) -> Labels:
    op, matching = how
    keep_name = op in COMPARE and not matching.bool
    out = {k: v for k, v in labels.items() if k != NAME or keep_name}
    if matching.card == "OneToOne":
        if matching.on:
            return {k: v for k, v in out.items() if k in matching.labels}
        return {k: v for k, v in out.items() if k not in matching.labels}
    for name in matching.include:
        if other.get(name):
            out[name] = other[name]
        else:
            out.pop(name, None)
    return out
