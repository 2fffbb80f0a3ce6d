"""Values of settings with their units: durations in seconds, sizes in bytes, counts, words."""

import re
from dataclasses import dataclass

from bot.reasoning.diffs.words import parts

_NUMBER = r"-?\d[\d_]*(?:\.\d+)?(?:[eE]\d+)?"
_SECONDS = {
    "ns": 1e-9, "nanosecond": 1e-9, "nanos": 1e-9, "nano": 1e-9, "us": 1e-6, "µs": 1e-6,
    "microsecond": 1e-6, "micros": 1e-6, "ms": 1e-3, "msec": 1e-3, "milli": 1e-3, "millis": 1e-3,
    "millisecond": 1e-3, "s": 1.0, "sec": 1.0, "secs": 1.0, "second": 1.0, "m": 60.0, "min": 60.0,
    "mins": 60.0, "minute": 60.0, "h": 3600.0, "hr": 3600.0, "hour": 3600.0, "d": 86400.0,
    "day": 86400.0, "week": 604800.0,
}  # fmt: skip
_BYTES = {
    "b": 1.0, "k": 1e3, "kb": 1024.0, "ki": 1024.0, "kib": 1024.0, "mb": 2.0**20, "mi": 2.0**20,
    "mib": 2.0**20, "g": 2.0**30, "gb": 2.0**30, "gi": 2.0**30, "gib": 2.0**30, "ti": 2.0**40,
}  # fmt: skip
_PLAIN = re.compile(rf"^({_NUMBER})\s*([A-Za-zµ%]*)$")
_TIMES = re.compile(rf"^({_NUMBER})\s*\*\s*(?:time\.|Duration\.)?([A-Za-z]+)$")
_TIMES_FIRST = re.compile(rf"^(?:time\.|Duration\.)?([A-Za-z]+)\s*\*\s*({_NUMBER})$")
_OF = re.compile(rf"(?:Duration\.|TimeSpan\.|time\.|timedelta)?(?:\(|\.?(?:of|From|from_?))?([A-Za-z]+)\s*[(=]\s*({_NUMBER})\)?$")  # fmt: skip  # noqa: E501
_RUBY = re.compile(rf"^({_NUMBER})\.([a-z]+)$")
_UNIT_ARGUMENT = re.compile(rf"^({_NUMBER})[lL]?,\s*(?:TimeUnit|ChronoUnit)\.([A-Z]+)$")
_RATE = re.compile(
    r"^(\d+)\s*(?:r|req|requests?)?(?:/|ps|pm|-?per-?)\s*"
    r"(s|sec|second|m|min|minute)?$"
)
_PRODUCT = re.compile(rf"^{_NUMBER}(?:\s*(?:\*|<<)\s*{_NUMBER})+$")
_YES = frozenset(("true", "yes", "on", "enabled", "y"))
_NO = frozenset(("false", "no", "off", "disabled", "n"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A value: `number` in `unit` ("s", "B", "" for a count, "bool"), or only its `text`."""

    text: str
    number: float | None = None
    unit: str = ""


def parse_value(raw: str, key: str = "") -> Value | None:
    """Return the value that `raw` writes, or None if it is no literal.

    The key's own unit counts ("timeout_ms") when the literal has none.
    """
    text = raw.strip().rstrip(",;").strip()
    bare = text.strip("\"'`").strip()
    if not bare or len(bare) > 160:
        return None
    if bare.lower() in _YES | _NO:
        return Value(text=bare, number=float(bare.lower() in _YES), unit="bool")
    if (found := _numeric(re.sub(r"(?<=\d)[lLfFuU]\b", "", bare), key)) is not None:
        return found
    quoted = text[:1] in "\"'`" and text[-1:] in "\"'`" and len(text) > 1
    plain = re.fullmatch(r"[\w./:@\-+%*,=?&{}$]*", bare) is not None
    return Value(text=bare) if quoted or plain else None


def _numeric(bare: str, key: str) -> Value | None:
    if not any(c.isdigit() for c in bare):
        return None
    for pattern, swapped in ((_PLAIN, 0), (_TIMES, 0), (_RUBY, 0), (_UNIT_ARGUMENT, 0),
                             (_TIMES_FIRST, 1), (_OF, 1)):  # fmt: skip
        if found := pattern.search(bare) if pattern is _OF else pattern.match(bare):
            number, unit = found.groups()[::-1] if swapped else found.groups()
            return _united(float(number.replace("_", "")), unit, bare, key)
    if per := _RATE.match(bare):
        return Value(text=bare, number=float(per[1]) / (60 if (per[2] or "s")[0] == "m" else 1))
    if _PRODUCT.match(bare):
        return _united(_product(bare), "", bare, key)
    return None


def _product(text: str) -> float:
    left, *rest = re.split(r"\s*(\*|<<)\s*", text.replace("_", ""))
    total = float(left)
    for operator, number in zip(rest[::2], rest[1::2], strict=True):
        total = total * float(number) if operator == "*" else total * 2.0 ** min(float(number), 64)
    return total


def _united(number: float, unit: str, text: str, key: str) -> Value | None:
    unit = unit.lower()
    lower = key.lower()
    singular = unit[:-1] if unit.endswith("s") and len(unit) > 2 and unit not in _SECONDS else unit
    if unit == "m" and lower.endswith("cpu"):
        return Value(text=text, number=number / 1000)
    if unit == "m" and ("memory" in lower or "size" in lower or lower in ("xmx", "xms", "xss")):
        return Value(text=text, number=number * 2**20, unit="B")
    if singular in _SECONDS:
        return Value(text=text, number=number * _SECONDS[singular], unit="s")
    if unit in _BYTES:
        return Value(text=text, number=number * _BYTES[unit], unit="B")
    return _by_key(number, text, key) if unit in ("", "%") else None


def _by_key(number: float, text: str, key: str) -> Value:
    words = parts(key)
    for word in words[-2:]:
        unit = word[:-1] if word.endswith("s") and word not in _SECONDS else word
        if (len(word) > 1 and unit in _SECONDS) or (word == "s" and len(words) > 1):
            return Value(text=text, number=number * _SECONDS.get(unit, 1.0), unit="s")
    return Value(text=text, number=number)
