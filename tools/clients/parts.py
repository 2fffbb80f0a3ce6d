"""Reads parts of foreign JSON that may be anything: what is not as expected reads as nothing."""

from collections.abc import Mapping
from typing import Any


def part(value: Any, *path: str) -> Mapping[str, Any]:
    """Return a nested object, empty where anything on the way is missing or of another type."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def parts(value: Any, *path: str) -> list[Mapping[str, Any]]:
    """Return the objects of a nested list, without what is none."""
    *above, last = path
    found = part(value, *above).get(last)
    items = found if isinstance(found, list) else []
    return [item for item in items if isinstance(item, Mapping)]


def text(value: Any, *path: str) -> str:
    """Return a nested text, "" where there is none."""
    *above, last = path
    found = part(value, *above).get(last)
    return found if isinstance(found, str) else ""
