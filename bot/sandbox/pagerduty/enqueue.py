"""The Events API, version 2: monitoring triggers, acknowledges and resolves under its own keys."""

from typing import Any

from bot.sandbox.pagerduty.account import Account, Opening
from bot.sandbox.pagerduty.calls import Answer, Call
from bot.sandbox.pagerduty.directory import identity
from bot.sandbox.pagerduty.records import (
    HIGH,
    LOW,
    RESOLVED,
    Alert,
    Incident,
    Json,
    Service,
    Wrong,
)

FIELDS = frozenset(
    ("routing_key", "event_action", "dedup_key", "payload", "client", "client_url", "links",
     "images")
)  # fmt: skip
ACTIONS = ("trigger", "acknowledge", "resolve")
SEVERITIES = {"critical": HIGH, "error": HIGH, "warning": LOW, "info": LOW}


def enqueue(account: Account, call: Call) -> Answer:
    """Take one event and return 202 with its key, or 400 with what is wrong."""
    try:
        key = _taken(account, call.json())
    except Wrong as wrong:
        body = {"status": "invalid event", "message": wrong.message, "errors": list(wrong.errors)}
        return Answer(status=wrong.status, body=body)
    return Answer(
        status=202, body={"status": "success", "message": "Event processed", "dedup_key": key}
    )


def _taken(account: Account, body: Json) -> str:
    strange = sorted(set(body) - FIELDS)
    if strange:
        raise _bad(f"{strange[0]!r} is not a field of an event")
    action, key = body.get("event_action"), str(body.get("dedup_key") or "")
    if action not in ACTIONS:
        raise _bad("'event_action' must be one of trigger, acknowledge, resolve")
    service = account.directory.by_key(str(body.get("routing_key") or ""))
    if len(key) > 255 or (action != "trigger" and not key):
        raise _bad("'dedup_key' is missing or too long")
    incident = _open_under(account, service, key)
    if action == "trigger":
        return _trigger(account, service, incident, body)
    if incident is not None:
        (account.acknowledge if action == "acknowledge" else account.resolve)(incident, "")
    return key


def _trigger(account: Account, service: Service, known: Incident | None, body: Json) -> str:
    payload: Any = body.get("payload")
    if not isinstance(payload, dict):
        raise _bad("'payload' is missing or no object")
    summary, severity = payload.get("summary"), payload.get("severity")
    if not isinstance(summary, str) or not 0 < len(summary) <= 1_024:
        raise _bad("'payload.summary' is missing or too long")
    if severity not in SEVERITIES or not isinstance(payload.get("source"), str):
        raise _bad("'payload.severity' or 'payload.source' is missing or invalid")
    key = str(body.get("dedup_key") or identity("dedup", str(len(account.events))))
    opening = Opening(service=service.id, title=summary, key=key, urgency=SEVERITIES[severity])
    incident = known or account.open(opening)
    if not any(alert.key == key for alert in incident.alerts):
        name = identity("alert", incident.id, str(len(incident.alerts)))
        details: Json = {**(payload.get("custom_details") or {}), "source": payload["source"]}
        account.alert(
            incident,
            Alert(
                id=name, key=key, summary=summary, severity=severity, at=account.clock.now(),
                body=details,
            ),
        )  # fmt: skip
    return key


def _open_under(account: Account, service: Service, key: str) -> Incident | None:
    for incident in account.incidents.values():
        if incident.service == service.id and incident.key == key and incident.status != RESOLVED:
            return incident
    return None


def _bad(why: str) -> Wrong:
    return Wrong(400, "Event object is invalid", why)
