"""Alerts on their way to becoming one incident: what is known of each, and of the whole."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.domain.conversation import Head, Thread
from bot.domain.paging import Page
from bot.domain.signal import Origin, Received, Severity, Signal

OWN = "sig-"  # ids of incidents that signals made begin with it
ROOT = "root"  # how the keys of incidents' messages end
STORM = "storm"  # the origin of the incident that takes in what is too much for threads of its own


class State(StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    QUIET = "quiet"  # kept from people, with a reason
    RESOLVED = "resolved"


class Stage(StrEnum):
    """Where an incident's own investigation stands."""

    WAITING = "waiting"  # others run first
    STARTED = "started"
    SHED = "shed"  # too much at once; a person may ask


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One trouble as its source sees it: all signals with one subject.

    `service` is one of ours, or as the source calls it, or "". `flips`: how often it began to fire
    or stopped in this life. A life ends when it was silent for long.
    """

    subject: str
    origin: Origin
    environment: str
    service: str
    title: str
    severity: Severity
    firing: bool
    first_at: datetime
    last_at: datetime
    count: int
    flips: int
    flipped_at: datetime | None
    signal: Signal  # the newest
    incident_id: str = ""  # "": no incident yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One service's alerts in an incident."""

    service: str
    alerts: int
    firing: int
    severity: Severity
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One trouble as people see it. Moments are the wall's."""

    id: str
    environment: str
    title: str
    state: State
    severity: Severity
    service: str
    origin: str
    opened_at: datetime
    began_at: datetime | None
    quiet: str = ""  # why it is kept quiet
    alerts: int = 0
    version: int = 0
    shown: int = 0
    thread: Thread | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An incident that alerts may still join, with the services that make it up."""

    incident: Incident
    members: Mapping[str, Member]

    @property
    def last_at(self) -> datetime:
        """When its newest alert was heard of."""
        moments = [member.last_at for member in self.members.values()]
        return max(moments, default=self.incident.opened_at)

    @property
    def firing(self) -> int:
        """How many of its alerts fire."""
        return sum(member.firing for member in self.members.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What people taught: alerts like these are no incident here, or they are real.

    `worst`: the severity up to which they are known. Titles are compared by their signature.
    """

    id: str
    environment: str
    service: str
    signature: str
    noise: bool
    worst: Severity
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What one person said of the report on one incident."""

    incident_id: str
    service: str
    title: str
    severity: Severity
    healthy: bool  # the report said that nothing is wrong; else it named a cause
    right: bool
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What becomes of alerts: incidents to open or to keep quiet, and who joins which."""

    opened: tuple[Incident, ...] = ()
    joined: Mapping[str, str] = field(default_factory=dict)  # subject → incident id
    roots: Mapping[str, str] = field(default_factory=dict)  # incident id → where it begins now


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """All that an incident's one message shows."""

    incident: Incident
    members: tuple[Member, ...]
    origins: tuple[str, ...] = ()  # services where it begins, as far as calls between them tell
    head: Head | None = None  # where its investigation stands
    stage: Stage | None = None
    ahead: int = 0  # investigations that run first
    pager: Mapping[str, str] = field(default_factory=dict)  # status, priority, assignees, html_url
    pages: tuple[Page, ...] = ()  # as soon as more is known of them than that
    link: str = ""
    flapping: int = 0
    on_call: str = ""  # the Slack id of whom to mention, "" for nobody: it is not grave enough
    twin: str = ""  # the title of an open incident that turned out to have the same cause before


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is investigated at once in one environment; what is beyond waits or is shed."""

    running: int = 3
    waiting: int = 12
    stale_s: float = 900.0  # an investigation older than that holds no place


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where a service's incidents are told; service "": all others of the environment."""

    environment: str
    service: str
    channel: str
    set_by: str
    at: datetime


