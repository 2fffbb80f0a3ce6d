"""Who calls whom, from the dependencies that the trace store computes."""

from collections.abc import Mapping
from typing import Any, ClassVar

from bot.domain.environment import Environment
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import Edge, Snapshot, Source
from tools.asking import Ask, ask, counted
from tools.clients.jaeger import Jaeger
from tools.contract import ReadTool

MAX_EDGES = 10_000


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
        services = set(need.services)
        edges = (_edge(raw, source) for raw in found[:MAX_EDGES])
        return Snapshot(
            environment=self._environment.name,
            window=need.window,
            now=need.window.end,
            edges=tuple(
                e
                for e in edges
                if e.caller and e.callee and (not services or services & {e.caller, e.callee})
            ),
        )


def _edge(raw: Mapping[str, Any], source: Source) -> Edge:
    calls = raw.get("callCount")
    return Edge(
        caller=str(raw.get("parent") or ""),
        callee=str(raw.get("child") or ""),
        calls=calls if isinstance(calls, int) else None,
        source=source,
    )
