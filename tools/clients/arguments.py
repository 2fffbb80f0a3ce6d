"""Strict reading of an action's arguments: exact fields, exact types, well-formed names."""

import re
from collections.abc import Mapping
from typing import Any

from bot.domain.errors import Malformed
from tools.clients.quantities import quantity

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.\-]{0,251}[a-z0-9])?")
_FLAG = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._\-]{0,127})")
_IMAGE = re.compile(r"[a-z0-9][A-Za-z0-9._/:@\-]{0,254}")
_RESOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/\-]{0,252}")
MOST_RESOURCES = 20


class Arguments:
    """The arguments of one call. Every reader raises Malformed that names the field."""

    def __init__(self, action: str, raw: Any, *fields: str) -> None:
        self._action = action
        if not isinstance(raw, Mapping):
            raise Malformed(f"{action}: arguments must be an object")
        missing = [f for f in fields if f not in raw]
        unknown = [str(f)[:80] for f in raw if f not in fields]
        if missing or unknown:
            words = [f"missing {f}" for f in missing] + [f"unknown {f}" for f in sorted(unknown)]
            raise Malformed(f"{action}: {', '.join(words)}; it takes {', '.join(fields)}")
        self._raw = raw

    def name(self, field: str, *, empty: bool = False) -> str:
        """Return a Kubernetes name (RFC 1123), or "" where that is allowed."""
        value = self._raw[field]
        if empty and value == "":
            return ""
        if not isinstance(value, str) or not _NAME.fullmatch(value):
            raise self._wrong(field, "a name in lower-case letters, digits, - and .")
        return value

    def flag(self, field: str) -> str:
        """Return a flag's or a variant's name."""
        value = self._raw[field]
        if not isinstance(value, str) or not _FLAG.fullmatch(value):
            raise self._wrong(field, "a name in letters, digits, -, _ and .")
        return value

    def integer(self, field: str, *, least: int, most: int) -> int:
        """Return a whole number within limits; a text, a float or a boolean is none."""
        value = self._raw[field]
        if type(value) is not int or not least <= value <= most:
            raise self._wrong(field, f"a whole number from {least} to {most}")
        return value

    def boolean(self, field: str) -> bool:
        """Return true or false; nothing else is one."""
        value = self._raw[field]
        if not isinstance(value, bool):
            raise self._wrong(field, "true or false")
        return value

    def matching(self, field: str, pattern: str, wanted: str, *, most: int = 200) -> str:
        """Return a text of at most `most` characters that is a whole match of the pattern."""
        value = self._raw[field]
        if not isinstance(value, str) or len(value) > most or not re.fullmatch(pattern, value):
            raise self._wrong(field, wanted)
        return value

    def texts(self, field: str, *, most: int) -> Mapping[str, str | None]:
        """Return an object of texts; null means that the key is to be removed."""
        value = self._raw[field]
        wanted = f"an object of 1 to {most} texts"
        if not isinstance(value, Mapping) or not 0 < len(value) <= most:
            raise self._wrong(field, wanted)
        for key, text in value.items():
            if not isinstance(key, str) or not re.fullmatch(r"[A-Za-z0-9._\-]{1,253}", key):
                raise self._wrong(field, "an object whose keys are letters, digits, -, _ and .")
            if text is not None and (not isinstance(text, str) or len(text) > 100_000):
                raise self._wrong(field, wanted)
        return dict(value)

    def one_of(self, field: str, *values: str) -> str:
        """Return one of the given texts."""
        value = self._raw[field]
        if not isinstance(value, str) or value not in values:
            raise self._wrong(field, f"one of {', '.join(values)}")
        return value

    def image(self, field: str) -> str:
        """Return a container image's reference."""
        value = self._raw[field]
        if not isinstance(value, str) or not _IMAGE.fullmatch(value):
            raise self._wrong(field, "an image's reference")
        return value

    def quantities(self, field: str, *names: str) -> Mapping[str, str | None]:
        """Return resource → quantity; null means that it is to be removed. `names` may be used."""
        value = self._raw[field]
        wanted = f"an object of quantities, of {', '.join(names) or 'resources'}"
        if not isinstance(value, Mapping) or len(value) > MOST_RESOURCES:
            raise self._wrong(field, wanted)
        for name, text in value.items():
            known = name in names if names else _RESOURCE.fullmatch(str(name))
            if not isinstance(name, str) or not known:
                raise self._wrong(field, wanted)
            if text is not None and (not isinstance(text, str) or quantity(text) is None):
                raise self._wrong(field, wanted)
        return dict(value)

    def _wrong(self, field: str, wanted: str) -> Malformed:
        return Malformed(f"{self._action}: {field} must be {wanted}")
