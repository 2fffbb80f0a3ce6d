"""What the log lines and spans of a workflow are named after: its incident and investigation."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.domain.incident import OWN


def names_of(arguments: Sequence[Any]) -> dict[str, str]:
    """Return the names that an order (as JSON) tells: incident, investigation, thread."""
    first = arguments[0] if arguments else None
    if isinstance(first, str) and first.startswith(OWN):
        return {"incident": first}
    order = first if isinstance(first, Mapping) else {}
    asked = order.get("asked")
    asked = asked if isinstance(asked, Mapping) else order
    mention = asked.get("mention")
    mention = mention if isinstance(mention, Mapping) else {}
    names = {
        "incident": order.get("incident_id") or _incident(mention),
        "investigation": asked.get("investigation_id"),
    }
    return {name: value for name, value in names.items() if isinstance(value, str) and value}


def trace_of(names: Mapping[str, str]) -> str:
    """Return what the workflow's trace is about: one for all looks at one question."""
    return names.get("investigation", "").partition("-again")[0]


def _incident(mention: Mapping[str, Any]) -> str:
    """Return the incident of a mention: the signals' own, whose event it is, or the thread's."""
    event, thread = mention.get("event_id"), mention.get("thread")
    if isinstance(event, str) and event.startswith(OWN):
        return event
    if not isinstance(thread, Mapping):
        return ""
    return f"inc-{thread.get('channel', '')}-{thread.get('ts', '')}"
