"""Identifiers of code, whole and split at case and underscores, in lower case."""

import re
from collections.abc import Iterable
from functools import lru_cache

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HOST = re.compile(r"\b[a-z0-9][a-z0-9-]*(?:[.-][a-z0-9-]+)+\b")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_LIMIT = 60
_COMMON = frozenset((
    "if", "else", "for", "while", "return", "func", "def", "class", "public", "private",
    "protected", "static", "final", "void", "int", "string", "bool", "boolean", "float", "double",
    "long", "var", "let", "const", "new", "this", "self", "true", "false", "none", "null", "nil",
    "and", "or", "not", "in", "is", "import", "from", "package", "struct", "type", "interface",
    "async", "await", "try", "catch", "except", "finally", "raise", "throw", "throws", "with",
    "as", "map", "list", "dict", "set", "string", "err", "error", "ctx", "context", "range",
    "len", "append", "make", "value", "key", "name", "data", "item", "items", "i", "j", "k", "v",
    "e", "x", "the", "a", "an", "of", "to", "s", "t", "id", "get", "end", "do", "then", "begin",
    "select", "where", "on", "by", "order", "group", "join", "inner", "left", "insert", "into",
    "values", "update", "delete", "create", "table", "index", "alter", "add", "drop", "column",
    "default", "varchar", "integer", "bigint", "text", "case", "when", "break", "continue",
    "switch", "go", "defer", "chan", "yield", "lambda", "pass", "del", "global", "assert",
    "export", "function", "require", "module", "log", "info", "debug",
))  # fmt: skip


@lru_cache(maxsize=20_000)
def parts(identifier: str) -> tuple[str, ...]:
    """Return the words an identifier is made of: "maxOpenConns" → max, open, conns."""
    return tuple(part.lower() for part in _PART.findall(identifier))


def vocabulary(code: str) -> set[str]:
    """Return every identifier of `code` in lower case and its parts."""
    found: set[str] = set()
    for identifier in _IDENTIFIER.findall(code):
        found.update(parts(identifier))
        found.add(identifier.lower())
    return found


def touched(lines: Iterable[str]) -> frozenset[str]:
    """Return the telling identifiers and hosts of some lines, without the language's own words."""
    found: dict[str, None] = {}
    for line in lines:
        for identifier in _IDENTIFIER.findall(line):
            for word in (identifier.lower(), *parts(identifier)):
                if len(word) > 2 and word not in _COMMON:
                    found[word] = None
        for host in _HOST.findall(line.lower()):
            if len(host) > 4:
                found[host] = None
        if len(found) > _LIMIT:
            break
    return frozenset(list(found)[:_LIMIT])
