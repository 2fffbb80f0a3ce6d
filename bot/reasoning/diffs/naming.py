"""Rules that hold only if lines name something else than before, or no longer name something."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from bot.reasoning.diffs.change import Change
from bot.reasoning.diffs.parse import Line
from bot.reasoning.diffs.reading import Reading
from bot.reasoning.diffs.rule import Rule

Names = frozenset[str]


def unless_same(rule: Rule, pattern: re.Pattern[str] | None) -> Rule:
    """Return a rule that ignores lines that still name what the lines before them named."""
    return _if_names(rule, pattern, lambda gone, come: not come or come != gone)


def if_lost(rule: Rule, pattern: re.Pattern[str] | None) -> Rule:
    """Return a rule that ignores lines that name all that the lines before them named, or "*"."""
    return _if_names(rule, pattern, lambda gone, come: "*" not in come and bool(gone - come))


def _if_names(
    rule: Rule, pattern: re.Pattern[str] | None, holds: Callable[[Names, Names], bool]
) -> Rule:
    if pattern is None:
        return rule

    def named(lines: Iterable[Line]) -> Names:
        return frozenset(name for line in lines for name in pattern.findall(line.code))

    def read(change: Change) -> Iterator[Reading]:
        if holds(named(change.removed), named(change.added)):
            yield from rule.read(change)

    return replace(rule, read=read)
