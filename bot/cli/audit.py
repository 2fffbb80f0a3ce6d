"""`sre-bot audit`: read and verify the append-only record."""

import sys
from pathlib import Path

import click

from bot.cli.support import with_database
from bot.settings import Settings
from bot.storage.audit import AuditLog, Broken, Head, exported, heads_of
from bot.storage.database import Database


@click.group()
def audit() -> None:
    """The append-only, hash-chained record of what was ruled, decided and done."""


@audit.command("verify")
@click.option(
    "--heads",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="A file of heads kept outside (default: SRE_BOT_AUDIT_HEAD_FILE, if it is set).",
)
@click.option("--head", "single", multiple=True, help="One head from the log: ID:HASH.")
def verify(heads: tuple[Path, ...], single: tuple[str, ...]) -> None:
    """Check the whole chain; exit code 1 when a line was changed, removed, moved or added.

    Lines cut off the end show only against heads that were kept outside the database.
    """
    given = [_head(text) for text in single]

    async def work(settings: Settings, database: Database) -> tuple[int, Broken | None]:
        seen = [*given, *_read(heads or _configured(settings))]
        return len(seen), await AuditLog(database).check(seen)

    outside, found = with_database(work)
    if found is not None:
        click.echo(f"The chain is broken at line {found.line}: {found.why}.", err=True)
        sys.exit(1)
    against = f", and agrees with {outside} heads kept outside" if outside else ""
    click.echo(f"The chain holds{against}.")


@audit.command("export")
@click.option("--subject", default="", help="Only what concerns this proposal or execution.")
def export(subject: str) -> None:
    """Print the record as JSON lines, the oldest first, with ids and hashes."""

    async def work(_settings: Settings, database: Database) -> None:
        log, after = AuditLog(database), 0
        while page := await log.lines(after=after, subject=subject):
            for line in page:
                click.echo(exported(line))
            after = page[-1].id

    with_database(work)


def _configured(settings: Settings) -> tuple[Path, ...]:
    path = settings.audit_head_file
    return (path,) if path is not None and path.exists() else ()


def _read(paths: tuple[Path, ...]) -> list[Head]:
    found: list[Head] = []
    for path in paths:
        try:
            found.extend(heads_of(path.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise click.UsageError(f"{path}: {error}") from error
    return found


def _head(text: str) -> Head:
    number, _, digest = text.partition(":")
    if not number.isdigit() or len(digest) != 64:
        raise click.UsageError(f"--head wants ID:HASH as the log says them, not {text!r}")
    return Head(id=int(number), hash=digest)
