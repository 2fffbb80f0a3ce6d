"""`sre-bot db`: bring the database to this version's schema."""

import click

from bot.settings import load
from bot.storage.database import Database
from bot.storage.migrate import upgrade, versions


@click.group()
def db() -> None:
    """The bot's database (DATABASE_URL, or a SQLite file in SRE_BOT_HOME)."""


@db.command("migrate")
def migrate() -> None:
    """Create or upgrade the tables. A second run does nothing."""
    database = Database(load().database)
    try:
        upgrade(database.engine)
        current, _ = versions(database.engine)
        click.echo(f"The database is at revision {current}.")
    finally:
        database.close()
