"""The shape of `kubectl describe`: keys, what belongs to them indented deeper, and tables."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

HEADER_WORD = re.compile(r"\S+(?: \S+)*")
NOTHING = frozenset({"", "<none>", "<unset>", "<nil>", "<unknown>", "<invalid>"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One `Key: value` line and the deeper lines below it, still indented."""

    key: str
    value: str
    lines: tuple[str, ...]

    def items(self) -> tuple[str, ...]:
        """Return the value and the lines below it, stripped, without `<none>` and the like."""
        stripped = (text.strip() for text in (self.value, *self.lines))
        return tuple(text for text in stripped if text not in NOTHING)

    def below(self) -> "Outline":
        """Return the lines below as an outline of their own."""
        return outline(self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """The entries of one indentation, in order. A key may occur more than once."""

    entries: tuple[Entry, ...]

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def entry(self, key: str) -> Entry:
        """Return the first entry of that key, an empty one if there is none."""
        empty = Entry(key=key, value="", lines=())
        return next((entry for entry in self.entries if entry.key == key), empty)

    def has(self, key: str) -> bool:
        """Say whether the key occurs."""
        return any(entry.key == key for entry in self.entries)

    def value(self, key: str) -> str:
        """Return the key's value, "" where it is missing or `<none>`."""
        value = self.entry(key).value
        return "" if value in NOTHING else value

    def pairs(self, key: str, separator: str) -> dict[str, str]:
        """Return `a=b` (or `a: b`) items of labels, annotations or selectors as a mapping."""
        split = (item.partition(separator) for item in self.entry(key).items())
        return {name.strip(): value.strip() for name, found, value in split if found}


def outline(text: str | Sequence[str]) -> Outline:
    """Return the entries at the outermost indentation of the text."""
    lines = [line for line in _lines(text) if line.strip()]
    margin = min((_indent(line) for line in lines), default=0)
    entries: list[tuple[str, str, list[str]]] = []
    for line in lines:
        if _indent(line) > margin and entries:
            entries[-1][2].append(line)
        else:
            key, value = _split(line.strip())
            entries.append((key, value, []))
    return Outline(entries=tuple(Entry(key=k, value=v, lines=tuple(b)) for k, v, b in entries))


def table(text: str | Sequence[str]) -> list[dict[str, str]]:
    """Return the rows of an aligned table with its header line; a `----` ruler is skipped."""
    lines = [line for line in _lines(text) if line.strip()]
    if not lines:
        return []
    words = list(HEADER_WORD.finditer(lines[0]))
    names = [word.group() for word in words]
    cuts = [word.start() for word in words] + [None]
    rows = (line for line in lines[1:] if set(line.strip()) - {"-", " "})
    return [
        {name: line[cuts[i] : cuts[i + 1]].strip() for i, name in enumerate(names)} for line in rows
    ]


def clean(values: Mapping[str, object]) -> dict[str, object]:
    """Return the mapping without what is empty: kubectl's `<none>` is the API's missing field."""
    return {name: value for name, value in values.items() if value not in (None, "", {}, [])}


def _lines(text: str | Iterable[str]) -> list[str]:
    return text.splitlines() if isinstance(text, str) else list(text)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _split(line: str) -> tuple[str, str]:
    key, colon, value = line.partition(":")
    if colon and (not value or value[0] in " \t"):
        return key.strip(), value.strip()
    head, colon, value = line.partition(": ")
    return (head.strip(), value.strip()) if colon else (line.rstrip(":"), "")
