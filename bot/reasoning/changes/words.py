"""Identifiers in a text, so that what a diff touches can be met again in logs and spans."""

import re
from collections.abc import Iterable
from functools import lru_cache

_TOKEN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{3,}")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_LEAST = 4
_PLAIN = frozenset(
    """
    error errors failed failure fail request requests response server service client upstream
    downstream http https post json null none true false return returned returning context func
    function handler string value values type timeout exceeded deadline caller call calls code
    desc status info warn warning debug message level trace span time date after before with
    from into this that when while then else case not and for the was were has have select
    where order limit insert update delete statement operation process processing handle
    handled data result results object internal external public main default config name
    names path file files line lines test tests user users item items invalid unknown cannot
    could exception runtime during over under more less than per count total rate current max
    min size struct class import package const static void bool float number list dict array
    args kwargs self super init create created read write open close closed start started stop
    stopped end ended running window logger errorf printf println sprintf text duration elapsed
    seconds second millisecond minute hour served available unavailable propagating connection
    connect attempt
    """.split()  # noqa: SIM905 - a list of two hundred words reads better as text
)


@lru_cache(maxsize=4096)
def words_of(text: str) -> frozenset[str]:
    """Return the telling identifiers of a text in lower case, whole and in their parts."""
    found: set[str] = set()
    for token in _TOKEN.findall(text):
        found.add(token.lower())
        parts = [p.lower() for p in _PART.findall(token)]
        found.update(p for p in parts if len(p) >= _LEAST)
    return frozenset(found - _PLAIN)


def without(words: Iterable[str], names: Iterable[str]) -> frozenset[str]:
    """Return the words that are not (part of) one of the names, such as the services'."""
    known = {w for name in names for w in (name.lower(), *words_of(name.replace("-", "_")))}
    return frozenset(w for w in words if w not in known)
