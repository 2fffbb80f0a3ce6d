"""`sre-bot freezes`: when nothing runs by itself, for when Slack is down."""

from datetime import UTC, datetime, timedelta

import click

from bot.app.witness import audit_log
from bot.cli.support import typing_person, with_database
from bot.domain.people import Actor, ActorKind, Role
from bot.domain.time import ScaledClock
from bot.remediation.freeze_words import EVERYWHERE, checked
from bot.settings import Settings, load_environments
from bot.storage.database import Database
from bot.storage.switches import Switches
from bot.workflows.freezing import NONE, Freezing

NO_REASON = "--reason must say something"


class Keyboard:
    """Whoever may type here is trusted as an administrator, as with `sre-bot levels set`."""

    async def actor(self, team: str, user: str, environment: str) -> Actor:  # noqa: ARG002 - a port's
        """Return the administrator at the keyboard."""
        roles = frozenset({Role.ADMINISTRATOR})
        return Actor(id=user, team=team, kind=ActorKind.PERSON, roles=roles)


@click.group(invoke_without_command=True)
@click.pass_context
def freezes(context: click.Context) -> None:
    """Freeze windows: nothing runs by itself then; what is approved passes."""
    if context.invoked_subcommand is None:
        context.invoke(list_freezes)


@freezes.command("list")
def list_freezes() -> None:
    """Show every window that is on or ahead."""

    async def work(settings: Settings, database: Database) -> None:
        freezing = _freezing(settings, database)
        for freeze in await freezing.freezes.freezes(freezing.clock.now()):
            click.echo(freeze.words)

    with_database(work)


@freezes.command("set")
@click.argument("environment")
@click.option("--hours", type=click.FloatRange(0, 2160, min_open=True), required=True)
@click.option("--from", "start", help="When it begins, ISO, UTC (default: now).")
@click.option("--reason", required=True, help="Why; it goes into the audit.")
def set_freeze(environment: str, hours: float, start: str | None, reason: str) -> None:
    """Freeze ENVIRONMENT ("all": every one) for so many hours."""
    if not reason.strip():
        raise click.UsageError(NO_REASON)

    async def work(settings: Settings, database: Database) -> None:
        freezing = _freezing(settings, database)
        place = "" if environment.lower() in EVERYWHERE else environment
        if place and freezing.environments and place not in freezing.environments:
            known = ", ".join(sorted(freezing.environments))
            raise click.UsageError(f"There is no environment {place!r}; there are: {known}")
        now = freezing.clock.now()
        begins = _moment(start) if start else now
        window = checked(begins, begins + timedelta(hours=hours), now)
        by = typing_person()
        made = await freezing.set(f"{by} {now.isoformat()}", place, window, reason.strip(), by)
        click.echo(made.words)

    with_database(work)


@freezes.command("lift")
@click.argument("freeze_id")
@click.option("--reason", required=True, help="Why; it goes into the audit.")
def lift_freeze(freeze_id: str, reason: str) -> None:
    """End the window FREEZE_ID now."""
    if not reason.strip():
        raise click.UsageError(NO_REASON)

    async def work(settings: Settings, database: Database) -> None:
        freezing = _freezing(settings, database)
        found = {f.id: f for f in await freezing.freezes.freezes(freezing.clock.now())}
        if freeze_id not in found:
            there = ", ".join(found) or NONE
            raise click.UsageError(f"There is no freeze {freeze_id!r}: {there}")
        await freezing.end(found[freeze_id], reason.strip(), typing_person())
        click.echo(f"Lifted: {found[freeze_id].words}.")

    with_database(work)


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.UsageError(f"--from: {text!r} is no time, e.g. 2026-11-27T18:00") from error
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _freezing(settings: Settings, database: Database) -> Freezing:
    known = load_environments(settings.environments) if settings.environments else ()
    return Freezing(
        freezes=Switches(database),
        people=Keyboard(),
        audit=audit_log(settings, database),
        clock=ScaledClock(origin=settings.origin),
        environments={e.name: e for e in known},
    )
