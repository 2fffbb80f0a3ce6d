"""Whether two alerts say the same: their titles without what differs from case to case."""

import re
from functools import lru_cache

ALIKE = 0.6  # share of words in common (Jaccard 1912) from which titles count as alike
LONGEST = 120  # characters of a signature
_VARYING = re.compile(
    r"[0-9a-f]{8}-[0-9a-f-]{20,30}"  # a UUID
    r"|\b(?=\w*\d)\w+(?:[-.:/]\w+)*"  # anything with a digit in it: pods, values, times, addresses
    r"|[^\w\s]",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


@lru_cache(maxsize=4096)
def signature(title: str, service: str = "") -> str:
    """Return the words of a title that stay the same, without the service's name; may be ""."""
    text = title.lower() if not service else title.lower().replace(service.lower(), " ")
    if " " not in title.strip():  # "HighErrorRate" is three words
        text = _CAMEL.sub(" ", title.replace(service, " ") if service else title).lower()
    words = _VARYING.sub(" ", text.replace("_", " ")).split()
    return " ".join(words)[:LONGEST]


def alike(one: str, other: str) -> bool:
    """Whether two signatures share most of their words; nothing is alike to no words."""
    if one == other:
        return bool(one)
    ours, theirs = frozenset(one.split()), frozenset(other.split())
    if not ours or not theirs:
        return False
    return len(ours & theirs) / len(ours | theirs) >= ALIKE
