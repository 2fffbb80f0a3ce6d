"""The tables of people, incidents, proposals, actions and the audit."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bot.storage.base import Base


class EnvironmentRow(Base):
    """A watched place."""

    __tablename__ = "environments"
    name: Mapped[str] = mapped_column(primary_key=True)
    tier: Mapped[str]
    body: Mapped[dict[str, Any]]


class RoleRow(Base):
    """A role granted to (team, user), in one environment or ("") in all."""

    __tablename__ = "roles"
    team: Mapped[str] = mapped_column(primary_key=True)
    user: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    environment: Mapped[str] = mapped_column(primary_key=True, default="")
    granted_by: Mapped[str]
    granted_at: Mapped[datetime]


class LevelRow(Base):
    """An autonomy level of (environment, action), for one service or ("") for all.

    `fallback` is what holds again once it has expired; None: nothing was granted before.
    """

    __tablename__ = "autonomy_levels"
    environment: Mapped[str] = mapped_column(primary_key=True)
    action: Mapped[str] = mapped_column(primary_key=True)
    service: Mapped[str] = mapped_column(primary_key=True, default="")
    level: Mapped[int]
    granted_by: Mapped[str]
    granted_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime | None]
    fallback: Mapped[int | None]


class IncidentRow(Base):
    """One trouble and its thread. An incident that is kept quiet, or not yet told, has none."""

    __tablename__ = "incidents"
    __table_args__ = (
        UniqueConstraint("team", "channel", "thread_ts"),
        Index(None, "state", "opened_at"),
    )
    id: Mapped[str] = mapped_column(primary_key=True)
    team: Mapped[str]
    channel: Mapped[str]
    thread_ts: Mapped[str | None]
    title: Mapped[str] = mapped_column(Text)
    environment: Mapped[str]
    state: Mapped[str]  # "open", "quiet", "resolved"
    opened_at: Mapped[datetime]  # wall
    closed_at: Mapped[datetime | None]  # wall
    origin: Mapped[str] = mapped_column(server_default="")  # of its first signal; "": a person's
    severity: Mapped[int] = mapped_column(server_default="2")
    service: Mapped[str] = mapped_column(server_default="")  # ours, "" if unknown
    quiet: Mapped[str] = mapped_column(Text, server_default="")  # why it was kept quiet
    alerts: Mapped[int] = mapped_column(server_default="0")  # signals that joined it
    version: Mapped[int] = mapped_column(server_default="0")  # counts changes of what is told
    shown: Mapped[int] = mapped_column(server_default="0")  # the version that its thread shows
    began_at: Mapped[datetime | None]  # when the trouble began, as the signals say
    acknowledged_at: Mapped[datetime | None]
    escalated_at: Mapped[datetime | None]


class InvestigationRow(Base):
    """One question and its answer."""

    __tablename__ = "investigations"
    __table_args__ = (Index(None, "started_at"),)
    id: Mapped[str] = mapped_column(primary_key=True)
    incident_id: Mapped[str] = mapped_column(ForeignKey("incidents.id"), index=True)
    asked_by: Mapped[str]
    text: Mapped[str] = mapped_column(Text)
    state: Mapped[str]
    started_at: Mapped[datetime]
    environment: Mapped[str] = mapped_column(default="")
    status: Mapped[str] = mapped_column(default="")
    cause: Mapped[str] = mapped_column(default="")
    object: Mapped[str] = mapped_column(default="")
    service: Mapped[str] = mapped_column(default="")
    confidence: Mapped[float | None]
    report: Mapped[dict[str, Any] | None]


class HypothesisRow(Base):
    """One ranked hypothesis of an investigation."""

    __tablename__ = "hypotheses"
    investigation_id: Mapped[str] = mapped_column(ForeignKey("investigations.id"), primary_key=True)
    rank: Mapped[int] = mapped_column(primary_key=True)
    cause: Mapped[str]
    object: Mapped[str]
    service: Mapped[str]
    analyzer: Mapped[str]
    confidence: Mapped[float]
    summary: Mapped[str] = mapped_column(Text)


class EvidenceRow(Base):
    """One observation for or against a hypothesis."""

    __tablename__ = "evidence"
    investigation_id: Mapped[str] = mapped_column(ForeignKey("investigations.id"), primary_key=True)
    rank: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    statement: Mapped[str] = mapped_column(Text)
    weight: Mapped[float]
    system: Mapped[str]
    query: Mapped[str] = mapped_column(Text)
    link: Mapped[str | None] = mapped_column(Text)


class VerdictRow(Base):
    """A person's verdict on a diagnosis; one per person, the last counts."""

    __tablename__ = "verdicts"
    investigation_id: Mapped[str] = mapped_column(ForeignKey("investigations.id"), primary_key=True)
    user: Mapped[str] = mapped_column(primary_key=True)
    judgement: Mapped[str]
    comment: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


