"""Repeats lines many times with their numbers and ids regenerated, the same for the same seed."""

import random
import re
from collections.abc import Sequence

SEED = 1
_HEX = "0123456789abcdef"
_VARYING = re.compile(
    r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
    r"|\b0x[0-9a-f]+\b"
    r"|\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,}\b"
    r"|\d+"
)


def repeated(lines: Sequence[str], times: int, seed: int = SEED) -> list[str]:
    """Return the lines `times` over, each with new digits; ids stay as long as they were."""
    source = random.Random(seed)  # noqa: S311 - measured, not kept secret
    return [
        _VARYING.sub(lambda m: _other(m[0], source), line) for _ in range(times) for line in lines
    ]


def _other(text: str, source: random.Random) -> str:
    if text.isdigit():
        lowest = 10 ** (len(text) - 1) if len(text) > 1 else 0
        return str(source.randrange(lowest, 10 ** len(text)))
    start = 2 if text.startswith("0x") else 0
    return text[:start] + "".join("-" if c == "-" else source.choice(_HEX) for c in text[start:])
