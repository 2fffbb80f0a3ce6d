"""Counts lines by shape, which is the line without its numbers and ids; whole buffers at a time.

The one pass that sees every line, so all of it is C: numbers fall together by `bytes.translate`,
and only a line of unseen shape pays for a regular expression that looks for hexadecimal ids.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

MAX_LINE = 2000  # characters that are looked at; what follows never tells templates apart
_DIGITS = bytes(48 if 48 <= c <= 57 else c for c in range(256))
_REST_OF_ID = re.compile(
    rb"0(?:x[a-fA-F0]*|[a-fA-F-][a-fA-F0-]*)"
)  # begins with a literal: found by memchr
_HEAD_OF_ID = re.compile(rb"[a-fA-F](?<![0-9A-Za-z].)[a-fA-F]*0")
_NUMBERS = rb"(?:50[0-4]|401|403|408|429)(?!\d)"
_TROUBLE = rb"(?:_code)?[\"']?[=: ]{1,3}" + _NUMBERS
_ACCESS = re.compile(rb"HTTP/[\d.]{1,3}\" " + _NUMBERS)
_STATUS = re.compile(rb"status" + _TROUBLE)
_CODE = re.compile(rb"code" + _TROUBLE)
_LETTERS = bytes(ord("\x0e") + c - 48 if 48 <= c <= 57 else c for c in range(256))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shapes:
    """The distinct shapes of some lines: one line of each, and for each line its shape's index."""

    examples: tuple[str, ...]
    indices: list[int]


def shapes(lines: Sequence[str]) -> Shapes:
    """Return the lines' shapes in order of first appearance; statuses of trouble keep theirs."""
    known: dict[bytes, int] = {}
    examples: list[str] = []
    indices: list[int] = []
    for at, key in enumerate(_keys(lines)):
        index = known.get(key)
        if index is None:
            plain = _HEAD_OF_ID.sub(b"0", _REST_OF_ID.sub(b"0", key))
            index = known.setdefault(plain, len(examples))
            if index == len(examples):
                examples.append(lines[at][:MAX_LINE])
        indices.append(index)
    return Shapes(examples=tuple(examples), indices=indices)


def _keys(lines: Sequence[str]) -> list[bytes]:
    """Return each line's bytes with any number as 0. A line break inside a line becomes a space."""
    text = "\n".join(lines)
    if text.count("\n") != max(0, len(lines) - 1):
        text = "\n".join([line.replace("\n", " ") for line in lines])
    if len(text) > MAX_LINE and max(map(len, lines)) > MAX_LINE:
        text = "\n".join([line[:MAX_LINE] for line in text.split("\n")])
    raw = text.encode("utf-8", "surrogatepass")
    raw = _ACCESS.sub(_kept, _CODE.sub(_kept, _STATUS.sub(_kept, raw)))
    raw = raw.translate(_DIGITS)
    for run in (b"00000000", b"0000", b"00", b"00"):
        raw = raw.replace(run, b"0")
    return raw.split(b"\n") if lines else []


def _kept(match: re.Match[bytes]) -> bytes:
    return match[0].translate(_LETTERS)
