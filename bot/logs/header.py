"""Learns from lines of unknown format which leading columns are their header: time, level, origin.

A column is what stands between spaces (or pipes), brackets kept whole. It belongs to the header
when almost all lines agree on what kind of thing it is, up to the last column of a kind that only
headers have: a time, a level, `program[pid]:`, a bracket or dash that follows one of these.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

_COLUMNS = 16
_AGREE = 0.8  # share of the lines
_SAMPLE = 2000
_COLUMN = re.compile(
    r"\[(?:[^\[\]\n]|\[[^\[\]\n]{0,100}\]){0,200}\]\S*|<\d{1,3}>|\"[^\"\n]{0,400}\"|[^\s|]+|\|"
)
_TIME = re.compile(
    r"[\[(]?(?:(?:mon|tue|wed|thu|fri|sat|sun),?\s|)(?:"
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
    r"|(?:mon|tue|wed|thu|fri|sat|sun),?"
    r"|1\d{9}(?:\d{3}|\d{6}|\d{9})?|1\d{9}\.\d+"
    r"|\d{1,8}(?:[-/.:,_T+]\d{1,9}){2,9}(?:Z|[+-]\d\d:?\d\d)?"
    r"|\d{1,4}[-/.]\d{1,2}[ T]\d{1,2}:\d\d(?::\d\d)?\S*|\d{1,2}[-/]\d{1,2}|\d{1,2}:\d\d"
    r"|\d{1,2}/[a-z]{3}/\d{4}:[\d:]+\s?[+\-\d]*"
    r"|[a-z]{3}\s+\d{1,2}\s+\d\d:\d\d:\d\d(?:[.,]\d+)?(?:\s\d{4})?"
    r"|[iwef]\d{4})[\])]?[,:]?",
    re.IGNORECASE,
)
_LEVEL = re.compile(
    r"[\[(<]?(?:fatal|panic|critical|crit|emerg|alert|error|err|severe|failure|warning|warn|notice"
    r"|info|information|debug|trace|verbose|fine|finer|finest|config|log)[\])>]?[:,]?",
    re.IGNORECASE,
)
_LETTER = re.compile(r"[VDIWEF]|[VDIWEF]/\S*:?")
_NUMBER = re.compile(r"[\[(<#]?[-+]?(?:0x)?[0-9a-f]*\d[0-9a-f.:-]*[\])>]?[,:]?|-", re.IGNORECASE)
_STATUS = re.compile(r"[1-5]\d\d")
_ORIGIN = re.compile(r"[^\s=\"'{}]*[\w)\]$>]:|[\w./-]+:\d+\]")
STRONG = frozenset("TLP")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The kinds of a header's columns, and how the lines write a dash or pipe that ends it."""

    kinds: str = ""
    end: str = ""

    def __bool__(self) -> bool:
        """Say whether there is a header at all."""
        return bool(self.kinds)


def learn(lines: Sequence[str]) -> Header:
    """Return the header that almost all of the lines begin with, an empty one if there is none."""
    rows = [_kinds(line) for line in lines[:_SAMPLE]]
    if not rows:
        return Header()
    kinds = ""
    for column in range(_COLUMNS):
        found = Counter(row[column] for row in rows if len(row) > column)
        if sum(found.values()) < _AGREE * len(rows):
            break
        kinds += _agreed(found, len(rows), kinds)
    return _header(kinds, lines[:_SAMPLE])


def _agreed(found: Counter[str], total: int, before: str) -> str:
    """Return the kind that a column's lines agree on, W where they do not."""
    if found["S"] < 0.97 * total:  # not a column of HTTP statuses, which belong to the message
        found = found + Counter(N=found["S"])
        del found["S"]
    if "T" in before:
        found = found + Counter(L=found["l"])
        del found["l"]
    kind, count = max(found.items(), key=lambda item: (item[1], item[0]))
    if kind == "I":  # single letters: a level where every line has one
        return "L" if count >= 0.97 * total and "T" in before else "W"
    needed = 0.95 if kind == "B" else _AGREE
    return kind if kind not in "Wl" and count >= needed * total else "W"


