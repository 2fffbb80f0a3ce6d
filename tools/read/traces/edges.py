"""Who calls whom, from the dependencies that the trace store computes, else from sampled spans."""

from collections.abc import Mapping
from typing import Any, ClassVar

from bot.domain.environment import Environment
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import BlindSpot, Edge, Snapshot, Source, Span
from tools.asking import Ask, ask, ask_all, counted
from tools.clients.jaeger import Jaeger
from tools.contract import ReadTool
from tools.read.traces.graph import edges_of
from tools.read.traces.jaeger import spans_of

MAX_EDGES = 10_000
MAX_SERVICES = 12  # whose traces are sampled
TRACES = 20


class JaegerEdges(ReadTool):
    """The service graph as Jaeger sees it."""

    name: ClassVar[str] = "traces.edges"
    system: ClassVar[str] = "traces"
    answers: ClassVar[Fact] = Fact.EDGES

    def __init__(self, environment: Environment, client: Jaeger) -> None:
        self._environment, self._client = environment, client

    @classmethod
    def for_environment(cls, environment: Environment) -> "JaegerEdges | None":
        """Return the tool, None when the environment has no Jaeger. Raises: NotConfigured."""
        client = Jaeger.of(environment)
        return cls(environment, client) if client else None

    async def check(self) -> str:
        """Return how many services sent spans. Raises: Unavailable."""
        return f"Jaeger, {len(await self._client.services())} services"

    async def read(self, need: Need) -> Snapshot:
        """Return the edges of the window; with services, those that touch one of them.

        Raises: Unavailable, Refused, Malformed.
        """
        source = Source(
            system="jaeger",
            query=f"GET /api/dependencies?lookback={need.window.seconds:.0f}s",
            window=need.window,
            link=self._client.dependencies_url(),
        )
        found = await ask(
            Ask(
                source=source,
                call=lambda: self._client.dependencies(need.window),
                found=counted("edges"),
                wanted="the service graph",
            )
        )
        edges = [_edge(raw, source) for raw in found[:MAX_EDGES]]
        spots: tuple[BlindSpot, ...] = ()
        if not edges:  # stores without the job that computes them have none
            edges, spots = await self._sampled(need)
        services = set(need.services)
        return Snapshot(
            environment=self._environment.name,
            window=need.window,
            now=need.window.end,
            edges=tuple(
                e
                for e in edges
                if e.caller and e.callee and (not services or services & {e.caller, e.callee})
            ),
            blind_spots=spots,
        )

    async def _sampled(self, need: Need) -> tuple[list[Edge], tuple[BlindSpot, ...]]:
        """Return the edges of sample traces. Raises: as `read`."""
        every = need.services or tuple(await self._client.services())
        chosen = every[:MAX_SERVICES]
        answered = await ask_all([self._traces(service, need) for service in chosen])
        spans: list[Span] = []
        for source, traces in answered.results:
            for trace in traces:
                spans.extend(spans_of(trace, source))
        pairs = edges_of(spans, self._environment.namespaces)
        edges = [Edge(caller=a, callee=b, calls=None, source=s) for (a, b), s in pairs.items()]
        words = f"sampled from traces of {len(chosen)} services: rare calls may be missing"
        sampled = BlindSpot(system="traces", reason=words, wanted="the whole service graph")
        return edges, (*answered.blind_spots, *((sampled,) if edges else ()))

    def _traces(self, service: str, need: Need) -> Ask[list[Mapping[str, Any]]]:
        return Ask(
            source=Source(
                system="jaeger",
                query=f"traces of {service}",
                window=need.window,
                link=self._client.search_url(service, need.window, {}),
            ),
            call=lambda: self._client.traces(service, need.window, limit=TRACES, extra={}),
            found=counted("traces"),
            wanted=f"calls of {service}",
        )


def _edge(raw: Mapping[str, Any], source: Source) -> Edge:
    calls = raw.get("callCount")
    return Edge(
        caller=str(raw.get("parent") or ""),
        callee=str(raw.get("child") or ""),
        calls=calls if isinstance(calls, int) else None,
        source=source,
    )
