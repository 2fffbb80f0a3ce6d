"""Collects the cause names that the analyzers can emit, from their code."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ANALYZERS = Path(__file__).resolve().parents[2] / "bot" / "reasoning"
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9*]+)+")
_CAUSE = re.compile(r"_?causes?$", re.I)


@cache
def emitted() -> dict[str, str]:
    """Return cause name → file; the variable part of an f-string is "*"."""
    found: dict[str, str] = {}
    for path in sorted(ANALYZERS.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for name in _in(tree):
            found.setdefault(name, path.relative_to(ANALYZERS).as_posix())
    return found


@cache
def spoken() -> frozenset[str]:
    """Return every name-like string of the analyzers, whatever it is for."""
    return frozenset(
        node.value
        for path in sorted((ANALYZERS / "analyzers").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and _NAME.fullmatch(node.value)
    )


def _in(tree: ast.Module) -> Iterator[str]:
    places = {"blame": 0, **_parameters(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _called(node, places)
        elif isinstance(node, ast.Assign) and any(_named(t) for t in node.targets):
            yield from _assigned(node)
        elif isinstance(node, ast.AnnAssign) and _named(node.target) and node.value:
            yield from _strings(node.value)
        elif isinstance(node, ast.FunctionDef) and re.search(r"cause|_kind$", node.name):
            yield from _returned(node)
        elif isinstance(node, ast.For):
            yield from _looped(node, tree)


def _returned(function: ast.FunctionDef) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Return) and node.value:
            yield from _first(node.value)


def _parameters(tree: ast.Module) -> dict[str, int]:
    """Functions and classes of the module that take a cause by position: name → position."""
    found = {}
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.FunctionDef):
            names = [a.arg for a in node.args.args]
        elif isinstance(node, ast.ClassDef):
            names = [
                s.target.id
                for s in node.body
                if isinstance(s, ast.AnnAssign) and isinstance(s.target, ast.Name)
            ]
        if "cause" in names and isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = names.index("cause")
    return found


def _called(node: ast.Call, places: dict[str, int]) -> Iterator[str]:
    for keyword in node.keywords:
        if keyword.arg == "cause":
            yield from _strings(keyword.value)
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name in places and len(node.args) > places[name]:
        yield from _strings(node.args[places[name]])


def _named(target: ast.expr) -> bool:
    if isinstance(target, ast.Tuple):
        return any(_named(t) for t in target.elts)
    return isinstance(target, ast.Name) and bool(_CAUSE.search(target.id))


def _assigned(node: ast.Assign) -> Iterator[str]:
    target = node.targets[0]
    if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
        for one, value in zip(target.elts, node.value.elts, strict=False):
            if _named(one):
                yield from _strings(value)
    elif isinstance(node.value, ast.Dict):
        for value in node.value.values:
            yield from _first(value)
    else:
        yield from _strings(node.value)


def _looped(node: ast.For, tree: ast.Module) -> Iterator[str]:
    """`for pattern, cause, why in TABLE`: the column of a table of the module."""
    if not isinstance(node.target, ast.Tuple) or not isinstance(node.iter, ast.Name):
        return
    columns = [i for i, t in enumerate(node.target.elts) if _named(t)]
    for table in (n for n in ast.walk(tree) if isinstance(n, ast.Assign | ast.AnnAssign)):
        target = table.targets[0] if isinstance(table, ast.Assign) else table.target
        same = isinstance(target, ast.Name) and target.id == node.iter.id
        if same and isinstance(table.value, ast.Tuple | ast.List):
            for row in table.value.elts:
                for i in columns if isinstance(row, ast.Tuple) else ():
                    yield from _strings(row.elts[i])  # type: ignore[attr-defined]  # a tuple


def _first(value: ast.expr) -> Iterator[str]:
    yield from _strings(value.elts[0] if isinstance(value, ast.Tuple) and value.elts else value)


def _strings(value: ast.expr) -> Iterator[str]:
    if isinstance(value, ast.JoinedStr):
        yield "".join(str(v.value) if isinstance(v, ast.Constant) else "*" for v in value.values)
    elif isinstance(value, ast.Constant):
        if isinstance(value.value, str) and _NAME.fullmatch(value.value):
            yield value.value
    else:
        for one in _branches(value):
            yield from _strings(one)


def _branches(value: ast.expr) -> list[ast.expr]:
    """The values that an expression can take, as far as they stand in the code."""
    if isinstance(value, ast.IfExp):
        return [value.body, value.orelse]
    if isinstance(value, ast.BoolOp):
        return value.values
    return value.args if isinstance(value, ast.Call) else []
