"""What people are told of rules: explanations, differences, remarks."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from bot.domain.action import Level
from bot.domain.policy import Stage, Verdict
from policies.comparing import changed_rules, compare
from policies.engine import CedarEngine
from policies.explaining import explain
from policies.linting import lint
from policies.rulebook import RULES, load
from tests.unit.policies.requests import but, person

ENGINE = CedarEngine()


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    return Path(shutil.copytree(RULES, tmp_path / "rules"))


def change(rules: Path, name: str, old: str, new: str) -> None:
    text = (rules / name).read_text()
    assert old in text
    (rules / name).write_text(text.replace(old, new))


def ways(**changes: Any) -> dict[Verdict, set[tuple[str, ...]]]:
    told = explain(ENGINE, but(**changes))
    found: dict[Verdict, set[tuple[str, ...]]] = {}
    for way in told.ways:
        found.setdefault(way.verdict, set()).add(way.changes)
    return found


def test_what_would_have_to_change_is_the_least_that_is_enough() -> None:
    assert ways(freeze=True) == {Verdict.AUTONOMOUS: {("the freeze is over",)}}
    assert ways(freeze=True, confidence=0.5) == {
        Verdict.AUTONOMOUS: {("it is at least 80 % sure of the cause", "the freeze is over")}
    }


def test_each_freer_verdict_has_its_own_way() -> None:
    found = ways(level=Level.L1)
    assert found == {
        Verdict.ONE_CLICK: {("the level here is L2",)},
        Verdict.APPROVAL: {("the level here is L3",)},
        Verdict.AUTONOMOUS: {("the level here is L4",)},
    }


def test_what_nothing_can_change_has_no_way() -> None:
    assert ways(is_bot_itself=True) == {}
    assert ways(stateful=True) == {}  # stateful in production: never by itself
    assert ways() == {}  # it is as free as can be


def test_at_the_moment_of_acting_the_missing_decision_is_named() -> None:
    found = ways(stage=Stage.EXECUTE, level=Level.L3)
    assert ("an approver approves who did not ask for it",) in found[Verdict.APPROVAL]
    assert ("a responder approves who did not ask for it",) not in found[Verdict.APPROVAL]


def test_a_person_without_a_role_who_takes_back_is_told_which_role_it_takes() -> None:
    found = ways(stage=Stage.UNDO, actor=person())
    assert found == {Verdict.ONE_CLICK: {("the person is a responder here",)}}


def test_the_same_rules_differ_for_no_request() -> None:
    assert compare(load(), load()) == ()


def test_a_tighter_cap_newly_forbids_where_it_applies_and_nowhere_else(rules: Path) -> None:
    change(rules, "blast_radius.cedar", "workloadPermille > 340", "workloadPermille > 250")
    old, new = load(), load(rules)
    found = compare(old, new)
    assert {(d.allows, d.tier, d.levels, d.before, d.after) for d in found} == {
        (False, "production", (4,), Verdict.AUTONOMOUS, Verdict.APPROVAL),
        (False, "production", (4,), Verdict.AUTONOMOUS, Verdict.DENY),
    }
    assert all("of the workload" in d.when for d in found)
    assert changed_rules(old, new) == {
        "new": [], "gone": [], "changed": ["autonomy-blast-production"]
    }  # fmt: skip


def test_a_rule_that_goes_newly_allows(rules: Path) -> None:
    change(
        rules,
        "blast_radius.cedar",
        'context.tier == "staging" &&\n  (context.blast.workloadPermille > 500',
        'context.tier == "staging" && context.novel &&\n  (context.blast.workloadPermille > 500',
    )
    found = compare(load(), load(rules))
    assert {(d.allows, d.tier) for d in found} == {(True, "staging")}


def test_what_the_guard_forbids_anyway_is_no_difference(rules: Path) -> None:
    change(
        rules,
        "stops.cedar",
        "when { context.killSwitch }",
        "when { context.killSwitch && context.novel }",
    )
    assert compare(load(), load(rules)) == ()


def test_levels_that_differ_alike_are_one_row(rules: Path) -> None:
    change(rules, "self_protection.cedar", '!(context.act.effect == "restart")', "true")
    rows = [
        d for d in compare(load(), load(rules)) if d.stage == "propose" and d.tier == "production"
    ]
    assert all(not d.allows for d in rows)
    assert sorted(n for d in rows for n in d.levels) == [2, 3, 4]


def test_the_rules_as_they_are_need_no_remark() -> None:
    assert lint(load()) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('permit (principal, action == Action::"suggest", resource) when { context.novel }',
         "permits outside"),
        ("forbid (principal, action, resource) when { context.level > 4 }", "never applies"),
        ("forbid (principal, action, resource) when { context.killSwitch && context.novel }",
         "changes nothing"),
    ],
)  # fmt: skip
def test_odd_rules_get_a_remark_with_their_place(rules: Path, text: str, said: str) -> None:
    (rules / "odd.cedar").write_text(f'\n@id("odd") @reason("r")\n{text};\n')
    (remark,) = [r for r in lint(load(rules)) if said in r.words]
    assert (remark.rule, remark.place) == ("odd", "odd.cedar:2")
