"""`sre-bot roles` and `sre-bot levels`: who may do what, and how far the bot may go."""

import json
from datetime import timedelta

import click

from bot.app.witness import audit_log
from bot.cli.support import clock_of, typing_person, with_database
from bot.domain.action import Level
from bot.domain.people import Role
from bot.domain.ports import AuditEntry
from bot.domain.time import ScaledClock
from bot.remediation.trust import Trust
from bot.settings import Settings
from bot.storage.database import Database
from bot.storage.people import EVERY_ACTION, LevelGrant, Levels, People
from bot.storage.records import Records
from bot.workflows.trusting import standing_line
from tools.catalog import actions

ROLES = click.Choice([role.value for role in Role])
LEVELS = click.Choice([level.name for level in Level], case_sensitive=False)


@click.group()
def roles() -> None:
    """Roles, granted to (team, user): observer, responder, approver, administrator."""


@roles.command("list")
def list_roles() -> None:
    """Show every grant."""

    async def work(_settings: Settings, database: Database) -> None:
        for row in await People(database).all():
            where = row.environment or "everywhere"
            click.echo(f"{row.team}\t{row.user}\t{row.role}\t{where}\tby {row.granted_by}")

    with_database(work)


@roles.command("grant")
@click.argument("team")
@click.argument("user")
@click.argument("role", type=ROLES)
@click.option("--env", "environment", default="", help="Only there (default: everywhere).")
def grant_role(team: str, user: str, role: str, environment: str) -> None:
    """Grant ROLE to USER (a Slack user id) of TEAM (a Slack team id)."""

    async def work(settings: Settings, database: Database) -> None:
        now, by = clock_of(settings).now(), typing_person()
        await audit_log(settings, database).write(
            AuditEntry(
                at=now,
                actor=by,
                event="role_granted",
                environment=environment,
                subject=f"{team}/{user}",
                text=f"{role} granted to {user}",
            )
        )
        await People(database).grant(team, user, Role(role), environment=environment, by=by, at=now)
        click.echo(f"{user} is {role} {'in ' + environment if environment else 'everywhere'}.")

    with_database(work)


@roles.command("revoke")
@click.argument("team")
@click.argument("user")
@click.argument("role", type=ROLES)
@click.option("--env", "environment", default="", help="Only there (default: everywhere).")
def revoke_role(team: str, user: str, role: str, environment: str) -> None:
    """Take ROLE back from USER of TEAM."""

    async def work(settings: Settings, database: Database) -> None:
        now, by = clock_of(settings).now(), typing_person()
        await audit_log(settings, database).write(
            AuditEntry(
                at=now,
                actor=by,
                event="role_revoked",
                environment=environment,
                subject=f"{team}/{user}",
                text=f"{role} taken from {user}",
            )
        )
        await People(database).revoke(team, user, Role(role), environment=environment)
        click.echo(f"{user} is no longer {role}.")

    with_database(work)


@click.group(invoke_without_command=True)
@click.pass_context
def levels(context: click.Context) -> None:
    """Autonomy levels of (environment, action[, service]), and the record they rest on.

    Absent means L1. Without a command: both are shown.
    """
    if context.invoked_subcommand is None:
        context.invoke(list_levels)
        context.invoke(show_records)


@levels.command("record")
def show_records() -> None:
    """Show what became of each action's proposals, and what the next level takes."""

    async def work(settings: Settings, database: Database) -> None:
        for standing in await _trust(settings, database).standings():
            click.echo(standing_line(standing))

    with_database(work)


def _trust(settings: Settings, database: Database) -> Trust:
    clock = clock_of(settings)
    return Trust(
        records=Records(database),
        levels=Levels(database, clock),
        audit=audit_log(settings, database),
        clock=clock,
        highest={name: action.facts.highest_level for name, action in actions().items()},
    )


@levels.command("list")
def list_levels() -> None:
    """Show every level that was granted."""

    async def work(settings: Settings, database: Database) -> None:
        for row in await Levels(database, clock_of(settings)).all():
            service = row.service or "all services"
            until = f"until {row.expires_at:%Y-%m-%d %H:%M} UTC, " if row.expires_at else ""
            click.echo(
                f"{row.environment}\t{row.action}\t{service}\tL{row.level}\t"
                f"{until}by {row.granted_by}: {row.reason}"
            )

    with_database(work)


@levels.command("set")
@click.argument("environment")
@click.argument("action")
@click.argument("level", type=LEVELS)
@click.option("--service", default="", help="Only for this service (the lowest level applies).")
@click.option("--reason", required=True, help="Why; it goes into the audit.")
@click.option("--days", type=click.IntRange(1, 365), help="It expires, and falls back.")
def set_level(
    environment: str, action: str, level: str, service: str, reason: str, days: int | None
) -> None:
    """Let ACTION ("*": every action) go up to LEVEL in ENVIRONMENT."""
    known = (EVERY_ACTION, *sorted(actions()))
    if action not in known:
        raise click.UsageError(f"There is no action {action!r}; there are: {', '.join(known)}")
    if not reason.strip():
        raise click.UsageError("--reason must say something")

    async def work(settings: Settings, database: Database) -> None:
        clock, by = ScaledClock(origin=settings.origin), typing_person()
        before = await Levels(database, clock).level_of(environment, action, service)
        await audit_log(settings, database).write(
            AuditEntry(
                at=clock.now(),
                actor=by,
                event="level_changed",
                environment=environment,
                subject=f"{action}/{service or '*'}",
                text=f"{level}: {reason}",
                details=json.dumps({"before": int(before), "after": int(Level[level.upper()])}),
            )
        )
        await Levels(database, clock).grant(
            LevelGrant(
                environment=environment,
                action=action,
                level=Level[level.upper()],
                by=by,
                reason=reason,
                service=service,
                expires_at=clock.now() + timedelta(days=days) if days else None,
            )
        )
        click.echo(f"{action} in {environment} is at {level.upper()}.")

    with_database(work)
