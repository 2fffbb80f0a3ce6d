"""Arguments as nobody should write them, made from good ones."""

from collections.abc import Iterator, Mapping
from typing import Any

TEXTS = ("", "x" * 100_000, "../secrets/x", "web; rm -rf /", "web\n", "we\x00b", "Wéb", "$(id)")
NO_TEXTS: tuple[Any, ...] = (None, True, 7, 2.5, [], ["web"], {"a": "b"})
NUMBERS: tuple[Any, ...] = (None, True, "3", 2.5, float("nan"), float("inf"), -1, 10**30, [], {})
OBJECTS: tuple[Any, ...] = (None, True, 7, "x", [], [1], {"": "x"}, {"../x": "x"}, {"a": 7},
                            {"a": {"b": "c"}}, {f"k{i}": "v" for i in range(10_000)},
                            {"a": "x" * 2_000_000})  # fmt: skip
NO_OBJECTS: tuple[Any, ...] = (None, True, "x", 7, 2.5, [], [{}])


def broken(good: Mapping[str, Any], optional: frozenset[str]) -> Iterator[tuple[str, Any]]:
    """Yield what is wrong in words, and the arguments; each differs from `good` in one place."""
    for what in NO_OBJECTS:
        yield f"{what!r} instead of arguments", what
    yield "an unknown argument", {**good, "extra": 1}
    for field, value in good.items():
        yield f"without {field}", {k: v for k, v in good.items() if k != field}
        for wrong in _wrong(value):
            empty = wrong in (None, "") or wrong == {}
            if not (empty and field in optional):
                yield f"{field} = {str(wrong)[:40]!r}", {**good, field: wrong}


def _wrong(value: Any) -> tuple[Any, ...]:
    if isinstance(value, bool):
        return tuple(w for w in (*NUMBERS, *TEXTS) if not isinstance(w, bool))
    if isinstance(value, str):
        return (*TEXTS, *NO_TEXTS)
    if isinstance(value, int):
        return NUMBERS
    return OBJECTS if isinstance(value, Mapping) else NO_TEXTS
