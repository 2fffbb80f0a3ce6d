"""One HTTP call to PagerDuty's API as plain data, and what is asked of every call."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.pagerduty.records import Json, Wrong, invalid

ACCEPT = "application/vnd.pagerduty+json;version=2"
MAX_BODY = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What was asked. Header names in lower case, without the API's own prefix in the path."""

    method: str
    path: str
    query: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> Json:
        """Return the body. Raises: Wrong."""
        if len(self.body) > MAX_BODY:
            raise Wrong(413, "Request too large")
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            raise invalid("Malformed JSON") from None
        if not isinstance(found, dict):
            raise invalid("Body must be an object")
        return found

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of a list in the query: `statuses[]`."""
        return tuple(value for key, value in self.query if key == f"{name}[]")

    def one(self, name: str) -> str:
        """Return a value of the query, "" without it."""
        return next((value for key, value in self.query if key == name), "")

    def page(self) -> tuple[int, int]:
        """Return offset and limit. Raises: Wrong."""
        try:
            offset, limit = int(self.one("offset") or 0), int(self.one("limit") or 25)
        except ValueError:
            raise invalid("Offset and limit must be numbers") from None
        if offset < 0 or not 1 <= limit <= 100 or offset + limit > 10_000:
            raise invalid("Limit must be between 1 and 100, offset + limit at most 10000")
        return offset, limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What comes back."""

    status: int = 200
    body: Json = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def wrapped(body: Json, name: str, *allowed: str) -> Json:
    """Return the object under a name, with no field but those allowed. Raises: Wrong."""
    found = body.get(name)
    if set(body) != {name} or not isinstance(found, dict):
        raise invalid(f"The body must be an object with `{name}` and nothing else")
    strange = sorted(set(found) - set(allowed))
    if strange:
        raise invalid(f"{strange[0]} is not a field of {name}")
    return found


def words(found: Mapping[str, Any], name: str, *, most: int = 1_024) -> str:
    """Return a text of an object. Raises: Wrong: absent, empty, too long, or no text."""
    value = found.get(name)
    if not isinstance(value, str) or not value.strip() or len(value) > most:
        raise invalid(f"{name} is missing or too long")
    return value


def referred(found: Any, *kinds: str) -> str:
    """Return the id that a reference names. Raises: Wrong: it is of no such kind."""
    if not isinstance(found, dict) or found.get("type") not in kinds:
        raise invalid(f"A reference must have an id, and the type {' or '.join(kinds)}")
    return words(found, "id", most=32)


def listed(name: str, items: Sequence[Json], call: Call) -> Answer:
    """Return a page of a list as PagerDuty pages. Raises: Wrong."""
    offset, limit = call.page()
    part = items[offset : offset + limit]
    more = offset + limit < len(items)
    return Answer(
        body={name: list(part), "limit": limit, "offset": offset, "total": None, "more": more}
    )
