"""`sre-bot stop` and `sre-bot start`: the kill switch, for when Slack is down."""

import json

import click

from bot.app.witness import audit_log
from bot.cli.support import clock_of, typing_person, with_database
from bot.domain.ports import AuditEntry
from bot.settings import Settings
from bot.storage.database import Database
from bot.storage.switches import Switches


@click.command()
@click.argument("reason", default="")
def stop(reason: str) -> None:
    """Stop every execution at once, on every replica. Investigations go on."""
    _switch(on=True, reason=reason)
    click.echo("Stopped: nothing is executed until `sre-bot start`.")


@click.command()
@click.argument("reason", default="")
def start(reason: str) -> None:
    """Let executions happen again, as far as policy allows."""
    _switch(on=False, reason=reason)
    click.echo("Started: executions are possible again, as far as policy allows.")


def _switch(*, on: bool, reason: str) -> None:
    async def work(settings: Settings, database: Database) -> None:
        now, by = clock_of(settings).now(), typing_person()
        switches = Switches(database)
        before = await switches.stopped()
        if on:  # stopping must work also when the audit does not
            await switches.set_stopped(True, by=by, reason=reason, at=now)
        await audit_log(settings, database).write(
            AuditEntry(
                at=now,
                actor=by,
                event="stopped" if on else "started",
                environment="",
                subject="kill_switch",
                text=reason,
                details=json.dumps({"before": before, "after": on}),
            )
        )
        if not on:
            await switches.set_stopped(False, by=by, reason=reason, at=now)

    with_database(work)
