"""Signals as signed JSON, for every source that has no door of its own: docs/intake.md."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bot.domain.errors import Malformed
from bot.domain.signal import Origin, Phase, Severity, Signal
from bot.domain.signal_limits import (
    MOST_LABELS,
    MOST_SERVICES,
    NAME_LENGTH,
    TEXT_LENGTH,
    TITLE_LENGTH,
)
from bot.intake.fields import Json, mapping, moment
from bot.intake.places import Places

MOST_SIGNALS = 1_000  # of one delivery
_SEVERITIES = {
    "info": Severity.INFO, "warning": Severity.WARNING,
    "high": Severity.HIGH, "critical": Severity.CRITICAL,
}  # fmt: skip
_FIELDS = "id subject phase title at began severity environment services text link labels event"
_KNOWN = frozenset(_FIELDS.split())


def signals_of(
    body: Any, environment: str, received: datetime, places: Places
) -> tuple[Signal, ...]:
    """Return the signals of `{"signals": [...]}`, or of one signal by itself.

    Raises: Malformed: names the field that is not as documented.
    """
    if not isinstance(body, dict):
        raise Malformed("expected an object")
    given = body.get("signals", [body])
    if not isinstance(given, list) or not 0 < len(given) <= MOST_SIGNALS:
        raise Malformed(f"signals: expected a list of 1 to {MOST_SIGNALS} signals")
    return tuple(
        _signal(one, f"signals[{n}]", environment, received, places) for n, one in enumerate(given)
    )


def _signal(one: Any, path: str, environment: str, received: datetime, places: Places) -> Signal:
    if not isinstance(one, dict):
        raise Malformed(f"{path}: expected an object")
    unknown = sorted(set(map(str, one)) - _KNOWN)
    if unknown:
        raise Malformed(f"{path}: unknown {', '.join(unknown[:5])}")
    given_id = _text(one, path, "id", NAME_LENGTH, needed=True)
    phase = _chosen(one, path, "phase", {p.value: p for p in Phase}, Phase.FIRING)
    subject = _text(one, path, "subject", NAME_LENGTH) or given_id
    return Signal(
        key=f"webhook:{given_id}:{phase.value}",
        origin=Origin.WEBHOOK,
        subject=f"webhook:{subject}",
        phase=phase,
        title=_text(one, path, "title", TITLE_LENGTH, needed=True),
        at=min(_moment(one, path, "at") or received, received),
        severity=_chosen(one, path, "severity", _SEVERITIES, Severity.WARNING),
        environment=_environment(one, path, environment, places),
        services=_names(one, path),
        text=_text(one, path, "text", TEXT_LENGTH),
        link=_link(one, path),
        labels=_labels(one, path),
        event=_text(one, path, "event", NAME_LENGTH),
        began=_moment(one, path, "began"),
    )


def _text(one: Json, path: str, name: str, longest: int, *, needed: bool = False) -> str:
    value = one.get(name, "")
    if not isinstance(value, str) or len(value) > longest:
        raise Malformed(f"{path}.{name}: expected text of at most {longest} characters")
    if needed and not value.strip():
        raise Malformed(f"{path}.{name}: is missing")
    return value.strip()


def _chosen(one: Json, path: str, name: str, choices: dict[str, Any], default: Any) -> Any:
    value = one.get(name)
    if value is None:
        return default
    if not isinstance(value, str) or value not in choices:
        raise Malformed(f"{path}.{name}: expected one of {', '.join(choices)}")
    return choices[value]


def _moment(one: Json, path: str, name: str) -> datetime | None:
    value = one.get(name)
    found = moment(value)
    if value is not None and found is None:
        raise Malformed(f"{path}.{name}: expected an ISO 8601 time such as 2026-01-31T14:03:00Z")
    return found


def _environment(one: Json, path: str, environment: str, places: Places) -> str:
    name = _text(one, path, "environment", NAME_LENGTH)
    found = places.named(name)
    if name and not found:
        raise Malformed(f"{path}.environment: I don't know an environment of this name")
    if name and environment and found != environment:
        raise Malformed(f"{path}.environment: is another one than the address says")
    return found or environment


def _names(one: Json, path: str) -> tuple[str, ...]:
    value = one.get("services", [])
    if not isinstance(value, list) or len(value) > MOST_SERVICES or not _all_texts(value):
        raise Malformed(f"{path}.services: expected a list of at most {MOST_SERVICES} names")
    return tuple(dict.fromkeys(name.strip() for name in value if name.strip()))


def _all_texts(values: Sequence[Any]) -> bool:
    return all(isinstance(v, str) and len(v) <= NAME_LENGTH for v in values)


def _labels(one: Json, path: str) -> dict[str, str]:
    value = one.get("labels", {})
    pairs = mapping(value)
    wrong = value is not pairs or len(pairs) > MOST_LABELS
    if wrong or not all(isinstance(v, str) for v in pairs.values()):
        raise Malformed(f"{path}.labels: expected an object of at most {MOST_LABELS} texts")
    return dict(pairs)


def _link(one: Json, path: str) -> str:
    link = _text(one, path, "link", 2_000)
    if link and not link.startswith("https://"):
        raise Malformed(f"{path}.link: expected an https address")
    return link
