"""The tables of signals on their way to becoming incidents."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from bot.storage.base import Base


class InboxRow(Base):
    """One signal, committed before its sender was answered."""

    __tablename__ = "inbox"
    __table_args__ = (Index(None, "done_at", "id"),)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    key: Mapped[str] = mapped_column(unique=True)
    origin: Mapped[str]
    subject: Mapped[str]
    received_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    attempts: Mapped[int]
    body: Mapped[dict[str, Any]]


class DeadLetterRow(Base):
    """What came in and could not be used."""

    __tablename__ = "dead_letters"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    origin: Mapped[str]
    at: Mapped[datetime]
    error: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    replayed_at: Mapped[datetime | None]


class AlertRow(Base):
    """One alert through its life: all signals with one subject."""

    __tablename__ = "alerts"
    __table_args__ = (Index(None, "firing", "last_at"),)
    subject: Mapped[str] = mapped_column(primary_key=True)
    incident_id: Mapped[str | None] = mapped_column(ForeignKey("incidents.id"), index=True)
    origin: Mapped[str]
    environment: Mapped[str]
    service: Mapped[str]
    title: Mapped[str] = mapped_column(Text)
    severity: Mapped[int]
    firing: Mapped[bool]
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    count: Mapped[int]
    flips: Mapped[int]  # how often it went from firing to resolved or back
    flipped_at: Mapped[datetime | None]  # when it did last
    body: Mapped[dict[str, Any]]  # its newest signal


class RouteRow(Base):
    """The channel where a service's incidents are told; service "": the environment's."""

    __tablename__ = "routes"
    environment: Mapped[str] = mapped_column(primary_key=True)
    service: Mapped[str] = mapped_column(primary_key=True, default="")
    channel: Mapped[str]
    set_by: Mapped[str]
    at: Mapped[datetime]
