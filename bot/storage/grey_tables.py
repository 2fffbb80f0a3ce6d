"""The tables of the grey-failure watcher."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from bot.storage.base import Base


class GreyWatchRow(Base):
    """Who watches an environment, and what the watch stands at."""

    __tablename__ = "grey_watches"
    environment: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    held_until: Mapped[datetime]  # wall
    body: Mapped[dict[str, Any]]


class GreyBaselineRow(Base):
    """What is usual for one service, or for one kind of call."""

    __tablename__ = "grey_baselines"
    environment: Mapped[str] = mapped_column(primary_key=True)
    stream: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]  # wall
    body: Mapped[dict[str, Any]]
