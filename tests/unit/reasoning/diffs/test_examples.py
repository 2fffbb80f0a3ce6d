"""Every rule about diffs reads what it is for, twice at least, and leaves look-alikes alone."""

import importlib
import pkgutil
from collections.abc import Mapping

import pytest

from bot.reasoning.diffs import rules
from bot.reasoning.diffs.rule import Rule
from tests.unit.reasoning.diffs import examples
from tests.unit.reasoning.diffs.examples.example import Examples, is_read

LEAST = 2


def modules() -> list[str]:
    return sorted(m.name for m in pkgutil.iter_modules(rules.__path__))


def rules_of(module: str) -> Mapping[str, Rule]:
    found = importlib.import_module(f"{rules.__name__}.{module}").RULES
    return {rule.name: rule for rule in found}


def examples_of(module: str) -> Mapping[str, Examples]:
    found: Mapping[str, Examples] = importlib.import_module(
        f"{examples.__name__}.{module}"
    ).EXAMPLES
    return found


ALL = [(module, name) for module in modules() for name in examples_of(module)]


@pytest.mark.parametrize("module", modules())
def test_every_rule_of_a_module_has_examples_both_ways(module: str) -> None:
    given, wanted = examples_of(module), rules_of(module)
    assert set(given) == set(wanted)
    few = {n for n, e in given.items() if min(len(set(e.reads)), len(set(e.ignores))) < LEAST}
    assert not few


@pytest.mark.parametrize(("module", "name"), ALL)
def test_a_rule_reads_what_it_is_for(module: str, name: str) -> None:
    rule = rules_of(module)[name]
    missed = [diff for diff in examples_of(module)[name].reads if not is_read(rule, diff)]
    assert not missed, "\n".join(missed)


@pytest.mark.parametrize(("module", "name"), ALL)
def test_a_rule_leaves_look_alikes_alone(module: str, name: str) -> None:
    rule = rules_of(module)[name]
    blamed = [diff for diff in examples_of(module)[name].ignores if is_read(rule, diff)]
    assert not blamed, "\n".join(blamed)
