"""The tables of triage: where an incident's investigation stands, lessons, and who calls whom."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from bot.storage.base import Base


class HeadRow(Base):
    """Where the investigation of an incident stands, as its one message shows it."""

    __tablename__ = "incident_heads"
    incident_id: Mapped[str] = mapped_column(ForeignKey("incidents.id"), primary_key=True)
    environment: Mapped[str] = mapped_column(index=True)
    stage: Mapped[str]  # "waiting", "started", "shed"
    at: Mapped[datetime]  # when it was last asked for, or started
    body: Mapped[dict[str, Any] | None]  # the newest head


class LessonRow(Base):
    """Alerts that people said are no incident."""

    __tablename__ = "lessons"
    __table_args__ = (Index(None, "environment", "at"),)
    id: Mapped[str] = mapped_column(primary_key=True)
    environment: Mapped[str]
    service: Mapped[str]
    signature: Mapped[str]
    noise: Mapped[bool]
    worst: Mapped[int]
    by: Mapped[str]
    at: Mapped[datetime]
    incident_id: Mapped[str] = mapped_column(Text)


class CallRow(Base):
    """One service calls another, as traces or configuration told."""

    __tablename__ = "service_calls"
    environment: Mapped[str] = mapped_column(primary_key=True)
    caller: Mapped[str] = mapped_column(primary_key=True)
    callee: Mapped[str] = mapped_column(primary_key=True)
    seen_at: Mapped[datetime]
