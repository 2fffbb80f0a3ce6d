"""Tempo's query API of one environment: services, search by TraceQL, whole traces.

Source: Grafana Tempo, HTTP API. `/api/v2` is asked first; a Tempo before 2.7 has only `/api`.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from bot.domain.environment import Environment
from bot.domain.errors import Malformed, UnknownName
from bot.domain.time import Window
from tools.clients.http import HttpSource
from tools.clients.settings import connection, public_url

SYSTEM = "Tempo"
AROUND = timedelta(minutes=15)  # a trace may begin before the window and end after it
_TRACE_ID = re.compile(r"[0-9a-fA-F]{1,32}")


class Tempo:
    """One Tempo. `link` is the page on which people look, if the settings name one (link_url)."""

    def __init__(self, source: HttpSource, link: str | None) -> None:
        self._source, self._link = source, link
        self._second = True  # whether the server has /api/v2/traces

    @classmethod
    def of(cls, environment: Environment, *, timeout_s: float = 5.0) -> "Tempo | None":
        """Return the Tempo of an environment, None if there is none.

        Settings: url; token_file, or username and password_file; tenant; link_url.
        Raises: NotConfigured.
        """
        source = HttpSource.of(environment, "tempo", timeout_s=timeout_s)
        if source is None:
            return None
        source.system = SYSTEM
        link = (connection(environment, "tempo") or {}).get("link_url")
        return cls(source, public_url(str(link)) if link else None)

    async def version(self) -> str:
        """Return the server's name and version. Raises: Unavailable, Refused, Malformed."""
        found = await self._object("/api/status/buildinfo", {})
        return f"{SYSTEM} {found.get('version') or ''}".strip()

    async def services(self, window: Window) -> list[str]:
        """Return the services that sent spans. Raises: as `version`."""
        try:
            found = await self._object(
                "/api/v2/search/tag/resource.service.name/values", _span(window)
            )
        except UnknownName:
            found = await self._object("/api/search/tag/service.name/values", _span(window))
        values = found.get("tagValues") or []
        if not isinstance(values, list):
            raise Malformed(f"{SYSTEM}: the services are not a list")
        return [str(v.get("value") if isinstance(v, Mapping) else v) for v in values]

    async def search(self, traceql: str, window: Window, *, limit: int) -> list[str]:
        """Return ids of traces that match, in no order. Raises: as `version`."""
        params = {"q": traceql, "limit": str(limit), "spss": "1", **_span(window)}
        found = await self._object("/api/search", params)
        traces = found.get("traces") or []
        if not isinstance(traces, list) or not all(isinstance(t, Mapping) for t in traces):
            raise Malformed(f"{SYSTEM}: the traces are not a list of objects")
        ids = (str(t.get("traceID")) for t in traces)
        return [i for i in ids if _TRACE_ID.fullmatch(i)]

    async def trace(self, trace_id: str, window: Window) -> Mapping[str, Any]:
        """Return one trace as OTLP JSON, in one of Tempo's notations. Raises: as `version`."""
        if not _TRACE_ID.fullmatch(trace_id):
            raise Malformed(f"{SYSTEM}: a trace has no id")
        wide = Window(start=window.start - AROUND, end=window.end + AROUND)
        if self._second:
            try:
                return await self._object(f"/api/v2/traces/{trace_id}", _span(wide))
            except UnknownName:
                found = await self._object(f"/api/traces/{trace_id}", _span(wide))
                self._second = False  # the older way knows the trace
                return found
        return await self._object(f"/api/traces/{trace_id}", _span(wide))

    def link(self, query: str) -> str | None:
        """Return a page that shows a query or trace, when the settings say where people look."""
        return f"{self._link}?query={quote(query)}" if self._link else None

    async def _object(self, path: str, params: Mapping[str, str]) -> Mapping[str, Any]:
        found = await self._source.get(path, params)
        if not isinstance(found, dict):
            raise Malformed(f"{SYSTEM}: the answer of {path} is not an object")
        return found


def quoted(value: str) -> str:
    """Return a text as a TraceQL string."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _span(window: Window) -> dict[str, str]:
    start, end = int(window.start.timestamp()), int(window.end.timestamp())
    return {"start": str(start), "end": str(max(end, start + 1))}
