"""`sre-bot audit`: read and verify the append-only record."""

import json
import sys

import click

from bot.cli.support import with_database
from bot.domain.codec import encode
from bot.settings import Settings
from bot.storage.audit import AuditLog
from bot.storage.database import Database


@click.group()
def audit() -> None:
    """The append-only, hash-chained record of what was ruled, decided and done."""


@audit.command("verify")
def verify() -> None:
    """Check the whole chain; exit code 1 when a line was changed, removed or added."""

    async def work(_settings: Settings, database: Database) -> int | None:
        return await AuditLog(database).first_broken()

    broken = with_database(work)
    if broken is not None:
        click.echo(f"The chain is broken at line {broken}.", err=True)
        sys.exit(1)
    click.echo("The chain holds.")


@audit.command("export")
@click.option("--subject", default="", help="Only what concerns this proposal or execution.")
def export(subject: str) -> None:
    """Print the record as JSON lines, the oldest first."""

    async def work(_settings: Settings, database: Database) -> None:
        for entry in await AuditLog(database).entries(limit=1_000_000, subject=subject):
            click.echo(json.dumps(encode(entry)))

    with_database(work)
