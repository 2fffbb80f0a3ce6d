"""One file's change as rules see it: what really came and went, what moved, and an index."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from bot.reasoning.diffs.languages import SPEAKS
from bot.reasoning.diffs.parse import FileDiff, Hunk, Line
from bot.reasoning.diffs.settings import Setting, settings
from bot.reasoning.diffs.words import vocabulary

_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A file's net change. A line both removed and added elsewhere in the file only moved."""

    path: str
    language: str
    hunks: tuple[Hunk, ...]
    created: bool
    deleted: bool
    added: tuple[Line, ...]  # net, code only
    removed: tuple[Line, ...]
    moved: frozenset[str]  # squeezed code of lines on both sides
    came: Mapping[str, tuple[Line, ...]]  # word → net added lines
    went: Mapping[str, tuple[Line, ...]]
    settings: tuple[Setting, ...]
    home: Mapping[int, Hunk]  # id of a line → its hunk

    def places(self, lines: Iterable[Line]) -> frozenset[int]:
        """Return the ids of the hunks in which `lines` stand."""
        return frozenset(id(self.home[id(line)]) for line in lines)

    def hunk_of(self, line: Line) -> Hunk:
        """Return the hunk in which `line` stands."""
        return self.home[id(line)]


def change(file: FileDiff) -> Change:
    """Return what `file` is net of moves and comments."""
    plus = [line for hunk in file.hunks for line in hunk.added if line.code]
    minus = [line for hunk in file.hunks for line in hunk.removed if line.code]
    both = Counter(map(squeezed, plus)) & Counter(map(squeezed, minus))
    added, removed = tuple(_net(plus, both)), tuple(_net(minus, both))
    return Change(
        path=file.path,
        language=file.language,
        hunks=file.hunks,
        created=file.created,
        deleted=file.deleted,
        added=added,
        removed=removed,
        moved=frozenset(both),
        came=_index(added),
        went=_index(removed),
        settings=settings(file.hunks, frozenset(map(id, (*added, *removed)))),
        home={id(line): hunk for hunk in file.hunks for line in hunk.lines},
    )


def squeezed(line: Line) -> str:
    """Return a line's code without blanks and trailing punctuation, to compare two lines."""
    code = line.text if SPEAKS.match(line.code) else line.code
    return _BLANKS.sub("", code).rstrip(",;")


def _net(lines: Iterable[Line], both: Counter[str]) -> Iterator[Line]:
    left = Counter(both)
    for line in lines:
        code = squeezed(line)
        if left[code]:
            left[code] -= 1
        else:
            yield line


def _index(lines: Iterable[Line]) -> dict[str, tuple[Line, ...]]:
    found: dict[str, list[Line]] = {}
    for line in lines:
        for word in vocabulary(line.code):
            found.setdefault(word, []).append(line)
    return {word: tuple(those) for word, those in found.items()}
