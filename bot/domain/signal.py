"""Something outside says that something is, or no longer is, wrong; nobody looked into it yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Protocol


class Origin(StrEnum):
    """Who says so."""

    PAGERDUTY = "pagerduty"
    ALERTMANAGER = "alertmanager"
    WEBHOOK = "webhook"  # the generic signed JSON
    SLACK = "slack"  # another app's post in an incident channel
    KUBERNETES = "kubernetes"  # a warning event
    OBJECTIVE = "objective"  # an objective's budget burns too fast
    GREY = "grey"  # behaviour that left its baseline while every check is green
    SELF = "self"  # the bot about itself


class Severity(IntEnum):
    """How bad its source thinks it is; the higher, the worse. Unknown counts as a warning."""

    INFO = 1
    WARNING = 2
    HIGH = 3
    CRITICAL = 4


class Phase(StrEnum):
    """What the signal says of its subject."""

    FIRING = "firing"
    UPDATED = "updated"  # it changed hands, priority or status, or somebody noted something
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One delivery, parsed and checked, redacted, and of bounded size.

    `key` is the delivery's: the same one delivered again has it too. `subject` is the trouble's:
    every delivery about one alert or one PagerDuty incident has it. `services` are names as the
    source gives them; which of ours they are is triage's to say.
    """

    key: str  # "pagerduty:01CH…", "alertmanager:<fingerprint>:<starts>:<status>"; at most 200 chars
    origin: Origin
    subject: str  # "pagerduty:PT4KHLK", "alertmanager:<fingerprint>"; at most 200 chars
    phase: Phase
    title: str  # one line, at most 300 chars
    at: datetime  # when it happened, as its source says; never later than it was received
    severity: Severity = Severity.WARNING
    environment: str = ""  # "" when the source does not say
    services: tuple[str, ...] = ()
    text: str = ""  # what else a person should read, at most 3,000 chars
    link: str = ""  # https, or ""
    labels: Mapping[str, str] = field(default_factory=dict)  # at most 64
    event: str = ""  # the source's own event type: "incident.acknowledged"
    details: Mapping[str, str] = field(default_factory=dict)  # of that event: status, priority, …
    began: datetime | None = None  # when the trouble began, if the source says


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A signal in the inbox. Numbers ascend in the order of arrival."""

    number: int
    at: datetime  # wall
    signal: Signal
    attempts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """What came in and could not be used, kept for a person. `body` is redacted and cut."""

    number: int
    origin: str
    at: datetime  # wall
    error: str
    body: str
    replayed_at: datetime | None = None


class Inbox(Protocol):
    """Signals between the door and triage. A signal that `put` returned from is never lost."""

    async def put(self, signals: Sequence[Signal], at: datetime) -> int:
        """Commit them in one transaction and return how many were new; a known key does nothing.

        Raises: Unavailable: none was kept; the sender must send again.
        """
        ...

    async def take(self, limit: int) -> Sequence[Received]:
        """Return the oldest that nobody has dealt with, in order of arrival."""
        ...

    async def done(self, numbers: Sequence[int]) -> None:
        """Note that these were dealt with."""
        ...

    async def failed(self, number: int, error: str) -> None:
        """Count a failure; after too many the signal becomes a dead letter and blocks no more."""
        ...

    async def bury(self, origin: str, body: str, error: str, at: datetime) -> None:
        """Keep what could not even be parsed."""
        ...

    async def waiting(self) -> int:
        """Return how many nobody has dealt with yet."""
        ...
