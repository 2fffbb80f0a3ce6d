"""Incidents and what belongs to them as PagerDuty's REST API and its webhooks show them.

Source: PagerDuty REST API v2 (OpenAPI), and "Webhooks v3: event data types" of its documentation.
"""

from datetime import UTC, datetime

from bot.sandbox.pagerduty.records import Alert, Incident, Json, Note, Responder

API = "https://api.pagerduty.com"
SITE = "https://sandbox.pagerduty.com"


def iso(at: datetime) -> str:
    """Return a moment as PagerDuty writes it: UTC, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def reference(kind: str, id_: str, summary: str) -> Json:
    """Return a reference to something: `kind` is "user", "service" or the like."""
    place = "priorities" if kind == "priority" else f"{_plural(kind)}/{id_}"
    return {
        "id": id_,
        "type": f"{kind}_reference",
        "summary": summary,
        "self": f"{API}/{_plural(kind)}/{id_}",
        "html_url": f"{SITE}/{place}",
    }


def _plural(kind: str) -> str:
    return {"priority": "priorities", "escalation_policy": "escalation_policies"}.get(
        kind, f"{kind}s"
    )


def pointer(incident: Incident) -> Json:
    """Return a reference to an incident."""
    return reference("incident", incident.id, incident.title)


class Shapes:
    """Draws the records of one account; `names` are those of users, services, policies by id."""

    def __init__(self, names: dict[str, str]) -> None:
        self._names = names

    def user(self, id_: str) -> Json:
        """Return a reference to a user."""
        return reference("user", id_, self._names[id_])

    def incident(self, incident: Incident) -> Json:
        """Return an incident as the REST API shows it."""
        states = [alert.status for alert in incident.alerts]
        return {
            **pointer(incident),
            "type": "incident",
            "summary": f"[#{incident.number}] {incident.title}",
            "incident_number": incident.number,
            "title": incident.title,
            "description": incident.title,
            "created_at": iso(incident.at),
            "updated_at": iso(incident.changed_at),
            "status": incident.status,
            "incident_key": incident.key,
            **self._places(incident),
            "priority": self._priority(incident),
            "assignments": [
                {"at": iso(at), "assignee": self.user(user)}
                for user, at in incident.assigned.items()
            ],
            "assigned_via": "escalation_policy",
            "acknowledgements": [
                {"at": iso(at), "acknowledger": self.user(user)}
                for user, at in incident.acknowledged.items()
            ],
            "last_status_change_at": iso(incident.changed_at),
            "last_status_change_by": self._changer(incident),
            "alert_counts": {
                "all": len(states),
                "triggered": states.count("triggered"),
                "resolved": states.count("resolved"),
            },
            "incidents_responders": [self.responder(incident, r) for r in incident.responders],
            "responder_requests": [],
            "pending_actions": [],
            "impacted_services": [],
            "is_mergeable": True,
        }

    def told(self, incident: Incident) -> Json:
        """Return an incident as a webhook tells it."""
        return {
            **pointer(incident),
            "type": "incident",
            "number": incident.number,
            "status": incident.status,
            "incident_key": incident.key,
            "created_at": iso(incident.at),
            "title": incident.title,
            "incident_type": {"name": "incident_default"},
            **self._places(incident),
            "assignees": [self.user(user) for user in incident.assigned],
        }

    def note(self, note: Note) -> Json:
        """Return a note as the REST API shows it."""
        return {
            "id": note.id,
            "user": self.user(note.user),
            "content": note.content,
            "created_at": iso(note.at),
            "channel": {"summary": "The PagerDuty website or APIs"},
        }

    def responder(self, incident: Incident, responder: Responder) -> Json:
        """Return one who was asked, as the REST API shows it."""
        return {
            "state": responder.state,
            "user": self.user(responder.user),
            "incident": pointer(incident),
            "updated_at": iso(responder.at),
            "message": responder.message,
            "requester": self.user(responder.requester),
            "requested_at": iso(responder.at),
        }

    def alert(self, incident: Incident, alert: Alert) -> Json:
        """Return an alert as the REST API shows it."""
        return {
            **reference("alert", alert.id, alert.summary),
            "type": "alert",
            "created_at": iso(alert.at),
            "status": alert.status,
            "alert_key": alert.key,
            "service": self._service(incident),
            "incident": pointer(incident),
            "severity": alert.severity,
            "suppressed": False,
            "body": {"type": "alert_body", "details": alert.body},
        }

    def _service(self, incident: Incident) -> Json:
        return reference("service", incident.service, self._names[incident.service])

    def _priority(self, incident: Incident) -> Json | None:
        """Return the priority in full: the REST API shows no reference here."""
        if not incident.priority:
            return None
        name = self._names[incident.priority]
        shown = reference("priority", incident.priority, name)
        return shown | {"type": "priority", "name": name, "html_url": None}

    def _changer(self, incident: Incident) -> Json:
        by = incident.changed_by
        return self.user(by) if by else self._service(incident)

    def _places(self, incident: Incident) -> Json:
        priority = incident.priority
        return {
            "service": self._service(incident),
            "escalation_policy": reference(
                "escalation_policy", incident.policy, self._names[incident.policy]
            ),
            "teams": [],
            "priority": reference("priority", priority, self._names[priority])
            if priority
            else None,
            "urgency": incident.urgency,
            "conference_bridge": None,
            "resolve_reason": None,
        }
