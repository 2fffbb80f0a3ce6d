"""Log templates from Elasticsearch or OpenSearch, with counts in the window and before.

Which fields hold what is found by looking at which exist (ECS, OpenTelemetry, fluent-bit, fluentd,
vector); the settings' `fields` go before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar

from bot.domain.environment import Environment
from bot.domain.errors import NotConfigured, Unavailable
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import Snapshot, Source
from bot.domain.time import Window
from tools.asking import Ask, ask
from tools.clients.elasticsearch import PAGE, Elasticsearch, Hit, Hits, value_at
from tools.clients.names import workload_of_pod
from tools.contract import ReadTool
from tools.read.logs.templates import Entry
from tools.read.logs.windows import Lines, read_templates

PAGES = 6
SEARCH_TIMEOUT = "4s"
FIELDS: Mapping[str, tuple[str, ...]] = {
    "time": ("@timestamp", "timestamp", "time"),
    "message": ("message", "log", "msg", "body.text", "body", "event.original", "MESSAGE"),
    "service": (
        "service.name", "resource.attributes.service.name",
        "kubernetes.labels.app_kubernetes_io/name", "kubernetes.labels.app.kubernetes.io/name",
        "kubernetes.pod_labels.app.kubernetes.io/name", "kubernetes.labels.app",
        "kubernetes.labels.k8s-app", "kubernetes.pod_labels.app",
    ),
    "pod": ("kubernetes.pod.name", "kubernetes.pod_name", "k8s.pod.name",
            "resource.attributes.k8s.pod.name"),
    "namespace": ("kubernetes.namespace", "kubernetes.namespace_name", "kubernetes.pod_namespace",
                  "k8s.namespace.name", "resource.attributes.k8s.namespace.name"),
    "container": ("kubernetes.container.name", "kubernetes.container_name", "k8s.container.name",
                  "resource.attributes.k8s.container.name"),
    "level": ("log.level", "level", "severity_text", "severity", "log_level"),
}  # fmt: skip
LEVELS = {
    "error": "error", "err": "error", "fatal": "error", "critical": "error", "panic": "error",
    "emergency": "error", "alert": "error", "warning": "warning", "warn": "warning",
    "info": "info", "information": "info", "notice": "info", "debug": "info", "trace": "info",
}  # fmt: skip
BAD_LEVELS = ("error", "err", "warn", "warning", "fatal", "panic", "critical", "alert", "emergency")
TROUBLE = (
    "error* | warn* | fatal | panic | exception* | fail* | refused | timeout | denied | killed"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """The fields that exist, by what they hold; `exact`: the name under which one is matched."""

    fields: Mapping[str, tuple[str, ...]]
    exact: Mapping[str, str]

    def first(self, document: Mapping[str, Any], meaning: str) -> str:
        """Return the first value of that meaning in a document."""
        found = (value_at(document, field) for field in self.fields[meaning])
        return next((value for value in found if value), "")


class ElasticsearchLogs(ReadTool):
    """Lines of the services asked for; without services, the environment's lines of trouble."""

    name: ClassVar[str] = "logs.elasticsearch"
    system: ClassVar[str] = "logs"
    answers: ClassVar[Fact] = Fact.LOGS
    timeout_s: ClassVar[float] = 8.0

    def __init__(self, environment: Environment, client: Elasticsearch) -> None:
        self._environment, self._client = environment, client

    @classmethod
    def for_environment(cls, environment: Environment) -> "ElasticsearchLogs | None":
        """Return the tool, None without Elasticsearch or OpenSearch. Raises: NotConfigured."""
        client = Elasticsearch.of(environment)
        if client is None:
            return None
        unknown = set(client.wanted) - set(FIELDS)
        if unknown:
            raise NotConfigured(
                f"environment {environment.name}: the logs' fields have no meaning "
                f"`{min(unknown)}`: there are {', '.join(FIELDS)}"
            )
        return cls(environment, client)

    async def check(self) -> str:
        """Return the version, and which field names the service. Raises: Unavailable, Refused."""
        version = await self._client.version()
        shape = await self._shape()
        service = next(iter(shape.fields["service"]), "no field: pods' names are used")
        return f"{version}, {self._client.index}: the service is in {service}"

    async def read(self, need: Need) -> Snapshot:
        """Return templates, errors first. Raises: Unavailable, Refused, Malformed."""
        shape = await ask(
            Ask(
                source=self._source("fields", need.window),
                call=self._shape,
                found=lambda s: f"{sum(map(len, s.fields.values()))} fields",
                wanted="the fields of the logs",
            )
        )
        query, said = self._query(need.services, shape)
        source = self._source(said, need.window)

        async def fetch(part: Window, baseline: bool) -> Lines:
            own = replace(source, window=part)
            lines = await self._all(query, shape, own, baseline=baseline)
            if shape.fields["service"] or not need.services:
                return lines
            kept = (e for e in lines.entries if e.service in need.services)
            return replace(lines, entries=tuple(kept))  # "cart-*" are pods of cart-db too

        spots = []
        if not shape.fields["namespace"]:
            spots.append("no field names the namespace: lines of every namespace are read")
        return await read_templates(self._environment.name, need, source, fetch, spots)

    async def _shape(self) -> _Shape:
        """Return which fields hold what. Raises: Unavailable: no index, no time or no message."""
        names = {m: self._client.wanted.get(m) or known for m, known in FIELDS.items()}
        every = [name for of_one in names.values() for name in of_one]
        types, indices = await self._client.types([*every, *(f"{n}.keyword" for n in every)])
        if not indices:
            raise Unavailable("logs", f"no index matches {self._client.index}")
        there = {m: tuple(n for n in of_one if n in types) for m, of_one in names.items()}
        for meaning in ("time", "message"):
            if not there[meaning]:
                raise Unavailable(
                    "logs", f"no field of {self._client.index} holds the {meaning}: say which"
                )
        exact = {}
        for name in every:
            if types.get(name) == "text":
                exact[name] = f"{name}.keyword" if f"{name}.keyword" in types else ""
        return _Shape(fields=there, exact=exact)

    def _query(self, services: Sequence[str], shape: _Shape) -> tuple[list[Any], str]:
        """Return the filters of the search, and the same in words (KQL)."""
        filters: list[Any] = []
        said = []
        spaces = self._environment.namespaces
        if shape.fields["namespace"] and spaces:
            filters.append(_any_of(shape, "namespace", spaces))
            said.append(f"{shape.fields['namespace'][0]}: ({' or '.join(spaces)})")
        if services and shape.fields["service"]:
            filters.append(_any_of(shape, "service", services))
            said.append(f"{shape.fields['service'][0]}: ({' or '.join(services)})")
        elif services and shape.fields["pod"]:
            filters.append(_pods_of(shape, services))
            names = " or ".join(f"{s}-*" for s in services)
            said.append(f"{shape.fields['pod'][0]}: ({names})")
        elif not services:
            filters.append(_trouble(shape))
            said.append(f"{shape.fields['message'][0]}: (error or warn or fail or …)")
        return filters, " and ".join(said) or "*"

    async def _all(
        self, filters: Sequence[Any], shape: _Shape, source: Source, *, baseline: bool
    ) -> Lines:
        """Return the newest lines page by page, each document once."""
        window = source.window
        assert window is not None  # noqa: S101 - every source here is of a window
        start, until = _ms(window.start), _ms(window.end)
        bound = "lt"
        hits: dict[str, Hit] = {}
        troubles: dict[str, None] = {}
        for _ in range(PAGES):
            page = await self._page(_body(filters, shape, start, (bound, until)), source)
            before = len(hits)
            hits.update((hit.id, hit) for hit in page.items)
            troubles.update(dict.fromkeys(page.troubles))
            if len(page.items) < PAGE:
                return _lines(hits, shape, tuple(troubles), baseline=baseline, complete=True)
            if len(hits) == before:  # a whole page of one moment
                break
            bound, until = "lte", page.items[-1].at_ms
        return _lines(hits, shape, tuple(troubles), baseline=baseline, complete=False)

    async def _page(self, body: Mapping[str, Any], source: Source) -> Hits:
        return await ask(
            Ask(
                source=source,
                call=partial(self._client.search, body),
                found=lambda hits: f"{len(hits.items)} lines",
                wanted="log lines",
            )
        )

    def _source(self, said: str, window: Window) -> Source:
        return Source(
            system="elasticsearch",
            query=f"{self._client.index} {said}",
            window=window,
            link=self._client.link(said, window),
        )


