"""Broken rules never start."""

import shutil
from pathlib import Path

import pytest

from bot.domain.errors import Malformed
from policies.engine import CedarEngine
from policies.rulebook import RULES, load


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    return Path(shutil.copytree(RULES, tmp_path / "rules"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("permit (principal", "extra.cedar"),
        ("permit (principal, action, resource);", "no @id"),
        ('@id("a") permit (principal, action, resource);', "no @reason"),
        ('@id("a") @reason("b") permit (principal, action, resource) '
         "when { context.levle == 4 };", "levle"),
        ('@id("a") @reason("b") permit (principal, action, resource) '
         'when { context.level == "four" };', "extra.cedar"),
        ('@id("kill-switch") @reason("b") forbid (principal, action, resource);',
         "used twice: kill-switch"),
        ('@id("a") @reason("b") permit (principal == ?principal, action, resource);', "template"),
        ('@id("a") @reason("b") permit (principal, action == Action::"anything", resource);',
         "anything"),
    ],
)  # fmt: skip
def test_a_broken_rule_is_refused_with_its_reason(rules: Path, text: str, said: str) -> None:
    (rules / "extra.cedar").write_text(text)
    with pytest.raises(Malformed, match=said):
        CedarEngine(rules)


def test_all_faults_are_named_at_once(rules: Path) -> None:
    (rules / "a.cedar").write_text("permit (")
    (rules / "b.cedar").write_text("permit (principal, action, resource);")
    with pytest.raises(Malformed, match=r"(?s)a\.cedar.*b\.cedar.*@id.*@reason"):
        load(rules)


def test_a_broken_or_absent_schema_is_refused(rules: Path) -> None:
    (rules / "schema.cedarschema").write_text("entity {")
    with pytest.raises(Malformed, match="schema"):
        load(rules)
    (rules / "schema.cedarschema").unlink()
    with pytest.raises(Malformed, match="schema"):
        load(rules)


def test_no_rules_at_all_are_refused(rules: Path) -> None:
    for path in rules.glob("*.cedar"):
        path.unlink()
    with pytest.raises(Malformed, match="no rule file"):
        load(rules)


def test_an_always_permit_rule_cannot_break_the_guard(rules: Path) -> None:
    from tests.unit.policies.requests import but

    (rules / "wild.cedar").write_text(
        '@id("wild") @reason("everything") permit (principal, action, resource);'
    )
    for path in rules.glob("*.cedar"):
        if path.name != "wild.cedar":
            path.unlink()
    engine = CedarEngine(rules)
    assert engine.rule(but(kill_switch=True)).denied
    assert engine.rule(but(stateful=True)).verdict.value == "approval"
