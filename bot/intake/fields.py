"""Reads fields of foreign JSON: what is not of the expected kind is as if it were not there."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.domain.signal import Severity

Json = Mapping[str, Any]
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)  # "0001-01-01T00:00:00Z" means: not known
_LONGEST_TIME = 64  # characters
_CRITICAL = "critical crit page disaster emergency emerg fatal blocker p1 sev1 sev-1 s1 p0 sev0"
_HIGH = "high error err major severe alert p2 sev2 sev-2 s2"
_INFO = "info information informational none notice low debug trivial ok p4 p5 sev4 sev5 s4 s5"
_WORDS = {
    **dict.fromkeys(_CRITICAL.split(), Severity.CRITICAL),
    **dict.fromkeys(_HIGH.split(), Severity.HIGH),
    **dict.fromkeys(_INFO.split(), Severity.INFO),
}


def mapping(value: Any, name: str = "") -> Json:
    """Return an object (or the object under `name` in it); what is none is empty."""
    if name:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def items(value: Any, name: str) -> Sequence[Any]:
    """Return the list under `name`; what is none is empty."""
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, list) else ()


def text(value: Any, *path: str) -> str:
    """Return the text at a path; numbers as text, anything else as nothing."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    if isinstance(value, str):
        return value.strip()
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number and abs(value) < 1e300 else ""


def texts(value: Any) -> dict[str, str]:
    """Return those members of an object that are texts."""
    found = {str(name): text(value, name) for name in mapping(value)}
    return {name: said for name, said in found.items() if said}


def moment(value: Any) -> datetime | None:
    """Return an ISO 8601 time in UTC; None when it is none, or no time at which anything was."""
    if not isinstance(value, str) or len(value) > _LONGEST_TIME:
        return None
    try:
        found = datetime.fromisoformat(value)
        found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return found if found >= _EARLIEST else None


def severity(word: str) -> Severity:
    """Return how bad a source's word for it is; unknown words count as a warning."""
    return _WORDS.get(word.strip().lower(), Severity.WARNING)
