"""Frozen data to JSON values and back: for the workflow journal, SQL columns and recorded cases.

Decoding is strict: an unknown or missing field, or a value of another type, raises Malformed with
its path, so that a damaged case or row is found where it is read and not three layers later.
"""

import dataclasses
import types
import typing
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin

from bot.domain.errors import Malformed

T = TypeVar("T")


def encode(value: Any) -> Any:
    """Return JSON-ready data: dataclasses as objects, enums as values, datetimes as ISO 8601."""
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    return _encode_compound(value)


def _encode_compound(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: encode(getattr(value, name)) for name in _fields(type(value))}
    if isinstance(value, Mapping):
        return {str(k): encode(v) for k, v in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(encode(v) for v in value)
    if isinstance(value, tuple | list):
        return [encode(v) for v in value]
    raise TypeError(f"cannot encode {type(value).__name__}")


def decode(kind: type[T], data: Any, path: str = "$") -> T:
    """Return `data` as a `kind`. Raises: Malformed with the path of the first wrong field."""
    result: T = _decode(kind, data, path)
    return result


@cache
def _fields(kind: type) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {f.name: hints[f.name] for f in dataclasses.fields(kind)}


@cache
def _optional_fields(kind: type) -> frozenset[str]:
    missing = dataclasses.MISSING
    return frozenset(
        f.name
        for f in dataclasses.fields(kind)
        if f.default is not missing or f.default_factory is not missing
    )


def _decode(kind: Any, data: Any, path: str) -> Any:
    origin = get_origin(kind)
    if kind is Any:
        return data
    if origin in (Union, types.UnionType):
        return _decode_union(kind, data, path)
    if origin is not None:
        return _decode_container(origin, get_args(kind), data, path)
    if dataclasses.is_dataclass(kind):
        return _decode_dataclass(kind, data, path)
    return _decode_scalar(kind, data, path)


def _decode_union(kind: Any, data: Any, path: str) -> Any:
    members = get_args(kind)
    if data is None:
        if type(None) in members:
            return None
        raise Malformed(f"{path}: expected a value, got null")
    last: Malformed | None = None
    for member in members:
        if member is type(None):
            continue
        try:
            return _decode(member, data, path)
        except Malformed as error:
            last = error
    raise last or Malformed(f"{path}: no type fits")


def _decode_container(origin: Any, args: tuple[Any, ...], data: Any, path: str) -> Any:
    if issubclass(origin, Mapping):
        if not isinstance(data, Mapping):
            raise Malformed(f"{path}: expected an object, got {type(data).__name__}")
        return {str(k): _decode(args[1], v, f"{path}.{k}") for k, v in data.items()}
    if not isinstance(data, list | tuple):
        raise Malformed(f"{path}: expected a list, got {type(data).__name__}")
    if origin is tuple and not (len(args) == 2 and args[1] is Ellipsis):
        if len(args) != len(data):
            raise Malformed(f"{path}: expected {len(args)} items, got {len(data)}")
        return tuple(
            _decode(a, v, f"{path}[{i}]") for i, (a, v) in enumerate(zip(args, data, strict=True))
        )
    return origin(_decode(args[0], v, f"{path}[{i}]") for i, v in enumerate(data))


def _decode_dataclass(kind: Any, data: Any, path: str) -> Any:
    if not isinstance(data, Mapping):
        raise Malformed(f"{path}: expected an object, got {type(data).__name__}")
    fields = _fields(kind)
    unknown = set(data) - set(fields)
    missing = set(fields) - set(data) - _optional_fields(kind)
    if unknown or missing:
        words = [f"unknown {n}" for n in sorted(map(str, unknown))] + [
            f"missing {n}" for n in sorted(missing)
        ]
        raise Malformed(f"{path}: {', '.join(words)}")
    try:
        return kind(**{n: _decode(fields[n], v, f"{path}.{n}") for n, v in data.items()})
    except ValueError as error:
        raise Malformed(f"{path}: {error}") from error


def _decode_scalar(kind: Any, data: Any, path: str) -> Any:
    if isinstance(kind, type) and issubclass(kind, Enum):
        try:
            return kind(data)
        except ValueError as error:
            raise Malformed(f"{path}: {data!r} is not one of {[m.value for m in kind]}") from error
    if kind is datetime:
        return _decode_moment(data, path)
    if kind is float and isinstance(data, int | float) and not isinstance(data, bool):
        return float(data)
    if kind in (str, bool, int) and type(data) is kind:
        return data
    if kind is type(None) and data is None:
        return None
    raise Malformed(
        f"{path}: expected {getattr(kind, '__name__', kind)}, got {type(data).__name__}"
    )


def _decode_moment(data: Any, path: str) -> datetime:
    try:
        moment = datetime.fromisoformat(data)
    except (TypeError, ValueError) as error:
        raise Malformed(f"{path}: expected an ISO 8601 time, got {data!r}") from error
    if moment.tzinfo is None:
        raise Malformed(f"{path}: time has no zone")
    return moment
