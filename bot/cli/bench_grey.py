"""`sre-bot bench grey`: silent degradations over simulated days, and who finds them first."""

import sys
import time

import click


@click.command("grey")
@click.option("--days", default=50, show_default=True, type=click.IntRange(1, 1000))
@click.option("--degradations", default=25, show_default=True, type=click.IntRange(1, 500))
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0))
def grey(days: int, degradations: int, seed: int) -> None:
    """Degrade 1 to 10 % of a service's requests while its health checks stay green.

    Alerts are the shop's own (2 % failed or p99 above its objective, for two minutes) and burn
    rates of 99.9 % over two windows, of any service. Exit code 1 when fewer than 80 % are found
    before the first alert, or more than one signal a week is false.
    """
    from bot.cli.grey_account import good, lines
    from bot.cli.grey_days import run

    if degradations > days:
        raise click.UsageError("at most one degradation a day: they must not meet")
    began, spent = time.monotonic(), time.process_time()
    outcome = run(seed, days=days, count=degradations)
    for line in lines(outcome):
        click.echo(line)
    took, cpu = time.monotonic() - began, time.process_time() - spent
    click.echo(f"{took:.0f} s, of which {cpu:.0f} s of CPU; seed {seed}")
    if not good(outcome):
        sys.exit(1)
