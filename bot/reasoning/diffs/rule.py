"""How rules about diffs are written: a pattern that came, went or replaced another."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from bot.reasoning.diffs.change import Change
from bot.reasoning.diffs.languages import SPEAKS
from bot.reasoning.diffs.parse import Hunk, Line
from bot.reasoning.diffs.reading import Effect, Reading
from bot.reasoning.diffs.words import touched

Index = Mapping[str, tuple[Line, ...]]
STRONG, PLAUSIBLE, WEAK = 3.0, 1.6, 0.7
HARMLESS, INNOCENT = -1.6, -3.0
_SHOWN = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A named reader of one file's change; `read` may return the same mechanism many times."""

    name: str
    read: Callable[[Change], Iterable[Reading]]
    words: frozenset[str] = frozenset()  # one of them must stand in a changed line; none: any
    sets: bool = False  # reads settings only


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A line that came, went, or replaced another.

    `came` and `went` are regular expressions over code lines (case counts unless "(?i)"). With only
    one, it must match more often on its side of the file than on the other, so that a fix never
    reads as its own bug. With both, one line of a hunk went and another came. `words` are lower
    case words of which the line has one (none: any line); they make the search quick. `unless` must
    not match any line that came, `unless_went` none that went, `near` must match some line of the
    hunk as it is afterwards (before, for what went) and `unless_near` none of them.
    """

    name: str
    mechanism: str
    effects: tuple[Effect, ...]
    says: str  # statement; "{line}" is the line in question
    words: str
    came: str = ""
    went: str = ""
    unless: str = ""
    unless_went: str = ""
    near: str = ""
    unless_near: str = ""
    languages: str = ""  # names separated by blanks; none: every language
    path: str = ""
    either: bool = False  # any line that matches came, went or changed
    weight: float = STRONG

    def rule(self) -> Rule:
        """Return the pattern as a rule."""
        return Rule(name=self.name, read=self._read, words=_split(self.words))

    def _read(self, change: Change) -> Iterator[Reading]:
        if self.languages and change.language and change.language not in self.languages.split():
            return
        if (line := self._line(change)) and self._admits(change, line):
            yield reading(
                self.name, self.mechanism, self.effects, self.weight,
                self.says.format(line=shown(line)), change, line,
            )  # fmt: skip

    def _line(self, change: Change) -> Line | None:
        """Return the line that makes the pattern true, if it is."""
        words = frozenset[str]() if self.came and self.went else _split(self.words)
        came = _matches(self.came or self.went, change.added, change.came, words)
        if self.came and self.went:
            places = change.places(line for line in change.removed if _matching(self.went, line))
            return next((line for line in came if id(change.hunk_of(line)) in places), None)
        went = _matches(self.went or self.came, change.removed, change.went, words)
        if self.either:
            return next(iter((*came, *went)), None)
        more, less = (came, went) if self.came else (went, came)
        return more[0] if len(more) > len(less) else None

    def _admits(self, change: Change, line: Line) -> bool:
        hunk = change.hunk_of(line)
        return (
            not (self.path and not compiled(self.path).search(change.path))
            and not (self.unless and any_of(self.unless, change.added))
            and not (self.unless_went and any_of(self.unless_went, change.removed))
            and not (self.near and not _near(self.near, hunk, line))
            and not (self.unless_near and _near(self.unless_near, hunk, line))
        )


def reading(
    name: str,
    mechanism: str,
    effects: Iterable[Effect],
    weight: float,
    statement: str,
    change: Change,
    *lines: Line,
) -> Reading:
    """Return a reading of `lines`, with the identifiers that they and their function touch."""
    headers = {hunk.header for hunk in map(change.hunk_of, lines)}
    where = f" ({change.path})" if change.path else ""
    return Reading(
        rule=name,
        mechanism=mechanism,
        effects=frozenset(effects),
        weight=weight,
        statement=f"{statement}{where}",
        file=change.path,
        words=touched([*(line.code for line in lines), *headers]),
    )


def shown(line: Line) -> str:
    """Return a line as a statement quotes it."""
    code = line.text.strip() if SPEAKS.match(line.code) else line.code
    return f"`{code if len(code) <= _SHOWN else code[: _SHOWN - 1] + '…'}`"


def any_of(pattern: str, lines: Iterable[Line]) -> bool:
    """Say whether some line's code matches."""
    search = compiled(pattern).search
    return any(search(line.code) for line in lines)


def _matching(pattern: str, line: Line) -> bool:
    return bool(compiled(pattern).search(line.code))


def _near(pattern: str, hunk: Hunk, line: Line) -> bool:
    """Say whether the hunk's header or some line of the same side matches."""
    return any_of(pattern, hunk.side(line.sign)) or bool(compiled(pattern).search(hunk.header))


def _matches(
    pattern: str, lines: tuple[Line, ...], index: Index, words: frozenset[str]
) -> list[Line]:
    if words:
        found = {id(line): line for word in words & index.keys() for line in index[word]}
        lines = tuple(found.values())
    search = compiled(pattern).search
    return [line for line in lines if search(line.code)]


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern compiled once; the library's own cache is too small for all of them."""
    return re.compile(pattern)


@cache
def _split(words: str) -> frozenset[str]:
    return frozenset(words.split())
