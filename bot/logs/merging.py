"""Merges templates that mean the same."""

from collections.abc import Sequence

from bot.logs.drain import Words
from bot.logs.masking import ANY
from bot.logs.refining import template

_MARKS = ",;:()[]{}'\".<>"


def merged(parts: Sequence[Sequence[Words]]) -> list[tuple[str, list[Words]]]:
    """Return templates with their lines; parts whose fixed words are the same are one.

    The text of the shortest stands for all: "ask <*> to delete <*>", however many were deleted.
    """
    texts: dict[Words, Words] = {}
    found: dict[Words, list[Words]] = {}
    for part in parts:
        words = template(part)
        fixed = _fixed(words)
        key = fixed if len(fixed) > 1 else words
        known = texts.setdefault(key, words)
        texts[key] = min(known, words, key=lambda t: (len(t), t))
        found.setdefault(key, []).extend(part)
    return [(" ".join(texts[key]), members) for key, members in found.items()]


def _fixed(words: Words) -> Words:
    """Return the words that are not values, keys with a value told apart from keys without."""
    kept: list[str] = []
    for word in words:
        bare = word.strip(_MARKS)
        if bare in ("*", ""):
            if kept and kept[-1].endswith("="):
                kept[-1] += ANY
        else:
            kept.append(word if word.endswith("=") else bare)
    return tuple(kept)
