"""`sre-bot demo`: the sandbox company, its workspace and the bot, with one URL to open."""

import shutil
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import click

from bot.cli.company import Company, Plan
from bot.cli.support import told_of
from bot.domain.errors import Unavailable

WELCOME = """
Open {url}

You are in a workspace of your own, with sre-bot in it. In {channel}, type:

    {question}

and watch the thread. Switch who you are at the upper right (responder, approver, administrator,
observer). More incidents: the Sandbox panel there, or `sre-bot demo --incident NAME --seed N`
(`sre-bot sandbox list` names them). The sandbox's clock runs {rate:g} times as fast as yours.

On Mondays at nine (UTC) {channel} is told of its week. What it would be told so far:

    SRE_BOT_HOME={home} SRE_BOT_ENVIRONMENTS={home}/environments.yaml \\
      sre-bot digest --preview --until {tomorrow}

Logs are in {home}. Ctrl-C stops everything.
"""


@click.command()
@click.option("--incident", default="decoy-deploy", show_default=True, help="See `sandbox list`.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0))
@click.option("--env", "environment", default="prod", show_default=True)
@click.option("--rate", default=20.0, show_default=True, type=click.FloatRange(1, 1000))
@click.option("--port", default=8421, show_default=True, type=click.IntRange(0, 65535))
@click.option("--home", type=click.Path(path_type=Path), help="Keep database and logs there.")
def demo(
    incident: str, seed: int, environment: str, rate: float, port: int, home: Path | None
) -> None:
    """Start the sandbox company with its workspace, and the bot; print one URL."""
    told = told_of(incident, seed)
    place = home or Path(tempfile.mkdtemp(prefix="sre-bot-demo-"))
    company = Company(
        Plan(
            home=place,
            incident=incident,
            environment=environment,
            seed=seed,
            rate=rate,
            port=port,
            digest=True,
        )
    )
    click.echo("Starting the sandbox company and the bot …")
    try:
        company.start()
        click.echo(
            WELCOME.format(
                url=company.url,
                channel="#incidents",
                question=f"@sre-bot {told.question}",
                rate=rate,
                home=place,
                tomorrow=(company.origin + timedelta(days=1)).date(),
            )
        )
        while company.running():
            time.sleep(0.5)  # noqa: TID251 - nothing else runs here
        raise Unavailable("demo", f"a process ended by itself; its log in {place} says why")
    finally:
        company.stop()
        if home is None:
            shutil.rmtree(place, ignore_errors=True)
