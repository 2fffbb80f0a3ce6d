"""Bodies in the shape of each source, with words of our own."""

import json
from typing import Any

SERVICE = {"id": "PSVC1", "type": "service_reference", "summary": "Checkout"}
AGENT = {"id": "PUSR1", "type": "user_reference", "summary": "Kim"}
REFERENCE = {
    "id": "PINC1", "type": "incident_reference", "summary": "Checkout is slow",
    "html_url": "https://acme.pagerduty.com/incidents/PINC1",
}  # fmt: skip


def incident(**changes: Any) -> dict[str, Any]:
    return {
        "id": "PINC1", "type": "incident", "number": 7, "status": "triggered",
        "html_url": "https://acme.pagerduty.com/incidents/PINC1", "incident_key": "k1",
        "created_at": "2026-03-01T11:58:00Z", "title": "Checkout is slow", "service": SERVICE,
        "assignees": [AGENT, {"id": "PUSR2", "summary": "Ana"}], "teams": [],
        "escalation_policy": {"id": "PPOL1", "summary": "Shop"}, "urgency": "high",
        "priority": {"id": "PPRI1", "summary": "P1"}, "conference_bridge": None,
        "resolve_reason": None, "incident_type": {"name": "incident_default"}, **changes,
    }  # fmt: skip


def event(kind: str = "incident.triggered", data: Any = None, **changes: Any) -> dict[str, Any]:
    return {
        "event": {
            "id": "01EVENT", "event_type": kind, "resource_type": "incident",
            "occurred_at": "2026-03-01T11:59:00.123Z", "agent": AGENT, "client": None,
            "data": incident() if data is None else data, **changes,
        }
    }  # fmt: skip


def raw(value: Any) -> bytes:
    return json.dumps(value).encode()


def alert(name: str = "HighLatency", **changes: Any) -> dict[str, Any]:
    return {
        "status": "firing",
        "labels": {
            "alertname": name, "service": "checkout", "severity": "critical", "env": "production",
            "job": "kubernetes-pods",
        },
        "annotations": {"summary": f"{name} at checkout", "description": "p99 4.1 s"},
        "startsAt": "2026-03-01T11:50:00.123456789Z", "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus:9090/graph", "fingerprint": f"fp-{name}", **changes,
    }  # fmt: skip


def notification(*alerts: Any, **changes: Any) -> dict[str, Any]:
    return {
        "version": "4", "groupKey": "{}:{}", "truncatedAlerts": 0, "status": "firing",
        "receiver": "bot", "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {},
        "externalURL": "https://alerts.example", "alerts": list(alerts) or [alert()], **changes,
    }  # fmt: skip
