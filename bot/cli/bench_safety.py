"""`sre-bot bench safety`: simulated incidents through the real door, and what became of them."""

import asyncio
import sys
import time

import click


@click.command("safety")
@click.option("--incidents", default=10_000, show_default=True, type=click.IntRange(1, 1_000_000))
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0))
def safety(incidents: int, seed: int) -> None:
    """Simulate incidents: wrong diagnoses, self-recovery, odd metrics, random levels and clicks.

    Exit code 1 when any line is not what it must be.
    """
    from bot.evaluation.safety.account import account
    from bot.evaluation.safety.simulation import Company

    company, began, spent = Company(seed), time.monotonic(), time.process_time()
    asyncio.run(company.run(incidents))
    rows = account(company)
    for row in rows:
        must = "" if row.must is None else f"  must be {row.must} {'✓' if row.safe else '✗'}"
        click.echo(f"{row.what:<46}{row.count:>8}{must}")
    took, cpu = time.monotonic() - began, time.process_time() - spent
    click.echo(f"{took:.0f} s, of which {cpu:.0f} s of CPU; seed {seed}")
    if not all(row.safe for row in rows):
        sys.exit(1)
