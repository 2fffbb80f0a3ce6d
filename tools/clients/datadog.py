"""Datadog's API of one environment: metric names and queries, logs, events.

Source: Datadog API reference, v1 (validate, metrics, query) and v2 (logs and events search).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from bot.domain.environment import Environment
from bot.domain.errors import Malformed, NotConfigured
from bot.domain.redaction import redact
from bot.domain.time import Window
from tools.clients.http import HttpSource
from tools.clients.settings import connection, secret_of, url_of

SYSTEM = "Datadog"
SITE = "datadoghq.com"
PARTS = ("metrics", "logs", "events")
PAGE = 1000  # the most that Datadog gives at once
_SITE = re.compile(r"[a-z0-9.-]{4,60}")
_TAG = re.compile(r"[\w./:-]{1,200}")

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One page of logs or events. `cursor`: "" at the end; `warnings`: why some may be missing."""

    items: tuple[Json, ...]
    cursor: str = ""
    warnings: tuple[str, ...] = ()


class Datadog:
    """One Datadog organisation. `tags`: those that everything of the environment has."""

    def __init__(self, source: HttpSource, app: str, tags: Mapping[str, str]) -> None:
        self._source, self._app, self.tags = source, app, tags

    @classmethod
    def of(cls, environment: Environment, part: str, *, timeout_s: float = 6.0) -> "Datadog | None":
        """Return the Datadog of an environment, None if there is none, or not for this part.

        Settings: site ("datadoghq.eu"); api_key_file; app_key_file; tags (default: env, the
        environment's name); read (which of metrics, logs, events; default all); url (instead of
        the site's API). Raises: NotConfigured: names the setting.
        """
        settings = connection(environment, "datadog")
        if settings is None:
            return None
        where = f"environment {environment.name}: connections.datadog"
        read = settings.get("read", PARTS)
        if not isinstance(read, list | tuple) or set(map(str, read)) - set(PARTS):
            raise NotConfigured(f"{where}.read must be a list of {', '.join(PARTS)}")
        if part not in read:
            return None
        site = str(settings.get("site") or SITE)
        if not _SITE.fullmatch(site):
            raise NotConfigured(f"{where}.site must be a Datadog site, as {SITE}")
        keys = [secret_of(environment, "datadog", f) for f in ("api_key_file", "app_key_file")]
        if not all(keys):
            raise NotConfigured(f"{where} needs both api_key_file and app_key_file")
        given = url_of(environment, "datadog") if "url" in settings else None
        headers = dict(zip(("DD-API-KEY", "DD-APPLICATION-KEY"), map(str, keys), strict=True))
        source = HttpSource(
            "datadog",
            given or f"https://api.{site}",
            token=None,
            timeout_s=timeout_s,
            headers=headers,
            secrets=tuple(map(str, keys)),
        )
        source.system = SYSTEM
        tags = _tags(settings.get("tags"), environment.name, f"{where}.tags")
        return cls(source, f"https://{site if site.count('.') > 1 else f'app.{site}'}", tags)

    async def validate(self) -> None:
        """Return if the API key is valid. Raises: Unavailable, Refused, Malformed."""
        found = await self._object("GET", "/api/v1/validate")
        if found.get("valid") is not True:
            raise Malformed(f"{SYSTEM}: does not say that the API key is valid")

    async def names(self, since: datetime) -> frozenset[str]:
        """Return the names of metrics that reported since then. Raises: as `validate`."""
        params = {"from": str(int(since.timestamp()))}
        found = (await self._object("GET", "/api/v1/metrics", params=params)).get("metrics")
        if not isinstance(found, list):
            raise Malformed(f"{SYSTEM}: the answer has no list `metrics`")
        return frozenset(map(str, found))

    async def query(self, queries: Sequence[str], window: Window) -> list[Json]:
        """Return the series of several queries; `query_index` says of which.

        Raises: as `validate`.
        """
        params = {
            "from": str(int(window.start.timestamp())),
            "to": str(int(window.end.timestamp())),
            "query": ",".join(queries),
        }
        found = await self._object("GET", "/api/v1/query", params=params)
        if found.get("status") == "error" or found.get("error"):
            said = redact(str(found.get("error") or ""))[:200]
            raise Malformed(f"{SYSTEM}: {said or 'the query failed'}")
        return list(_objects(found.get("series"), "series"))

    async def logs(self, query: str, window: Window, cursor: str = "") -> Found:
        """Return the newest logs of a window, page by page. Raises: as `validate`."""
        return await self._search("/api/v2/logs/events/search", query, window, cursor)

    async def events(self, query: str, window: Window, cursor: str = "") -> Found:
        """Return the newest events of a window, page by page. Raises: as `validate`."""
        return await self._search("/api/v2/events/search", query, window, cursor)

    def link(self, page: str, query: str, window: Window) -> str:
        """Return the page ("logs", "event/explorer") on which a person sees a search."""
        start, end = (str(round(m.timestamp() * 1000)) for m in (window.start, window.end))
        params = {"query": query, "from_ts": start, "to_ts": end, "live": "false"}
        return f"{self._app}/{page}?{urlencode(params)}"

    async def _search(self, path: str, query: str, window: Window, cursor: str) -> Found:
        page = {"limit": PAGE, **({"cursor": cursor} if cursor else {})}
        body = {
            "filter": {"query": query, "from": _iso(window.start), "to": _iso(window.end)},
            "sort": "-timestamp",
            "page": page,
        }
        found = await self._object("POST", path, body=body)
        meta = found.get("meta")
        about = meta if isinstance(meta, Mapping) else {}
        after = about.get("page")
        return Found(
            items=tuple(_objects(found.get("data"), "data")),
            cursor=str(after.get("after") or "") if isinstance(after, Mapping) else "",
            warnings=_warnings(about),
        )

    async def _object(
        self, method: str, path: str, *, params: Mapping[str, str] | None = None, body: Any = None
    ) -> Json:
        found = await self._source.send(method, path, params=params or {}, body=body)
        if not isinstance(found, dict):
            raise Malformed(f"{SYSTEM}: the answer of {path} is not an object")
        return found


def _warnings(about: Json) -> tuple[str, ...]:
    words = ["the search ran out of time"] if about.get("status") == "timeout" else []
    warnings = about.get("warnings")
    for one in warnings if isinstance(warnings, list) else []:
        if isinstance(one, Mapping):
            words.append(redact(str(one.get("title") or one.get("detail") or ""))[:200])
    return tuple(filter(None, words))


def _objects(found: Any, what: str) -> Sequence[Json]:
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise Malformed(f"{SYSTEM}: `{what}` is not a list of objects")
    return found


def _tags(raw: Any, environment: str, where: str) -> dict[str, str]:
    if raw is None:
        return {"env": environment}
    tags = {str(k): str(v) for k, v in raw.items()} if isinstance(raw, Mapping) else {"": ""}
    if not all(_TAG.fullmatch(part) for pair in tags.items() for part in pair):
        raise NotConfigured(f"{where} must be an object of tags and values, as {{env: prod}}")
    return tags


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
