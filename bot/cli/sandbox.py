"""`sre-bot sandbox`: the make-believe company."""

import asyncio
import dataclasses
import json
from datetime import UTC, datetime
from urllib.parse import urlsplit

import click

from bot.cli.support import told_of
from bot.domain.time import ScaledClock


@click.group()
def sandbox() -> None:
    """The make-believe company: its incidents, and the server."""


@sandbox.command("list")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
@click.option("--seeds", default=1, show_default=True, type=click.IntRange(1, 1000))
def list_incidents(*, as_json: bool, seeds: int) -> None:
    """Name every incident, with its true cause and object per seed."""
    from bot.sandbox.world.catalog import incidents, truth

    rows = [truth(name, seed) for name in incidents() for seed in range(1, seeds + 1)]
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(row) for row in rows], indent=2, default=str))
        return
    for row in rows:
        what = "nothing is wrong" if row.healthy else f"{row.cause} at {row.object}"
        click.echo(f"{row.incident:22} seed {row.seed:<3} {what:58} “{row.question}”")


@sandbox.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=0, show_default=True, type=click.IntRange(0, 65535))
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0))
@click.option("--rate", default=1.0, show_default=True, type=click.FloatRange(0.1, 10_000))
@click.option("--origin", default="", help="ISO time at which the clock starts to run at the rate.")
@click.option("--incident", default="", help="An incident that is already going on.")
@click.option("--environment", default="prod", show_default=True)
def serve(  # noqa: PLR0913 - one parameter an option
    host: str, port: int, seed: int, rate: float, origin: str, incident: str, environment: str
) -> None:
    """Serve the company on loopback; prints one line of JSON with its port when it listens."""
    from bot.sandbox import server
    from bot.sandbox.app import create_app
    from bot.sandbox.pagerduty.routes import sandbox_pagerduty
    from bot.sandbox.workspace.state import Workspace
    from bot.sandbox.world import catalog
    from bot.sandbox.world.routes import routes
    from bot.sandbox.world.running import World
    from bot.sandbox.world.warming import warm

    start = _moment(origin) if origin else datetime.now(UTC)  # noqa: TID251 - entry
    if incident:
        told_of(incident, seed)
    clock = ScaledClock(origin=start, rate=rate)
    workspace, world = Workspace(clock), World(clock, seed)
    if incident:
        catalog.start(world, incident, seed, environment)
        if (started := world.running(environment)) is not None:
            warm(started)
    pager = sandbox_pagerduty(ScaledClock(origin=start))  # people are called by the wall's clock
    extra = [*routes(world), *pager.routes()]
    app = create_app(workspace, extra=extra, running=(pager.deliverer.running(),))

    def listening(url: str) -> None:
        click.echo(json.dumps({"url": url, "port": urlsplit(url).port}))

    asyncio.run(server.serve(workspace, app, host=host, port=port, ready=listening))


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.UsageError(f"--origin: {text!r} is not an ISO time") from error
    if moment.tzinfo is None:
        raise click.UsageError("--origin: a time zone is missing, e.g. +00:00")
    return moment
