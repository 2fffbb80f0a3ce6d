"""The table of what all replicas share to keep a vendor's limits."""

from sqlalchemy.orm import Mapped, mapped_column

from bot.storage.base import Base


class PaceRow(Base):
    """When the next call of a key is due, if calls came at their steady rate."""

    __tablename__ = "paces"
    key: Mapped[str] = mapped_column(primary_key=True)
    due: Mapped[float]  # seconds since 1970, wall
