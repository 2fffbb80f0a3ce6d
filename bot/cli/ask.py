"""`sre-bot ask`: the same investigation and the same report, in a terminal."""

import asyncio
import contextlib
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli.support import clock_of, told_of
from bot.domain.diagnosis import Question, Status, Symptom
from bot.domain.errors import NotConfigured
from bot.settings import Settings, load, load_environments

if TYPE_CHECKING:
    from bot.workflows.asking import Answered

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
    from bot.reports.answer import answer as as_answer
    from bot.reports.terminal import words

    if case is not None and (incident or environment):
        raise click.UsageError("--case brings its own environment; leave --env and --sandbox out.")
    if case is not None:
        answered = asyncio.run(answer_case(case, question))
    elif not question and not incident:
        raise click.UsageError("What is the question? For example: sre-bot ask 'why is web slow'")
    else:
        with place(incident, seed, environment) as (settings, usual_question):
            answered = asyncio.run(answer_now(settings, question or usual_question, environment))
    if as_json:
        click.echo(json.dumps(as_answer(answered.report, answered.proposals), indent=2))
    else:
        click.echo(words(answered.report, answered.proposals))
    sys.exit(EXIT_CODES[answered.report.diagnosis.status])


async def answer_now(settings: Settings, question: str, environment: str) -> "Answered":
    """Ask the live systems that the settings name. Raises: NotConfigured: there are none."""
    from bot.app.watching import inquiry_of
    from bot.workflows.asking import answer_live
    from policies.catalog import load as load_runbooks

    environments = load_environments(settings.environments)
    if not environments:
        raise NotConfigured("SRE_BOT_ENVIRONMENTS names no environment; see docs/configuration.md")
    inquiry = inquiry_of(settings, environments, clock_of(settings))
    return await answer_live(inquiry, load_runbooks(), question, environment)


async def answer_case(directory: Path, text: str) -> "Answered":
    """Answer from a recorded case. The recorded question, or a blank one, unless TEXT is given."""
    from bot.app.watching import recorded_inquiry
    from bot.evaluation.opening import open_case
    from bot.workflows.asking import answer
    from bot.workflows.inquiry import Meter
    from policies.catalog import load as load_runbooks

    case = open_case(directory)
    blank = Question(
        text=text, environment=case.environment, services=(), symptom=Symptom.ANY,
        asked_at=case.now, window=case.window,
    )  # fmt: skip
    inquiry = recorded_inquiry(load(), case.environment, case.now)
    question = case.question or blank
    meter = Meter(case.now, inquiry.clock)
    return await answer(inquiry, load_runbooks(), question, case.collect, meter)


@contextlib.contextmanager
def place(incident: str, seed: int, environment: str) -> Iterator[tuple[Settings, str]]:
    """Yield the settings of the real world, or of a sandbox that lives as long as the question."""
    if not incident:
        yield load(), ""
        return
    from bot.cli.company import Company, Plan

    told = told_of(incident, seed)
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
