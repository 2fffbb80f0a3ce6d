"""Conditions over a request's attributes as data: read by code, by the proof, and by people.

A condition is written once. `compiled` makes it a function of attribute values (fails closed: a
flag of another type is Malformed); `policies.solver` makes the same tree a Z3 formula.
"""

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bot.domain.errors import Malformed

Values = Mapping[str, Any]  # attribute path → value
Test = Callable[[Values], bool]


class Kind(StrEnum):
    """What an attribute holds. TEXT is compared for equality only."""

    FLAG = "Bool"
    NUMBER = "Long"
    TEXT = "String"
    RATIO = "ratio"  # a real number from 0 to 1, before it is rounded to permille


@dataclass(frozen=True, slots=True)
class Expression:
    """Base: combines with &, | and ~."""

    def __and__(self, other: "Expression") -> "Expression":
        return every(self, other)

    def __or__(self, other: "Expression") -> "Expression":
        return some(self, other)

    def __invert__(self) -> "Expression":
        if isinstance(self, Truth):
            return Truth(not self.value)
        return self.inner if isinstance(self, Not) else Not(self)


@dataclass(frozen=True, slots=True)
class Truth(Expression):
    """Always true, or never."""

    value: bool


@dataclass(frozen=True, slots=True)
class Not(Expression):
    """The opposite."""

    inner: Expression


@dataclass(frozen=True, slots=True)
class Every(Expression):
    """All parts hold."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Some(Expression):
    """At least one part holds."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Attribute(Expression):
    """A value of the request by its path. As a condition itself: a flag that is on."""

    path: str
    kind: Kind = Kind.FLAG

    def _compare(self, sign: str, other: "Attribute | float | str") -> Expression:
        return Compare(sign, self, other if isinstance(other, Attribute) else Constant(other))

    def equals(self, other: "Attribute | float | str") -> Expression:
        """Is the same."""
        return self._compare("==", other)

    def at_least(self, other: "Attribute | float") -> Expression:
        """Is that or more."""
        return self._compare(">=", other)

    def above(self, other: "Attribute | float") -> Expression:
        """Is more."""
        return self._compare(">", other)

    def at_most(self, other: "Attribute | float") -> Expression:
        """Is that or less."""
        return self._compare("<=", other)


@dataclass(frozen=True, slots=True)
class Constant:
    """A number or a text."""

    value: float | str


Side = Attribute | Constant
SIGNS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
}


@dataclass(frozen=True, slots=True)
class Compare(Expression):
    """Two values compared, by one of SIGNS."""

    sign: str
    left: Side
    right: Side


def flag(path: str) -> Attribute:
    """Return a yes-or-no attribute."""
    return Attribute(path)


def number(path: str) -> Attribute:
    """Return an attribute that is a whole number."""
    return Attribute(path, Kind.NUMBER)


def text(path: str) -> Attribute:
    """Return an attribute that is a text."""
    return Attribute(path, Kind.TEXT)


def ratio(path: str) -> Attribute:
    """Return an attribute that is a ratio from 0 to 1."""
    return Attribute(path, Kind.RATIO)


def every(*parts: Expression) -> Expression:
    """Return "all of these", simplified."""
    kept = tuple(p for p in parts if p != Truth(True))
    if any(p == Truth(False) for p in kept):
        return Truth(False)
    return kept[0] if len(kept) == 1 else (Every(kept) if kept else Truth(True))


def some(*parts: Expression) -> Expression:
    """Return "any of these", simplified."""
    kept = tuple(p for p in parts if p != Truth(False))
    if any(p == Truth(True) for p in kept):
        return Truth(True)
    return kept[0] if len(kept) == 1 else (Some(kept) if kept else Truth(False))


