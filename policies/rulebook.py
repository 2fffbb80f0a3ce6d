"""Reads `rules/*.cedar` with their schema, and refuses what is broken, unnamed or untyped."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cedarpy

from bot.domain.errors import Malformed
from bot.domain.policy import Reason
from policies.translation import Rule, translated
from policies.vocabulary import Vocabulary, vocabulary

ID = re.compile(r'@id\("([^"]*)"\)')
RULES = Path(__file__).parent / "rules"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleBook:
    """The parsed rules, in Cedar's own form and as conditions."""

    text: str
    policies: cedarpy.PolicySet
    schema: cedarpy.Schema
    words: Vocabulary
    rules: tuple[Rule, ...]  # the same policies as conditions that can be proved
    places: Mapping[str, str]  # @id → "stops.cedar:4"
    reasons: Mapping[str, Reason]  # what a person is told, by Cedar's own policy id


def load(directory: Path = RULES) -> RuleBook:
    """Return the rules of a folder. Raises: Malformed: all that is wrong, by file."""
    schema = _schema(directory)
    files = {path.name: path.read_text("utf-8") for path in sorted(directory.glob("*.cedar"))}
    if not files:
        raise Malformed(f"{directory.name}: no rule file, so nothing would ever be allowed")
    wrong = [f"{name}: {what}" for name, text in files.items() for what in _faults(text, schema)]
    if wrong:
        raise Malformed("policy rules refused: " + "; ".join(wrong))
    text = "\n".join(files.values())
    words = vocabulary(schema)
    rules, refused = translated(_policies(text), words)
    twice = _repeated(rule.reason.rule for rule in rules)
    refused += [f"@id used twice: {', '.join(twice)}"] if twice else []
    if refused:
        raise Malformed("policy rules refused: " + "; ".join(refused))
    policies = cedarpy.PolicySet.from_str(text)
    return RuleBook(
        text=text,
        policies=policies,
        schema=schema,
        words=words,
        rules=rules,
        places=dict(_places(files)),
        reasons={rule.key: rule.reason for rule in rules},
    )


def _places(files: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, text in files.items():
        for number, line in enumerate(text.splitlines(), 1):
            yield from ((rule, f"{name}:{number}") for rule in ID.findall(line))


def _schema(directory: Path) -> cedarpy.Schema:
    path = directory / "schema.cedarschema"
    try:
        return cedarpy.Schema.from_str(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise Malformed(f"policy schema refused: {path.name}: {error}") from error


def _faults(text: str, schema: cedarpy.Schema) -> Iterator[str]:
    try:
        policies = _policies(text)
    except ValueError as error:
        yield str(error)
        return
    for key, policy in policies.items():
        notes = policy.get("annotations") or {}
        yield from (f"{key} has no @{note}" for note in ("id", "reason") if not notes.get(note))
    result = cedarpy.validate_policies(text, schema)
    yield from (str(error) for error in result.errors)


def _policies(text: str) -> Mapping[str, Any]:
    parsed = json.loads(cedarpy.policies_to_json_str(text))
    if parsed.get("templates") or parsed.get("templateLinks"):
        raise ValueError("templates are outside the subset that is proved")
    found: Mapping[str, Any] = parsed["staticPolicies"]
    return {key: found[key] for key in sorted(found, key=lambda k: (len(k), k))}  # as written


def _repeated(names: Iterable[str]) -> list[str]:
    listed = list(names)
    return sorted({name for name in listed if listed.count(name) > 1})
