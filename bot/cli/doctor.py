"""`sre-bot doctor`: what is configured, reachable and missing."""

import asyncio
import sys

import click

from bot.settings import load

MARKS = {"ok": "✓", "missing": "-", "risky": "!", "wrong": "✗"}


@click.command()
def doctor() -> None:
    """Say what is configured, reachable and missing. Exit code 1 when something needed is."""
    from bot.app.health import examine

    findings = asyncio.run(examine(load()))
    for finding in findings:
        click.echo(f"{MARKS[finding.state]} {finding.what}: {finding.words}")
    wrong = [f for f in findings if f.state == "wrong"]
    if wrong:
        click.echo(f"\n{len(wrong)} of {len(findings)} need attention.", err=True)
        sys.exit(1)
