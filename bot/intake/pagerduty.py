"""PagerDuty webhooks v3: one event, told of one incident; events of anything else are passed over.

The event's own id, which the signature covers, is the key. The header `X-Webhook-Id` is the same
for all attempts of one delivery too, but whoever replays a body can write another one.
Source: PagerDuty developer documentation, "Webhooks v3" and "Behavior".
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bot.domain.errors import Malformed
from bot.domain.signal import Origin, Phase, Severity, Signal
from bot.intake.fields import Json, items, mapping, moment, severity, text

_FIRING = ("incident.triggered", "incident.reopened")
_RESOLVED = "incident.resolved"
_OF_INCIDENTS = "incident."
_BY_URGENCY = {"high": Severity.HIGH, "low": Severity.WARNING}
Details = dict[str, str]


def signals_of(body: Any, environment: str, received: datetime) -> tuple[Signal, ...]:
    """Return the event's signal; none for an event that is of no incident.

    Raises: Malformed: it is no event of webhooks v3, or names no incident.
    """
    event = mapping(body, "event")
    event_id, kind = text(event, "id"), text(event, "event_type")
    if not event_id or not kind:
        raise Malformed("event.id or event.event_type is missing")
    if not kind.startswith(_OF_INCIDENTS):
        return ()
    data = mapping(event, "data")
    incident = _incident(data)
    incident_id = text(incident, "id")
    if not incident_id:
        raise Malformed("event.data names no incident")
    at = moment(event.get("occurred_at")) or received
    return (
        Signal(
            key=f"pagerduty:{event_id}",
            origin=Origin.PAGERDUTY,
            subject=f"pagerduty:{incident_id}",
            phase=_phase(kind),
            title=text(incident, "title") or text(incident, "summary") or f"Incident {incident_id}",
            at=at,
            severity=_severity(incident),
            environment=environment,
            services=tuple(s for s in (text(incident, "service", "summary"),) if s),
            text=_said(data),
            link=text(incident, "html_url"),
            event=kind,
            details=_details(event, data, incident),
            began=moment(incident.get("created_at")),
        ),
    )


def _incident(data: Json) -> Json:
    """Return the incident an event is about: the event's own object, or the one it refers to."""
    if text(data, "type") == "incident":
        return data
    if mapping(data, "incident"):
        return mapping(data, "incident")
    roles = items(data, "incident_role_assignments")
    return mapping(roles[0], "incident") if roles else {}


def _phase(kind: str) -> Phase:
    if kind in _FIRING:
        return Phase.FIRING
    return Phase.RESOLVED if kind == _RESOLVED else Phase.UPDATED


def _severity(incident: Json) -> Severity:
    """Return the priority's severity; without one, what the urgency says."""
    priority = text(incident, "priority", "summary")
    if priority:
        return severity(priority)
    return _BY_URGENCY.get(text(incident, "urgency"), Severity.WARNING)


def _said(data: Json) -> str:
    """Return what a person wrote: a note, a status update, a request to a responder."""
    return text(data, "content") or text(data, "message")


def _details(event: Json, data: Json, incident: Json) -> Details:
    found: Details = {
        "agent": text(event, "agent", "summary"),
        "agent_id": text(event, "agent", "id"),
        "agent_type": text(event, "agent", "type"),
        "client": text(event, "client", "name"),
        "html_url": text(incident, "html_url"),
        **_of_incident(incident),
    }
    of_kind = _OF_KINDS.get(text(data, "type"))
    if of_kind is not None:
        found |= of_kind(data)
    return {name: said for name, said in found.items() if said}


def _of_incident(incident: Json) -> Details:
    assignees = [mapping(a) for a in items(incident, "assignees")]
    return {
        "status": text(incident, "status"),
        "priority": text(incident, "priority", "summary"),
        "urgency": text(incident, "urgency"),
        "assignees": ", ".join(text(a, "summary") for a in assignees),
        "assignee_ids": ", ".join(text(a, "id") for a in assignees),
        "assigned": str(len(assignees)) if isinstance(incident.get("assignees"), list) else "",
        "service": text(incident, "service", "summary"),
        "service_id": text(incident, "service", "id"),
        "escalation_policy": text(incident, "escalation_policy", "summary"),
        "escalation_policy_id": text(incident, "escalation_policy", "id"),
        "number": text(incident, "number"),
        "incident_key": text(incident, "incident_key"),
        "incident_type": text(incident, "incident_type", "name"),
        "resolve_reason": text(incident, "resolve_reason", "type"),
        "conference_url": text(incident, "conference_bridge", "conference_url"),
    }


def _note(data: Json) -> Details:
    return {"note": text(data, "content"), "note_id": text(data, "id")}


def _update(data: Json) -> Details:
    return {"status_update": text(data, "message")}


def _responder(data: Json) -> Details:
    return {
        "responder": text(data, "user", "summary"),
        "responder_id": text(data, "user", "id"),
        "responder_state": text(data, "state"),
        "message": text(data, "message"),
        "escalation_policy": text(data, "escalation_policy", "summary"),
    }


def _bridge(data: Json) -> Details:
    return {"conference_url": text(data, "conference_url")}


def _fields(data: Json) -> Details:
    """Return the custom fields that changed, "field.<name>" each."""
    changed = (mapping(f) for f in items(data, "changed_custom_fields"))
    return {f"field.{text(f, 'name')}": text(f, "value") for f in changed if text(f, "name")}


def _workflow(data: Json) -> Details:
    return {"workflow": text(data, "incident_workflow", "summary") or text(data, "summary")}


def _task(data: Json) -> Details:
    return {"task": text(data, "name"), "task_status": text(data, "status")}


def _action(data: Json) -> Details:
    return {"action": text(data, "action", "summary"), "action_state": text(data, "state")}


def _roles(data: Json) -> Details:
    assigned = [mapping(role) for role in items(data, "incident_role_assignments")]
    pairs = ((text(r, "role", "summary"), text(r, "assignee", "summary")) for r in assigned)
    return {"roles": ", ".join(f"{role}: {who or 'nobody'}" for role, who in pairs if role)}


_OF_KINDS: Mapping[str, Callable[[Json], Details]] = {
    "incident_note": _note,
    "incident_status_update": _update,
    "incident_responder": _responder,
    "incident_conference_bridge": _bridge,
    "incident_field_values": _fields,
    "incident_workflow_instance": _workflow,
    "incident_task": _task,
    "incident_action_invocation": _action,
    "incident_role_assignment": _roles,
}
