"""Alertmanager's webhook, version 4: one signal for each alert of the notification.

Source: Prometheus documentation, Alertmanager configuration, `webhook_config`.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.domain.errors import Malformed
from bot.domain.signal import Origin, Phase, Severity, Signal
from bot.intake.fields import Json, items, mapping, moment, severity, text, texts
from bot.intake.places import Places

VERSION = "4"
MOST_ALERTS = 20_000  # of one notification
_SERVICES = (
    "service_name", "service", "app_kubernetes_io_name", "app", "application", "deployment",
    "statefulset", "daemonset", "destination_workload", "container",
)  # fmt: skip
_SEVERITIES = ("severity", "priority", "level")
_TITLES = ("summary", "title", "message", "description")
_TEXTS = ("description", "message", "runbook_url", "dashboard_url")
_LINKS = ("dashboard_url", "runbook_url")
_PHASES = {"firing": Phase.FIRING, "resolved": Phase.RESOLVED}


def signals_of(
    body: Any, environment: str, received: datetime, places: Places
) -> tuple[Signal, ...]:
    """Return a signal for each alert. Raises: Malformed: it is no notification of version 4."""
    if text(body, "version") != VERSION:
        raise Malformed(f'version: expected "{VERSION}"')
    alerts = items(body, "alerts")
    if not alerts or len(alerts) > MOST_ALERTS:
        raise Malformed(f"alerts: expected a list of 1 to {MOST_ALERTS} alerts")
    link = text(body, "externalURL")
    return tuple(_signal(alert, environment, received, places, link) for alert in alerts)


def _signal(alert: Any, environment: str, received: datetime, places: Places, link: str) -> Signal:
    labels, notes = texts(mapping(alert, "labels")), texts(mapping(alert, "annotations"))
    status = text(alert, "status")
    if status not in _PHASES or not labels:
        raise Malformed("alerts: each needs labels, and the status firing or resolved")
    place = environment or places.labelled(labels)
    phase, starts = _PHASES[status], text(alert, "startsAt")
    subject = f"alertmanager:{place}:{_fingerprint(alert, labels)}"
    began = moment(starts)
    ended = moment(mapping(alert).get("endsAt")) if phase is Phase.RESOLVED else began
    return Signal(
        key=f"{subject}:{starts}:{status}",
        origin=Origin.ALERTMANAGER,
        subject=subject,
        phase=phase,
        title=_title(labels, notes),
        at=min(ended or received, received),
        severity=_severity(labels),
        environment=place,
        services=_services(labels),
        text="\n".join(notes[name] for name in _TEXTS if name in notes),
        link=_link(alert, notes, link),
        labels=labels,
        event=labels.get("alertname", ""),
        began=began,
    )


def _fingerprint(alert: Json, labels: Mapping[str, str]) -> str:
    """Return Alertmanager's own, or one of the labels: they are what makes an alert the same."""
    given = text(alert, "fingerprint")
    if given:
        return given
    return hashlib.sha256(json.dumps(labels, sort_keys=True).encode()).hexdigest()[:16]


def _title(labels: Mapping[str, str], notes: Mapping[str, str]) -> str:
    said = next((notes[name] for name in _TITLES if name in notes), "")
    return said.splitlines()[0] if said else labels.get("alertname", "an alert without a name")


def _severity(labels: Mapping[str, str]) -> Severity:
    return next((severity(labels[n]) for n in _SEVERITIES if n in labels), Severity.WARNING)


def _services(labels: Mapping[str, str]) -> tuple[str, ...]:
    """Return the services that labels name; the scrape job only when nothing else does."""
    named = tuple(dict.fromkeys(labels[name] for name in _SERVICES if name in labels))
    return named or tuple(labels[name] for name in ("job",) if name in labels)


def _link(alert: Json, notes: Mapping[str, str], outside: str) -> str:
    found = (*(notes.get(name, "") for name in _LINKS), text(alert, "generatorURL"), outside)
    return next((link for link in found if link.startswith("https://")), "")
