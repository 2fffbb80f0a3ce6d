"""What a PagerDuty account holds: people, services, incidents and what happened to them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = dict[str, Any]
TRIGGERED, ACKNOWLEDGED, RESOLVED = "triggered", "acknowledged", "resolved"
HIGH, LOW = "high", "low"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person, or an integration's own user."""

    id: str
    name: str
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """An escalation policy: who is called at each level, the first first."""

    id: str
    name: str
    levels: tuple[tuple[str, ...], ...]  # ids of users


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service and the key by which monitoring reaches it."""

    id: str
    name: str
    policy: str
    routing_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What somebody wrote on an incident."""

    id: str
    user: str
    content: str
    at: datetime


@dataclass(slots=True, kw_only=True)
class Responder:
    """Somebody who was asked to help. `state`: pending, joined, declined."""

    user: str
    requester: str
    message: str
    at: datetime
    state: str = "pending"


@dataclass(slots=True, kw_only=True)
class Alert:
    """What monitoring reported, under its own key."""

    id: str
    key: str
    summary: str
    severity: str
    at: datetime
    body: Json
    status: str = TRIGGERED


@dataclass(slots=True, kw_only=True)
class Incident:
    """One incident as it is now."""

    id: str
    number: int
    key: str
    title: str
    service: str
    policy: str
    at: datetime
    changed_at: datetime
    changed_by: str = ""  # id of a user, "" for monitoring
    status: str = TRIGGERED
    urgency: str = HIGH
    priority: str = ""  # id of a priority
    level: int = 1
    assigned: dict[str, datetime] = field(default_factory=dict)  # since when, by ids of users
    acknowledged: dict[str, datetime] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    responders: list[Responder] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What a webhook tells: `data` is the resource as it was at that moment."""

    id: str
    kind: str  # "incident.triggered"
    incident: str
    at: datetime
    agent: Json | None
    data: Json


class Wrong(Exception):
    """A call that PagerDuty does not take: its HTTP status, its own code, and what is wrong."""

    def __init__(self, status: int, message: str, *errors: str, code: int = 2001) -> None:
        super().__init__(message)
        self.status, self.message, self.errors, self.code = status, message, errors, code

    @property
    def body(self) -> Json:
        """The error object as PagerDuty sends it."""
        error: Json = {"message": self.message, "code": self.code}
        return {"error": error | ({"errors": list(self.errors)} if self.errors else {})}


def invalid(*errors: str) -> Wrong:
    """Return "Invalid Input Provided" with the reasons."""
    return Wrong(400, "Invalid Input Provided", *errors)
