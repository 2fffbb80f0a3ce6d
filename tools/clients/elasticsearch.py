"""Elasticsearch's and OpenSearch's search API of one environment: fields, and pages of lines.

Source: Elasticsearch reference, `_field_caps` and `_search`; OpenSearch answers the same calls.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bot.domain.environment import Environment
from bot.domain.errors import Malformed, NotConfigured
from bot.domain.time import Window
from tools.clients.http import HttpSource
from tools.clients.settings import connection, public_url

SYSTEM = "Elasticsearch"
NAMES = ("elasticsearch", "opensearch")  # of the connection; both mean the same
INDEX = "logs-*,filebeat-*,logstash-*,fluent-bit-*,fluentbit-*,fluentd-*,kubernetes-*,vector-*"
LENIENT = {"ignore_unavailable": "true", "allow_no_indices": "true"}
PAGE = 2000
_INDEX = re.compile(r"[\w.*,:+-]{1,500}")

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One document: its identity, the time that it was sorted by (epoch ms), and its fields."""

    id: str
    at_ms: int
    fields: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits:
    """The newest documents of a search. `troubles`: why some may be missing, in words."""

    items: tuple[Hit, ...]
    troubles: tuple[str, ...] = ()


class Elasticsearch:
    """One Elasticsearch or OpenSearch. `wanted`: field names that the settings give, by meaning."""

    def __init__(self, source: HttpSource, index: str, wanted: Mapping[str, Sequence[str]]) -> None:
        self._source, self.index, self.wanted = source, index, wanted
        self._link: str | None = None

    @classmethod
    def of(cls, environment: Environment, *, timeout_s: float = 5.0) -> "Elasticsearch | None":
        """Return the search engine of an environment, None if there is none.

        Settings: url; index (default: the usual shippers' names); api_key_file, or username and
        password_file, or token_file; fields ({service: name or names, …}); link_url.
        Raises: NotConfigured: names the setting.
        """
        name = next((n for n in NAMES if connection(environment, n) is not None), "")
        source = HttpSource.of(environment, name, timeout_s=timeout_s) if name else None
        if source is None:
            return None
        source.system = "OpenSearch" if name == "opensearch" else SYSTEM
        settings = connection(environment, name) or {}
        where = f"environment {environment.name}: connections.{name}"
        index = str(settings.get("index") or INDEX)
        if not _INDEX.fullmatch(index):
            raise NotConfigured(f"{where}.index must be names of indices, with commas between")
        found = cls(source, index, _wanted(settings.get("fields"), f"{where}.fields"))
        if settings.get("link_url"):
            found._link = public_url(str(settings["link_url"])).rstrip("/")
        return found

    async def version(self) -> str:
        """Return the server's name and version. Raises: Unavailable, Refused, Malformed."""
        found = await self._object("GET", "/", None)
        version = found.get("version")
        number = version.get("number") if isinstance(version, Mapping) else ""
        return f"{self._source.system} {number or ''}".strip()

    async def types(self, fields: Sequence[str]) -> tuple[dict[str, str], int]:
        """Return the type of each field that exists, and how many indices match.

        Raises: as `version`.
        """
        params = {**LENIENT, "fields": ",".join(fields)}
        found = await self._object("GET", f"/{self.index}/_field_caps", None, params)
        caps = found.get("fields")
        if not isinstance(caps, Mapping):
            raise Malformed(f"{self._source.system}: the answer has no object `fields`")
        indices = found.get("indices")
        kinds = {
            str(name): "text" if "text" in by_type else str(next(iter(by_type)))
            for name, by_type in caps.items()
            if isinstance(by_type, Mapping) and by_type and not {"object", "nested"} & set(by_type)
        }
        return kinds, len(indices) if isinstance(indices, list) else len(kinds)

    async def search(self, body: Json) -> Hits:
        """Return the documents of one page, sorted by time. Raises: as `version`."""
        found = await self._object("POST", f"/{self.index}/_search", body, LENIENT)
        hits = found.get("hits")
        raw = hits.get("hits") if isinstance(hits, Mapping) else None
        if not isinstance(raw, list):
            raise Malformed(f"{self._source.system}: the answer has no hits")
        try:
            items = tuple(_hit(one) for one in raw)
        except (AttributeError, KeyError, TypeError, ValueError, IndexError, OverflowError):
            raise Malformed(f"{self._source.system}: a hit has no fields or no time") from None
        return Hits(items=items, troubles=_troubles(found))

    def link(self, query: str, window: Window) -> str | None:
        """Return a page that shows the query, when the settings say where people look."""
        if self._link is None:
            return None
        start, end = (m.strftime("%Y-%m-%dT%H:%M:%SZ") for m in (window.start, window.end))
        kuery = quote(query.replace("!", "!!").replace("'", "!'"))
        return (
            f"{self._link}/app/discover#/?_g=(time:(from:'{start}',to:'{end}'))"
            f"&_a=(query:(language:kuery,query:'{kuery}'))"
        )

    async def _object(
        self, method: str, path: str, body: Json | None, params: Mapping[str, str] | None = None
    ) -> Json:
        found = await self._source.send(method, path, params=params or {}, body=body)
        if not isinstance(found, dict):
            raise Malformed(f"{self._source.system}: the answer of {path} is not an object")
        return found


def value_at(document: Json, field: str) -> str:
    """Return a document's field as text, "" if it is not there: dots may be levels or letters."""
    if field in document:
        found = document[field]
        found = found[0] if isinstance(found, list) and found else found
        return "" if found is None or isinstance(found, Mapping | list) else str(found)
    parts = field.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        below = document.get(".".join(parts[:cut]))
        if isinstance(below, Mapping):
            return value_at(below, ".".join(parts[cut:]))
    return ""


def _hit(raw: Any) -> Hit:
    return Hit(
        id=f"{raw.get('_index')}/{raw.get('_id')}",
        at_ms=int(raw["sort"][0]),
        fields=dict(raw["_source"]),
    )


def _troubles(found: Json) -> tuple[str, ...]:
    shards = found.get("_shards")
    counts = shards if isinstance(shards, Mapping) else {}
    words = []
    if found.get("timed_out") is True:
        words.append("the search ran out of time, lines may be missing")
    if counts.get("failed"):
        words.append(f"{counts['failed']} of {counts.get('total')} shards failed")
    return tuple(words)


def _wanted(raw: Any, where: str) -> dict[str, tuple[str, ...]]:
    if raw is None:
        return {}
    if not isinstance(raw, Mapping):
        raise NotConfigured(f"{where} must be an object: what it means to the field's name")
    return {
        str(meaning): tuple(map(str, names)) if isinstance(names, list | tuple) else (str(names),)
        for meaning, names in raw.items()
    }
