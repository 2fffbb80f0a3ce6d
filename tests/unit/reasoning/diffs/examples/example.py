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


def four(one: str, other: str, look_alike: str, another: str) -> Examples:
    """Two diffs that the rule reads and two that it must ignore."""
    return Examples(reads=(one, other), ignores=(look_alike, another))


def diff(path: str, *lines: str, within: str = "") -> str:
    """One hunk of one file, in the function or section `within`."""
    at = f"@@ -12,6 +12,6 @@ {within}".rstrip()
    return "\n".join((f"--- a/{path}", f"+++ b/{path}", at, *lines, ""))


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
