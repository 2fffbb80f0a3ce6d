"""`sre-bot intake`: what came in and could not be used, and trying it once more."""

import json
from collections.abc import Sequence

import click

from bot.cli.support import with_database
from bot.domain.errors import Malformed
from bot.domain.redaction import printable
from bot.domain.signal import DeadLetter, Signal
from bot.domain.time import wall_clock
from bot.settings import Settings, load_environments
from bot.storage.database import Database
from bot.storage.inbox import SignalInbox

SHOWN = 100  # characters of an error in a list


@click.group()
def intake() -> None:
    """Signals that came in and could not be used: dead letters."""


@intake.command("list")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--replayed", is_flag=True, help="Those that were replayed as well.")
def list_(limit: int, *, replayed: bool) -> None:
    """Print the dead letters, the newest first, and how many signals wait."""

    async def work(_settings: Settings, database: Database) -> None:
        inbox = _inbox(database)
        for letter in await inbox.dead_letters(limit, replayed=replayed):
            click.echo(_line(letter))
        click.echo(f"{await inbox.waiting()} signals wait for triage.")

    with_database(work)


@intake.command("show")
@click.argument("number", type=int)
def show(number: int) -> None:
    """Print one dead letter as it was kept: without secrets, cut."""

    async def work(_settings: Settings, database: Database) -> None:
        letter = await _inbox(database).dead_letter(number)
        if letter is None:
            raise Malformed(f"There is no dead letter {number}.")
        click.echo(_line(letter))
        click.echo(printable(letter.body))

    with_database(work)


@intake.command("replay")
@click.argument("numbers", type=int, nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that were not replayed yet.")
def replay(numbers: tuple[int, ...], *, everything: bool) -> None:
    """Put dead letters back into the inbox, at its end: after a mend, or a new version."""
    if bool(numbers) == everything:
        raise click.UsageError("Give the numbers of dead letters, or --all.")

    async def work(settings: Settings, database: Database) -> int:
        inbox = _inbox(database)
        chosen = numbers or tuple(x.number for x in await inbox.dead_letters(10_000))
        failed = 0
        for number in chosen:
            try:
                signals = await inbox.replay(number, lambda letter: _parsed(settings, letter))
            except Malformed as error:
                failed += 1
                click.echo(f"{number}: not replayed: {error}", err=True)
            else:
                click.echo(f"{number}: {len(signals)} signals are in the inbox again")
        return failed

    if with_database(work):
        raise click.exceptions.Exit(1)


def _inbox(database: Database) -> SignalInbox:
    return SignalInbox(database, wall_clock())


def _line(letter: DeadLetter) -> str:
    error = " ".join(printable(letter.error).split())[:SHOWN]
    done = f"   replayed {letter.replayed_at:%Y-%m-%d %H:%M:%S}Z" if letter.replayed_at else ""
    return f"{letter.number:6}  {letter.at:%Y-%m-%d %H:%M:%S}Z  {letter.origin:12}  {error}{done}"


def _parsed(settings: Settings, letter: DeadLetter) -> Sequence[Signal]:
    """Read a kept body as the door would today. Raises: Malformed."""
    from bot.intake.doors import parse_as
    from bot.intake.places import Places

    try:
        body = json.loads(letter.body)
    except ValueError:
        raise Malformed("it is not whole, or never was JSON") from None
    places = Places(load_environments(settings.environments))
    return parse_as(letter.origin, body, letter.at, places)
