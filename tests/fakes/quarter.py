"""Made-up weeks of a team: what happened, as stories; and the same as rows of the bot's tables."""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from bot.storage.base import Base
from bot.storage.database import Database
from bot.storage.tables import (
    AuditRow,
    DecisionRow,
    ExecutionRow,
    IncidentRow,
    InvestigationRow,
    ProposalRow,
    RoleRow,
    VerdictRow,
    VerificationRow,
)

TEAM, HOLDER, STRANGER = "T1", "U1", "U2"  # only the holder has a role
SERVICES = ("checkout", "cart", "search", "")
CAUSES = ("memory_leak", "bad_release", "disk_full", "expired_certificate")
REASONS = (  # kind, and what differs from time to time
    ("recovered by itself", " after {} s"),
    ("flapping", ": it changed {} times in 12 min"),
    ("not an incident", ", as <@U1> said on 2026-01-{:02} of alerts like this"),
    ("information only", ""),
)
ENVIRONMENTS = ("prod", "prod", "prod", "staging")


@dataclass(kw_only=True)
class Said:
    """A person's verdict."""

    user: str
    right: bool


@dataclass(kw_only=True)
class Deed:
    """A proposal, and what became of it."""

    id: str
    offered: datetime
    verdict: str  # what policy ruled
    expires: datetime
    asked: bool
    decisions: list[tuple[datetime, bool]] = field(default_factory=list)  # True: approved
    begun: datetime | None = None
    status: str = "applied"
    outcome: str = ""


@dataclass(kw_only=True)
class Look:
    """An investigation."""

    id: str
    at: datetime
    status: str
    cause: str
    service: str
    said: list[Said] = field(default_factory=list)
    deeds: list[Deed] = field(default_factory=list)


@dataclass(kw_only=True)
class Story:
    """One incident with all that came of it."""

    id: str
    environment: str
    service: str
    origin: str
    severity: int
    alerts: int
    opened: datetime
    began: datetime | None = None
    acknowledged: datetime | None = None
    escalated: datetime | None = None
    closed: datetime | None = None
    quiet: str = ""
    why: str = ""  # the kind of `quiet`
    dismissed: bool = False  # it was told, and a person said that it was none
    looks: list[Look] = field(default_factory=list)


