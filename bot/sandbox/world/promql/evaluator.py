"""Walks a parsed expression and evaluates it at all steps at once."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import promql_parser as ast

from bot.sandbox.world.noise import Bools, Floats, Ints
from bot.sandbox.world.promql import aggregation, functions, operators, ranges
from bot.sandbox.world.promql.values import (
    NAME,
    BadQuery,
    FailedQuery,
    Labels,
    Scalar,
    Text,
    Vector,
    Windows,
)

LOOKBACK_S = 300.0
MAX_DEPTH = 60
MAX_TEXT = 8_000
MAX_SAMPLES = 18_000_000
STRING = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`")
PICKING = ("topk", "bottomk")
REDUCING = ("sum", "avg", "min", "max", "count", "group", "stddev", "stdvar", "quantile")


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    """One label matcher: `=`, `!=`, `=~` or `!~`."""

    name: str
    op: str
    value: str


class Storage(Protocol):
    """Where samples come from. Samples lie on a grid of `step_s` seconds."""

    step_s: float
    stale: bool  # whether a missing sample ends a series at once, as staleness markers do

    def select(self, matchers: Sequence[Matcher], indices: Ints) -> tuple[list[Labels], Floats]:
        """Return labels (with the name) and values [series, indices] at grid indices, NaN: none."""
        ...


def parse(text: str) -> Any:
    """Return the syntax tree. Raises: BadQuery."""
    if not text or len(text) > MAX_TEXT:
        raise BadQuery("parse error: no expression" if not text else "query is too long")
    if _nesting(text) > MAX_DEPTH:
        raise BadQuery("expression is nested too deeply")
    if re.search(r"@\s*[-+]", STRING.sub("", text)):  # the parser panics when it is read
        raise BadQuery("a signed timestamp for @ is not supported")
    try:
        return ast.parse(text)
    except ValueError as error:
        raise BadQuery(f'invalid parameter "query": {error}') from error


def _nesting(text: str) -> int:
    depth = worst = run = 0
    for character in text:
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(character, 0)
        run = run + 1 if character in "+-" else (run if character == " " else 0)
        worst = max(worst, depth, run)
    return worst


class Evaluator:
    """One evaluation at given step times."""

    def __init__(self, storage: Storage, times: Floats) -> None:
        self.storage, self.times = storage, times
        self.functions = functions.table()
        self.depth = 0
        self.budget = [MAX_SAMPLES]

    def evaluate(self, node: Any) -> Any:
        """Return Scalar, Text, Vector or Windows. Raises: BadQuery, FailedQuery."""
        self.depth += 1
        if self.depth > 4 * MAX_DEPTH:
            raise FailedQuery("expression is nested too deeply")
        kind = type(node).__name__
        method = getattr(self, f"_{kind}", None)
        if method is None:
            raise BadQuery(f"{kind} is not supported")
        out = method(node)
        self.depth -= 1
        return out

    def _NumberLiteral(self, node: Any) -> Scalar:  # noqa: N802 - named after the node
        return Scalar(values=self.times * 0.0 + node.val)

    def _StringLiteral(self, node: Any) -> Text:  # noqa: N802 - named after the node
        return Text(value=node.val)

    def _ParenExpr(self, node: Any) -> Any:  # noqa: N802 - named after the node
        return self.evaluate(node.expr)

    def _UnaryExpr(self, node: Any) -> Any:  # noqa: N802 - named after the node
        found = self.evaluate(node.expr)
        if isinstance(found, Scalar):
            return Scalar(values=-found.values)
        if not isinstance(found, Vector):
            raise BadQuery("unary expression only allowed on expressions of type scalar or vector")
        return Vector(labels=found.unnamed(), values=-found.values, present=found.present)

    def _BinaryExpr(self, node: Any) -> Any:  # noqa: N802 - named after the node
        left, right = self.evaluate(node.lhs), self.evaluate(node.rhs)
        if not isinstance(left, Vector | Scalar) or not isinstance(right, Vector | Scalar):
            raise BadQuery("binary expression must contain only scalar and instant vector types")
        return operators.binary(str(node.op), left, right, node.modifier)

    def _AggregateExpr(self, node: Any) -> Vector:  # noqa: N802 - named after the node
        op = str(node.op)
        vector = self.evaluate(node.expr)
        if not isinstance(vector, Vector):
            raise BadQuery(f"expected type instant vector in aggregation expression {op}")
        names = tuple(node.modifier.labels) if node.modifier is not None else ()
        without = node.modifier is not None and str(node.modifier.type).endswith("Without")
        groups = aggregation.grouping(vector, names, without)
        param = self.times * 0.0
        if op in PICKING or op == "quantile":
            found = self.evaluate(node.param)
            if not isinstance(found, Scalar):
                raise BadQuery(f"expected type scalar in aggregation parameter of {op}")
            param = found.values
        if op in PICKING:
            return aggregation.pick_groups(vector, groups, op, param)
        if op not in REDUCING:
            raise BadQuery(f"aggregation {op} is not supported")
        return aggregation.reduce_groups(vector, groups, op, param)

    def _Call(self, node: Any) -> Any:  # noqa: N802 - named after the node
        name = node.func.name
        if name in ("absent", "absent_over_time"):
            return self._absent(node, name)
        function = self.functions.get(name)
        if function is None:
            raise BadQuery(f"function {name} is not supported")
        if name == "timestamp" and type(node.args[0]).__name__ == "VectorSelector":
            return self._timestamp(node.args[0])
        return function([self.evaluate(a) for a in node.args], self.times)

    def _absent(self, node: Any, name: str) -> Vector:
        found = self.evaluate(node.args[0])
        if isinstance(found, Windows):
            found = ranges.over_time(found, lambda t: np.ones(t.shape[:-1]))
        elif name == "absent_over_time":
            raise BadQuery("expected type range vector in call to function absent_over_time")
        selector = node.args[0]
        selector = getattr(selector, "vector_selector", selector)
        matchers = _matchers(selector) if hasattr(selector, "matchers") else ()
        equal = [m for m in matchers if m.op == "="]
        once = {m.name: m.value for m in equal if sum(o.name == m.name for o in matchers) == 1}
        return functions.absent(found, once)

    def _timestamp(self, selector: Any) -> Vector:
        labels, _, stamps = self._newest(selector)
        present = ~np.isnan(stamps)
        found = Vector(labels=labels, values=np.nan_to_num(stamps), present=present)
        return Vector(labels=found.unnamed(), values=found.values, present=present).thinned()

    def _VectorSelector(self, node: Any) -> Vector:  # noqa: N802 - named after the node
        labels, values, _ = self._newest(node)
        present = ~np.isnan(values)
        return Vector(labels=labels, values=np.nan_to_num(values), present=present).thinned()

    def _newest(self, node: Any) -> tuple[list[Labels], Floats, Floats]:
        """Return labels, the newest sample within the lookback at every step, and its time."""
        times = self._shifted(node)
        step = self.storage.step_s
        last = np.floor(times / step).astype(np.int64)
        back = 0 if self.storage.stale else int(LOOKBACK_S // step)
        wanted = np.unique((last[:, None] - np.arange(back + 1)[None, :]).ravel())
        labels, values = self._select(_matchers(node), wanted)
        has = ~np.isnan(values)
        places = np.where(has, np.arange(len(wanted)), -1)
        if back:
            places = np.maximum.accumulate(places, axis=1)
        places = places[:, np.searchsorted(wanted, last)]
        stamps = np.where(places >= 0, wanted[np.maximum(places, 0)] * step, np.nan)
        stamps = np.where(times[None, :] - stamps <= LOOKBACK_S, stamps, np.nan)
        found = np.take_along_axis(values, np.maximum(places, 0), axis=1)
        return labels, np.where(np.isnan(stamps), np.nan, found), stamps

    def _MatrixSelector(self, node: Any) -> Windows:  # noqa: N802 - named after the node
        selector = node.vector_selector
        seconds = node.range.total_seconds()
        ends = self._shifted(selector)
        step = self.storage.step_s
        low = np.ceil((ends - seconds) / step).astype(np.int64)
        high = np.floor(ends / step).astype(np.int64)
        width = int((high - low).max()) + 1
        if width * len(ends) > MAX_SAMPLES:
            raise FailedQuery("query processing would load too many samples into memory")
        wanted = np.unique(
            np.minimum(low[:, None] + np.arange(max(1, width))[None, :], high[:, None])
        )
        labels, values = self._select(_matchers(selector), wanted)
        keep: Bools = ~np.all(np.isnan(values), axis=1)
        return Windows(
            labels=[row for row, k in zip(labels, keep, strict=True) if k],
            times=wanted * step,
            values=values[keep],
            low=np.searchsorted(wanted, low),
            high=np.searchsorted(wanted, high, side="right") - 1,
            starts=ends - seconds,
            ends=ends,
            range_s=seconds,
        )

    def _SubqueryExpr(self, node: Any) -> Windows:  # noqa: N802 - named after the node
        seconds = node.range.total_seconds()
        step = node.step.total_seconds() if node.step is not None else 60.0
        if step <= 0:
            raise BadQuery("subquery step must be positive")
        ends = self._shifted(node)
        low = np.ceil((ends - seconds) / step).astype(np.int64)
        high = np.floor(ends / step).astype(np.int64)
        width = int((high - low).max()) + 1
        if width * len(ends) > 500_000:
            raise FailedQuery("query processing would load too many samples into memory")
        wanted = np.unique(
            np.minimum(low[:, None] + np.arange(max(1, width))[None, :], high[:, None])
        )
        inner = Evaluator(self.storage, wanted * step)
        inner.depth, inner.budget = self.depth, self.budget
        found = inner.evaluate(node.expr)
        if not isinstance(found, Vector):
            raise BadQuery("subquery is only allowed on instant vector")
        return Windows(
            labels=found.labels,
            times=wanted * step,
            values=np.where(found.present, found.values, np.nan),
            low=np.searchsorted(wanted, low),
            high=np.searchsorted(wanted, high, side="right") - 1,
            starts=ends - seconds,
            ends=ends,
            range_s=seconds,
        )

    def _select(self, matchers: tuple[Matcher, ...], indices: Ints) -> tuple[list[Labels], Floats]:
        labels, values = self.storage.select(matchers, indices)
        self.budget[0] -= values.size
        if self.budget[0] < 0:
            raise FailedQuery("query processing would load too many samples into memory")
        return labels, values

    def _shifted(self, node: Any) -> Floats:
        """Return the moments at which a selector or subquery looks: @ and offset applied."""
        times = self.times
        at = getattr(node, "at", None)
        if at is not None:
            times = times * 0.0 + self._anchor(at)
        if node.offset is not None:
            times = times - node.offset.total_seconds()
        if not np.isfinite(times).all() or np.abs(times).max(initial=0.0) > 1e11:
            raise BadQuery("time is out of range")
        return times

    def _anchor(self, at: Any) -> float:
        name = str(at.type).rpartition(".")[2]
        if name == "Start":
            return float(self.times[0])
        if name == "End":
            return float(self.times[-1])
        try:
            moment = at.at
            value = float(moment.timestamp() if hasattr(moment, "timestamp") else moment)
        except (ValueError, OverflowError, OSError) as error:
            raise BadQuery("timestamp out of bounds for @ modifier") from error
        if not math.isfinite(value):
            raise BadQuery("timestamp must not be infinite")
        return value


OPS = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}


def _matchers(selector: Any) -> tuple[Matcher, ...]:
    if selector.matchers.or_matchers:
        raise BadQuery("or between matchers is not supported")
    out = [
        Matcher(name=m.name, op=OPS[str(m.op).rpartition(".")[2]], value=m.value)
        for m in selector.matchers.matchers
    ]
    if selector.name:
        out.append(Matcher(name=NAME, op="=", value=selector.name))
    return tuple(out)
