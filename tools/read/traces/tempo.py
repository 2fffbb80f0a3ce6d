"""Spans and the service graph from Tempo: sample traces that failed, and others.

Tempo has no list of dependencies: who calls whom is taken from the sampled spans themselves.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import zip_longest
from typing import Any, ClassVar

from bot.domain.environment import Environment
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import BlindSpot, Edge, Snapshot, Source, Span
from bot.domain.time import Window
from tools.asking import Ask, ask, ask_all, counted
from tools.clients.tempo import Tempo, quoted
from tools.contract import ReadTool
from tools.read.traces.graph import edges_of
from tools.read.traces.otlp import spans_of

MAX_SERVICES = 8
SEARCHED = 20  # traces of one search
MAX_TRACES = 60  # read whole
MAX_SPANS = 3000
GRAPH_TRACES = 100  # searched for the service graph
SAMPLES = (" && status = error", "")


class _Traces:
    """Finds and reads whole traces, for both tools."""

    def __init__(self, client: Tempo, need: Need) -> None:
        self.client, self.need = client, need
        self.spots: list[BlindSpot] = []

    async def found(self, queries: Sequence[str], *, limit: int) -> tuple[list[str], bool]:
        """Return ids of traces, those of each query in turn, and whether those are all there are.

        Raises: Unavailable, Refused, Malformed: when no query succeeded.
        """
        answered = await ask_all([self._search(query, limit) for query in queries])
        self.spots.extend(answered.blind_spots)
        lists = [ids for _, ids in answered.results]
        turns = (one for turn in zip_longest(*lists) for one in turn if one is not None)
        return list(dict.fromkeys(turns)), all(len(ids) < limit for ids in lists)

    async def spans(self, ids: Sequence[str]) -> list[Span]:
        """Return the spans of traces, each once. Raises: as `found`."""
        answered = await ask_all([self._trace(one) for one in ids[:MAX_TRACES]])
        self.spots.extend(answered.blind_spots)
        if any(found.get("status") == "PARTIAL" for _, found in answered.results):
            self.spots.append(_spot("some traces were too large to be given whole", "whole traces"))
        spans: dict[tuple[str, str], Span] = {}
        for source, document in answered.results:
            for span in spans_of(document, source):
                spans.setdefault((span.trace_id, span.span_id), span)
        if len(spans) > MAX_SPANS:
            self.spots.append(_spot(f"{len(spans)} spans, looked at {MAX_SPANS}", "spans"))
        return list(spans.values())[:MAX_SPANS]

    def _search(self, traceql: str, limit: int) -> Ask[list[str]]:
        return Ask(
            source=_source(self.client, traceql, self.need.window),
            call=partial(self.client.search, traceql, self.need.window, limit=limit),
            found=counted("traces"),
            wanted=f"traces by {traceql}",
        )

    def _trace(self, trace_id: str) -> Ask[Mapping[str, Any]]:
        return Ask(
            source=_source(self.client, trace_id, self.need.window),
            call=partial(self.client.trace, trace_id, self.need.window),
            found=lambda _: "a trace",
            wanted=f"trace {trace_id}",
        )


class TempoSpans(ReadTool):
    """Whole sample traces, as spans, of `need.services`; without it, of the first few."""

    name: ClassVar[str] = "traces.tempo_spans"
    system: ClassVar[str] = "traces"
    answers: ClassVar[Fact] = Fact.SPANS
    timeout_s: ClassVar[float] = 8.0

    def __init__(self, environment: Environment, client: Tempo) -> None:
        self._environment, self._client = environment, client

    @classmethod
    def for_environment(cls, environment: Environment) -> "TempoSpans | None":
        """Return the tool, None when the environment has no Tempo. Raises: NotConfigured."""
        client = Tempo.of(environment)
        return cls(environment, client) if client else None

    async def check(self) -> str:
        """Return the server's version. Raises: Unavailable, Refused."""
        return await self._client.version()

    async def read(self, need: Need) -> Snapshot:
        """Return spans of failed and of other traces. Raises: Unavailable, Refused, Malformed."""
        services, spots = await self._services(need)
        traces = _Traces(self._client, need)
        chosen = [
            f"{{ resource.service.name = {quoted(s)}{sample} }}"
            for s in services
            for sample in SAMPLES
        ]
        ids, _ = await traces.found(chosen, limit=SEARCHED)
        spans = await traces.spans(ids)
        if len(ids) > MAX_TRACES:
            words = f"{len(ids)} traces, looked at {MAX_TRACES}"
            traces.spots.append(_spot(words, "every trace"))
        return Snapshot(
            environment=self._environment.name,
            window=need.window,
            now=need.window.end,
            spans=tuple(spans),
            blind_spots=(*spots, *traces.spots),
        )

    async def _services(self, need: Need) -> tuple[Sequence[str], tuple[BlindSpot, ...]]:
        services: Sequence[str] = need.services
        if not services:
            services = await ask(
                Ask(
                    source=_source(self._client, "services", need.window),
                    call=lambda: self._client.services(need.window),
                    found=counted("services"),
                    wanted="the services that sent spans",
                )
            )
        if len(services) <= MAX_SERVICES:
            return services, ()
        words = f"{len(services)} services, looked at {MAX_SERVICES}"
        return services[:MAX_SERVICES], (_spot(words, "traces of every service"),)


class TempoEdges(ReadTool):
    """Who calls whom, in sampled traces."""

    name: ClassVar[str] = "traces.tempo_edges"
    system: ClassVar[str] = "traces"
    answers: ClassVar[Fact] = Fact.EDGES
    timeout_s: ClassVar[float] = 8.0

    def __init__(self, environment: Environment, client: Tempo) -> None:
        self._environment, self._client = environment, client

    @classmethod
    def for_environment(cls, environment: Environment) -> "TempoEdges | None":
        """Return the tool, None when the environment has no Tempo. Raises: NotConfigured."""
        client = Tempo.of(environment)
        return cls(environment, client) if client else None

    async def check(self) -> str:
        """Return the server's version. Raises: Unavailable, Refused."""
        return f"{await self._client.version()}, the service graph is sampled"

    async def read(self, need: Need) -> Snapshot:
        """Return the edges of sampled traces; with services, those that touch one of them.

        Raises: Unavailable, Refused, Malformed.
        """
        traces = _Traces(self._client, need)
        queries = [f"{{ resource.service.name = {quoted(s)} }}" for s in need.services] or ["{ }"]
        ids, complete = await traces.found(queries[:MAX_SERVICES], limit=GRAPH_TRACES)
        spans = await traces.spans(ids)
        if not complete or len(ids) > MAX_TRACES:
            words = f"taken from {min(len(ids), MAX_TRACES)} traces: rare calls may be missing"
            traces.spots.append(_spot(words, "the whole service graph"))
        wanted = set(need.services)
        pairs = edges_of(spans, self._environment.namespaces)
        return Snapshot(
            environment=self._environment.name,
            window=need.window,
            now=need.window.end,
            edges=tuple(
                Edge(caller=a, callee=b, calls=None, source=source)
                for (a, b), source in pairs.items()
                if not wanted or wanted & {a, b}
            ),
            blind_spots=tuple(traces.spots),
        )


def _source(client: Tempo, query: str, window: Window) -> Source:
    return Source(system="tempo", query=query, window=window, link=client.link(query))


def _spot(reason: str, wanted: str) -> BlindSpot:
    return BlindSpot(system="traces", reason=reason, wanted=wanted)
