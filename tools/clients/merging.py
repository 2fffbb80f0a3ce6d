"""Takes a change of a text back although other lines changed since: a merge of three texts."""

from dataclasses import dataclass
from difflib import SequenceMatcher

MOST_LINES = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hunk:
    start: int  # lines [start, end) of the base …
    end: int
    lines: tuple[str, ...]  # … become these


def merged(base: str, ours: str, theirs: str) -> str | None:
    """Return `ours` with the change from `base` to `theirs` made in it, None where they collide.

    Changes of the same or of neighbouring lines collide, unless they are the same change. Source:
    Khanna, Kunal and Pierce 2007, A Formal Investigation of Diff3.
    """
    if ours == base:
        return theirs
    texts = [text.split("\n") for text in (base, ours, theirs)]
    if max(map(len, texts)) > MOST_LINES:
        return None
    mine, other = _hunks(texts[0], texts[1]), _hunks(texts[0], texts[2])
    wanted = [hunk for hunk in other if hunk not in mine]
    if any(_collide(one, two) for one in wanted for two in mine if two not in other):
        return None
    kept = sorted({*mine, *wanted}, key=lambda hunk: (hunk.start, hunk.end))
    lines: list[str] = []
    done = 0
    for hunk in kept:
        lines += [*texts[0][done : hunk.start], *hunk.lines]
        done = hunk.end
    return "\n".join([*lines, *texts[0][done:]])


def _hunks(before: list[str], after: list[str]) -> list[_Hunk]:
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    return [
        _Hunk(start=i1, end=i2, lines=tuple(after[j1:j2]))
        for tag, i1, i2, j1, j2 in matcher.get_opcodes()
        if tag != "equal"
    ]


def _collide(one: _Hunk, other: _Hunk) -> bool:
    return one.start <= other.end and other.start <= one.end
