"""Cedar's own JSON of the rules → conditions as data. Whatever is outside the subset is refused."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.errors import Malformed
from bot.domain.policy import Reason
from policies.expressions import (
    SIGNS,
    Attribute,
    Compare,
    Constant,
    Expression,
    Kind,
    Side,
    Truth,
    every,
    some,
)
from policies.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One policy: for these questions it permits or forbids, when `when` holds."""

    key: str  # Cedar's own id of the policy
    reason: Reason
    permits: bool
    questions: frozenset[str]
    when: Expression


def translated(
    policies: Mapping[str, Mapping[str, Any]], words: Vocabulary
) -> tuple[tuple[Rule, ...], list[str]]:
    """Return the rules, and what had to be refused: each with the rule's @id and the construct."""
    rules, refused = [], []
    for key, policy in policies.items():
        notes = policy["annotations"]
        try:
            rules.append(_rule(key, policy, words))
        except Malformed as error:
            refused.append(f"{notes['id']}: {error}")
    return tuple(rules), refused


def allows(rules: Iterable[Rule], question: str) -> Expression:
    """Return when Cedar would allow a question: some permit, and no forbid."""
    here = [rule for rule in rules if question in rule.questions]
    permitted = some(*(rule.when for rule in here if rule.permits))
    forbidden = some(*(rule.when for rule in here if not rule.permits))
    return permitted & ~forbidden


def _rule(key: str, policy: Mapping[str, Any], words: Vocabulary) -> Rule:
    for scope in ("principal", "resource"):
        if policy[scope] != {"op": "All"}:
            raise Malformed(f"a rule names its {scope} in `when`, not in its head")
    when: Expression = Truth(True)
    for condition in policy["conditions"]:
        body = _condition(condition["body"], words)
        when = when & (body if condition["kind"] == "when" else ~body)
    notes = policy["annotations"]
    return Rule(
        key=key,
        reason=Reason(rule=notes["id"], text=notes["reason"]),
        permits=policy["effect"] == "permit",
        questions=_questions(policy["action"], words),
        when=when,
    )


def _questions(scope: Mapping[str, Any], words: Vocabulary) -> frozenset[str]:
    named = [scope["entity"]] if "entity" in scope else scope.get("entities", [])
    names = {entity["id"] for entity in named}
    if scope["op"] == "All":
        return frozenset(words.groups)
    if scope["op"] == "==":
        return frozenset(q for q in words.groups if q in names)
    if scope["op"] == "in":
        return frozenset(q for q, groups in words.groups.items() if groups & names)
    raise Malformed(f"the action's `{scope['op']}` is outside what is proved")


def _condition(  # noqa: PLR0911 - one return a construct
    node: Mapping[str, Any], words: Vocabulary
) -> Expression:
    ((name, inner),) = node.items()
    if name == "Value" and isinstance(inner, bool):
        return Truth(inner)
    if name == ".":
        return _flag(_attribute(node, words))
    if name == "!":
        return ~_condition(inner["arg"], words)
    if name in ("&&", "||"):
        join = every if name == "&&" else some
        return join(_condition(inner["left"], words), _condition(inner["right"], words))
    if name == "!=":
        return ~_comparison("==", inner, words)
    if name in SIGNS:
        return _comparison(name, inner, words)
    raise Malformed(f"`{name}` is outside what is proved")


def _flag(attribute: Attribute) -> Attribute:
    if attribute.kind is not Kind.FLAG:
        raise Malformed(f"{attribute.path} is no condition")
    return attribute


def _comparison(sign: str, sides: Mapping[str, Any], words: Vocabulary) -> Expression:
    left, right = _side(sides["left"], words), _side(sides["right"], words)
    for one, other in ((left, right), (right, left)):
        if isinstance(one, Attribute) and one.kind is Kind.FLAG:
            return _same_flag(one, other)
    if isinstance(left, Constant) and isinstance(right, Constant):
        return Truth(SIGNS[sign](left.value, right.value))
    return Compare(sign, left, right)


def _same_flag(one: Attribute, other: Side) -> Expression:
    if isinstance(other, Attribute):
        return (one & other) | (~one & ~other)
    return one if other == Constant(True) else ~one


def _side(node: Mapping[str, Any], words: Vocabulary) -> Side:
    ((name, inner),) = node.items()
    if name == "Value" and isinstance(inner, str | int):
        return Constant(inner)
    if name == ".":
        return _attribute(node, words)
    raise Malformed(f"`{name}` in a comparison is outside what is proved")


def _attribute(node: Mapping[str, Any], words: Vocabulary) -> Attribute:
    names: list[str] = []
    while "." in node:
        names.append(node["."]["attr"])
        node = node["."]["left"]
    if set(node) != {"Var"}:
        raise Malformed(f"`{next(iter(node))}` before an attribute is outside what is proved")
    path = ".".join([node["Var"], *reversed(names)])
    if path not in words.attributes:
        raise Malformed(f"{path} is not in the schema")
    return words.attributes[path]
