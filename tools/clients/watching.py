"""Warning events of a namespace as they happen: a list, then watches that go on where it ended."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.errors import Malformed, Permanent
from tools.clients.kubernetes import Kubernetes
from tools.clients.kubernetes_errors import Request

WATCHED_S = 5  # seconds of one watch: it ends by itself, so that a stop never waits for it
MAX_BYTES = 16 * 1024 * 1024  # of one watch
PAGE = 500
MAX_ITEMS = 2_000
GONE = 410


class Expired(Permanent):
    """The server no longer knows the version to go on from: list again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Events, the oldest first, and the version to go on from."""

    events: tuple[Mapping[str, Any], ...]
    version: str


class WarningEvents:
    """The warning events of a cluster."""

    def __init__(self, client: Kubernetes) -> None:
        self._client = client

    async def listed(self, namespace: str) -> Seen:
        """Return the events that are there. Raises: Unavailable, Refused, Malformed."""
        found: list[Mapping[str, Any]] = []
        token, version = "", ""
        while True:
            page = await self._client.call(
                _request("list", namespace, {"limit": str(PAGE), "continue": token})
            )
            items, metadata = page.get("items"), _object(page.get("metadata"))
            found += [_object(item) for item in (items if isinstance(items, list) else ())]
            version = str(metadata.get("resourceVersion") or "")
            token = str(metadata.get("continue") or "")
            if not token or len(found) >= MAX_ITEMS:
                return Seen(events=tuple(found), version=version)

    async def watched(self, namespace: str, version: str) -> Seen:
        """Return what happens within the next seconds.

        Raises: Expired; Unavailable, Refused, Malformed.
        """
        query = {
            "watch": "true", "resourceVersion": version, "allowWatchBookmarks": "true",
            "timeoutSeconds": str(WATCHED_S),
        }  # fmt: skip
        try:
            text = await self._client.text(_request("watch", namespace, query), MAX_BYTES)
        except Malformed:  # an old version is refused outright, or in the stream
            raise Expired("the version is too old, or this API has no watch") from None
        return _seen(text, version)


def _request(verb: str, namespace: str, query: Mapping[str, str]) -> Request:
    return Request(
        verb=verb,
        resource="events",
        method="GET",
        path=f"/api/v1/namespaces/{namespace}/events",
        namespace=namespace,
        kind="Event",
        query={**query, "fieldSelector": "type=Warning"},
    )


def _seen(text: str, version: str) -> Seen:
    """Return what a watch's lines say. Raises: Expired; Malformed: a line is no JSON."""
    found = []
    for line in text.splitlines():
        if not line.strip():
            continue
        kind, body = _change(line)
        if kind == "ERROR":
            raise _problem(body)
        version = str(_object(body.get("metadata")).get("resourceVersion") or version)
        if kind in ("ADDED", "MODIFIED"):
            found.append(body)
    return Seen(events=tuple(found), version=version)


def _change(line: str) -> tuple[str, Mapping[str, Any]]:
    try:
        change = _object(json.loads(line))
    except (ValueError, RecursionError):
        raise Malformed("Kubernetes: a line of a watch is not JSON") from None
    return str(change.get("type")), _object(change.get("object"))


def _problem(status: Mapping[str, Any]) -> Permanent:
    if status.get("code") == GONE:
        return Expired("the version is too old")
    return Malformed(f"Kubernetes: a watch failed: {status.get('message')}")


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
