"""Unified diffs as data: files, hunks and lines, whatever headers or line numbers they lack."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bot.reasoning.diffs.languages import SPEAKS, bare, by_name, by_syntax, unspoken

MAX_LINES = 6_000  # of one diff; what follows is not read
MAX_COLUMNS = 400  # of one line
_RANGE = re.compile(r"^@@+(?:\s*-\d+(?:,\d+)?\s+\+\d+(?:,\d+)?\s*@@+)?\s*(.*?)(?:\s*@@)?\s*$")
_GIT = re.compile(r'^diff --git "?a/(.+?)"? "?b/(.+?)"?$')
_NOISE = re.compile(
    r"^(?:index [0-9a-f]+\.\.|old mode|new mode|similarity index|rename (?:from|to) |copy "
    r"|Binary files |GIT binary patch|\\ No newline|={20,}|dissimilarity)"
)
_ARROW = re.compile(
    r"^\s*(?:[-*]\s+)?([\w.\-/\[\]\"' ]{1,80}?)\s*[:=]\s*(.*?)\s*(?:→|->|=>)\s*(.+)$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line: `sign` is "+", "-" or " "; `text` is as written.

    `code` lacks comments and, where a log statement or an error came or went, its words.
    """

    sign: str
    text: str
    code: str  # stripped, without its comment
    indent: int
    number: int  # position in its hunk


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunk:
    """Neighbouring lines of one file; `header` is the function or section named after "@@"."""

    header: str
    lines: tuple[Line, ...]

    @property
    def added(self) -> tuple[Line, ...]:
        """What came."""
        return tuple(line for line in self.lines if line.sign == "+")

    @property
    def removed(self) -> tuple[Line, ...]:
        """What went."""
        return tuple(line for line in self.lines if line.sign == "-")

    def side(self, sign: str) -> tuple[Line, ...]:
        """Return the file as it is after ("+") or was before ("-"), as far as shown."""
        return tuple(line for line in self.lines if line.sign in (" ", sign) and line.code)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDiff:
    """What a diff does to one file."""

    path: str
    language: str  # "go", "java", "yaml", …; "" if unknown
    hunks: tuple[Hunk, ...]
    created: bool = False
    deleted: bool = False
    binary: bool = False


@dataclass(slots=True)
class _Open:
    """A file while it is read."""

    path: str = ""
    created: bool = False
    deleted: bool = False
    binary: bool = False
    hunks: list[tuple[str, list[tuple[str, str]]]] = field(default_factory=list)

    def line(self, sign: str, text: str) -> None:
        if not self.hunks:
            self.hunks.append(("", []))
        self.hunks[-1][1].append((sign, text))


def parse(diff: str | None, files: Sequence[str] = ()) -> tuple[FileDiff, ...]:
    """Return the files that `diff` changes, in order; malformed parts count as context.

    `files` names the paths when the diff has no file headers (used when there is exactly one).
    Also reads "key: old → new" lines. Linear in the diff's length.
    """
    lines = [line[:MAX_COLUMNS] for line in (diff or "").split("\n", MAX_LINES)[:MAX_LINES]]
    if not any(line[:1] in ("+", "-") for line in lines):
        lines = list(_arrows(lines))
    opened = _split(lines)
    only = files[0] if len(files) == 1 else ""
    return tuple(_closed(one, only) for one in opened if one.hunks or one.path)


def _arrows(lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        if found := _ARROW.match(line):
            key, old, new = found.groups()
            yield f"-{key}: {old}"
            yield f"+{key}: {new}"
        else:
            yield line


def _split(lines: Sequence[str]) -> list[_Open]:
    opened = [_Open()]
    for at, line in enumerate(lines):
        following = lines[at + 1] if at + 1 < len(lines) else ""
        if git := _GIT.match(line):
            opened.append(_Open(path=git[2]))
        elif line.startswith("--- ") and following.startswith("+++ "):
            _header(opened, line, following)
        elif line.startswith("+++ ") and at and lines[at - 1].startswith("--- "):
            continue
        else:
            _body(opened[-1], line)
    return opened


def _header(opened: list[_Open], old: str, new: str) -> None:
    """A pair "--- a/x", "+++ b/x" opens a file unless "diff --git" just did."""
    if opened[-1].hunks or not opened[-1].path:
        opened.append(_Open())
    before, after = _path(old), _path(new)
    opened[-1].created |= before == "/dev/null"
    opened[-1].deleted |= after == "/dev/null"
    opened[-1].path = before if after == "/dev/null" else after


def _path(header: str) -> str:
    path = header[4:].split("\t")[0].strip().strip('"')
    return path[2:] if path[:2] in ("a/", "b/") else path


def _body(file: _Open, line: str) -> None:
    if line.startswith("@@"):
        found = _RANGE.match(line)
        file.hunks.append((found[1] if found else "", []))
    elif line.startswith(("new file mode", "deleted file mode")):
        file.created |= line.startswith("new")
        file.deleted |= line.startswith("deleted")
    elif _NOISE.match(line):
        file.binary |= "inary" in line
    elif line[:1] in ("+", "-", " "):
        file.line(line[0], line[1:])
    elif line or file.hunks:
        file.line(" ", line)


def _closed(file: _Open, only: str) -> FileDiff:
    path = file.path or only
    language = by_name(path) or by_syntax([t for _, ls in file.hunks for _, t in ls[:60]])
    hunks = (Hunk(header=h, lines=_lines(raw, language)) for h, raw in file.hunks)
    return FileDiff(
        path=path,
        language=language,
        hunks=tuple(hunk for hunk in hunks if hunk.lines),
        created=file.created,
        deleted=file.deleted,
        binary=file.binary,
    )


def _lines(raw: Sequence[tuple[str, str]], language: str) -> tuple[Line, ...]:
    codes = bare([text for _, text in raw], language)
    return tuple(
        Line(sign=sign, text=text, code=_code(sign, code), indent=_indent(text), number=at)
        for at, ((sign, text), code) in enumerate(zip(raw, codes, strict=True))
    )


def _code(sign: str, code: str) -> str:
    return unspoken(code) if sign != " " and SPEAKS.match(code) else code


def _indent(text: str) -> int:
    body = text.lstrip()
    return len(text[: len(text) - len(body)].expandtabs(4))