class ProposalRow(Base):
    """A proposed action."""

    __tablename__ = "proposals"
    __table_args__ = (Index(None, "environment", "action"),)
    id: Mapped[str] = mapped_column(primary_key=True)
    investigation_id: Mapped[str] = mapped_column(index=True)
    environment: Mapped[str]
    action: Mapped[str]
    service: Mapped[str]
    call_digest: Mapped[str]
    body: Mapped[dict[str, Any]]


class DecisionRow(Base):
    """A bound decision."""

    __tablename__ = "decisions"
    id: Mapped[str] = mapped_column(primary_key=True)
    proposal_id: Mapped[str] = mapped_column(ForeignKey("proposals.id"), index=True)
    choice: Mapped[str]
    at: Mapped[datetime]
    used: Mapped[bool]
    body: Mapped[dict[str, Any]]


class ExecutionRow(Base):
    """One use of the door; `key` is unique, so the same key never acts twice."""

    __tablename__ = "executions"
    __table_args__ = (Index(None, "environment", "started_at"),)
    key: Mapped[str] = mapped_column(primary_key=True)
    proposal_id: Mapped[str] = mapped_column(ForeignKey("proposals.id"), index=True)
    environment: Mapped[str]
    action: Mapped[str]
    service: Mapped[str]
    call_digest: Mapped[str]
    status: Mapped[str]
    is_undo: Mapped[bool]
    started_at: Mapped[datetime]
    body: Mapped[dict[str, Any]]


class VerificationRow(Base):
    """What became of an execution."""

    __tablename__ = "verifications"
    execution_key: Mapped[str] = mapped_column(ForeignKey("executions.key"), primary_key=True)
    outcome: Mapped[str]
    checked_at: Mapped[datetime]
    body: Mapped[dict[str, Any]]


class ObservationRow(Base):
    """What became of the trouble although the proposal was not carried out."""

    __tablename__ = "observations"
    __table_args__ = (Index(None, "environment", "cause"),)
    proposal_id: Mapped[str] = mapped_column(ForeignKey("proposals.id"), primary_key=True)
    environment: Mapped[str]
    cause: Mapped[str]
    outcome: Mapped[str]
    checked_at: Mapped[datetime]
    statement: Mapped[str] = mapped_column(Text)


class BreakGlassRow(Base):
    """A lone on-call's declaration that nobody else can approve this proposal now."""

    __tablename__ = "break_glass"
    proposal_id: Mapped[str] = mapped_column(ForeignKey("proposals.id"), primary_key=True)
    team: Mapped[str]
    user: Mapped[str]
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    expires_at: Mapped[datetime]


class PromotionRow(Base):
    """An offer to raise a level; open until somebody answers it or it is no longer earned."""

    __tablename__ = "promotions"
    __table_args__ = (Index(None, "environment", "action"),)
    id: Mapped[str] = mapped_column(primary_key=True)
    environment: Mapped[str]
    action: Mapped[str]
    level: Mapped[int]
    offered_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    body: Mapped[dict[str, Any]]


class LockRow(Base):
    """Who holds a target, until when."""

    __tablename__ = "target_locks"
    target: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    until: Mapped[datetime]


class SwitchRow(Base):
    """A switch of the whole bot, such as the kill switch."""

    __tablename__ = "switches"
    name: Mapped[str] = mapped_column(primary_key=True)
    on: Mapped[bool]
    set_by: Mapped[str]
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


class FreezeRow(Base):
    """A window in which nothing runs on its own; environment "" means all."""

    __tablename__ = "freezes"
    id: Mapped[str] = mapped_column(primary_key=True)
    environment: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]  # of one that was lifted: when that was
    reason: Mapped[str] = mapped_column(Text)
    set_by: Mapped[str] = mapped_column(server_default="")


class BreakerRow(Base):
    """Failures in a row of (environment, action); ("*", "*") counts all."""

    __tablename__ = "breakers"
    environment: Mapped[str] = mapped_column(primary_key=True)
    action: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[datetime]


class MessageRow(Base):
    """A message that was meant to be posted, and where it is."""

    __tablename__ = "messages"
    __table_args__ = (Index(None, "channel", "ts"),)
    key: Mapped[str] = mapped_column(primary_key=True)
    channel: Mapped[str]
    ts: Mapped[str]
    digest: Mapped[str]


class AuditRow(Base):
    """One line of the append-only audit, chained by hash to the one before."""

    __tablename__ = "audit"
    __table_args__ = (UniqueConstraint("previous_hash"),)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    event: Mapped[str]
    environment: Mapped[str]
    subject: Mapped[str] = mapped_column(index=True)
    text: Mapped[str] = mapped_column(Text)
    details: Mapped[str] = mapped_column(Text)
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
