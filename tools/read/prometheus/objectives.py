"""Service-level objectives from recording rules, with the burn rate measured over the window.

Rules read: `slo:objective:ratio{service_name}` (0.999) and
`slo:latency_threshold:seconds{service_name}` (worst acceptable p99). Without rules there are no
objectives: none is made up.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from bot.domain.environment import Environment
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import Objective, Signal, Snapshot, Source
from tools.asking import Answered, Ask, ask_all, counted
from tools.clients.prometheus import Prometheus, Sample
from tools.contract import ReadTool
from tools.read.prometheus.catalogue import render, templates_for

RATIO = "slo:objective:ratio"
LATENCY = "slo:latency_threshold:seconds"


class PrometheusObjectives(ReadTool):
    """Objectives and how fast their error budgets burn."""

    name: ClassVar[str] = "prometheus.objectives"
    system: ClassVar[str] = "metrics"
    answers: ClassVar[Fact] = Fact.OBJECTIVES

    def __init__(self, environment: Environment, client: Prometheus) -> None:
        self._environment, self._client = environment, client

    @classmethod
    def for_environment(cls, environment: Environment) -> "PrometheusObjectives | None":
        """Return the tool, None when the environment has no Prometheus. Raises: NotConfigured."""
        client = Prometheus.of(environment)
        return cls(environment, client) if client else None

    async def check(self) -> str:
        """Return whether there are recording rules of objectives. Raises: Unavailable."""
        names = await self._client.names()
        return "objectives recorded" if {RATIO, LATENCY} & names else "no objectives recorded"

    async def read(self, need: Need) -> Snapshot:
        """Return the objectives of the services. Raises: Unavailable, Refused, Malformed."""
        names = await self._client.names()
        queries = {rule: rule for rule in (RATIO, LATENCY) if rule in names}
        errors = self._error_query(need, names)
        if queries and errors:
            queries["errors"] = errors
        answered = await ask_all([self._ask(promql, need) for promql in queries.values()])
        found = _by_query(answered)
        empty: tuple[Source, dict[str, float]] = (Source(system="prometheus", query=""), {})
        objectives = _objectives(
            found.get(RATIO, empty), found.get(LATENCY, empty), found.get(errors, empty)[1]
        )
        wanted = set(need.services)
        return Snapshot(
            environment=self._environment.name,
            window=need.window,
            now=need.window.end,
            objectives=tuple(o for o in objectives if not wanted or o.service in wanted),
            blind_spots=answered.blind_spots,
        )

    def _error_query(self, need: Need, names: frozenset[str]) -> str:
        templates = templates_for((Signal.ERROR_RATIO,), names)
        if not templates:
            return ""
        template = templates[0]
        places = "|".join(self._environment.namespaces)
        return render(
            template,
            matchers=[f'{template.namespace}=~"{places}|"'],
            range_s=max(120, round(need.window.seconds)),
        )

    def _ask(self, promql: str, need: Need) -> Ask[list[Sample]]:
        source = Source(
            system="prometheus",
            query=promql,
            window=need.window,
            link=self._client.graph_url(promql, need.window),
        )
        return Ask(
            source=source,
            call=lambda: self._client.instant(promql, need.window.end),
            found=counted("values"),
            wanted="objectives",
        )


def _by_query(
    answered: Answered[list[Sample]],
) -> Mapping[str, tuple[Source, dict[str, float]]]:
    return {source.query: (source, _values(samples)) for source, samples in answered.results}


def _values(samples: Sequence[Sample]) -> dict[str, float]:
    found: dict[str, float] = {}
    for sample in samples:
        metric: Any = sample.get("metric") or {}
        service = metric.get("service_name") or metric.get("service") or metric.get("app")
        try:
            number = float((sample.get("value") or (0, "nan"))[1])
        except (TypeError, ValueError, IndexError):
            continue
        if service and number == number:
            found[str(service)] = number
    return found


def _objectives(
    ratio: tuple[Source, Mapping[str, float]],
    latency: tuple[Source, Mapping[str, float]],
    errors: Mapping[str, float],
) -> list[Objective]:
    found = []
    for service, target in ratio[1].items():
        budget = 1 - target
        burned = errors[service] / budget if service in errors and budget > 0 else None
        found.append(
            Objective(
                service=service,
                signal=Signal.ERROR_RATIO.value,
                threshold=budget,
                target_ratio=target,
                burn_rate=burned,
                source=ratio[0],
            )
        )
    for service, threshold in latency[1].items():
        found.append(
            Objective(
                service=service,
                signal=Signal.LATENCY_P99.value,
                threshold=threshold,
                target_ratio=ratio[1].get(service, 0.99),
                burn_rate=None,
                source=latency[0],
            )
        )
    return found
