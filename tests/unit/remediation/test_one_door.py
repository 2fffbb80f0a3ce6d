"""Nothing reaches an action but through the door."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
DOOR = "bot/remediation/acting.py"


def callers_of(method: str) -> set[str]:
    """Return the files of the bot that call a method of this name."""
    found = set()
    for path in sorted((ROOT / "bot").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            called = node.func if isinstance(node, ast.Call) else None
            owner = called.value if isinstance(called, ast.Attribute) else None
            is_action = isinstance(owner, ast.Attribute) and owner.attr == "action"
            if is_action and isinstance(called, ast.Attribute) and called.attr == method:
                found.add(path.relative_to(ROOT).as_posix())
    return found


def test_only_the_door_applies_an_action() -> None:
    assert callers_of("apply") == {DOOR}


def test_only_the_gateway_leads_to_the_door() -> None:
    importers = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "bot").rglob("*.py")
        if "bot.remediation.acting" in path.read_text("utf-8")
    }
    assert importers == {"bot/remediation/gateway.py"}
