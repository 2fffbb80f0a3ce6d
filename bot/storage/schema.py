"""All tables in one place, which the migrations lead to. A new module of tables is named here."""

from bot.storage import (
    grey_tables,
    pace_tables,
    page_tables,
    signal_tables,
    tables,
    triage_tables,
)
from bot.storage.base import Base

MODULES = (tables, signal_tables, page_tables, triage_tables, grey_tables, pace_tables)
METADATA = Base.metadata