def _header(kinds: str, lines: Sequence[str]) -> Header:
    if "T" not in kinds and "L" not in kinds[:4]:
        return Header()
    first = min(i for i, kind in enumerate(kinds) if kind in "TL")
    if first > 6:
        return Header()
    end = first
    for i in range(first + 1, len(kinds)):
        if _continues(kinds[i], i - end):
            end = i
        if kinds[end] == "P" and "L" not in kinds[end + 1 : end + 4]:
            break
    return _with_end(Header(kinds=kinds[: end + 1]), lines)


def _continues(kind: str, gap: int) -> bool:
    """Say whether a column is of the header, `gap` columns after the last that surely is."""
    if kind in STRONG:
        return gap <= (3 if kind == "P" else 5)
    return (kind in "BD" and gap <= 2) or (kind == "N" and gap == 1)


def _with_end(header: Header, lines: Sequence[str]) -> Header:
    """Return the header up to a dash or pipe that soon follows it in nearly every line."""
    rest = [line[split(line, header) :].split(maxsplit=4)[:4] for line in lines]
    for mark in ("-", "|", ":"):
        if sum(mark in words for words in rest) >= 0.95 * len(rest):
            return Header(kinds=header.kinds, end=mark)
    return header


def split(line: str, header: Header) -> int:
    """Return where the line's header ends, 0 for a line that does not begin with one."""
    if not header:
        return 0
    at = _walk(line, header.kinds)
    if at and header.end:
        for _ in range(5):
            match = _COLUMN.search(line, at)
            if match is None:
                break
            at_next = match.end()
            if match[0] == header.end:
                return _skip(line, at_next)
            at = at_next
        return _walk(line, header.kinds)
    return at


def _walk(line: str, kinds: str) -> int:
    """Return where the columns of these kinds end, 0 if a strong one is missing.

    An origin of several words ("syslogd 1.4.1:") is looked for one or two columns further.
    """
    place = 0
    column = 0
    while column < len(kinds):
        match = _COLUMN.search(line, place)
        if match is None:
            return place if kinds[column] == "P" else 0
        kind = kinds[column]
        if kind in "TL" and not _is(match[0], kind):
            return 0
        if kind == "P" and not _ORIGIN.fullmatch(match[0]):
            return _later(line, match.end(), place)
        place = match.end()
        column += 1
    return _skip(line, place)


def _later(line: str, place: int, otherwise: int) -> int:
    at = place
    for _ in range(2):
        match = _COLUMN.search(line, at)
        if match is None:
            break
        at = match.end()
        if _ORIGIN.fullmatch(match[0]):
            return _skip(line, at)
    return _skip(line, otherwise)


def _skip(line: str, place: int) -> int:
    while place < len(line) and line[place] in " \t|":
        place += 1
    return place


def _is(text: str, kind: str) -> bool:
    found = _kind(text)
    return found == kind or (kind == "L" and found in "lI") or (kind == "T" and found in "NS")


def _kinds(line: str) -> list[str]:
    found = []
    place = 0
    for _ in range(_COLUMNS):
        match = _COLUMN.search(line, place)
        if match is None:
            break
        found.append(_kind(match[0]))
        place = match.end()
    return found


def _kind(text: str) -> str:  # noqa: PLR0911 - one return a kind
    if _TIME.fullmatch(text):
        return "T"
    if _LEVEL.fullmatch(text):  # a lower-case word alone can begin a sentence: "critical input"
        return "L" if text.isupper() or text[0] in "[(<" else "l"
    if _LETTER.fullmatch(text):
        return "I"
    if text in "-|::":
        return "D"
    if _STATUS.fullmatch(text):
        return "S"
    if _NUMBER.fullmatch(text):
        return "N"
    if text[0] == "[" and (text[-1] == "]" or text.endswith("]:")):
        return "P" if text.endswith(":") else "B"
    return "P" if _ORIGIN.fullmatch(text) else "W"