def compiled(expression: Expression) -> Test:  # noqa: PLR0911 - one return a kind
    """Return the condition as a function; it raises Malformed or KeyError on odd values."""
    match expression:
        case Truth(value):
            return lambda _: value
        case Not(inner):
            test = compiled(inner)
            return lambda values: not test(values)
        case Every(parts):
            tests = tuple(map(compiled, parts))
            return lambda values: all(t(values) for t in tests)
        case Some(parts):
            tests = tuple(map(compiled, parts))
            return lambda values: any(t(values) for t in tests)
        case Attribute(path):
            return lambda values: values[path] is True or _off(values[path], path)
        case Compare():
            return _comparison(expression)
    raise Malformed(f"not a condition: {expression!r}")


def _off(value: Any, path: str) -> bool:
    if value is not False:
        raise Malformed(f"{path}: expected true or false")
    return False


def _comparison(node: Compare) -> Test:
    holds, left, right = SIGNS[node.sign], node.left, node.right
    if isinstance(left, Attribute) and isinstance(right, Constant):
        path, value = left.path, right.value
        return lambda values: holds(values[path], value)
    if isinstance(left, Attribute) and isinstance(right, Attribute):
        one, other = left.path, right.path
        return lambda values: holds(values[one], values[other])
    if isinstance(left, Constant) and isinstance(right, Attribute):
        fixed, name = left.value, right.path
        return lambda values: holds(fixed, values[name])
    raise Malformed("a comparison of two constants says nothing about a request")


Shared = dict[int, tuple["Expression", "Expression"]]  # by identity: what a part became


def given(
    expression: Expression, values: Mapping[str, Any], shared: Shared | None = None
) -> Expression:
    """Return the condition with some attributes fixed (or renamed, to an Attribute), simplified.

    Parts that stand in several places are translated once: `shared` keeps them between calls.
    """
    shared = {} if shared is None else shared
    known = shared.get(id(expression))
    if known is None:
        known = (expression, _given(expression, values, shared))
        shared[id(expression)] = known
    return known[1]


def _given(  # noqa: PLR0911 - one return a kind
    expression: Expression, values: Mapping[str, Any], shared: Shared
) -> Expression:
    match expression:
        case Not(inner):
            became = given(inner, values, shared)
            return expression if became is inner else ~became
        case Every(parts) | Some(parts):
            new = tuple([given(p, values, shared) for p in parts])
            if all(map(operator.is_, new, parts)):
                return expression  # itself, so that it is still shared
            return every(*new) if isinstance(expression, Every) else some(*new)
        case Attribute(path):
            fixed = values.get(path, expression)
            return fixed if isinstance(fixed, Attribute) else Truth(bool(fixed))
        case Compare(sign, left, right) if not values.keys().isdisjoint(_paths(expression)):
            return _compared(sign, _fixed(left, values), _fixed(right, values))
    return expression


def _paths(node: Compare) -> list[str]:
    return [side.path for side in (node.left, node.right) if isinstance(side, Attribute)]


def _fixed(side: Side, values: Mapping[str, Any]) -> Side:
    if isinstance(side, Constant) or side.path not in values:
        return side
    value = values[side.path]
    return value if isinstance(value, Attribute) else Constant(value)


def _compared(sign: str, left: Side, right: Side) -> Expression:
    if isinstance(left, Constant) and isinstance(right, Constant):
        return Truth(SIGNS[sign](left.value, right.value))
    return Compare(sign, left, right)


def attributes(expression: Expression) -> Iterator[Attribute]:
    """Yield every attribute that the condition looks at, repeated as often as it is used."""
    for atom in atoms(expression):
        sides = (atom.left, atom.right) if isinstance(atom, Compare) else (atom,)
        yield from (side for side in sides if isinstance(side, Attribute))


def atoms(expression: Expression) -> Iterator[Attribute | Compare]:
    """Yield the flags and comparisons that the condition is made of."""
    match expression:
        case Not(inner):
            yield from atoms(inner)
        case Every(parts) | Some(parts):
            for part in parts:
                yield from atoms(part)
        case Attribute() | Compare():
            yield expression
