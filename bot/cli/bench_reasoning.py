"""`sre-bot bench reasoning`: CPU time and memory of reasoning over recorded cases."""

import importlib
import json
import resource
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from bot.cli.evaluate import BENCHMARKS, HONEST
from bot.evaluation.benchmark import Options

MEGABYTE = 1024 * 1024


@click.command("reasoning")
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--benchmark", default=HONEST[0], show_default=True, type=click.Choice(HONEST))
@click.option("--cases", default=0, type=click.IntRange(0), help="Only the first few (0: all).")
def reasoning(directory: Path, benchmark: str, cases: int) -> None:
    """CPU seconds a case, loading included, in this warm process; and its largest memory.

    The baseline parses the same files as JSON and does nothing with them.
    """
    subject = importlib.import_module(BENCHMARKS[benchmark]).subject(Options())
    paths = list(subject.cases(directory))
    paths = paths[:cases] if cases else paths
    if not paths:
        raise click.UsageError(f"{directory}: no case of {benchmark} in it.")
    subject.score(paths[:1], directory)  # warm
    base = [_seconds_to_read(path) for path in paths]
    scored = subject.score(paths, directory)
    middle = statistics.median(base)
    _row("reading and parsing alone (baseline)", base, middle)
    _row("loading and reasoning", [s.seconds for s in scored], middle)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KiB; bytes on a Mac
    peak *= 1 if sys.platform == "darwin" else 1024
    click.echo(f"{'largest memory of the process':38} {peak / MEGABYTE:7.0f} MB")


def _seconds_to_read(case: Path) -> float:
    started = time.process_time()
    for path in sorted(case.rglob("*")):
        if path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            if path.suffix == ".json" and text.strip():
                json.loads(text)
    return time.process_time() - started


def _row(name: str, seconds: Sequence[float], base: float) -> None:
    ordered = sorted(seconds)
    p95 = ordered[int(0.95 * (len(ordered) - 1))]
    median = statistics.median(ordered)
    click.echo(
        f"{name:38} median {median:7.3f} s   p95 {p95:7.3f} s   max {ordered[-1]:7.3f} s   "
        f"{median / max(base, 1e-6):6.1f}x baseline   n={len(ordered)}"
    )
