"""A diff without code that moved to another file, or went with its whole function."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from bot.reasoning.diffs.change import squeezed
from bot.reasoning.diffs.harmless import named_harmless
from bot.reasoning.diffs.parse import FileDiff, Hunk, Line
from bot.reasoning.diffs.scopes import DEFINITION

_RUN = 3  # lines that stand together on both sides: fewer are found anywhere
_LETTERS = 24  # of such a run: brackets alone are no code
_CLOSES = re.compile(r"^(?:[)}\]]+[;,]?|end)$")
_DECORATES = re.compile(r"^(?:@|\[|#\[)")
# Functions that others call by their name or by a framework's: without them something is not done.
_HOOK = re.compile(
    r"(?i)close|dispose|stop|shut|clean|evict|expire|release|rollback|unlock|destroy|unmount|exit|del__"
    r"|tear|drain|cancel|retry|valid|check|guard|auth|limit|throttl|equals|hash|compare|init|setup"
    r"|handle|recover|interceptor|middleware|before|after|filter|main|serve"
)
_Run = tuple[str, ...]


def settled(files: Sequence[FileDiff]) -> tuple[FileDiff, ...]:
    """Return the files without the lines that only moved between them or went with their function.

    What moved is context where it stands now. What moved to a file that production does not run
    is gone. Linear in the number of lines.
    """
    live = [at for at, file in enumerate(files) if not named_harmless(file.path)]
    gone, names = _moved(files, live), _defined(files)
    return tuple(
        replace(file, hunks=tuple(_without(hunk, gone, names) for hunk in file.hunks))
        for file in files
    )


def _moved(files: Sequence[FileDiff], live: Sequence[int]) -> frozenset[int]:
    """Return the ids of lines that went from one live file and came in another."""
    went, came = ({at: dict(_runs(files[at], sign)) for at in live} for sign in "-+")
    places: dict[_Run, set[int]] = {}
    for at, runs in came.items():
        for run in runs:
            places.setdefault(run, set()).add(at)
    found: set[int] = set()
    for at, runs in went.items():
        for run, lines in runs.items():
            others = places.get(run, set()) - {at}
            moved = [*lines, *(line for other in others for line in came[other][run])]
            found.update(map(id, moved) if others else ())
    return frozenset(found)


def _runs(file: FileDiff, sign: str) -> Iterator[tuple[_Run, tuple[Line, ...]]]:
    """Yield each few neighbouring lines of one side, by what they say."""
    for hunk in file.hunks:
        lines = [line for line in hunk.lines if line.sign == sign and line.code]
        texts = [squeezed(line) for line in lines]
        for at in range(len(lines) - _RUN + 1):
            run = tuple(texts[at : at + _RUN])
            if sum(map(len, run)) >= _LETTERS:
                yield run, tuple(lines[at : at + _RUN])


def _defined(files: Sequence[FileDiff]) -> frozenset[str]:
    """Return the names of the functions that came."""
    added = (line for file in files for hunk in file.hunks for line in hunk.added)
    return frozenset(found[1] for line in added if (found := DEFINITION.match(line.code)))


def _without(hunk: Hunk, moved: frozenset[int], names: frozenset[str]) -> Hunk:
    bodies = frozenset(map(id, _bodies(hunk.lines, names)))
    if not bodies and not any(id(line) in moved for line in hunk.lines):
        return hunk
    return replace(hunk, lines=tuple(_left(hunk.lines, moved, bodies)))


def _left(lines: Sequence[Line], moved: frozenset[int], bodies: frozenset[int]) -> Iterator[Line]:
    for line in lines:
        if id(line) in moved and line.sign == "+":
            yield replace(line, sign=" ")
        elif id(line) not in moved and id(line) not in bodies:
            yield line


def _bodies(lines: Sequence[Line], names: frozenset[str]) -> Iterator[Line]:
    """Yield the lines of functions that went whole, where nothing came: nobody calls them.

    `names` are the functions that came anywhere: those were written anew.
    """
    if any(line.sign == "+" and line.code for line in lines):
        return
    coded = [line for line in lines if line.code]
    for at, line in enumerate(coded):
        found = DEFINITION.match(line.code) if line.sign == "-" else None
        if not found or found[1] in names or _HOOK.search(found[1]):
            continue
        if not (at and _DECORATES.match(coded[at - 1].code)):
            body = list(_body(coded, at))
            if all(one.sign == "-" for one in body):
                yield from body


def _body(lines: Sequence[Line], at: int) -> Iterator[Line]:
    """Yield what is indented under line `at`, and the bracket that closes it."""
    for line in lines[at + 1 :]:
        if line.indent <= lines[at].indent:
            if _CLOSES.match(line.code) and line.indent == lines[at].indent:
                yield line
            return
        yield line
