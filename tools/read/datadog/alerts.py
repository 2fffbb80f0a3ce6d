"""Alerts of Datadog's monitors, from the events that they write: what fired last and still does."""

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

from bot.domain.environment import Environment
from bot.domain.needs import Fact, Need
from bot.domain.redaction import redact
from bot.domain.snapshot import Alert, BlindSpot, Snapshot, Source
from tools.asking import Ask, ask
from tools.clients.datadog import Datadog
from tools.clients.moments import moment_of
from tools.contract import ReadTool

FIRING = {"error": "critical", "critical": "critical", "warn": "warning", "warning": "warning"}
MAX_LABELS = 40


class DatadogAlerts(ReadTool):
    """Monitors that fired in the window, by group; those that recovered since are left out."""

    name: ClassVar[str] = "datadog.alerts"
    system: ClassVar[str] = "metrics"
    answers: ClassVar[Fact] = Fact.ALERTS
    timeout_s: ClassVar[float] = 9.0

    def __init__(self, environment: Environment, client: Datadog) -> None:
        self._environment, self._client = environment, client
        tags = " ".join(f"{k}:{v}" for k, v in client.tags.items())
        self._query = f"{tags} source:alert".strip()

    @classmethod
    def for_environment(cls, environment: Environment) -> "DatadogAlerts | None":
        """Return the tool, None when Datadog's events are not read. Raises: NotConfigured."""
        client = Datadog.of(environment, "events")
        return cls(environment, client) if client else None

    async def check(self) -> str:
        """Return which alerts are read. Raises: Unavailable, Refused, Malformed."""
        await self._client.validate()
        return f"Datadog alerts of {self._query}"

    async def read(self, need: Need) -> Snapshot:
        """Return the alerts that fire. Raises: Unavailable, Refused, Malformed."""
        source = Source(
            system="datadog",
            query=self._query,
            window=need.window,
            link=self._client.link("event/explorer", self._query, need.window),
        )
        page = await ask(
            Ask(
                source=source,
                call=partial(self._client.events, self._query, need.window),
                found=lambda found: f"{len(found.items)} events of alerts",
                wanted="the alerts that fire",
            )
        )
        newest: dict[str, Alert | None] = {}
        for raw in page.items:  # newest first: the first of a group is its state
            group, alert = _alert(raw, source)
            newest.setdefault(group, alert)
        alerts = [alert for alert in newest.values() if alert]
        spots = list(page.warnings)
        if page.cursor:
            spots.append(f"looked at the newest {len(page.items)} events, there are more")
        return Snapshot(
            environment=self._environment.name,
            window=need.window,
            now=need.window.end,
            alerts=tuple(
                a for a in alerts if not need.services or a.service in {*need.services, None}
            ),
            blind_spots=tuple(
                BlindSpot(system="metrics", reason=s, wanted="Datadog's alerts") for s in spots
            ),
        )


def _alert(raw: Mapping[str, Any], source: Source) -> tuple[str, Alert | None]:
    """Return the monitor's group, and its alert if it fires."""
    outer = _object(raw.get("attributes"))
    about = _object(outer.get("attributes"))
    monitor = _object(about.get("monitor"))
    title = str(about.get("title") or outer.get("message") or "")
    labels = _labels(outer.get("tags"))
    group = str(about.get("aggregation_key") or (monitor.get("id"), sorted(labels.items())))
    severity = FIRING.get(str(about.get("status") or "").lower())
    if severity is None:
        return group, None
    alert = Alert(
        name=str(monitor.get("name") or title)[:200] or "unnamed",
        service=str(about.get("service") or "") or labels.get("service"),
        severity=severity,
        summary=redact(title)[:500],
        started_at=moment_of(outer.get("timestamp")),
        labels={**labels, "alertstate": "firing"},
        source=source,
    )
    return group, alert


def _labels(raw: Any) -> dict[str, str]:
    found = (str(tag).partition(":") for tag in (raw if isinstance(raw, list) else [])[:MAX_LABELS])
    return {key: redact(value) for key, _, value in found if value}


def _object(raw: Any) -> Mapping[str, Any]:
    return raw if isinstance(raw, Mapping) else {}
