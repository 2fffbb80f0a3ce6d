"""Groups masked lines by a tree of fixed depth: length, first words, then the most similar group.

Source: He, Zhu, Zheng, Lyu 2017, "Drain: an online log parsing approach with fixed depth tree".
It sees distinct lines only, in an order of their own, so the result depends on no arrival order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bot.logs.masking import ANY

_DEPTH = 2  # words that lead down the tree
_SIMILAR = 0.5  # share of words in common with a group
_CHILDREN = 100  # of one node, then words that are new share one

Words = tuple[str, ...]


@dataclass(slots=True)
class Group:
    """Lines of one length that look alike: what they have in common, and which they are."""

    template: list[str]
    members: list[Words] = field(default_factory=list)


def group(lines: Iterable[Words]) -> list[Group]:
    """Return the groups of distinct tokenised lines, in the order of their first line."""
    leaves: dict[tuple[str, ...], list[Group]] = {}
    children: dict[tuple[str, ...], set[str]] = {}
    groups: list[Group] = []
    for words in sorted(set(lines)):
        leaf = leaves.setdefault(_descend(words, children), [])
        best = _most_similar(words, leaf)
        if best is None:
            best = Group(template=list(words))
            leaf.append(best)
            groups.append(best)
        best.members.append(words)
        best.template = [a if a == b else ANY for a, b in zip(best.template, words, strict=True)]
    return groups


def _descend(words: Words, children: dict[tuple[str, ...], set[str]]) -> tuple[str, ...]:
    path: tuple[str, ...] = (str(len(words)),)
    for word in words[:_DEPTH]:
        known = children.setdefault(path, set())
        step = ANY if variable(word) else word
        if step not in known and len(known) >= _CHILDREN:
            step = ANY
        known.add(step)
        path = (*path, step)
    return path


def _most_similar(words: Words, leaf: Sequence[Group]) -> Group | None:
    best, most = None, _SIMILAR
    for candidate in leaf:
        same = sum(map(str.__eq__, words, candidate.template)) / max(1, len(words))
        if same > most or (same == most and best is None):
            best, most = candidate, same
    return best


def variable(word: str) -> bool:
    """Say whether a word can only be a value: it holds a masked part or a digit."""
    return ANY in word or any(c.isdigit() for c in word)
