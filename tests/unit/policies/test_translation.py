"""The rules as conditions say what Cedar says: compiled, and as Z3 formulas."""

import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from bot.domain.errors import Malformed
from bot.domain.policy import Ruling, Verdict
from policies.engine import CedarEngine, ask
from policies.expressions import Kind, attributes, compiled
from policies.guardrails import RANK, guard
from policies.limits import LIMITS, VIEW, view
from policies.model import ANSWER, guard_model, policy_model, rules_model
from policies.ordinary import values
from policies.request import VOUCHED, Known, facts
from policies.rulebook import RULES, RuleBook, load
from policies.solver import Search
from policies.translation import allows
from tests.unit.policies.plain import PlainEngine
from tests.unit.policies.requests import but, random_request

BOOK = load()
QUESTIONS = ("suggest", "oneClick", "approval", "autonomous", "undo")
KNOWN = (VOUCHED, Known(environments=frozenset({"prod"}), actions=frozenset({"set_flag"})))


class Formulas:
    """Evaluates the Z3 formulas of a rule book for given values."""

    def __init__(self, book: RuleBook) -> None:
        self._search = Search()
        self._allowed = {question: allows(book.rules, question) for question in QUESTIONS}

    def holds(self, question: str, known: dict[str, Any]) -> bool:
        return self._search.holds(self._allowed[question], known)


def test_the_translation_agrees_with_cedar_on_ten_thousand_random_requests() -> None:
    chance, formulas = random.Random(1), Formulas(BOOK)
    tests = {q: compiled(allows(BOOK.rules, q)) for q in QUESTIONS}
    allowed = 0
    for number in range(10_000):
        known = facts(random_request(chance), KNOWN[number % 10 == 0])
        question = chance.choice(QUESTIONS)
        answer = ask(BOOK, question, known).allowed
        assert formulas.holds(question, known.values) is answer, known
        assert tests[question](known.values) is answer, known
        allowed += answer
    assert 500 < allowed < 9_500  # both answers are put to the test


TEXTS = ("context.tier", "context.act.system", "resource.gitopsOwner", "context.environment")


def random_condition(chance: random.Random, depth: int) -> str:
    if depth == 0 or chance.random() < 0.2:
        return random_atom(chance)
    one, other = (random_condition(chance, depth - 1) for _ in range(2))
    return chance.choice([f"!({one})", f"({one} && {other})", f"({one} || {other})"])


def random_atom(chance: random.Random) -> str:
    attribute = chance.choice(list(BOOK.words.attributes.values()))
    if attribute.kind is Kind.FLAG:
        return chance.choice(
            [attribute.path, f"{attribute.path} == {chance.choice(['true', 'false'])}"]
        )
    if attribute.kind is Kind.TEXT:
        sign, other = (
            chance.choice(["==", "!="]),
            chance.choice([*TEXTS, '"production"', '"flags"']),
        )
        return f"{attribute.path} {sign} {other}"
    numbers = [a.path for a in BOOK.words.attributes.values() if a.kind is Kind.NUMBER]
    sign = chance.choice(["<", "<=", ">", ">=", "==", "!="])
    return f"{attribute.path} {sign} {chance.choice([*numbers, '0', '1', '4', '250', '800'])}"


def test_any_rule_of_the_subset_is_translated_as_cedar_means_it(tmp_path: Path) -> None:
    chance = random.Random(2)
    shutil.copy(RULES / "schema.cedarschema", tmp_path)
    lines = []
    for number in range(60):
        kind = "permit" if number % 3 == 0 else "forbid"
        scope = chance.choice(["action", 'action in Action::"acting"', 'action == Action::"undo"',
                               'action in [Action::"decided", Action::"suggest"]'])  # fmt: skip
        when, unless = (random_condition(chance, 3) for _ in range(2))
        tail = f"unless {{ {unless} }}" if number % 4 == 0 else ""
        (tmp_path / "one.cedar").write_text(
            f'@id("r{number}") @reason("r") {kind} (principal, {scope}, resource) '
            f"when {{ {when} }} {tail};"
        )
        try:
            load(tmp_path)
        except Malformed:
            continue  # Cedar's validator proves some always false, and refuses them
        lines.append((tmp_path / "one.cedar").read_text())
    assert len(lines) > 40
    (tmp_path / "one.cedar").write_text("\n".join(lines))
    book = load(tmp_path)
    formulas = Formulas(book)
    for _ in range(100):
        known = facts(random_request(chance), VOUCHED)
        for question in QUESTIONS:
            assert formulas.holds(question, known.values) is ask(book, question, known).allowed


