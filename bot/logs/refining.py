"""Splits groups whose lines differ in a word of the message itself, not in a value.

In a group, a column of few plain words tells kinds of message apart ("paused", "resumed"); a column
of many words, or of words that look like values, is a parameter. Source of the idea: Makanju,
Zincir-Heywood, Milios 2009 (IPLoM); Yu, He, Xiong et al. 2023 (Brain).
"""

import re
from collections import Counter
from collections.abc import Collection, Sequence

from bot.logs.drain import Words, variable
from bot.logs.masking import ANY

_WORD = re.compile(r"[^\W\d_]{2}")
_TWO_WAYS = frozenset({"true", "false", "null", "none", "nil", "yes", "no", "on", "off"})
_MANY = 5  # different words from which a column is a parameter
_TOO_MANY = 24  # parts of one group: then they are combinations of values after all


def refine(members: Sequence[Words], values: Collection[str]) -> list[list[Words]]:
    """Return the parts of a group whose lines say the same; `values` are known to be values."""
    parts = _split(members, values)
    return parts if len(parts) <= _TOO_MANY else [list(members)]


def _split(members: Sequence[Words], values: Collection[str]) -> list[list[Words]]:
    if len(members) == 1:
        return [list(members)]
    columns = [Counter(column) for column in zip(*members, strict=True)]
    telling = [i for i, found in enumerate(columns) if _tells(found, values)]
    if not telling:
        return [list(members)]
    chosen = min(telling, key=lambda i: (len(columns[i]), i))
    parts: dict[str, list[Words]] = {}
    for words in members:
        parts.setdefault(words[chosen], []).append(words)
    return [part for word in sorted(parts) for part in _split(parts[word], values)]


def _tells(found: Counter[str], values: Collection[str]) -> bool:
    if len(found) == 1 or len(found) >= _MANY:
        return False
    if all(_bare(word).lower() in _TWO_WAYS for word in found):
        return False
    return 2 * sum(parameter(word, values) for word in found) < len(found)


def parameter(word: str, values: Collection[str]) -> bool:
    """Say whether a word looks like a value rather than a word of a sentence."""
    bare = _bare(word)
    if variable(word) or bare in values:
        return True
    if not _WORD.search(bare):
        return bool(bare)
    return bare.count(".") > 1 and not bare.endswith(("Exception", "Error"))


def _bare(word: str) -> str:
    return word.strip("()[]{}<>\"'.,;:=")


def template(members: Sequence[Words]) -> Words:
    """Return what a group's lines have in common, <*> elsewhere."""
    return tuple(c[0] if len(set(c)) == 1 else ANY for c in zip(*members, strict=True))
