"""Alerts that fire now, or are pending, in the environment's namespaces."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from bot.domain.environment import Environment
from bot.domain.needs import Fact, Need
from bot.domain.redaction import redact
from bot.domain.snapshot import Alert, Snapshot, Source
from tools.asking import Ask, ask, counted
from tools.clients.moments import moment_of
from tools.clients.prometheus import Prometheus
from tools.contract import ReadTool
from tools.read.prometheus.several import Several

SERVICE_LABELS = ("service_name", "service", "app", "deployment", "statefulset", "job")
MAX_ALERTS = 500


class PrometheusAlerts(ReadTool):
    """Alerts as Prometheus' own rules see them."""

    name: ClassVar[str] = "prometheus.alerts"
    system: ClassVar[str] = "metrics"
    answers: ClassVar[Fact] = Fact.ALERTS

    def __init__(self, environment: Environment, clients: Sequence[Prometheus]) -> None:
        self._environment, self._servers = environment, Several(environment.name, clients)

    @classmethod
    def for_environment(cls, environment: Environment) -> "PrometheusAlerts | None":
        """Return the tool, None when the environment has no Prometheus. Raises: NotConfigured."""
        clients = Prometheus.all_of(environment)
        return cls(environment, clients) if clients else None

    async def check(self) -> str:
        """Return how many alerts are active. Raises: Unavailable."""
        return await self._servers.check(_counted)

    async def read(self, need: Need) -> Snapshot:
        """Return the alerts of the environment. Raises: Unavailable, Refused, Malformed."""
        return await self._servers.read(need, self._read)

    async def _read(self, client: Prometheus, need: Need) -> Snapshot:
        source = Source(
            system="prometheus",
            query="GET /api/v1/alerts",
            window=need.window,
            link=f"{client.link}/alerts",
        )
        found = await ask(
            Ask(
                source=source,
                call=client.alerts,
                found=counted("alerts"),
                wanted="the alerts that fire",
            )
        )
        ours = (raw for raw in found[:MAX_ALERTS] if self._ours(client, raw))
        alerts = tuple(_alert(raw, source) for raw in ours)
        services = set(need.services)
        return Snapshot(
            environment=self._environment.name,
            window=need.window,
            now=need.window.end,
            alerts=tuple(a for a in alerts if not services or a.service in {*services, None}),
        )

    def _ours(self, client: Prometheus, raw: Mapping[str, Any]) -> bool:
        labels = _texts(raw.get("labels"))
        here = all(labels.get(k, v) == v for k, v in client.matchers.items())
        return here and labels.get("namespace", "") in ("", *self._environment.namespaces)


async def _counted(client: Prometheus) -> str:
    return f"{len(await client.alerts())} alerts"


def _alert(raw: Mapping[str, Any], source: Source) -> Alert:
    labels = _texts(raw.get("labels"))
    notes = _texts(raw.get("annotations"))
    words = notes.get("summary") or notes.get("description") or notes.get("message") or ""
    return Alert(
        name=labels.get("alertname", "unnamed"),
        service=next((labels[name] for name in SERVICE_LABELS if labels.get(name)), None),
        severity=labels.get("severity", ""),
        summary=redact(words)[:500],
        started_at=moment_of(raw.get("activeAt")),
        labels={**labels, "alertstate": str(raw.get("state") or "firing")},
        source=source,
    )


def _texts(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        return {}
    return {str(k): str(v) for k, v in value.items()}
