"""What an example of a rule is, and whether the rule reads it."""

from dataclasses import dataclass

from bot.reasoning.diffs.change import change
from bot.reasoning.diffs.parse import parse
from bot.reasoning.diffs.rule import Rule


@dataclass(frozen=True, kw_only=True)
class Examples:
    """At least two diffs that show the rule's mechanism, and two that only look like it.

    A diff is written as `git diff` does: "--- a/path", "+++ b/path", "@@ … @@", then lines with
    "-", "+" or " " before them. Without file headers it is code of an unknown language.
    """

    reads: tuple[str, ...]
    ignores: tuple[str, ...]


def is_read(rule: Rule, diff: str) -> bool:
    """Whether the rule, alone, reads something in one of the diff's files."""
    for file in parse(diff, ()):
        seen = change(file)
        words = seen.came.keys() | seen.went.keys()
        if (rule.sets and not seen.settings) or (rule.words and words.isdisjoint(rule.words)):
            continue
        if any(True for _ in rule.read(seen)):
            return True
    return False
