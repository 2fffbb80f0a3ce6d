"""Metric series by signal: one range query per signal over all services of the environment.

`need.names` are signals ("latency_p99"), optionally with a breakdown: "latency_p99:pod" gives one
series per pod, "request_rate:version" one per version, "db_query_p99:operation" one per operation
(labels `pod`, `version`, `operation`). Without names every signal is asked for whose metrics exist.
Services are filtered after the query, so that one query serves them all; an edge stays if either of
its ends is asked for.
"""

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from bot.domain.environment import Environment
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import BlindSpot, Series, Snapshot, Source
from bot.domain.time import Window
from tools.asking import Ask, ask, ask_all, counted
from tools.clients.prometheus import Prometheus, Sample
from tools.contract import ReadTool
from tools.read.prometheus.catalogue import render, templates_for
from tools.read.prometheus.several import MISSING, Several
from tools.read.prometheus.shaping import shape
from tools.read.prometheus.template import Template
from tools.signals import missing, signals_of

POINTS = 120
STEPS_S = (15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 86400)
RANGE_S = 120
MAX_SERIES = 4000
_SCRAPED = re.compile(r"-(?:metrics|monitoring|headless|svc|service|http)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    template: Template
    breakdown: str


class PrometheusSeries(ReadTool):
    """Series of the signal catalogue, from Prometheus or VictoriaMetrics."""

    name: ClassVar[str] = "prometheus.series"
    system: ClassVar[str] = "metrics"
    answers: ClassVar[Fact] = Fact.SERIES
    timeout_s: ClassVar[float] = 8.0

    def __init__(self, environment: Environment, clients: Sequence[Prometheus]) -> None:
        self._environment, self._servers = environment, Several(environment.name, clients)

    @classmethod
    def for_environment(cls, environment: Environment) -> "PrometheusSeries | None":
        """Return the tool, None when the environment has no Prometheus. Raises: NotConfigured."""
        clients = Prometheus.all_of(environment)
        return cls(environment, clients) if clients else None

    async def check(self) -> str:
        """Return each server's version and how many metrics it knows. Raises: Unavailable."""
        return await self._servers.check(_known)

    async def read(self, need: Need) -> Snapshot:
        """Return series for the need; signals without metrics are named as a blind spot.

        Raises: Unavailable, Refused, Malformed: when no query at all succeeded.
        """
        return await self._servers.read(need, self._read)

    async def _read(self, client: Prometheus, need: Need) -> Snapshot:
        metrics = await ask(
            Ask(
                source=Source(system="prometheus", query="label_values(__name__)"),
                call=client.names,
                found=lambda names: f"{len(names)} metric names",
                wanted="the names of the metrics",
            )
        )
        signals = signals_of(need.names)
        wanted = tuple(
            _Wanted(template=t, breakdown=b)
            for signal, b in signals.asked
            for t in templates_for((signal,), metrics)
            if not b or b in t.breakdowns
        )
        step_s = step_for(need.window)
        sources = [self._source(client, w, need.window, step_s) for w in wanted]
        answered = await ask_all(
            [_ask(client, *one, need.window, step_s) for one in zip(wanted, sources, strict=True)]
        )
        by_source = {source.query: samples for source, samples in answered.results}
        read = [(w, s, by_source.get(s.query, ())) for w, s in zip(wanted, sources, strict=True)]
        services, namespaces = frozenset(need.services), self._environment.namespaces
        found = await asyncio.to_thread(_shaped, read, services, namespaces)
        return Snapshot(
            environment=self._environment.name,
            window=need.window,
            now=need.window.end,
            series=tuple(_first_told(found)),
            blind_spots=(
                *answered.blind_spots,
                *missing(signals, {(w.template.signal, w.breakdown) for w in wanted}, MISSING),
                *_cut(answered.results),
            ),
        )

    def _source(self, client: Prometheus, wanted: _Wanted, window: Window, step_s: int) -> Source:
        template = wanted.template
        matchers = [f'{k}="{v}"' for k, v in sorted(client.matchers.items())]
        if template.namespace:
            places = "|".join(self._environment.namespaces)
            matchers.append(f'{template.namespace}=~"{places}|"')  # or the metric does not say
        promql = render(
            template,
            matchers=matchers,
            range_s=max(RANGE_S, step_s),
            by=template.breakdowns.get(wanted.breakdown, ""),
        )
        return Source(
            system="prometheus",
            query=promql,
            window=window,
            link=client.graph_url(promql, window),
        )


async def _known(client: Prometheus) -> str:
    names = await client.names()
    return f"{await client.version()}, {len(names)} metrics"


def _ask(
    client: Prometheus, wanted: _Wanted, source: Source, window: Window, step_s: int
) -> Ask[list[Sample]]:
    return Ask(
        source=source,
        call=lambda: client.range(source.query, aligned(window, step_s), step_s),
        found=counted("series"),
        wanted=f"{wanted.template.signal.value} from metrics",
    )


def _shaped(
    read: Sequence[tuple[_Wanted, Source, Sequence[Sample]]],
    services: frozenset[str],
    namespaces: Sequence[str],
) -> list[tuple[_Wanted, Series]]:
    """Return the series of these services, and of edges to them; all without services."""
    return [
        (w, one)
        for w, source, samples in read
        for one in shape(
            w.template,
            samples[:MAX_SERIES],
            source=source,
            breakdown=w.breakdown,
            namespaces=namespaces,
        )
        if not services or one.service in services or one.labels.get("peer") in services
    ]


def _first_told(found: Sequence[tuple[_Wanted, Series]]) -> Iterator[Series]:
    """Yield the series; of alternatives, a service's come from the first that knows it."""
    told: dict[tuple[str, ...], Template] = {}
    for wanted, one in found:
        template = wanted.template
        what = (one.labels.get("peer", ""), one.labels.get("resource", ""))
        key = (one.signal, template.source, wanted.breakdown, _bare(one.service), *what)
        if told.setdefault(key, template) is template:
            yield one


def _bare(service: str) -> str:
    """Return a service's name as it is for all libraries: some are scraped as "cart-metrics"."""
    return _SCRAPED.sub("", service)


def step_for(window: Window) -> int:
    """Return the step in seconds that keeps a series within about 120 points."""
    least = window.seconds / POINTS
    return next((step for step in STEPS_S if step >= least), STEPS_S[-1])


def aligned(window: Window, step_s: int) -> Window:
    """Return the window with both ends on the step's grid, so that series can be compared."""
    return Window(start=_floor(window.start, step_s), end=_floor(window.end, step_s))


def _floor(moment: datetime, step_s: int) -> datetime:
    seconds = moment.timestamp()
    return datetime.fromtimestamp(seconds - seconds % step_s, tz=UTC)


def _cut(results: Sequence[tuple[Source, list[Sample]]]) -> tuple[BlindSpot, ...]:
    return tuple(
        BlindSpot(
            system="metrics",
            reason=f"{len(samples)} series, looked at {MAX_SERIES}",
            wanted=source.query,
        )
        for source, samples in results
        if len(samples) > MAX_SERIES
    )
