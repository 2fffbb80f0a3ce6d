"""The rules of the architecture, checked over the code itself."""

import ast
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("bot", "tools", "policies", "migrations")
MODULE_LINES, FUNCTION_LINES = 400, 60
BROAD_EXCEPT_PLACES = {
    "bot/cli/company.py",
    "bot/workflows/engine.py",
    "bot/slack/app.py",
    "bot/cli/__init__.py",
}
ACTS = {"bot/remediation/gateway.py", "tools/catalog.py", "bot/app.py"}
DATA_SETS = re.compile(
    r"cloud.?opsbench|rootcausebench|petshop|train.?ticket|nezha|loghub|online.?boutique"
    r"|\bts-[a-z]+-service|boutique|cartservice|checkoutservice|productcatalogservice",
    re.IGNORECASE,
)
REGISTRIES = re.compile(r"pypi\.org|pythonhosted|npmjs|registry\.npm|deb\.debian|index-url", re.I)


@cache
def sources() -> tuple[tuple[str, str, ast.Module], ...]:
    found = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            found.append((path.relative_to(ROOT).as_posix(), text, ast.parse(text)))
    return tuple(found)


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_the_import_contracts_hold() -> None:
    command = str(Path(sys.executable).parent / "lint-imports")
    done = subprocess.run([command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-500:]


def test_only_the_gateway_reaches_an_action() -> None:
    for path, _, tree in sources():
        if path in ACTS or path.startswith("tools/act/"):
            continue
        reached = [name for name in imported(tree) if name.startswith("tools.act")]
        assert not reached, f"{path} imports {reached}"


def test_modules_and_functions_stay_small() -> None:
    modules = {path: text.count("\n") for path, text, _ in sources() if "versions" not in path}
    long_functions = {
        f"{path}:{f.lineno} {f.name}": f.end_lineno - f.lineno + 1
        for path, _, tree in sources()
        for f in functions(tree)
        if f.end_lineno and "versions" not in path
    }
    median = statistics.median
    sys.stdout.write(
        f"\n{len(modules)} modules, median {median(modules.values())} lines; "
        f"{len(long_functions)} functions, median {median(long_functions.values())} lines\n"
    )
    assert not {p: n for p, n in modules.items() if n > MODULE_LINES}
    assert not {p: n for p, n in long_functions.items() if n > FUNCTION_LINES}


def test_every_module_says_its_one_job() -> None:
    assert not [path for path, _, tree in sources() if not ast.get_docstring(tree)]


def test_broad_excepts_stand_in_three_places_only() -> None:
    for path, _, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.ExceptHandler):
                names = (
                    {n.id for n in ast.walk(node.type) if isinstance(n, ast.Name)}
                    if node.type
                    else {""}
                )
                if names & {"Exception", "BaseException", ""}:
                    assert path in BROAD_EXCEPT_PLACES, f"{path}:{node.lineno} catches everything"


def test_no_data_set_is_named_outside_the_evaluation() -> None:
    for path, text, _ in sources():
        if not path.startswith("bot/evaluation/") and not path.startswith("bot/cli/evaluate"):
            assert not (found := DATA_SETS.search(text)), f"{path} mentions {found}"


@pytest.mark.parametrize(
    "name", ["requirements.lock", "requirements-dev.lock", "pyproject.toml", "Makefile"]
)
def test_no_registry_host_is_named(name: str) -> None:
    assert not REGISTRIES.search((ROOT / name).read_text(encoding="utf-8"))


def test_every_locked_package_has_hashes() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pins = re.findall(r"^([a-z0-9-]+(?:\[[^]]*\])?==\S+).*?(?=^\S|\Z)", text, re.M | re.S)
    assert len(pins) > 40
    assert all(
        "--hash=sha256:" in block for block in re.split(r"^(?=[a-z0-9])", text, flags=re.M)[1:]
    )


def test_nothing_marks_unfinished_work() -> None:
    for path, text, _ in sources():
        assert not re.search(r"\b(TODO|FIXME|XXX)\b", text), path
