"""Prometheus' (or VictoriaMetrics') HTTP API of one environment: queries, names, alerts."""

import asyncio
import re
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import requests

from bot.domain.environment import Environment
from bot.domain.errors import Malformed, NotConfigured, Refused, Unavailable, UnknownName
from bot.domain.redaction import MASK, redact
from bot.domain.time import Window
from tools.clients.http import BoundedSession, check_status, failure
from tools.clients.settings import (
    connection,
    headers_of,
    is_loopback,
    public_url,
    token_of,
    url_of,
)
from tools.clients.threads import Threads

SYSTEM = "Prometheus"
NAMES_ARE_FRESH_S = 60.0
POOL = 16

Sample = Mapping[
    str, Any
]  # {"metric": {…}, "value": [t, "v"]} or {"metric", "values": [[t, "v"], …]}


class Prometheus:
    """One Prometheus. `matchers` are label matchers that every selector must carry."""

    def __init__(
        self,
        url: str,
        *,
        token: str | None,
        matchers: Mapping[str, str],
        link: str,
        timeout_s: float,
    ) -> None:
        self.url, self.link, self.timeout_s = url, link, timeout_s
        self.matchers = matchers
        self.name, self.alerts_url = "prometheus", url
        self._secrets: tuple[str, ...] = (token,) if token else ()
        self._threads = Threads("prometheus", workers=POOL)
        self._session = BoundedSession(total_s=timeout_s)
        self._session.trust_env = not is_loopback(url)
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"
        self._client: Any = None
        self._lock = asyncio.Lock()
        self._names: tuple[float, frozenset[str]] | None = None

    @classmethod
    def of(cls, environment: Environment, *, timeout_s: float = 8.0) -> "Prometheus | None":
        """Return the first Prometheus of an environment, None when none is configured.

        Settings and errors: as `all_of`.
        """
        return next(iter(cls.all_of(environment, timeout_s=timeout_s)), None)

    @classmethod
    def all_of(
        cls, environment: Environment, *, timeout_s: float = 8.0
    ) -> tuple["Prometheus", ...]:
        """Return every Prometheus (or VictoriaMetrics) of an environment.

        Settings: url; credentials and tenant as every system; matchers ({"cluster": "eu-1"}, for
        one shared by environments); link_url (what people open); alerts_url (vmalert, where the
        server has no alerts). Or servers: {name: those settings}. Raises: NotConfigured.
        """
        settings = connection(environment, "prometheus")
        if settings is None:
            return ()
        servers = settings.get("servers")
        if servers is None:
            return (cls._one(environment, "prometheus", timeout_s),)
        where = f"environment {environment.name}: connections.prometheus.servers"
        if not isinstance(servers, Mapping) or not servers:
            raise NotConfigured(f"{where} must be an object: a name to its settings")
        inner = {f"prometheus.servers.{name}": one for name, one in servers.items()}
        place = replace(environment, connections=inner)
        return tuple(cls._one(place, name, timeout_s) for name in inner)

    @classmethod
    def _one(cls, environment: Environment, system: str, timeout_s: float) -> "Prometheus":
        url = url_of(environment, system) or ""
        settings = connection(environment, system) or {}
        matchers = settings.get("matchers") or {}
        if not isinstance(matchers, Mapping):
            raise NotConfigured(
                f"environment {environment.name}: connections.{system}.matchers must be an object"
            )
        headers, secrets = headers_of(environment, system)
        found = cls(
            url,
            token=token_of(environment, system),
            timeout_s=timeout_s,
            matchers={str(k): str(v) for k, v in matchers.items()},
            link=public_url(str(settings.get("link_url") or url)),
        )
        found.name = system.rpartition(".")[2]
        found._session.headers.update(headers)
        found._secrets += secrets
        if settings.get("alerts_url"):
            found.alerts_url = str(settings["alerts_url"]).rstrip("/")
        return found

    async def range(self, promql: str, window: Window, step_s: int) -> list[Sample]:
        """Return a matrix over [start, end]. Raises: Unavailable, Refused, Malformed: bad query."""
        return await self._threads.run(self._range, promql, window, step_s)

    async def instant(self, promql: str, at: datetime) -> list[Sample]:
        """Return a vector at a moment. Raises: as `range`."""
        return await self._threads.run(self._instant, promql, at)

    async def names(self) -> frozenset[str]:
        """Return the names of all metrics, at most a minute old. Raises: as `range`."""
        async with self._lock:
            cached = self._names
            if cached is not None and time.monotonic() - cached[0] < NAMES_ARE_FRESH_S:
                return cached[1]
            found = await self._threads.run(self._values)
            self._names = (time.monotonic(), found)
            return found

    async def alerts(self) -> list[Mapping[str, Any]]:
        """Return the alerts that are pending or fire. Raises: as `range`."""
        try:
            found = await self._threads.run(self._get, "/api/v1/alerts", self.alerts_url)
        except (UnknownName, Malformed) as error:
            if isinstance(error, Malformed) and "unsupported path" not in str(error):
                raise
            raise Unavailable(  # VictoriaMetrics leaves alerts to vmalert
                SYSTEM, "has no alerts of its own: say where they are (alerts_url)"
            ) from None
        return _dicts((found.get("data") or {}).get("alerts"), "alerts")

    async def version(self) -> str:
        """Return the server's name and version. Raises: as `range`."""
        try:
            found = await self._threads.run(self._get, "/api/v1/status/buildinfo")
        except (UnknownName, Malformed):
            return f"{SYSTEM}'s API"  # of another server that speaks it
        return f"Prometheus {(found.get('data') or {}).get('version', '')}".strip()

    def graph_url(self, promql: str, window: Window) -> str:
        """Return the page on which a person sees this query over this window."""
        query = urlencode(
            {
                "g0.expr": promql,
                "g0.tab": "0",
                "g0.range_input": f"{max(60, round(window.seconds))}s",
                "g0.end_input": window.end.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"),
            }
        )
        return f"{self.link}/graph?{query}"

    def _range(self, promql: str, window: Window, step_s: int) -> list[Sample]:
        return self._ask(
            lambda client: client.custom_query_range(
                promql,
                window.start,
                window.end,
                str(step_s),
                params=self._limits(),
                timeout=self._wait,
            )
        )

    def _instant(self, promql: str, at: datetime) -> list[Sample]:
        params = {**self._limits(), "time": f"{at.timestamp():.3f}"}
        return self._ask(
            lambda client: client.custom_query(promql, params=params, timeout=self._wait)
        )

    def _values(self) -> frozenset[str]:
        found = self._get("/api/v1/label/__name__/values").get("data")
        if not isinstance(found, list):
            raise Malformed(f"{SYSTEM}: the list of metric names is not a list")
        return frozenset(str(name) for name in found)

    def _ask(self, call: Any) -> list[Sample]:
        from prometheus_api_client.exceptions import (
            PrometheusApiClientException,
        )

        try:
            found = call(self._connected())
        except (requests.exceptions.JSONDecodeError, RecursionError):
            raise Malformed(f"{SYSTEM}: the answer is not JSON") from None
        except requests.RequestException as error:
            raise failure(SYSTEM, error, self.timeout_s) from None
        except PrometheusApiClientException as error:
            text = str(error)
            for secret in self._secrets:
                text = text.replace(secret, MASK)
            raise _said_no(text) from None
        except (KeyError, TypeError, AttributeError):
            raise Malformed(f"{SYSTEM}: the answer has no data.result") from None
        return _dicts(found, "result")

    def _get(self, path: str, base: str = "") -> Mapping[str, Any]:
        try:
            answer = self._session.get(f"{base or self.url}{path}", timeout=self._wait)
        except requests.RequestException as error:
            raise failure(SYSTEM, error, self.timeout_s) from None
        check_status(SYSTEM, answer, path, self._secrets)
        try:
            found = answer.json()
        except (ValueError, RecursionError):
            raise Malformed(f"{SYSTEM}: the answer of {path} is not JSON") from None
        if not isinstance(found, dict):
            raise Malformed(f"{SYSTEM}: the answer of {path} is not an object")
        return found

    @property
    def _wait(self) -> tuple[float, float]:
        return (min(3.0, self.timeout_s), self.timeout_s)

    def _limits(self) -> dict[str, str]:
        return {"timeout": f"{self.timeout_s:g}s"}

    def _connected(self) -> Any:
        if self._client is None:
            from prometheus_api_client import PrometheusConnect

            self._client = PrometheusConnect(url=self.url, session=self._session)
        return self._client


def _said_no(text: str) -> Exception:
    """Return the error for `PrometheusApiClientException("HTTP Status Code 400 (b'…')")`."""
    found = re.match(r"HTTP Status Code (\d{3})", text)
    status = int(found.group(1)) if found else 500
    error = re.search(r'"error":"((?:[^"\\]|\\.){0,200})', text)
    said = f": {redact(error.group(1))}" if error else ""
    if status in (401, 403):
        return Refused(f"{SYSTEM} refused the bot's credentials (HTTP {status})")
    if status == 429 or status >= 500:
        return Unavailable(SYSTEM, f"HTTP {status}{said}", retry_after_s=0.5)
    return Malformed(f"{SYSTEM}: HTTP {status}{said}")


def _dicts(found: Any, what: str) -> list[Mapping[str, Any]]:
    if not isinstance(found, list) or not all(isinstance(item, Mapping) for item in found):
        raise Malformed(f"{SYSTEM}: {what} is not a list of objects")
    return found