def quarter(
    seed: int,
    zone: ZoneInfo,
    last: date,
    *,
    weeks: int = 13,
    busy: int = 20,
    empty: Sequence[int] = (),
) -> list[Story]:
    """Return the stories of so many weeks up to the midnight that begins `last`.

    `empty` are numbers of weeks in which nothing begins; the first is 0.
    """
    dice = random.Random(seed)
    stories: list[Story] = []
    for number in range(weeks):
        first = last - timedelta(days=7 * (weeks - number))
        count = 0 if number in empty else dice.randint(busy // 2, busy)
        for index in range(count):
            opened = _moment(dice, zone, first)
            stories.append(_story(dice, f"{seed}-{number}-{index}", opened))
    return stories


def _moment(dice: random.Random, zone: ZoneInfo, first: date) -> datetime:
    """A moment of the week that begins on `first`; often close to its edges."""
    if dice.random() < 0.2:
        edge = first if dice.random() < 0.5 else first + timedelta(days=7)
        near = datetime.combine(edge, time(), zone).astimezone(UTC)
        apart = timedelta(microseconds=dice.choice((0, 1, 1_000_000, 900_000_000)))
        return near + apart if edge == first else near - max(apart, timedelta(microseconds=1))
    day = first + timedelta(days=dice.randrange(7))
    wall = time(dice.randrange(24), dice.randrange(60), dice.randrange(60), dice.randrange(10**6))
    return datetime.combine(day, wall, zone).astimezone(UTC)


def _after(dice: random.Random, moment: datetime, hours: float) -> datetime:
    return moment + timedelta(seconds=int(dice.expovariate(1 / (hours * 3600))), microseconds=7)


def _story(dice: random.Random, name: str, opened: datetime) -> Story:
    asked = dice.random() < 0.2
    story = Story(
        id=f"inc-{name}", environment=dice.choice(ENVIRONMENTS), service=dice.choice(SERVICES),
        origin="" if asked else dice.choice(("pagerduty", "alertmanager", "grey")),
        severity=dice.randint(1, 4), alerts=0 if asked else dice.randint(1, 60), opened=opened,
    )  # fmt: skip
    if not asked:
        _life(dice, story)
    if not story.quiet:
        for number in range(dice.choice((0, 1, 1, 1, 2))):
            story.looks.append(_look(dice, f"{name}-i{number}", _after(dice, opened, 0.3)))
    return story


def _life(dice: random.Random, story: Story) -> None:
    opened = story.opened
    if dice.random() < 0.8:  # sources may be wrong: it began after it was heard of
        story.began = opened - timedelta(seconds=dice.randint(-30, 1800))
    if dice.random() < 0.25:
        story.why, detail = dice.choice(REASONS)
        story.quiet = story.why + detail.format(dice.randint(1, 28))
        story.dismissed = dice.random() < 0.3
    if dice.random() < 0.6:
        story.acknowledged = _after(dice, opened, 0.2)
    if dice.random() < 0.1:
        story.escalated = _after(dice, opened, 0.5)
    if dice.random() < 0.9:  # some last for weeks, some for ever
        story.closed = _after(dice, opened, dice.choice((0.2, 2, 20, 300)))


def _look(dice: random.Random, name: str, at: datetime) -> Look:
    status = dice.choice(("root_cause", "root_cause", "root_cause", "unknown", "healthy", ""))
    found = status == "root_cause"
    look = Look(
        id=f"inv-{name}", at=at, status=status, cause=dice.choice(CAUSES) if found else "",
        service=dice.choice(SERVICES) if found else "",
    )  # fmt: skip
    for user in (HOLDER, STRANGER):
        if status and dice.random() < 0.35:
            look.said.append(Said(user=user, right=dice.random() < 0.75))
    for number in range(dice.choice((0, 1, 1, 2)) if found else 0):
        step = "-s1" if dice.random() < 0.15 else ""
        look.deeds.append(_deed(dice, f"inv-{name}-p{number}{step}", _after(dice, at, 0.01)))
    return look


def _deed(dice: random.Random, name: str, offered: datetime) -> Deed:
    verdict = dice.choice(("deny", "suggest", "one_click", "approval", "approval", "autonomous"))
    deed = Deed(
        id=name, offered=offered, verdict=verdict, expires=offered + timedelta(minutes=30),
        asked=dice.random() < 0.15,
    )  # fmt: skip
    if verdict in ("one_click", "approval"):
        for _ in range(dice.choice((0, 1, 1, 2))):
            at = offered + timedelta(seconds=dice.randint(1, 1700))
            deed.decisions.append((at, dice.random() < 0.8))
    approved = bool(deed.decisions) and all(yes for _, yes in deed.decisions)
    if verdict == "autonomous" or (approved and dice.random() < 0.9):
        latest = max((at for at, _ in deed.decisions), default=offered)
        deed.begun = latest + timedelta(seconds=3)
        deed.status = dice.choice(("applied",) * 6 + ("undone", "failed", "uncertain"))
        deed.outcome = dice.choice(("recovered",) * 6 + ("unchanged", "worse", "no_data", ""))
    return deed


def keep(database: Database, stories: Sequence[Story]) -> None:
    """Write the stories into the bot's tables."""

    def write(session: Session) -> None:
        session.add(
            RoleRow(
                team=TEAM, user=HOLDER, role="responder", environment="", granted_by="t",
                granted_at=datetime(2026, 1, 1, tzinfo=UTC),
            )
        )  # fmt: skip
        for layer in (_incidents, _looks, _saids, _proposals, _executions, _verifications):
            session.add_all(row for story in stories for row in layer(story))
            session.flush()
        deeds = [(s, d) for s in stories for look in s.looks for d in look.deeds]
        deeds.sort(key=lambda pair: pair[1].offered)
        session.add_all(_ruled(n, story, deed) for n, (story, deed) in enumerate(deeds))

    database.run_now(write)


def _incidents(story: Story) -> Iterator[Base]:
    told = story.dismissed or not story.quiet
    yield IncidentRow(
        id=story.id, team=TEAM, channel="C1" if told else "",
        thread_ts=story.id if told else None, title=f"trouble {story.id}",
        environment=story.environment, state="quiet" if story.quiet else "open",
        opened_at=story.opened, closed_at=story.closed, origin=story.origin,
        severity=story.severity, service=story.service, quiet=story.quiet, alerts=story.alerts,
        began_at=story.began, acknowledged_at=story.acknowledged, escalated_at=story.escalated,
    )  # fmt: skip


def _looks(story: Story) -> Iterator[Base]:
    for look in story.looks:
        yield InvestigationRow(
            id=look.id, incident_id=story.id, asked_by="U1", text="?", state="reported",
            started_at=look.at, environment=story.environment, status=look.status,
            cause=look.cause, object="", service=look.service, confidence=0.9, report=None,
        )  # fmt: skip


def _saids(story: Story) -> Iterator[Base]:
    for look in story.looks:
        for said in look.said:
            yield VerdictRow(
                investigation_id=look.id, user=said.user, comment="", at=look.at,
                judgement="right" if said.right else "wrong",
            )  # fmt: skip


def _proposals(story: Story) -> Iterator[Base]:
    for look in story.looks:
        for deed in look.deeds:
            body = {
                "title": f"Do {deed.id}", "expires_at": deed.expires.isoformat(),
                "requester": "U9" if deed.asked else "sre-bot", "cause": look.cause,
            }  # fmt: skip
            yield ProposalRow(
                id=deed.id, investigation_id=look.id, environment=story.environment,
                action="restart", service=story.service, call_digest="d", body=body,
            )  # fmt: skip


def _executions(story: Story) -> Iterator[Base]:
    for look in story.looks:
        for deed in look.deeds:
            for number, (at, yes) in enumerate(deed.decisions):
                yield DecisionRow(
                    id=f"{deed.id}-d{number}", proposal_id=deed.id, at=at, used=False, body={},
                    choice="approve" if yes else "reject",
                )  # fmt: skip
            for suffix in ("-x", "-undo") if deed.begun else ():
                yield ExecutionRow(
                    key=f"{deed.id}{suffix}", proposal_id=deed.id, environment=story.environment,
                    action="restart", service=story.service, call_digest="d", status=deed.status,
                    is_undo=suffix == "-undo", started_at=deed.begun, body={},
                )  # fmt: skip


def _verifications(story: Story) -> Iterator[Base]:
    for look in story.looks:
        for deed in look.deeds:
            if deed.begun and deed.outcome:
                yield VerificationRow(
                    execution_key=f"{deed.id}-x", outcome=deed.outcome,
                    checked_at=deed.begun + timedelta(minutes=5), body={},
                )  # fmt: skip


def _ruled(number: int, story: Story, deed: Deed) -> AuditRow:
    return AuditRow(
        at=deed.offered, actor="sre-bot", event="ruled", environment=story.environment,
        subject=deed.id, text="", details=json.dumps({"verdict": deed.verdict}),
        previous_hash=f"p{number}", hash=f"h{number}",
    )  # fmt: skip
