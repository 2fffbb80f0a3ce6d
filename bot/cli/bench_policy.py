"""`sre-bot bench policy`: the time of one ruling, rules and guard, without SQL."""

import json
import random
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import click

from bot.domain.action import Level
from bot.domain.environment import Tier
from bot.domain.people import Role
from bot.domain.policy import Approvals, PolicyRequest, Stage

MS = 1000.0


@click.command("policy")
@click.option("--runs", default=2000, show_default=True, type=click.IntRange(10, 100_000))
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def policy(runs: int, seed: int, *, as_json: bool) -> None:
    """Milliseconds of one ruling on as many different requests, and the ratio to the baseline.

    The baseline is one answer of Cedar alone to the same requests, in the same process.
    """
    from policies.engine import CedarEngine, ask
    from policies.request import VOUCHED, facts

    chance = random.Random(seed)  # noqa: S311 - a reproducible mix, no secret
    mix = [_request(chance) for _ in range(runs)]
    engine = CedarEngine()
    known = [facts(request, VOUCHED) for request in mix]
    rows = {
        "one answer of Cedar (baseline)": _timed(lambda k: ask(engine.book, "approval", k), known),
        "one ruling, from a cold start": _timed(engine.rule, mix),
        "one ruling, warm": _timed(engine.rule, mix),
        "one ruling, every combination new": _timed(_forgetful(engine), mix),
    }
    base = statistics.median(next(iter(rows.values())))
    found = {name: _figures(seconds, base) for name, seconds in rows.items()}
    click.echo(json.dumps(found, indent=2) if as_json else "\n".join(_told(found)))


def _forgetful(engine: Any) -> Callable[[PolicyRequest], Any]:
    def rule(request: PolicyRequest) -> Any:
        engine.forget()
        return engine.rule(request)

    return rule


def _timed(work: Callable[[Any], Any], inputs: Iterable[Any]) -> list[float]:
    seconds = []
    for value in inputs:
        started = time.perf_counter()
        work(value)
        seconds.append(time.perf_counter() - started)
    return seconds


def _figures(seconds: Sequence[float], base: float) -> dict[str, float]:
    ordered = sorted(seconds)
    median = statistics.median(ordered)
    return {
        "median_ms": median * MS,
        "p95_ms": ordered[int(0.95 * (len(ordered) - 1))] * MS,
        "max_ms": ordered[-1] * MS,
        "baselines": median / base,
        "n": len(ordered),
    }


def _told(found: dict[str, dict[str, float]]) -> list[str]:
    return [
        f"{name:36} median {row['median_ms']:6.3f} ms   p95 {row['p95_ms']:6.3f} ms   "
        f"max {row['max_ms']:7.3f} ms   {row['baselines']:5.2f}x baseline   n={row['n']}"
        for name, row in found.items()
    ]


def _request(chance: random.Random) -> PolicyRequest:
    """Return a random request: all stages, tiers and levels, mostly in a world that is well."""
    from policies.ordinary import ordinary

    usual = ordinary()
    conditions = replace(
        usual.conditions,
        level=chance.choice(list(Level)),
        confidence=chance.random(),
        novel=chance.random() < 0.2,
        freeze=chance.random() < 0.1,
        breaker_open=chance.random() < 0.1,
        kill_switch=chance.random() < 0.02,
        actions_last_hour=chance.randrange(8),
    )
    total = chance.randrange(1, 30)
    pods = chance.randrange(total + 1)
    blast = replace(
        usual.blast_radius,
        pods=pods,
        pods_total=total,
        workload_ratio=pods / total,
        fleet_ratio=chance.random() * 0.3,
    )
    approved = Approvals(
        count=1, roles=frozenset({chance.choice(list(Role))}), includes_requester=False
    )
    return replace(
        usual,
        stage=chance.choice((Stage.PROPOSE, Stage.EXECUTE, Stage.EXECUTE)),
        tier=chance.choice(list(Tier)),
        target=replace(usual.target, uid=str(chance.random()), stateful=chance.random() < 0.2),
        blast_radius=blast,
        approvals=approved if chance.random() < 0.5 else usual.approvals,
        conditions=conditions,
    )