@pytest.mark.parametrize(
    ("when", "named"),
    [
        ('context.environment like "prod*"', "like"),
        ("context.level + 1 > 3", "\\+"),
        ('["a", "b"].contains(context.tier)', "contains"),
        ("if context.novel then true else context.freeze", "if-then-else"),
        ("resource has name", "has"),
        ("principal in resource", "in"),
    ],
)
def test_what_is_outside_the_subset_is_refused_by_name(
    tmp_path: Path, when: str, named: str
) -> None:
    rules = Path(shutil.copytree(RULES, tmp_path / "rules"))
    (rules / "odd.cedar").write_text(
        f'@id("odd") @reason("r") forbid (principal, action, resource) when {{ {when} }};'
    )
    with pytest.raises(Malformed, match=f"odd: .*{named}"):
        load(rules)


def test_a_rule_about_one_actor_in_its_head_is_refused(tmp_path: Path) -> None:
    rules = Path(shutil.copytree(RULES, tmp_path / "rules"))
    (rules / "odd.cedar").write_text(
        '@id("odd") @reason("r") forbid (principal == Actor::"x", action, resource);'
    )
    with pytest.raises(Malformed, match=r"odd: .*principal"):
        load(rules)


def test_the_model_of_the_whole_ruling_agrees_with_the_engine() -> None:
    chance, engine = random.Random(3), CedarEngine()
    both = {v: compiled(e) for v, e in policy_model(engine.book).verdicts.items()}
    alone = {v: compiled(e) for v, e in rules_model(engine.book).verdicts.items()}
    seen = set()
    for _ in range(1500):
        request = random_request(chance)
        known = values(request)
        verdict = engine.rule(request).verdict
        assert [v for v, holds in both.items() if holds(known)] == [verdict], request
        said = engine.rules_say(request).verdict
        assert [v for v, holds in alone.items() if holds(known)] == [said], request
        seen.add((request.stage, verdict))
    assert len(seen) >= 10


def test_the_model_of_the_guard_agrees_with_the_guard_for_any_answer() -> None:
    chance = random.Random(4)
    model = {v: compiled(e) for v, e in guard_model().verdicts.items()}
    for _ in range(1500):
        request, answer = random_request(chance), chance.choice(list(Verdict))
        known = {**values(request), ANSWER.path: RANK[answer]}
        ruled = guard(request, Ruling(verdict=answer, reasons=())).verdict
        assert [v for v, holds in model.items() if holds(known)] == [ruled], request


def test_guard_and_rules_see_the_same_request() -> None:
    chance = random.Random(5)
    for number in range(500):
        request, known = random_request(chance), KNOWN[number % 2]
        seen, told = view(request, known), facts(request, known).values
        assert {p: told[p] for p in seen if p in told} == {
            p: v for p, v in seen.items() if p in told
        }
        assert (seen["exact.confidence"] >= 0.8) is (told["context.confidencePermille"] >= 800)
        assert (seen["exact.fleet"] <= 0.25) is (told["context.blast.fleetPermille"] <= 250)


def test_the_guard_reads_every_attribute_that_its_limits_name() -> None:
    named = {a.path for limit in LIMITS for a in attributes(limit.when)}
    assert named <= {*VIEW, "context.environmentKnown", "context.act.known"}


def test_the_fast_engine_rules_as_the_plain_one_reasons_and_all() -> None:
    chance, engine = random.Random(6), CedarEngine()
    plain = PlainEngine(engine.book)
    for _ in range(1000):
        request = random_request(chance)
        assert engine.rule(request) == plain.rule(request), request


def test_what_cedar_does_not_confirm_is_denied(tmp_path: Path) -> None:
    rules = Path(shutil.copytree(RULES, tmp_path / "rules"))
    text = (rules / "stops.cedar").read_text()
    (rules / "stops.cedar").write_text(text.replace("context.killSwitch", "!context.dryRunOk"))
    engine = CedarEngine(rules)
    wrong = CedarEngine(rules)
    wrong._answers = CedarEngine()._answers  # as if the translation were wrong
    request = but(kill_switch=True)
    assert engine.rules_say(request).verdict is Verdict.AUTONOMOUS
    assert wrong.rules_say(request).verdict is Verdict.DENY
    engine._answers, engine._confirmed = wrong._answers, {}
    (rules / "stops.cedar").write_text(text)
    other = CedarEngine(rules)
    other._answers = CedarEngine(RULES)._answers
    assert other.rules_say(but()).verdict is Verdict.AUTONOMOUS