def _body(
    filters: Sequence[Any], shape: _Shape, start: int, end: tuple[str, int]
) -> dict[str, Any]:
    time = shape.fields["time"][0]
    bounds = {"gte": start, end[0]: end[1], "format": "epoch_millis"}
    return {
        "size": PAGE,
        "timeout": SEARCH_TIMEOUT,
        "track_total_hits": False,
        "query": {"bool": {"filter": [{"range": {time: bounds}}, *filters]}},
        "sort": [{time: {"order": "desc", "unmapped_type": "date"}}],
        "_source": sorted({name for names in shape.fields.values() for name in names}),
    }


def _any_of(shape: _Shape, meaning: str, values: Sequence[str]) -> dict[str, Any]:
    should: list[Any] = []
    for field in shape.fields[meaning]:
        exact = shape.exact.get(field, field)
        if exact:
            should.append({"terms": {exact: sorted(values)}})
        else:
            should += [{"match_phrase": {field: value}} for value in sorted(values)]
    return {"bool": {"should": should, "minimum_should_match": 1}}


def _pods_of(shape: _Shape, services: Sequence[str]) -> dict[str, Any]:
    should = [
        {"prefix": {shape.exact.get(field) or field: f"{service}-"}}
        for field in shape.fields["pod"]
        for service in services
    ]
    return {"bool": {"should": should, "minimum_should_match": 1}}


def _trouble(shape: _Shape) -> dict[str, Any]:
    words = {"query": TROUBLE, "fields": list(shape.fields["message"]), "lenient": True}
    should: list[Any] = [{"simple_query_string": words}]
    levels = [form for level in BAD_LEVELS for form in (level, level.upper(), level.capitalize())]
    if shape.fields["level"]:
        should.append(_any_of(shape, "level", levels))
    return {"bool": {"should": should, "minimum_should_match": 1}}


def _lines(
    hits: Mapping[str, Hit],
    shape: _Shape,
    troubles: tuple[str, ...],
    *,
    baseline: bool,
    complete: bool,
) -> Lines:
    entries = tuple(_entry(hit, shape, baseline=baseline) for hit in hits.values())
    return Lines(entries=entries, complete=complete, spots=troubles)


def _entry(hit: Hit, shape: _Shape, *, baseline: bool) -> Entry:
    document = hit.fields
    pod = shape.first(document, "pod")
    level = shape.first(document, "level").lower()
    return Entry(
        at=_moment(hit.at_ms),
        text=shape.first(document, "message"),
        service=shape.first(document, "service") or (workload_of_pod(pod) if pod else ""),
        pod=pod or None,
        container=shape.first(document, "container") or None,
        level=LEVELS.get(level, ""),
        baseline=baseline,
    )


def _moment(at_ms: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(at_ms / 1000, tz=UTC)
    except (OverflowError, OSError, ValueError):
        return None


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
