"""Jaeger's query API of one environment: services, dependencies, traces."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from bot.domain.environment import Environment
from bot.domain.errors import Malformed
from bot.domain.time import Window
from tools.clients.http import HttpSource
from tools.clients.settings import connection, public_url

SYSTEM = "Jaeger"


class Jaeger:
    """One Jaeger."""

    def __init__(self, source: HttpSource, link: str) -> None:
        self._source, self._link = source, link

    @classmethod
    def of(cls, environment: Environment, *, timeout_s: float = 5.0) -> "Jaeger | None":
        """Return the Jaeger of an environment, None if there is none. Raises: NotConfigured."""
        source = HttpSource.of(environment, "jaeger", timeout_s=timeout_s)
        if source is None:
            return None
        source.system = SYSTEM
        link = (connection(environment, "jaeger") or {}).get("link_url")
        return cls(source, public_url(str(link or source.url)))

    async def services(self) -> list[str]:
        """Return the services that sent spans. Raises: Unavailable, Refused, Malformed."""
        found = await self._data("/api/services", {})
        return [str(name) for name in found]

    async def dependencies(self, window: Window) -> list[Mapping[str, Any]]:
        """Return `{"parent", "child", "callCount"}` objects. Raises: as `services`."""
        params = {
            "endTs": str(round(window.end.timestamp() * 1000)),
            "lookback": str(round(window.seconds * 1000)),
        }
        return _objects(await self._data("/api/dependencies", params), "dependencies")

    async def traces(
        self, service: str, window: Window, *, limit: int, extra: Mapping[str, str]
    ) -> list[Mapping[str, Any]]:
        """Return whole traces that touch a service; `extra` are further parameters of the search.

        Raises: as `services`.
        """
        params = {
            "service": service,
            "start": str(round(window.start.timestamp() * 1_000_000)),
            "end": str(round(window.end.timestamp() * 1_000_000)),
            "limit": str(limit),
            **extra,
        }
        return _objects(await self._data("/api/traces", params), "traces")

    def search_url(self, service: str, window: Window, extra: Mapping[str, str]) -> str:
        """Return the page on which a person sees these traces."""
        query = {
            "service": service,
            "start": str(round(window.start.timestamp() * 1_000_000)),
            "end": str(round(window.end.timestamp() * 1_000_000)),
            **extra,
        }
        return f"{self._link}/search?{urlencode(query)}"

    def trace_url(self, trace_id: str) -> str:
        """Return the page of one trace."""
        return f"{self._link}/trace/{quote(trace_id, safe='')}"

    def dependencies_url(self) -> str:
        """Return the page of the dependency graph."""
        return f"{self._link}/dependencies"

    async def _data(self, path: str, params: Mapping[str, str]) -> list[Any]:
        found = await self._source.get(path, params)
        data = (found.get("data") or []) if isinstance(found, dict) else None
        if not isinstance(data, list):
            raise Malformed(f"{SYSTEM}: the answer of {path} has no list `data`")
        return data


def _objects(found: list[Any], what: str) -> list[Mapping[str, Any]]:
    if not all(isinstance(item, dict) for item in found):
        raise Malformed(f"{SYSTEM}: {what} are not objects")
    return found
