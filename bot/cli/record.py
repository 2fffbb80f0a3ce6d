"""`sre-bot record`: an investigation saved as a case, redacted, that replays to the same answer."""

import asyncio
from pathlib import Path

import click

from bot.cli.ask import answer_now, place


@click.command()
@click.argument("question", required=False, default="")
@click.option("--to", "directory", required=True, type=click.Path(file_okay=False, path_type=Path),
              help="A new or empty folder for the case.")  # fmt: skip
@click.option("--env", "environment", default="", help="Where to look (default: the default one).")
@click.option("--sandbox", "incident", default="", help="Ask about an incident of the sandbox.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0))
def record(question: str, directory: Path, environment: str, incident: str, seed: int) -> None:
    """Investigate QUESTION and save everything that the tools answered, redacted.

    Replay it with `sre-bot replay DIR`. Look through the folder before you send it to anyone.
    """
    from bot.evaluation.keeping import keep, vacant
    from bot.reports.answer import answer as as_answer

    if not question and not incident:
        raise click.UsageError(
            "What is the question? For example: sre-bot record 'why is web slow'"
        )
    vacant(directory)
    with place(incident, seed, environment) as (settings, usual):
        answered = asyncio.run(answer_now(settings, question or usual, environment))
    keep(directory, answered.case, as_answer(answered.report, answered.proposals))
    diagnosis = answered.report.diagnosis
    click.echo(f"{diagnosis.summary}\nSaved in {directory}; replay it: sre-bot replay {directory}")
