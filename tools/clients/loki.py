"""Loki's query API of one environment: labels and lines."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from bot.domain.environment import Environment
from bot.domain.errors import Malformed
from bot.domain.time import Window
from tools.clients.http import HttpSource
from tools.clients.settings import connection, public_url

SYSTEM = "Loki"
PAGE = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One log line with the labels of its stream."""

    at: datetime
    text: str
    labels: Mapping[str, str]


class Loki:
    """One Loki. `link` is the page on which people look, if the settings name one (link_url)."""

    def __init__(self, source: HttpSource, link: str | None) -> None:
        self._source, self._link = source, link

    @classmethod
    def of(cls, environment: Environment, *, timeout_s: float = 5.0) -> "Loki | None":
        """Return the Loki of an environment, None if there is none. Raises: NotConfigured."""
        source = HttpSource.of(environment, "loki", timeout_s=timeout_s)
        if source is None:
            return None
        source.system = SYSTEM
        link = (connection(environment, "loki") or {}).get("link_url")
        return cls(source, public_url(str(link)) if link else None)

    async def labels(self, window: Window | None = None) -> frozenset[str]:
        """Return the names of all stream labels. Raises: Unavailable, Refused, Malformed."""
        found = await self._source.get("/loki/api/v1/labels", _span(window) if window else ())
        data = found.get("data") if isinstance(found, dict) else None
        if not isinstance(data, list):
            raise Malformed(f"{SYSTEM}: the list of labels is not a list")
        return frozenset(str(name) for name in data)

    async def lines(self, logql: str, window: Window, *, limit: int = PAGE) -> list[Line]:
        """Return the newest lines of the window, at most `limit`. Raises: as `labels`."""
        params = {
            "query": logql,
            "limit": str(limit),
            "direction": "backward",
            **_span(window),
        }
        found = await self._source.get("/loki/api/v1/query_range", params)
        try:
            streams = found["data"]["result"]
            return [line for stream in streams for line in _lines(stream)]
        except (KeyError, TypeError, ValueError, AttributeError):
            raise Malformed(f"{SYSTEM}: the answer has no streams") from None

    def link(self, logql: str, window: Window) -> str | None:
        """Return a page that shows the query, when the settings say where people look."""
        if self._link is None:
            return None
        start, end = (round(m.timestamp() * 1000) for m in (window.start, window.end))
        return f"{self._link}?query={quote(logql)}&from={start}&to={end}"


def _span(window: Window) -> dict[str, str]:
    return {"start": _nanoseconds(window.start), "end": _nanoseconds(window.end)}


def _nanoseconds(moment: datetime) -> str:
    return str(round(moment.timestamp() * 1_000_000) * 1000)


def _lines(stream: Mapping[str, Any]) -> list[Line]:
    labels = {str(k): str(v) for k, v in stream["stream"].items()}
    return [
        Line(
            at=datetime.fromtimestamp(int(value[0]) / 1e9, tz=UTC),
            text=str(value[1]),
            labels=labels,
        )
        for value in stream["values"]
    ]
