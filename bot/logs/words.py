"""Tokens of a masked line: keys apart from their values, runs of values as one, known values."""

import re
from collections.abc import Iterable

from bot.logs.drain import Words
from bot.logs.masking import ANY, skeleton, users

_AROUND = re.compile(r"[\w.%+/@\\$~#*-]*<\*>[\w.%+/@\\$~#*<>-]*")


def words_of(masked: str) -> Words:
    """Return the tokens by which masked lines are compared."""
    text = _AROUND.sub(ANY, skeleton(masked))
    tokens = (
        text.replace(" () ", f" ( {ANY}) ")
        .replace("=", "= ")
        .replace(",", ", ")
        .replace("(", "( ")
        .split()
    )
    kept: list[str] = []
    for token in tokens:
        bare = token.strip(",;:()[]{}'\"")
        if bare == ANY and kept and kept[-1].strip(",;:()[]{}'\"") == ANY:
            continue
        kept.append(token)
    return tuple(kept)


def shown(template: str) -> str:
    """Return a template as it is read: keys beside their values, brackets beside what they hold."""
    return template.replace("= ", "=").replace("( ", "(")


def known_values(masked: Iterable[str]) -> frozenset[str]:
    """Return plain words that appear as the value of a key somewhere."""
    return frozenset(word for line in masked for word in users(line))
