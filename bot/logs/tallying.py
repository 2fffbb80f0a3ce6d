"""Templates of one source with their lines, told apart by the host that a line of trouble names.

One template that says "cannot reach <*>" hides which of two hosts cannot be reached, and that is
what a responder asks first. Only where a template names many hosts it stays one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.logs.masking import MAX_LINE
from bot.logs.mining import mine

_MANY = 8  # hosts from which they are no longer told apart
_TROUBLE = re.compile(
    r"error|exception|fail|fatal|panic|refused|denied|time ?out|timed out|unavailable|unreachable|"
    r"cannot|can't|unable|no such|not found|unknown|reset|expired|invalid|warn",
    re.IGNORECASE,
)
_TARGET = re.compile(
    r"\blookup ([\w.-]+)|://(?:[^/@\s]*@)?([A-Za-z][\w.-]*)|\b([A-Za-z][\w-]*(?:\.[\w-]+)*):\d{2,5}\b"
    r"|\b([a-z][\w-]*(?:\.[\w-]+)*\.(?:svc|local|com|net|org|io|internal))\b"
    r"|(?:unknown ?host|resolve|host)(?:exception)?:? [\"']?([A-Za-z][\w.-]+)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """One template and the indices of its lines, in order."""

    template: str
    lines: tuple[int, ...]


def tally(lines: Sequence[str]) -> list[Tally]:
    """Return the templates of one source's lines, in order of first appearance."""
    mined = mine(lines)
    numbers: dict[tuple[int, int], list[int]] = {}
    for number, key in enumerate(zip(mined.indices, mined.shapes.indices, strict=True)):
        numbers.setdefault(key, []).append(number)
    parts: dict[int, dict[frozenset[str], list[int]]] = {}
    for (index, shape), found in numbers.items():
        named = _named(mined.shapes.examples[shape])
        parts.setdefault(index, {}).setdefault(named, []).extend(found)
    return [
        Tally(template=mined.templates[index], lines=tuple(sorted(part)))
        for index, by_target in parts.items()
        for part in _few(list(by_target.values()))
    ]


def _few(parts: list[list[int]]) -> list[list[int]]:
    return parts if len(parts) <= _MANY else [[n for part in parts for n in part]]


def _named(line: str) -> frozenset[str]:
    return targets(line) if _TROUBLE.search(line) else frozenset()


def targets(line: str) -> frozenset[str]:
    """Return the hosts that a line names: looked up, connected to, or part of an address."""
    found = _TARGET.finditer(line[:MAX_LINE])
    return frozenset(next(g for g in match.groups() if g) for match in found)
