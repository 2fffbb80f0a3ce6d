"""The tables of pages: incidents of the paging service, and what the bot did there on its own."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from bot.storage.base import Base


class PageRow(Base):
    """One incident of the paging service. Its incident of ours is its alert's, or its own."""

    __tablename__ = "pages"
    id: Mapped[str] = mapped_column(primary_key=True)
    incident_id: Mapped[str | None] = mapped_column(ForeignKey("incidents.id"), index=True)
    environment: Mapped[str]
    service: Mapped[str]
    policy: Mapped[str]
    number: Mapped[int]
    title: Mapped[str] = mapped_column(Text)
    status: Mapped[str]
    urgency: Mapped[str]
    priority: Mapped[str]
    assignees: Mapped[list[Any]] = mapped_column(JSON)
    link: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[datetime]
    told_at: Mapped[datetime]  # of the newest event that tells its state
    note: Mapped[str] = mapped_column(Text)
    note_by: Mapped[str]
    noted_at: Mapped[datetime | None]
    on_call: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))  # None: not asked


class PageDeedRow(Base):
    """What the bot wrote, ruled or called there by itself, once per key."""

    __tablename__ = "page_deeds"
    __table_args__ = (Index(None, "kind", "at"),)
    key: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    page_id: Mapped[str]
    incident_id: Mapped[str] = mapped_column(index=True)
    at: Mapped[datetime]
    text: Mapped[str] = mapped_column(Text)


class PageSignalRow(Base):
    """A signal of the inbox that the pages have taken in, whoever else still works on it."""

    __tablename__ = "page_signals"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
