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
    from bot.app.checking import check
    from bot.app.doorkeeper import doorkeeper

    settings = load()
    check(settings)
    with doorkeeper(settings) as door:
        from bot.app.serving import serve  # heavy: the door's process needs none of it

        asyncio.run(serve(settings, door, ready=lambda facts: click.echo(json.dumps(facts))))