class TriageStore(Protocol):
    """Alerts and incidents as triage changes them. What raises has kept nothing."""

    async def alerts(self, subjects: Sequence[str]) -> Mapping[str, Alert]:
        """Return what is known of these subjects."""
        ...

    async def absorb(self, holder: str, batch: Sequence[Received], alerts: Sequence[Alert]) -> bool:
        """Keep the alerts and note the signals as dealt with, in one transaction.

        False, and nothing is kept: somebody else dealt with one of them, or holds the lease.
        """
        ...

    async def pending(self, environment: str) -> Sequence[Alert]:
        """Return the alerts that belong to no incident yet."""
        ...

    async def waiting_places(self) -> Sequence[str]:
        """Return the environments that have alerts without an incident."""
        ...

    async def quiet_ones(self, ids: Collection[str]) -> Collection[str]:
        """Return which of these incidents are kept quiet."""
        ...

    async def standing(self, environment: str, since: datetime) -> Sequence[Standing]:
        """Return the incidents made of signals that are open, or ended since then."""
        ...

    async def carry_out(self, holder: str, plan: Plan) -> bool:
        """Open and join as planned, in one transaction; False: the lease is somebody else's."""
        ...

    async def settle(self, holder: str, now: datetime) -> Sequence[str]:
        """Resolve what fires no more, reopen what fires again; return the incidents that changed.

        An alert of a source that never says that it is over counts as over when it falls silent.
        """
        ...

    async def forget(self, before: datetime) -> None:
        """Drop alerts that are over and of which nothing was heard since then."""
        ...

    async def incident(self, incident_id: str) -> Standing | None:
        """Return one incident."""
        ...

    async def untold(self, limit: int) -> Sequence[str]:
        """Return open incidents that have no thread yet, the worst first."""
        ...

    async def unshown(self, limit: int) -> Sequence[str]:
        """Return incidents whose thread shows an older state."""
        ...

    async def told(self, incident_id: str, thread: Thread) -> None:
        """Note the thread of an incident."""
        ...

    async def shown(self, incident_id: str, version: int) -> None:
        """Note what the thread shows."""
        ...

    async def admit(self, incident_id: str, limits: Limits, now: datetime) -> Stage:
        """Give the incident's investigation a place, or say that it waits or is not made."""
        ...

    async def looked(self, incident_id: str, head: Head) -> None:
        """Keep where the investigation stands, to be shown."""
        ...

    async def face(self, incident_id: str) -> Face | None:
        """Return what is to be shown of an incident."""
        ...

    async def alerts_of(self, incident_id: str, limit: int) -> Sequence[Alert]:
        """Return the worst alerts of an incident."""
        ...

    async def dismiss(self, incident_id: str, lessons: Sequence[Lesson], why: str) -> bool:
        """End an incident that was none, and keep what was learned; False: it is not known."""
        ...

    async def lessons(self, environment: str, since: datetime) -> Sequence[Lesson]:
        """Return what people taught with the button since then."""
        ...

    async def judged(self, environment: str, since: datetime) -> Sequence[Judged]:
        """Return what people said of reports on incidents that signals made."""
        ...

    async def lease(self, holder: str, until: datetime, now: datetime) -> bool:
        """Take or keep the right to triage; False while somebody else has it."""
        ...


class CallStore(Protocol):
    """Who calls whom, as learned; it outlives the systems that told."""

    async def learn(self, environment: str, calls: Sequence[tuple[str, str]], at: datetime) -> None:
        """Keep (caller, callee) as seen now."""
        ...

    async def known(self, environment: str, since: datetime) -> Sequence[tuple[str, str]]:
        """Return what was seen since then."""
        ...


class RouteStore(Protocol):
    """Which channel a service's incidents go to."""

    async def set(self, route: Route) -> None:
        """Keep a route; one of the same service is replaced."""
        ...

    async def remove(self, environment: str, service: str) -> bool:
        """Forget a route; False: there was none."""
        ...

    async def all(self) -> Sequence[Route]:
        """Return every route."""
        ...


class TellIncident(Protocol):
    """Posting the one message of an incident, and calling for help in its thread."""

    async def root(self, channel: str, face: Face) -> Thread:
        """Post it once, or edit it; return its thread."""
        ...

    async def call(self, thread: Thread, face: Face) -> None:
        """Mention `face.on_call` in the thread, once, unless the first post did: edits call nobody.

        Raises: Transient; Permanent and Refused: never taken there.
        """
        ...
