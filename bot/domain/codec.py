"""Frozen data to JSON values and back: for the workflow journal, SQL columns and recorded cases.

Decoding is strict: an unknown or missing field, or a value of another type, raises Malformed with
its path, so that a damaged case or row is found where it is read and not three layers later.

How a type is read or written is worked out once per type; the path only when something is wrong.
"""

import dataclasses
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import Enum
from functools import cache
from itertools import repeat
from typing import Any, TypeVar, Union, get_args, get_origin

from bot.domain.errors import Malformed

T = TypeVar("T")
Read = Callable[[Any], Any]


class _Wrong(Exception):
    """Something does not fit. `path`: where, the innermost first."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words
        self.path: list[str] = []


def encode(value: Any) -> Any:
    """Return JSON-ready data: dataclasses as objects, enums as values, datetimes as ISO 8601."""
    kind: Any = type(value)
    return _writer(kind)(value)


def decode(kind: type[T], data: Any, path: str = "$") -> T:
    """Return `data` as a `kind`. Raises: Malformed with the path of the first wrong field."""
    wanted: Any = kind
    try:
        result: T = _reader(wanted)(data)
    except _Wrong as wrong:
        where = "".join((path, *reversed(wrong.path)))
        raise Malformed(f"{where}: {wrong.words}") from wrong
    return result


@cache
def _writer(kind: Any) -> Callable[[Any], Any]:
    if dataclasses.is_dataclass(kind):
        names = tuple(f.name for f in dataclasses.fields(kind))
        return lambda value: {name: encode(getattr(value, name)) for name in names}
    for kinds, write in _WRITERS:
        if issubclass(kind, kinds):
            return write
    raise TypeError(f"cannot encode {kind.__name__}")


_WRITERS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (Enum, lambda value: value.value),
    ((str, bool, int, float, types.NoneType), lambda value: value),
    (datetime, datetime.isoformat),
    (Mapping, lambda value: {str(k): encode(v) for k, v in value.items()}),
    ((frozenset, set), lambda value: sorted(map(encode, value))),
    ((tuple, list), lambda value: list(map(encode, value))),
)


@cache
def _reader(kind: Any) -> Read:
    origin = get_origin(kind)
    if kind is Any:
        return lambda data: data
    if origin in (Union, types.UnionType):
        return _union(get_args(kind))
    if origin is not None:
        return _container(origin, get_args(kind))
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind)
    return _scalar(kind)


def _union(members: tuple[Any, ...]) -> Read:
    empty = types.NoneType in members
    readers = [_reader(member) for member in members if member is not types.NoneType]

    def read(data: Any) -> Any:
        if data is None:
            if empty:
                return None
            raise _Wrong("expected a value, got null")
        last = _Wrong("no type fits")
        for reader in readers:
            try:
                return reader(data)
            except _Wrong as wrong:
                last = wrong
        raise last

    return read


def _container(origin: Any, args: tuple[Any, ...]) -> Read:
    if issubclass(origin, Mapping):
        return _mapping(_reader(args[1]))
    if origin is tuple and not (len(args) == 2 and args[1] is Ellipsis):
        return _fixed([_reader(kind) for kind in args])
    one = _reader(args[0])

    def read(data: Any) -> Any:
        _must_be(data, list | tuple, "a list")
        return origin(_items(repeat(one), data))

    return read


def _fixed(readers: list[Read]) -> Read:
    def read(data: Any) -> Any:
        _must_be(data, list | tuple, "a list")
        if len(readers) != len(data):
            raise _Wrong(f"expected {len(readers)} items, got {len(data)}")
        return tuple(_items(readers, data))

    return read


def _items(readers: Iterable[Read], data: Iterable[Any]) -> list[Any]:
    found: list[Any] = []
    try:
        found.extend(reader(value) for reader, value in zip(readers, data, strict=False))
    except _Wrong as wrong:
        wrong.path.append(f"[{len(found)}]")
        raise
    return found


def _mapping(one: Read) -> Read:
    def read(data: Any) -> Any:
        _must_be(data, Mapping, "an object")
        found, key = {}, ""
        try:
            for key, value in data.items():
                found[str(key)] = one(value)
        except _Wrong as wrong:
            wrong.path.append(f".{key}")
            raise
        return found

    return read


def _dataclass(kind: Any) -> Read:
    @cache  # when the first one is read: a type may hold values of its own kind
    def readers() -> dict[str, Read]:
        hints = typing.get_type_hints(kind)
        return {f.name: _reader(hints[f.name]) for f in dataclasses.fields(kind)}

    def read(data: Any) -> Any:
        _must_be(data, Mapping, "an object")
        known = readers()
        if data.keys() != known.keys():
            _check_names(kind, data, known)
        values, name = {}, ""
        try:
            for name, value in data.items():
                values[name] = known[name](value)
        except _Wrong as wrong:
            wrong.path.append(f".{name}")
            raise
        try:
            return kind(**values)
        except ValueError as error:
            raise _Wrong(str(error)) from error

    return read


def _check_names(kind: Any, data: Mapping[Any, Any], known: Mapping[str, Read]) -> None:
    unknown = set(data) - set(known)
    missing = set(known) - set(data) - _optional_fields(kind)
    if unknown or missing:
        words = [f"unknown {n}" for n in sorted(map(str, unknown))] + [
            f"missing {n}" for n in sorted(missing)
        ]
        raise _Wrong(", ".join(words))


@cache
def _optional_fields(kind: type) -> frozenset[str]:
    missing = dataclasses.MISSING
    return frozenset(
        f.name
        for f in dataclasses.fields(kind)
        if f.default is not missing or f.default_factory is not missing
    )


def _scalar(kind: Any) -> Read:
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _enum(kind)
    if kind is datetime:
        return _moment
    wanted = getattr(kind, "__name__", kind)

    def read(data: Any) -> Any:
        if kind in (str, bool, int) and type(data) is kind:
            return data
        if kind is float and isinstance(data, int | float) and not isinstance(data, bool):
            return float(data)
        if kind is types.NoneType and data is None:
            return None
        raise _Wrong(f"expected {wanted}, got {type(data).__name__}")

    return read


def _enum(kind: type[Enum]) -> Read:
    def read(data: Any) -> Any:
        try:
            return kind(data)
        except ValueError as error:
            raise _Wrong(f"{data!r} is not one of {[m.value for m in kind]}") from error

    return read


def _moment(data: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(data)
    except (TypeError, ValueError) as error:
        raise _Wrong(f"expected an ISO 8601 time, got {data!r}") from error
    if moment.tzinfo is None:
        raise _Wrong("time has no zone")
    return moment


def _must_be(data: Any, kind: Any, words: str) -> None:
    if not isinstance(data, kind):
        raise _Wrong(f"expected {words}, got {type(data).__name__}")
