"""Conditions → Z3: finds a request for which a condition holds, near to an ordinary one."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from policies.expressions import (
    SIGNS,
    Attribute,
    Compare,
    Every,
    Expression,
    Kind,
    Not,
    Side,
    Some,
    Truth,
    Values,
    attributes,
)

if TYPE_CHECKING:
    import z3

LARGEST = 2**53 - 1
BOUNDS = {"level": (1, 4), "highestLevel": (1, 4), "hourUtc": (0, 23), "weekdayUtc": (1, 7)}
ROUNDED = {
    "exact.confidence": "context.confidencePermille",
    "exact.fleet": "context.blast.fleetPermille",
}
STAGES = "context.stage", ("propose", "execute", "undo")  # no request has another
WORSE = "worse."


class Search:
    """One Z3 context over one set of attributes; texts are numbered, as only equality is asked."""

    def __init__(self) -> None:
        import z3  # 0.1 s: only where something is proved

        self._z3 = z3
        self._solver = z3.Solver()
        self._terms: dict[int, tuple[Expression, Any]] = {}  # keeps the expression alive for its id
        self._variables: dict[str, tuple[Attribute, Any]] = {}
        self._codes: dict[str, int] = {}
        self._bounded: set[str] = set()
        self._values: dict[tuple[Kind, Any], Any] = {}
        self._asked: dict[int, set[str]] = {}

    def find(self, wanted: Expression, near: Values) -> dict[str, Any] | None:
        """Return values that make the condition hold, None if there are none: then it is proved.

        Among those, as many as possible are as in `near`, earlier paths first.
        """
        formula = self.term(wanted)
        self._bound()
        self._solver.push()
        try:
            self._solver.add(formula)
            if not self._satisfied():
                return None
            for path, value in near.items():
                self._prefer(path, value)
            return self._read(self._solver.model(), wanted)
        finally:
            self._solver.pop()

    def possible(self, wanted: Expression) -> bool:
        """Return whether some request makes the condition hold."""
        formula = self.term(wanted)
        self._bound()
        return self._satisfied(formula)

    def term(self, expression: Expression) -> Any:
        """Return the Z3 formula of a condition."""
        known = self._terms.get(id(expression))
        if known is None:
            known = (expression, self._translate(expression))
            self._terms[id(expression)] = known
        return known[1]

    def holds(self, expression: Expression, values: Values) -> bool:
        """Return whether the formula is true for these values, which must be complete."""
        formula = self.term(expression)  # kept alive there, so its identity stands
        paths = self._asked.get(id(expression))
        if paths is None:
            paths = self._asked[id(expression)] = {a.path for a in attributes(expression)}
        fixed = [
            (self._variables[path][1], self._value(self._variables[path][0], values[path]))
            for path in paths
        ]
        answer = self._z3.simplify(self._z3.substitute(formula, *fixed))
        return bool(self._z3.is_true(answer))

    def _satisfied(self, *assumed: Any) -> bool:
        answer = self._solver.check(*assumed)
        if answer == self._z3.unknown:
            raise TimeoutError("Z3 gave up on a policy question")
        return bool(answer == self._z3.sat)

    def _prefer(self, path: str, value: Any) -> None:
        for name in (path, WORSE + path):
            if name not in self._variables:
                continue
            attribute, variable = self._variables[name]
            same = variable == self._value(attribute, value)
            if self._solver.check(same) == self._z3.sat:
                self._solver.add(same)
        self._satisfied()

    def _translate(  # noqa: PLR0911 - one return a kind
        self, expression: Expression
    ) -> "z3.BoolRef":
        z3 = self._z3
        match expression:
            case Truth(value):
                return z3.BoolVal(value)
            case Not(inner):
                return z3.Not(self.term(inner))
            case Every(parts):
                return z3.And([self.term(part) for part in parts])
            case Some(parts):
                return z3.Or([self.term(part) for part in parts])
            case Attribute():
                return self._variable(expression)
            case Compare():
                return self._comparison(expression)
        raise TypeError(f"not a condition: {expression!r}")

    def _comparison(self, node: Compare) -> "z3.BoolRef":
        return SIGNS[node.sign](self._side(node.left), self._side(node.right))

    def _side(self, side: Side) -> Any:
        if isinstance(side, Attribute):
            return self._variable(side)
        value = side.value
        if isinstance(value, str):
            return self._z3.IntVal(self._code(value))
        return value if isinstance(value, int) else self._z3.RealVal(str(value))

    def _variable(self, attribute: Attribute) -> Any:
        if attribute.path not in self._variables:
            make = {Kind.FLAG: self._z3.Bool, Kind.RATIO: self._z3.Real}
            variable = make.get(attribute.kind, self._z3.Int)(attribute.path)
            self._variables[attribute.path] = (attribute, variable)
        return self._variables[attribute.path][1]

    def _code(self, value: str) -> int:
        return self._codes.setdefault(str(value), len(self._codes) + 1)

    def _value(self, attribute: Attribute, value: Any) -> Any:
        key = (attribute.kind, value)
        if key not in self._values:
            self._values[key] = self._made(attribute, value)
        return self._values[key]

    def _made(self, attribute: Attribute, value: Any) -> Any:
        z3 = self._z3
        match attribute.kind:
            case Kind.FLAG:
                return z3.BoolVal(value)
            case Kind.RATIO:
                return z3.RealVal(str(value))
            case Kind.TEXT:
                return z3.IntVal(self._code(value))
            case _:
                return z3.IntVal(int(value))

    def _bound(self) -> None:
        """Say what every request keeps to: `policies.request` refuses the rest."""
        fresh = [path for path in self._variables if path not in self._bounded]
        for path in fresh:
            prefix = WORSE if path.startswith(WORSE) else ""
            if (plain := path.removeprefix(WORSE)) in ROUNDED:
                self._solver.add(self._rounding(prefix, plain, ROUNDED[plain]))
        for path, (attribute, variable) in self._variables.items():
            if path not in self._bounded and attribute.kind is Kind.NUMBER:
                name = path.rpartition(".")[2]
                top = 1000 if name.endswith("Permille") else LARGEST
                low, high = BOUNDS.get(name, (0, top))
                self._solver.add(variable >= low, variable <= high)
        if (path := STAGES[0]) in fresh:
            variable = self._variables[path][1]
            self._solver.add(self._z3.Or([variable == self._code(s) for s in STAGES[1]]))
        self._bounded.update(self._variables)

    def _rounding(self, prefix: str, path: str, permille: str) -> Any:
        exact = self._variable(Attribute(prefix + path, Kind.RATIO)) * 1000
        whole = self._variable(Attribute(prefix + permille, Kind.NUMBER))
        up = path == "exact.fleet"  # rounded towards caution
        low, high = (0, 1) if up else (-1, 0)
        within = (whole - exact >= low, whole - exact <= high)
        return self._z3.And(exact >= 0, exact <= 1000, *within)

    def _read(self, model: Any, wanted: Expression) -> dict[str, Any]:
        names = {code: text for text, code in self._codes.items()}
        used = {attribute.path for attribute in attributes(wanted)}
        found: dict[str, Any] = {}
        for path, (attribute, variable) in self._variables.items():
            if path not in used and path not in ROUNDED.values():
                continue
            value = model.eval(variable, model_completion=True)
            found[path] = _plain(attribute.kind, value, names)
        return found


def _plain(kind: Kind, value: Any, names: Mapping[int, str]) -> Any:
    if kind is Kind.FLAG:
        return str(value) == "True"
    if kind is Kind.RATIO:
        return float(value.as_fraction())
    number = value.as_long()
    return names.get(number, f"another ({number})") if kind is Kind.TEXT else number
