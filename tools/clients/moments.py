"""Moments as APIs write them: RFC 3339 texts, always with a zone."""

from datetime import UTC, datetime
from typing import Any


def moment_of(value: Any) -> datetime | None:
    """Return the moment of a text in UTC, None if it is no text of a moment with a zone."""
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else None


def iso(moment: datetime) -> str:
    """Return a moment as "2026-01-01T12:00:00Z", in whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
