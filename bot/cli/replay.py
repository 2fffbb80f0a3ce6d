"""`sre-bot replay`: a recorded case through today's reasoning, and what another version said."""

import asyncio
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from bot.cli.ask import EXIT_CODES, answer_case
from bot.evaluation.comparison import differences
from bot.evaluation.keeping import answer_of

CHANGED = 4
PATIENCE_S = 300.0


@click.command()
@click.argument("case", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--against", default="", metavar="OLD", help="An answer file, another checkout's "
              "folder, or a git revision: show what changed since.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the documented JSON (docs/answer.md).")
def replay(case: Path, *, against: str, as_json: bool) -> None:
    """Replay CASE; nothing is asked of any live system.

    Exit code as `ask`; 4 when the diagnosis is not the recorded one, or not OLD's.
    """
    from bot.reports.answer import answer as as_answer
    from bot.reports.terminal import words

    answered = asyncio.run(answer_case(case, ""))
    now = as_answer(answered.report, answered.proposals)
    if as_json and not against:
        click.echo(json.dumps(now, indent=2))
    elif not against:
        click.echo(words(answered.report, answered.proposals))
    old = _answer_of(against, case) if against else answer_of(case)
    if old is not None:
        _compare(old, now, against or "the recorded answer", quiet=as_json and not against)
    sys.exit(EXIT_CODES[answered.report.diagnosis.status])


def _compare(old: dict[str, Any], new: dict[str, Any], name: str, *, quiet: bool) -> None:
    lines = differences(old, new)
    if not quiet:
        click.echo(f"\nAgainst {name}: " + ("the same diagnosis." if not lines else ""))
        for line in lines:
            click.echo(f"  {line}")
    if any(
        old["diagnosis"].get(k) != new["diagnosis"].get(k) for k in ("status", "cause", "object")
    ):
        sys.exit(CHANGED)


def _answer_of(old: str, case: Path) -> dict[str, Any]:
    path = Path(old)
    if path.is_file():
        return answer_of(path) or {}
    if path.is_dir() and (path / "bot").is_dir():
        return _run_in(path, case)
    with tempfile.TemporaryDirectory(prefix="sre-bot-replay-") as place:
        _check_out(old, Path(place))
        return _run_in(Path(place), case)


def _run_in(checkout: Path, case: Path) -> dict[str, Any]:
    """Ask another version, with this environment's packages."""
    command = [sys.executable, "-m", "bot", "ask", "--case", str(case.resolve()), "--json"]
    try:
        done = subprocess.run(  # noqa: S603 - our own program, no shell
            command, cwd=checkout, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
        data = json.loads(done.stdout)
    except (ValueError, subprocess.TimeoutExpired) as error:
        raise click.ClickException(f"The version in {checkout} gave no answer.") from error
    if not isinstance(data, dict):
        raise click.ClickException(f"The version in {checkout} gave no answer.")
    return data


def _check_out(revision: str, place: Path) -> None:
    root = Path(__file__).parents[2]
    archive = place / "version.tar"
    get = ["git", "-C", str(root), "archive", "-o", str(archive), "--end-of-options", revision]
    for command in (get, ["tar", "-xf", str(archive), "-C", str(place)]):
        done = subprocess.run(  # noqa: S603 - fixed programs, no shell
            command, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
        if done.returncode:
            raise click.UsageError(
                f"--against {revision}: no such file, checkout, or git revision."
            )
