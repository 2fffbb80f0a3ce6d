"""One PagerDuty account: what can be done to its incidents, and what each deed tells."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.domain.time import Clock
from bot.sandbox.pagerduty.directory import Directory, identity
from bot.sandbox.pagerduty.records import (
    ACKNOWLEDGED,
    HIGH,
    LOW,
    RESOLVED,
    TRIGGERED,
    Alert,
    Event,
    Incident,
    Json,
    Note,
    Responder,
    Wrong,
    invalid,
)
from bot.sandbox.pagerduty.shapes import Shapes, pointer

MOST_INCIDENTS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What opens an incident."""

    service: str
    title: str
    key: str = ""
    urgency: str = HIGH
    priority: str = ""


class Account:
    """Incidents in memory. Every deed is told to `listeners` as the webhook event that it causes.

    `by` is the id of the user who does it, "" for monitoring.
    """

    def __init__(self, clock: Clock, directory: Directory) -> None:
        self.clock, self.directory = clock, directory
        self.incidents: dict[str, Incident] = {}
        self.shapes = Shapes(directory.names)
        self.events: list[Event] = []
        self.listeners: list[Callable[[Event], None]] = []
        self.called: list[tuple[str, str]] = []  # (incident, user): whose telephone rang, in order

    def get(self, incident_id: str) -> Incident:
        """Return an incident. Raises: Wrong 404."""
        found = self.incidents.get(incident_id)
        if found is None:
            raise Wrong(404, "Not Found", code=2100)
        return found

    def open(self, opening: Opening, by: str = "") -> Incident:
        """Open an incident: who is on call at the first level has it. Raises: Wrong."""
        service = self.directory.services.get(opening.service)
        if service is None:
            raise invalid("Service cannot be found")
        if len(self.incidents) >= MOST_INCIDENTS:
            raise Wrong(429, "Too many incidents in this sandbox")
        number = len(self.incidents) + 1
        now = self.clock.now()
        incident = Incident(
            id=identity("incident", str(number)),
            number=number,
            key=opening.key or identity("key", str(number)),
            title=opening.title,
            service=service.id,
            policy=service.policy,
            at=now,
            changed_at=now,
            changed_by=by,
            urgency=opening.urgency,
            priority=opening.priority,
        )
        self.incidents[incident.id] = incident
        self._assign(incident, self.directory.on_call(incident.policy, 1))
        self._tell("triggered", incident, by)
        return incident

    def alert(self, incident: Incident, alert: Alert) -> None:
        """Add an alert to an open incident."""
        incident.alerts.append(alert)

    def acknowledge(self, incident: Incident, by: str) -> None:
        """Somebody has it: nobody more is called. Raises: Wrong."""
        self._open(incident)
        incident.acknowledged[by or next(iter(incident.assigned), "")] = self.clock.now()
        self._status(incident, ACKNOWLEDGED, by)

    def unacknowledge(self, incident: Incident, by: str = "") -> None:
        """The acknowledgement timed out. Raises: Wrong."""
        self._open(incident)
        incident.acknowledged.clear()
        self._status(incident, TRIGGERED, by, kind="unacknowledged")

    def resolve(self, incident: Incident, by: str = "") -> None:
        """It is over, and so are its alerts. Raises: Wrong."""
        self._open(incident)
        for alert in incident.alerts:
            alert.status = RESOLVED
        incident.assigned.clear()
        self._status(incident, RESOLVED, by)

    def reopen(self, incident: Incident, by: str) -> None:
        """It was not over. Raises: Wrong."""
        if incident.status != RESOLVED:
            raise invalid("Incident is not resolved")
        incident.acknowledged.clear()
        self._assign(incident, self.directory.on_call(incident.policy, 1))
        self._status(incident, TRIGGERED, by, kind="reopened")

    def escalate(self, incident: Incident, level: int, by: str) -> None:
        """Whoever is on call at the level has it now. Raises: Wrong."""
        self._open(incident)
        called = self.directory.on_call(incident.policy, level)
        if not called:
            raise invalid("Escalation level is invalid")
        incident.level = level
        self._hand_over(incident, called, by, "escalated")

    def reassign(self, incident: Incident, users: Sequence[str], by: str) -> None:
        """Give it to others. Raises: Wrong."""
        self._open(incident)
        if not users or not set(users) <= set(self.directory.users):
            raise invalid("Assignee cannot be found")
        self._hand_over(incident, users, by, "reassigned")

    def prioritise(self, incident: Incident, priority: str, by: str) -> None:
        """Say how important it is; "" takes that away. Raises: Wrong."""
        if priority and priority not in self.directory.priorities:
            raise invalid("Priority cannot be found")
        incident.priority = priority
        self._touch(incident, by)
        self._tell("priority_updated", incident, by)

    def urge(self, incident: Incident, urgency: str, by: str) -> None:
        """Set the urgency: one that becomes high calls whoever has it. Raises: Wrong."""
        self._open(incident)
        if urgency not in (HIGH, LOW):
            raise invalid("Urgency must be one of high, low")
        louder = (incident.urgency, urgency) == (LOW, HIGH)
        incident.urgency = urgency
        self._touch(incident, by)
        if louder:
            self.called += [(incident.id, user) for user in incident.assigned]

    def note(self, incident: Incident, content: str, by: str) -> Note:
        """Write on an incident, open or not. Raises: Wrong."""
        if not content.strip() or len(content) > 25_000:
            raise invalid("Content is invalid")
        name = identity("note", incident.id, str(len(incident.notes)))
        note = Note(id=name, user=by, content=content, at=self.clock.now())
        incident.notes.append(note)
        data: Json = {
            "incident": pointer(incident) | {"summary": incident.title},
            "id": note.id,
            "content": content[:2_000],
            "trimmed": len(content) > 2_000,
            "type": "incident_note",
        }
        self._tell("annotated", incident, by, data)
        return note

    def ask(self, incident: Incident, users: Sequence[str], message: str, by: str) -> None:
        """Ask more people to respond; who is asked already is not asked again. Raises: Wrong."""
        self._open(incident)
        if not users or not set(users) <= set(self.directory.users):
            raise invalid("Responder request target cannot be found")
        for user in (u for u in users if u not in {r.user for r in incident.responders}):
            asked = Responder(user=user, requester=by, message=message, at=self.clock.now())
            incident.responders.append(asked)
            self.called.append((incident.id, user))
            self._tell("responder.added", incident, by, self._told_of(incident, asked))

    def _told_of(self, incident: Incident, responder: Responder) -> Json:
        return {
            "incident": pointer(incident),
            "user": self.shapes.user(responder.user),
            "escalation_policy": None,
            "message": responder.message,
            "state": responder.state,
            "type": "incident_responder",
        }

    def _hand_over(self, incident: Incident, users: Sequence[str], by: str, kind: str) -> None:
        incident.acknowledged.clear()
        self._assign(incident, users)
        self._status(incident, TRIGGERED, by, kind=kind)

    def _assign(self, incident: Incident, users: Sequence[str]) -> None:
        now = self.clock.now()
        incident.assigned = dict.fromkeys(users, now)
        if incident.urgency == HIGH:
            self.called += [(incident.id, user) for user in users]

    def _open(self, incident: Incident) -> None:
        if incident.status == RESOLVED:
            raise invalid("Incident Already Resolved")

    def _status(self, incident: Incident, status: str, by: str, *, kind: str = "") -> None:
        incident.status = status
        self._touch(incident, by)
        self._tell(kind or status, incident, by)

    def _touch(self, incident: Incident, by: str) -> None:
        incident.changed_at, incident.changed_by = self.clock.now(), by

    def _tell(self, kind: str, incident: Incident, by: str, data: Json | None = None) -> None:
        event = Event(
            id=identity("event", str(len(self.events))) + f"{len(self.events):019d}",
            kind=f"incident.{kind}",
            incident=incident.id,
            at=self.clock.now(),
            agent=self.shapes.user(by) if by else None,
            data=data or self.shapes.told(incident),
        )
        self.events.append(event)
        for listener in self.listeners:
            listener(event)
