"""Sample spans of services: traces that failed, and the slowest ones."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from bot.domain.environment import Environment
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import BlindSpot, Snapshot, Source, Span
from tools.asking import Ask, ask, ask_all, counted
from tools.clients.jaeger import Jaeger
from tools.contract import ReadTool
from tools.read.traces.jaeger import Trace, spans_of

MAX_SERVICES = 8
TRACES = 20  # per service and kind of sample
MAX_SPANS = 3000
SAMPLES: Mapping[str, Mapping[str, str]] = {
    "failed": {"tags": '{"error":"true"}'},
    "any": {},
}


class JaegerSpans(ReadTool):
    """Whole sample traces, as spans, of `need.services`; without it, of the first few."""

    name: ClassVar[str] = "traces.spans"
    system: ClassVar[str] = "traces"
    answers: ClassVar[Fact] = Fact.SPANS

    def __init__(self, environment: Environment, client: Jaeger) -> None:
        self._environment, self._client = environment, client

    @classmethod
    def for_environment(cls, environment: Environment) -> "JaegerSpans | None":
        """Return the tool, None when the environment has no Jaeger. Raises: NotConfigured."""
        client = Jaeger.of(environment)
        return cls(environment, client) if client else None

    async def check(self) -> str:
        """Return how many services sent spans. Raises: Unavailable."""
        return f"Jaeger, {len(await self._client.services())} services"

    async def read(self, need: Need) -> Snapshot:
        """Return spans of failed and of other traces. Raises: Unavailable, Refused, Malformed."""
        services, spots = await self._services(need)
        asks = [self._ask(s, kind, need) for s in services for kind in SAMPLES]
        answered = await ask_all(asks)
        spans: dict[tuple[str, str], Span] = {}
        for source, traces in answered.results:
            for trace in traces:
                for span in spans_of(trace, self._own(trace, source)):
                    spans.setdefault((span.trace_id, span.span_id), span)
        if len(spans) > MAX_SPANS:
            spots = (*spots, _spot(f"{len(spans)} spans, looked at {MAX_SPANS}", "spans"))
        return Snapshot(
            environment=self._environment.name,
            window=need.window,
            now=need.window.end,
            spans=tuple(spans.values())[:MAX_SPANS],
            blind_spots=(*spots, *answered.blind_spots),
        )

    async def _services(self, need: Need) -> tuple[Sequence[str], tuple[BlindSpot, ...]]:
        services: Sequence[str] = need.services
        if not services:
            source = Source(system="jaeger", query="GET /api/services", window=need.window)
            services = await ask(
                Ask(
                    source=source,
                    call=self._client.services,
                    found=counted("services"),
                    wanted="the services that sent spans",
                )
            )
        if len(services) <= MAX_SERVICES:
            return services, ()
        words = f"{len(services)} services, looked at {MAX_SERVICES}"
        return services[:MAX_SERVICES], (_spot(words, "traces of every service"),)

    def _ask(self, service: str, kind: str, need: Need) -> Ask[list[Trace]]:
        extra = SAMPLES[kind]
        return Ask(
            source=Source(
                system="jaeger",
                query=f"{kind} traces of {service}",
                window=need.window,
                link=self._client.search_url(service, need.window, extra),
            ),
            call=lambda: self._client.traces(service, need.window, limit=TRACES, extra=extra),
            found=counted("traces"),
            wanted=f"traces of {service}",
        )

    def _own(self, trace: Trace, source: Source) -> Source:
        link = self._client.trace_url(str(trace.get("traceID") or ""))
        return Source(system="jaeger", query=source.query, window=source.window, link=link)


def _spot(reason: str, wanted: str) -> BlindSpot:
    return BlindSpot(system="traces", reason=reason, wanted=wanted)
