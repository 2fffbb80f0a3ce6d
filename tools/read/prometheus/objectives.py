"""Service-level objectives from recording rules, and how fast their error budgets burn.

Read are `slo:objective:ratio` (plain rules with `service_name`, and Sloth's with `sloth_service`),
`slo:latency_threshold:seconds` (worst acceptable p99), and Pyrra's `pyrra_objective`. Without rules
there are no objectives: none is made up.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from bot.domain.environment import Environment
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import Objective, Signal, Snapshot, Source
from tools.asking import Answered, Ask, ask_all, counted
from tools.clients.prometheus import Prometheus, Sample
from tools.contract import ReadTool
from tools.read.prometheus.catalogue import render, templates_for
from tools.read.prometheus.several import Several

RATIO = "slo:objective:ratio"
LATENCY = "slo:latency_threshold:seconds"
PYRRA = "pyrra_objective"
BURN = "slo:current_burn_rate:ratio"  # Sloth's own, over 5 minutes
PYRRA_COUNTS = ("pyrra_errors_total", "pyrra_requests_total")
SERVICE = ("service_name", "sloth_service", "service", "app", "slo")
NAME = ("sloth_slo", "slo")
_SLOW = re.compile(r"latenc|duration|slow|fast|speed|response.?time", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Value:
    """One value of a rule: of which service, and of which of its objectives ("" if unnamed)."""

    service: str
    name: str
    number: float


class PrometheusObjectives(ReadTool):
    """Objectives and how fast their error budgets burn."""

    name: ClassVar[str] = "prometheus.objectives"
    system: ClassVar[str] = "metrics"
    answers: ClassVar[Fact] = Fact.OBJECTIVES

    def __init__(self, environment: Environment, clients: Sequence[Prometheus]) -> None:
        self._environment, self._servers = environment, Several(environment.name, clients)

    @classmethod
    def for_environment(cls, environment: Environment) -> "PrometheusObjectives | None":
        """Return the tool, None when the environment has no Prometheus. Raises: NotConfigured."""
        clients = Prometheus.all_of(environment)
        return cls(environment, clients) if clients else None

    async def check(self) -> str:
        """Return whether there are recording rules of objectives. Raises: Unavailable."""
        return await self._servers.check(_recorded)

    async def read(self, need: Need) -> Snapshot:
        """Return the objectives of the services. Raises: Unavailable, Refused, Malformed."""
        return await self._servers.read(need, self._read)

    async def _read(self, client: Prometheus, need: Need) -> Snapshot:
        names = await client.names()
        queries = {rule: rule for rule in (RATIO, LATENCY, PYRRA, BURN) if rule in names}
        if RATIO in queries and (errors := self._error_query(client, need, names)):
            queries["errors"] = errors
        if PYRRA in queries and names.issuperset(PYRRA_COUNTS):
            queries["pyrra errors"] = _pyrra_errors(need)
        answered = await ask_all([_ask(client, promql, need) for promql in queries.values()])
        found = _Rules(queries, answered)
        wanted = set(need.services)
        return Snapshot(
            environment=self._environment.name,
            window=need.window,
            now=need.window.end,
            objectives=tuple(
                o
                for o in (*found.ratios(), *found.latencies())
                if not wanted or o.service in wanted
            ),
            blind_spots=answered.blind_spots,
        )

    def _error_query(self, client: Prometheus, need: Need, names: frozenset[str]) -> str:
        templates = templates_for((Signal.ERROR_RATIO,), names)
        if not templates:
            return ""
        template = templates[0]
        matchers = [f'{k}="{v}"' for k, v in sorted(client.matchers.items())]
        if template.namespace:
            places = "|".join(self._environment.namespaces)
            matchers.append(f'{template.namespace}=~"{places}|"')
        return render(template, matchers=matchers, range_s=max(120, round(need.window.seconds)))


class _Rules:
    """What the rules say, by query."""

    def __init__(self, queries: Mapping[str, str], answered: Answered[list[Sample]]) -> None:
        by_query = {source.query: (source, values) for source, values in answered.results}
        self._found = {name: by_query[q] for name, q in queries.items() if q in by_query}

    def ratios(self) -> Iterator[Objective]:
        """Yield objectives of good requests of all requests."""
        errors = {v.service: v.number for v in self._values("errors")}
        burning = {(v.service, v.name): v.number for v in self._values(BURN)}
        failing = {(v.service, v.name): v.number for v in self._values("pyrra errors")}
        for rule in (RATIO, PYRRA):
            for value in self._values(rule):
                budget = 1 - value.number
                key = (value.service, value.name)
                burn = burning.get(key) if rule == RATIO else _part(failing.get(key), budget)
                if burn is None and not value.name:
                    burn = _part(errors.get(value.service), budget)
                slow = bool(_SLOW.search(value.name))
                yield Objective(
                    service=value.service,
                    signal=f"slo:{value.name}" if slow else Signal.ERROR_RATIO.value,
                    threshold=budget,
                    target_ratio=value.number,
                    burn_rate=burn,
                    source=self._found[rule][0],
                )

    def latencies(self) -> Iterator[Objective]:
        """Yield objectives of the worst acceptable latency."""
        targets = {v.service: v.number for v in self._values(RATIO)}
        for value in self._values(LATENCY):
            yield Objective(
                service=value.service,
                signal=Signal.LATENCY_P99.value,
                threshold=value.number,
                target_ratio=targets.get(value.service, 0.99),
                burn_rate=None,
                source=self._found[LATENCY][0],
            )

    def _values(self, rule: str) -> list[_Value]:
        samples = self._found[rule][1] if rule in self._found else ()
        return [value for value in map(_value, samples) if value is not None]


async def _recorded(client: Prometheus) -> str:
    names = await client.names()
    return "objectives recorded" if {RATIO, LATENCY, PYRRA} & names else "no objectives recorded"


def _pyrra_errors(need: Need) -> str:
    range_s = max(120, round(need.window.seconds))
    bad, every = (f"sum by (slo, service)(rate({name}[{range_s}s]))" for name in PYRRA_COUNTS)
    return f"{bad} / {every}"


def _part(errors: float | None, budget: float) -> float | None:
    return errors / budget if errors is not None and budget > 0 else None


def _ask(client: Prometheus, promql: str, need: Need) -> Ask[list[Sample]]:
    source = Source(
        system="prometheus",
        query=promql,
        window=need.window,
        link=client.graph_url(promql, need.window),
    )
    return Ask(
        source=source,
        call=lambda: client.instant(promql, need.window.end),
        found=counted("values"),
        wanted="objectives",
    )


def _value(sample: Sample) -> _Value | None:
    metric: Any = sample.get("metric") or {}
    service = next((metric[label] for label in SERVICE if metric.get(label)), "")
    name = next((metric[label] for label in NAME if metric.get(label)), "")
    try:
        number = float((sample.get("value") or (0, "nan"))[1])
    except (TypeError, ValueError, IndexError):
        return None
    if not service or number != number:
        return None
    return _Value(service=str(service), name=str(name), number=number)
