"""When an event was first and last seen: old events carry two stamps, new ones a series.

Since Kubernetes 1.19 the scheduler writes events.k8s.io: `lastTimestamp` is null there, `eventTime`
is the first time and `series.lastObservedTime` the last.
"""

from collections.abc import Mapping
from typing import Any


def last_seen(body: Mapping[str, Any]) -> str:
    """Return the API time of an event's last occurrence, "" where it does not say."""
    found = body.get("lastTimestamp") or _series(body).get("lastObservedTime")
    return str(found or body.get("eventTime") or body.get("firstTimestamp") or "")


def first_seen(body: Mapping[str, Any]) -> str:
    """Return the API time of an event's first occurrence, "" where it does not say."""
    return str(body.get("firstTimestamp") or body.get("eventTime") or "")


def times(body: Mapping[str, Any]) -> int:
    """Return how often an event occurred, at least once."""
    found = body.get("count") or _series(body).get("count") or 1
    return found if isinstance(found, int) else 1


def _series(body: Mapping[str, Any]) -> Mapping[str, Any]:
    found = body.get("series")
    return found if isinstance(found, Mapping) else {}
