"""Series of the signal catalogue from Datadog; `need.names` are signals, as "latency_p99:pod"."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from bot.domain.environment import Environment
from bot.domain.errors import Malformed
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import BlindSpot, Series, Snapshot, Source
from tools.asking import Ask, ask, ask_all, counted
from tools.clients.datadog import Datadog
from tools.clients.names import workload_of_pod
from tools.clients.settings import connection
from tools.contract import ReadTool
from tools.read.datadog.catalogue import Template, render, templates_for
from tools.signals import missing, signals_of

BATCH = 6  # queries of one request: Datadog counts requests
MAX_SERIES = 4000
MISSING = "no metric of Datadog's catalogue gives it"
NOTHING = ("", "N/A", "*")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    template: Template
    breakdown: str
    query: str


class DatadogSeries(ReadTool):
    """Datadog's metrics, from traces, Kubernetes, servers and hosts."""

    name: ClassVar[str] = "datadog.series"
    system: ClassVar[str] = "metrics"
    answers: ClassVar[Fact] = Fact.SERIES
    timeout_s: ClassVar[float] = 9.0

    def __init__(self, environment: Environment, client: Datadog) -> None:
        self._environment, self._client = environment, client

    @classmethod
    def for_environment(cls, environment: Environment) -> "DatadogSeries | None":
        """Return the tool, None when Datadog's metrics are not read. Raises: NotConfigured."""
        client = Datadog.of(environment, "metrics")
        return cls(environment, client) if client else None

    async def check(self) -> str:
        """Return whether the key is valid. Raises: Unavailable, Refused, Malformed."""
        await self._client.validate()
        scope = ", ".join(f"{k}:{v}" for k, v in self._client.tags.items())
        return f"Datadog answers, read are metrics of {scope}"

    async def read(self, need: Need) -> Snapshot:
        """Return series; signals without metrics are blind spots when asked for by name.

        Raises: Unavailable, Refused, Malformed: when no query at all succeeded.
        """
        metrics = await ask(
            Ask(
                source=Source(system="datadog", query="active metrics", window=need.window),
                call=lambda: self._client.names(need.window.start),
                found=lambda names: f"{len(names)} metric names",
                wanted="the names of the metrics",
            )
        )
        signals = signals_of(need.names)
        wanted = [
            _Wanted(template=t, breakdown=b, query=self._render(t, b))
            for signal, b in signals.asked
            for t in templates_for((signal,), metrics)
            if not b or b in t.breakdowns
        ]
        batches = [wanted[n : n + BATCH] for n in range(0, len(wanted), BATCH)]
        answered = await ask_all([self._ask(batch, need) for batch in batches])
        by_query = {source.query: found for source, found in answered.results}
        series: list[Series] = []
        for batch in batches:
            for one in _shaped(batch, by_query.get(_joined(batch), ()), need):
                if not need.services or one.service in need.services:
                    series.append(one)
        spots = list(answered.blind_spots)
        if connection(self._environment, "prometheus") is None:  # which may have what is missing
            spots += missing(signals, {(w.template.signal, w.breakdown) for w in wanted}, MISSING)
        if len(series) > MAX_SERIES:
            spots.append(_spot(f"{len(series)} series, looked at {MAX_SERIES}", "every series"))
        return Snapshot(
            environment=self._environment.name,
            window=need.window,
            now=need.window.end,
            series=tuple(series[:MAX_SERIES]),
            blind_spots=tuple(spots),
        )

    def _ask(self, batch: Sequence[_Wanted], need: Need) -> Ask[list[Mapping[str, Any]]]:
        signals = ", ".join(dict.fromkeys(w.template.signal.value for w in batch))
        return Ask(
            source=Source(system="datadog", query=_joined(batch), window=need.window),
            call=lambda: self._client.query([w.query for w in batch], need.window),
            found=counted("series"),
            wanted=f"{signals} from Datadog",
        )

    def _render(self, template: Template, breakdown: str) -> str:
        tags = [f"{k}:{v}" for k, v in self._client.tags.items()]
        if template.source == "kubernetes" and self._environment.namespaces:
            tags.append(f"kube_namespace IN ({','.join(self._environment.namespaces)})")
            scope = " AND ".join(tags)
        else:
            scope = ",".join(tags)
        return render(template, scope=scope or "*", by=template.breakdowns.get(breakdown, ""))


def _joined(batch: Sequence[_Wanted]) -> str:
    return ",".join(w.query for w in batch)


def _shaped(
    batch: Sequence[_Wanted], found: Sequence[Mapping[str, Any]], need: Need
) -> Iterator[Series]:
    """Yield the series of one answer. Raises: Malformed: a point is none."""
    for raw in found:
        index = raw.get("query_index", 0)
        if not isinstance(index, int) or not 0 <= index < len(batch):
            continue
        wanted = batch[index]
        tags = _tags(raw.get("tag_set"))
        service = _service(wanted.template, tags)
        points = dict(_points(raw.get("pointlist")))
        if service and points:
            times = sorted(points)
            yield Series(
                signal=wanted.template.signal.value,
                service=service,
                times=tuple(times),
                values=tuple(points[t] for t in times),
                unit=wanted.template.unit,
                source=Source(system="datadog", query=wanted.query, window=need.window),
                labels=_labels(wanted, tags),
            )


def _tags(raw: Any) -> dict[str, str]:
    found = (str(t).partition(":") for t in (raw if isinstance(raw, list) else ()))
    return {key: value for key, _, value in found if value not in NOTHING}


def _service(template: Template, tags: Mapping[str, str]) -> str:
    return next((tags[tag] for tag in template.service if tags.get(tag)), "") or workload_of_pod(
        tags.get("pod_name", "")
    )


def _labels(wanted: _Wanted, tags: Mapping[str, str]) -> dict[str, str]:
    names = dict(wanted.template.labels)
    if wanted.breakdown:
        names[wanted.breakdown] = wanted.template.breakdowns[wanted.breakdown]
    return {ours: tags[theirs] for ours, theirs in names.items() if theirs in tags}


def _points(raw: Any) -> Iterator[tuple[float, float]]:
    """Yield the finite points, times in seconds."""
    try:
        for moment, value in raw or ():
            if value is not None and math.isfinite(float(value)):
                yield float(moment) / 1000.0, float(value)
    except (TypeError, ValueError):
        raise Malformed("Datadog: a point is not a time and a number") from None


def _spot(reason: str, wanted: str) -> BlindSpot:
    return BlindSpot(system="metrics", reason=reason, wanted=wanted)
