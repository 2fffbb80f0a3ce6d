"""`sre-bot eval`: the same reasoning over recorded incidents, scored."""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import click

from bot.evaluation.benchmark import Options, Part

BENCHMARKS = {
    "cloud-opsbench": "bot.evaluation.cloud_opsbench.benchmark",
    "loghub": "bot.evaluation.loghub.benchmark",
    "nezha": "bot.evaluation.nezha.benchmark",
    "petshop": "bot.evaluation.petshop.benchmark",
    "rootcausebench": "bot.evaluation.rootcausebench.benchmark",
}
HONEST = ("cloud-opsbench", "rootcausebench")


@click.command(name="eval")
@click.argument("benchmark", type=click.Choice(sorted(BENCHMARKS)))
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print every figure as JSON.")
@click.option("--jobs", default=1, show_default=True, type=click.IntRange(1, 64))
@click.option("--failures", is_flag=True, help="List the cases that were wrong.")
@click.option("--folds", default=0, type=click.IntRange(0, 100), help="Calibrate out of fold.")
@click.option("--unseen", default="", metavar="KIND,…", help="Kinds that no fit may see.")
@click.option("--part", default="all", type=click.Choice([p.value for p in Part]))
def evaluate(  # noqa: PLR0913 - one argument an option
    benchmark: str,
    directory: Path,
    *,
    as_json: bool,
    jobs: int,
    failures: bool,
    folds: int,
    unseen: str,
    part: str,
) -> None:
    """Score the reasoning on the recorded incidents below DIRECTORY.

    Two runs print the same bytes, `timings` aside.
    """
    options = Options(
        jobs=jobs,
        failures=failures,
        folds=folds,
        unseen=tuple(k.strip() for k in unseen.split(",") if k.strip()),
        part=Part(part),
    )
    figures = importlib.import_module(BENCHMARKS[benchmark]).evaluate(directory, options)
    click.echo(json.dumps(figures, indent=2) if as_json else _told(figures))


@click.command(name="honesty")
@click.argument("benchmark", type=click.Choice(sorted(HONEST)))
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--jobs", default=1, show_default=True, type=click.IntRange(1, 64))
@click.option("--part", default="all", type=click.Choice([p.value for p in Part]))
def honesty(benchmark: str, directory: Path, *, jobs: int, part: str) -> None:
    """Rename everything, blank paths and questions, permute the truth: is the score earned?

    Exit code 1 when a case's answer depends on names, paths or questions.
    """
    from bot.evaluation.honesty import examine

    options = Options(jobs=jobs, part=Part(part))
    subject = importlib.import_module(BENCHMARKS[benchmark]).subject(options)
    found = examine(subject, directory)
    click.echo(json.dumps(found, indent=2))
    if not found["honest"]:
        sys.exit(1)


def _told(figures: dict[str, Any]) -> str:
    lines = [f"{name:28} {_value(value)}" for name, value in figures.items() if _plain(value)]
    for group in ("by_system", "by_kind"):
        for name, row in figures.get(group, {}).items():
            lines.append(f"  {name:38} " + "  ".join(f"{k} {_value(v)}" for k, v in row.items()))
    lines += [f"{name:28} {_value(value)}" for name, value in figures["timings"].items()]
    lines += [f"wrong: {json.dumps(failure)}" for failure in figures.get("failures", ())]
    return "\n".join(lines)


def _plain(value: Any) -> bool:
    return not isinstance(value, dict | list)


def _value(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
