"""`sre-bot eval`: the same reasoning over recorded incidents, scored."""

import json
from pathlib import Path

import click


@click.group(name="eval")
def evaluate() -> None:
    """Score the reasoning on recorded incidents. Deterministic but for `timings`."""


@evaluate.command("cloud-opsbench")
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print every figure as JSON.")
@click.option("--jobs", default=1, show_default=True, type=click.IntRange(1, 64))
@click.option("--failures", is_flag=True, help="List the cases that were wrong.")
def cloud_opsbench(directory: Path, *, as_json: bool, jobs: int, failures: bool) -> None:
    """Score Cloud-OpsBench cases below DIRECTORY (top-1: cause and object exact)."""
    from bot.evaluation.run import evaluate_cloud_opsbench

    figures = evaluate_cloud_opsbench(directory, jobs=jobs, failures=failures)
    if as_json:
        click.echo(json.dumps(figures, indent=2))
        return
    timings = figures["timings"]
    click.echo(
        f"{figures['cases']} cases: top-1 {figures['top1']:.3f}, top-3 {figures['top3']:.3f}, "
        f"answered {figures['coverage']:.2f}; median {timings['seconds_median']:.2f} s a case"
    )
    for name, group in figures["by_kind"].items():
        click.echo(f"  {name:36} {group['cases']:4}  top-1 {group['top1']:.2f}")
    for failure in figures.get("failures", ()):
        click.echo(f"  wrong: {failure['case']}: is {failure['truth']}, said {failure['answers']}")
