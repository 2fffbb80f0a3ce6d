"""Pages: incidents of the paging service, what the bot knows of them, and calling people."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.conversation import Click, Notice
from bot.domain.environment import Tier
from bot.domain.signal_limits import VALUE_LENGTH
from bot.domain.wish import Verb

TRIGGERED, ACKNOWLEDGED, RESOLVED = "triggered", "acknowledged", "resolved"
HIGH, LOW = "high", "low"
NAME_LENGTH, MOST_NAMES = 100, 10  # of who has a page
SIGNED = "sre-bot: "  # what the bot notes on its own behalf begins so, and ends with a reference


def names_in(joined: str) -> tuple[str, ...]:
    """Return the names in a text of names: as many, and as much of each, as is kept of a page."""
    told = " ".join(joined.split())[:VALUE_LENGTH]  # as of a signal's detail
    names = (name.strip()[:NAME_LENGTH] for name in told.split(","))
    return tuple(name for name in names if name)[:MOST_NAMES]


def reference(key: str) -> str:
    """Return a short text by which what was written under a key is found again."""
    return f"ref {hashlib.sha256(key.encode()).hexdigest()[:12]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One incident of the paging service as its own events tell it. All texts are redacted."""

    id: str  # "PT4KHLK"
    environment: str  # "" when its service is none of ours
    service: str  # ours, "" when it is none of ours
    number: int
    title: str
    status: str
    urgency: str  # "high" calls somebody now, "low" does not; "" unknown
    priority: str  # "P1", "" if it has none
    assignees: tuple[str, ...]  # names
    policy: str  # id of its escalation policy, "" unknown
    link: str  # https, or ""
    incident_id: str = ""  # ours, "" until triage knows
    on_call: tuple[str, ...] = ()  # names, of the policy's first level
    note: str = ""  # the newest one that a person wrote there
    note_by: str = ""
    told_at: datetime | None = None  # when its state was last told of, None unknown

    @property
    def open(self) -> bool:
        """Whether it is not resolved."""
        return self.status != RESOLVED


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Which of ours a service of the paging service is."""

    environment: str
    service: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteDue:
    """A report that is not yet on a page of its incident."""

    page_id: str
    investigation_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """An incident that called nobody, with a report on which it was not ruled yet."""

    incident_id: str
    investigation_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """What the bot did in the paging service on its own; `key` is unique."""

    key: str
    kind: str  # "note", "ruling", "call"
    page_id: str
    incident_id: str
    at: datetime  # wall
    text: str


class PageStore(Protocol):
    """Pages in SQL. All methods raise Unavailable when the database is down."""

    async def take(self, limit: int) -> int:
        """Take in what new signals tell, each once, in whatever order they come; return how many.

        Incidents whose pages changed are marked as to be shown again.
        """
        ...

    async def page(self, page_id: str) -> Page | None:
        """Return a page."""
        ...

    async def of_incident(self, incident_id: str) -> Sequence[Page]:
        """Return the pages of one of our incidents, the oldest first."""
        ...

    async def unnamed(self, limit: int) -> Sequence[Page]:
        """Return open pages of which it was not asked yet who is on call."""
        ...

    async def unheard(self, since: datetime, limit: int) -> Sequence[Page]:
        """Return open pages of which nothing was told since then, the longest first."""
        ...

    async def name(self, page_id: str, on_call: Sequence[str]) -> None:
        """Keep who is on call for a page; nobody is an answer too."""
        ...

    async def notes_due(self, limit: int) -> Sequence[NoteDue]:
        """Return reports that are to be written on pages."""
        ...

    async def quiet(self, limit: int) -> Sequence[Quiet]:
        """Return open incidents of low urgency with a report that was not ruled on."""
        ...

    async def called(self, called: Called) -> None:
        """Record what was done; a second time does nothing."""
        ...

    async def done(self, key: str) -> Called | None:
        """Return what was done under a key."""
        ...

    async def calls_since(self, since: datetime) -> int:
        """Return how often the bot called people by itself since then."""
        ...

    async def opened(self, page: Page, at: datetime) -> None:
        """Keep a page that the bot opened for an incident: what is told of it belongs there."""
        ...

    async def forget(self, keep: timedelta) -> None:
        """Forget what is of longer ago, and which signals were taken in that are gone anyway."""
        ...

    async def is_open(self, incident_id: str) -> bool:
        """Whether one of our incidents is open."""
        ...

    async def escalated(self, incident_id: str, at: datetime) -> None:
        """Note that somebody was called for an incident."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """What a person asks for with a button of an incident: of all its open pages."""

    verb: Verb
    goal: str = ""  # a level
    people: tuple[str, ...] = ()  # ids of Slack's users
    reason: str = ""
    shown: str = ""  # fingerprint of the pages that its dialog was about, "" unknown


class PageButtons(Protocol):
    """What the buttons of an incident do. Raises: Transient: not taken, click again."""

    async def open_pages(self, incident_id: str) -> Sequence[Page]:
        """Return the pages of an incident that are not resolved."""
        ...

    async def press(self, click: Click, press: Press) -> Notice:
        """Do it for every open page that it fits, as far as policy lets the click decide.

        The click's subject is the incident.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A page as it is just now."""

    status: str
    urgency: str
    assignees: tuple[str, ...]  # names, as a signal would tell them: see `names_in`
    priority: str = ""


class Pager(Protocol):
    """The paging service of one environment, for telling people; never blocked by policy.

    All methods raise Unavailable (nothing is known: try again), Refused, UnknownName or Malformed.
    """

    async def on_call(self, policy: str) -> Sequence[str]:
        """Return the names of who is called first by an escalation policy."""
        ...

    async def look(self, page_id: str) -> Look:
        """Read a page."""
        ...

    async def note(self, page_id: str, text: str, reference: str) -> bool:
        """Write a note unless one with this reference is there; return whether it was written."""
        ...

    async def urge(self, page_id: str) -> bool:
        """Make a page urgent: who has it is called. Return whether that changed anything."""
        ...

    async def open(self, service: str, title: str, key: str) -> Page:
        """Open an urgent page under a key for a service of ours, or return the open one there is.

        Raises: NotConfigured: nobody is paged for this service.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """Everything that decides whether the bot calls a person by itself, for the policy."""

    tier: Tier
    known: bool  # whether the diagnosis names a root cause
    confidence: float  # 0..1
    supports: int  # pieces of evidence for it
    breaks_at: datetime | None  # world
    now: datetime  # world
    answered: str = ""  # who has it or was called already, "" if nobody
    called_before: bool = False  # the bot called somebody for this incident
    calls_last_hour: int = 0  # the bot's own, wall
