"""`sre-bot ask`: the same investigation and the same report, in a terminal."""

import asyncio
import contextlib
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click

from bot.domain.diagnosis import Status
from bot.settings import Settings, load, load_environments

EXIT_CODES = {Status.ROOT_CAUSE: 0, Status.HEALTHY: 0, Status.UNKNOWN: 3}


@click.command()
@click.argument("question", required=False, default="")
@click.option("--env", "environment", default="", help="Where to look (default: the default one).")
@click.option("--sandbox", "incident", default="", help="Ask about an incident of the sandbox.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0))
@click.option("--case", "case", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="Ask about a recorded case (a folder).")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the documented JSON (docs/answer.md).")
def ask(
    question: str, environment: str, incident: str, seed: int, case: Path | None, *, as_json: bool
) -> None:
    """Investigate QUESTION and print the report.

    Exit code: 0 root cause found or healthy, 3 unknown, 2 wrong usage, 1 failure.
    """
    from bot.app import ask_case, ask_live
    from bot.reports.answer import answer
    from bot.reports.terminal import words

    if case is not None and (incident or environment):
        raise click.UsageError("--case brings its own environment; leave --env and --sandbox out.")
    if case is not None:
        answered = asyncio.run(ask_case(case, question, load()))
    elif not question and not incident:
        raise click.UsageError("What is the question? For example: sre-bot ask 'why is web slow'")
    else:
        with _place(incident, seed, environment) as (settings, default_question):
            found = load_environments(settings.environments)
            answered = asyncio.run(
                ask_live(question or default_question, environment, found, settings)
            )
    report, proposals = answered
    if as_json:
        click.echo(json.dumps(answer(report, proposals), indent=2))
    else:
        click.echo(words(report, proposals))
    sys.exit(EXIT_CODES[report.diagnosis.status])


@contextlib.contextmanager
def _place(incident: str, seed: int, environment: str) -> Iterator[tuple[Settings, str]]:
    """Yield the settings of the real world, or of a sandbox that lives as long as the question."""
    if not incident:
        yield load(), ""
        return
    from bot.cli.company import Company, Plan
    from bot.sandbox.world.catalog import truth

    told = truth(incident, seed)
    with tempfile.TemporaryDirectory(prefix="sre-bot-ask-") as home:
        plan = Plan(
            home=Path(home),
            incident=incident,
            seed=seed,
            rate=1.0,
            environment=environment or "prod",
        )
        company = Company(plan)
        company.start_sandbox()
        try:
            company.write_environments()
            yield company.as_settings(), told.question
        finally:
            company.stop()
