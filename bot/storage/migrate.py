"""Brings the database to the schema of this version."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

import migrations
from bot.domain.errors import NotConfigured, Unavailable
from bot.storage.database import Database


def prepared(url: str) -> Database:
    """Return an open database at this version's schema; a SQLite file is brought there by itself.

    Raises: NotConfigured: it is at another revision; Unavailable: it cannot be reached or written.
    """
    database = Database(url)
    try:
        if url.startswith("sqlite"):
            upgrade(database.engine)
        current, wanted = versions(database.engine)
    except DBAPIError as error:
        database.close()
        raise Unavailable("database", type(error.orig).__name__) from error
    if current == wanted:
        return database
    database.close()
    raise NotConfigured(
        f"The database is at revision {current or 'none'}, this version wants {wanted}: "
        "run `sre-bot db migrate`"
    )


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Run every migration that is missing. A second run does nothing."""
    with engine.begin() as connection:
        _be_patient(connection)
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Take migrations back to `revision` ("base": all)."""
    with engine.begin() as connection:
        _be_patient(connection)
        config = _config()
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def _be_patient(connection: Connection) -> None:
    """Let a migration wait for the tables as long as a running bot uses them."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL lock_timeout = 0")


def versions(engine: Engine) -> tuple[str, str]:
    """Return (the database's revision or "", the revision this code wants)."""
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    return current or "", ScriptDirectory.from_config(_config()).get_current_head() or ""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    return config
