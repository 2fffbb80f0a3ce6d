"""PagerDuty's contract in JSON Schema, in our own words: what the client sends, what it gets.

Written after PagerDuty's OpenAPI (REST API 2.0.0, Events API 2.0) and its webhooks' documentation;
nothing but what this project uses. Every object of a request is closed.
"""

from typing import Any

Schema = dict[str, Any]
ID = {"type": "string", "pattern": "^[A-Z0-9]{5,32}$"}
TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"}
STATUS = {"enum": ["triggered", "acknowledged", "resolved"]}
URGENCY = {"enum": ["high", "low"]}
TEXT = {"type": "string", "minLength": 1}


def closed(required: dict[str, Any], **optional: Any) -> Schema:
    return {
        "type": "object",
        "properties": required | optional,
        "required": sorted(required),
        "additionalProperties": False,
    }


def open_(required: dict[str, Any], **optional: Any) -> Schema:
    return closed(required, **optional) | {"additionalProperties": True}


def many(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def maybe(schema: Schema) -> Schema:
    return {"anyOf": [{"type": "null"}, schema]}


def ref(*kinds: str) -> Schema:
    return open_(
        {"id": ID, "type": {"enum": list(kinds)}, "summary": TEXT},
        self={"type": "string", "pattern": "^https://"},
        html_url={"type": ["string", "null"], "pattern": "^https://"},
    )


def page(name: str, items: Schema) -> Schema:
    number = {"type": "integer", "minimum": 0}
    return closed(
        {name: many(items), "limit": number, "offset": number, "more": {"type": "boolean"},
         "total": {"type": ["integer", "null"]}}
    )  # fmt: skip


USER, SERVICE = ref("user_reference"), ref("service_reference")
RESPONDER = open_(
    {"state": {"enum": ["pending", "joined", "declined"]}, "user": USER, "message": TEXT,
     "incident": ref("incident_reference"), "requester": USER, "requested_at": TIME}
)  # fmt: skip
INCIDENT = open_(
    {
        "id": ID, "type": {"const": "incident"}, "summary": TEXT, "title": TEXT,
        "incident_number": {"type": "integer", "minimum": 1}, "created_at": TIME,
        "updated_at": TIME, "status": STATUS, "incident_key": {"type": ["string", "null"]},
        "service": SERVICE, "escalation_policy": ref("escalation_policy_reference"),
        "assignments": many(closed({"at": TIME, "assignee": USER})),
        "acknowledgements": many(closed({"at": TIME, "acknowledger": USER})),
        "last_status_change_at": TIME, "urgency": URGENCY,
        "last_status_change_by": ref("user_reference", "service_reference"),
        "priority": maybe(ref("priority", "priority_reference")),
        "teams": many(ref("team_reference")),
        "alert_counts": closed(
            {state: {"type": "integer"} for state in ("all", "triggered", "resolved")}
        ),
        "incidents_responders": many(RESPONDER),
    }
)  # fmt: skip
NOTE = open_({"id": ID, "user": USER, "content": TEXT, "created_at": TIME})
ON_CALL = open_(
    {"escalation_policy": ref("escalation_policy_reference"), "user": USER,
     "escalation_level": {"type": "integer", "minimum": 1}, "start": maybe(TIME),
     "end": maybe(TIME), "schedule": maybe(ref("schedule_reference"))}
)  # fmt: skip
FULL_USER = open_({"id": ID, "type": {"const": "user"}, "name": TEXT, "email": TEXT})
ALERT = open_(
    {"id": ID, "type": {"const": "alert"}, "status": {"enum": ["triggered", "resolved"]},
     "alert_key": TEXT, "severity": {"enum": ["critical", "error", "warning", "info"]},
     "service": SERVICE, "incident": ref("incident_reference"), "created_at": TIME}
)  # fmt: skip

ERROR = closed({"error": closed({"message": TEXT, "code": {"type": "integer"}}, errors=many(TEXT))})

ANSWERS: dict[str, Schema] = {
    "GET /incidents": page("incidents", INCIDENT),
    "POST /incidents": closed({"incident": INCIDENT}),
    "GET /incidents/{id}": closed({"incident": INCIDENT}),
    "PUT /incidents/{id}": closed({"incident": INCIDENT}),
    "GET /incidents/{id}/notes": closed({"notes": many(NOTE)}),
    "POST /incidents/{id}/notes": closed({"note": NOTE}),
    "GET /incidents/{id}/alerts": page("alerts", ALERT),
    "POST /incidents/{id}/responder_requests": closed({"responder_request": open_(
        {"requester": USER, "requested_at": TIME, "message": TEXT,
         "responder_request_targets": many(open_({"responder_request_target": open_(
             {"id": ID, "type": TEXT, "incident_responders": many(RESPONDER)})}))})}),
    "GET /oncalls": page("oncalls", ON_CALL),
    "GET /users": page("users", FULL_USER),
    "GET /users/{id}": closed({"user": FULL_USER}),
    "GET /change_events": page("change_events", {"type": "object"}),
}  # fmt: skip

_KINDS = ("user", "priority", "service", "escalation_policy")
_REF = closed({"id": ID, "type": {"enum": [f"{kind}_reference" for kind in _KINDS]}})
REQUESTS: dict[str, Schema] = {
    "PUT /incidents/{id}": closed({"incident": closed(
        {"type": {"enum": ["incident", "incident_reference"]}},
        status={"enum": ["acknowledged", "resolved"]}, urgency=URGENCY, priority=maybe(_REF),
        title=TEXT, escalation_level={"type": "integer", "minimum": 1, "maximum": 20},
        assignments=many(closed({"assignee": _REF})))}),
    "POST /incidents/{id}/notes": closed({"note": closed({"content": TEXT})}),
    "POST /incidents": closed({"incident": closed(
        {"type": {"const": "incident"}, "title": TEXT, "service": _REF}, urgency=URGENCY,
        priority=_REF, incident_key=TEXT)}),
    "POST /incidents/{id}/responder_requests": closed(
        {"requester_id": ID, "message": TEXT, "responder_request_targets": many(closed(
            {"responder_request_target": closed({"id": ID, "type": {
                "enum": ["user_reference", "escalation_policy_reference"]}})}))}),
}  # fmt: skip

EVENT = closed({"event": closed({
    "id": {"type": "string", "pattern": "^[A-Z0-9]{26}$"},
    "event_type": {"enum": [f"incident.{k}" for k in (
        "triggered", "acknowledged", "unacknowledged", "resolved", "reopened", "escalated",
        "reassigned", "priority_updated", "annotated", "responder.added")]},
    "resource_type": {"const": "incident"}, "occurred_at": TIME,
    "agent": maybe(ref("user_reference", "inbound_integration_reference")),
    "client": maybe({"type": "object"}), "data": {"oneOf": [
        open_({"type": {"const": "incident"}, "id": ID, "number": {"type": "integer"},
               "status": STATUS, "title": TEXT, "service": SERVICE, "assignees": many(USER),
               "urgency": URGENCY, "priority": maybe(ref("priority_reference")),
               "escalation_policy": ref("escalation_policy_reference"), "created_at": TIME,
               "resolve_reason": maybe({"type": "object"})}),
        open_({"type": {"const": "incident_note"}, "id": ID, "content": TEXT,
               "trimmed": {"type": "boolean"}, "incident": ref("incident_reference")}),
        open_({"type": {"const": "incident_responder"}, "user": USER, "message": TEXT,
               "incident": ref("incident_reference"), "state": TEXT}),
    ]}})})  # fmt: skip
