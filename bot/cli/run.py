"""`sre-bot run`: the bot itself."""

import asyncio
import json

import click

from bot.settings import load


@click.command()
def run() -> None:
    """Run the bot: Socket Mode by default, HTTP with SRE_BOT_SLACK_MODE=http.

    Prints one line of JSON when it is connected. SIGTERM stops it; work goes on at the next start.
    """
    from bot.app.serving import serve

    settings = load()
    asyncio.run(serve(settings, ready=lambda facts: click.echo(json.dumps(facts))))
