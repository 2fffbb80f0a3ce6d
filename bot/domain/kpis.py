"""What happened in a span of time, as far as the team's figures need it. See docs/kpis.md."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.action import Choice, Outcome
from bot.domain.conversation import Judgement
from bot.domain.time import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentFact:
    """One incident. `origin` "" means that a person asked.

    `quiet`: why it counts for nothing. Without a thread it was kept from people; with one it was
    told, and a person said that it was none.
    """

    id: str
    environment: str
    service: str
    title: str
    channel: str
    thread_ts: str
    origin: str
    severity: int
    opened_at: datetime
    began_at: datetime | None
    acknowledged_at: datetime | None
    escalated_at: datetime | None
    closed_at: datetime | None
    quiet: str
    alerts: int

    @property
    def kept_quiet(self) -> bool:
        """Whether nobody was told of it."""
        return bool(self.quiet) and not self.thread_ts

    @property
    def dismissed(self) -> bool:
        """Whether people were told of it, and one of them said that it was none."""
        return bool(self.quiet) and bool(self.thread_ts)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosisFact:
    """One investigation. `status` "" means that it did not end; `judged` is people's verdict."""

    id: str
    incident_id: str
    environment: str
    started_at: datetime
    status: str
    cause: str
    service: str
    judged: Judgement | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionFact:
    """One action that was carried out, and what became of it."""

    key: str
    incident_id: str
    environment: str
    action: str
    service: str
    started_at: datetime
    outcome: Outcome | None  # None: it is still watched
    undone: bool
    decided: bool  # whether a person approved it; else the bot acted by itself
    asked: bool  # whether a person asked for it, so that it says nothing of a diagnosis
    step: bool  # what a plan does first: counts only if it did harm
    judged: Judgement | None  # people's verdict on the diagnosis that it rests on


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferFact:
    """One proposal that people had to decide about."""

    id: str
    incident_id: str
    environment: str
    service: str
    title: str
    offered_at: datetime
    expires_at: datetime
    choice: Choice | None  # one rejection is final
    decided_at: datetime | None  # of the first decision
    carried_out_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All of it, in one span of time."""

    incidents: tuple[IncidentFact, ...] = ()
    diagnoses: tuple[DiagnosisFact, ...] = ()
    actions: tuple[ActionFact, ...] = ()
    offers: tuple[OfferFact, ...] = ()


class FactSource(Protocol):
    """Where the facts are kept."""

    async def facts(self, span: Window) -> Facts:
        """Return what touches the span: opened, acknowledged, ended, begun or offered in it.

        With each incident come its investigations and actions, whenever they were.
        Raises: Unavailable.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a team's figures are about. Empty: everything."""

    environments: tuple[str, ...] = ()
    services: tuple[str, ...] = ()

    def covers(self, environment: str, services: Sequence[str]) -> bool:
        """Whether something of one of these services here belongs to it."""
        if self.environments and environment not in self.environments:
            return False
        return not self.services or any(service in self.services for service in services)


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestPlan:
    """Which channel is told of which week, and when: at every due time, of the seven days before.

    The week ends with the midnight that begins the due day in the zone.
    """

    channel: str  # Slack channel id
    zone: str  # IANA name: "Europe/Paris"
    cron: str = "0 9 * * 1"  # five fields, in the zone
    environments: tuple[str, ...] = ()  # empty: all
    services: tuple[str, ...] = ()  # empty: all

    @property
    def scope(self) -> Scope:
        """What it is about."""
        return Scope(environments=self.environments, services=self.services)
