"""`sre-bot bench`: measured times, with percentiles, and ratios to a baseline of the same run."""

import itertools
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import requests

from bot.cli.bench_grey import grey
from bot.cli.bench_intake import intake
from bot.cli.bench_policy import policy
from bot.cli.bench_reasoning import reasoning
from bot.cli.bench_safety import safety
from bot.cli.company import INCIDENT_CHANNEL, Company, Plan
from bot.cli.support import told_of

ASKER = "U0RESPONDER"
GIVE_UP_S = 60.0
POLL_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Wall times of one question, in seconds, as seen at the workspace."""

    first_reply_s: float
    report_s: float


@click.group()
def bench() -> None:
    """Measure; never guess."""


bench.add_command(reasoning)
bench.add_command(policy)
bench.add_command(safety)
bench.add_command(intake)
bench.add_command(grey)


@bench.command("ask")
@click.option("--runs", default=20, show_default=True, type=click.IntRange(1, 1000))
@click.option("--incident", default="decoy-deploy", show_default=True)
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0))
def bench_ask(runs: int, incident: str, seed: int) -> None:
    """Time from a mention to the first reply and to the full report, at the workspace."""
    question = f"@sre-bot {told_of(incident, seed).question}"
    with tempfile.TemporaryDirectory(prefix="sre-bot-bench-") as home:
        company = Company(Plan(home=Path(home), incident=incident, seed=seed, rate=1.0))
        try:
            company.start()
            workspace = Workspace(company.url)
            baseline = [workspace.round_trip() for _ in range(runs)]
            asked = [workspace.ask(question) for _ in range(runs)]
        finally:
            company.stop()
    base = statistics.median(baseline)
    _row("message posted and read back (baseline)", baseline, base)
    _row("mention to first reply", [a.first_reply_s for a in asked], base)
    _row("mention to full report", [a.report_s for a in asked], base)


class Workspace:
    """The page's side of the sandbox workspace."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/client"
        self._http = requests.Session()
        self._http.trust_env = False  # loopback: no proxy
        self._texts = itertools.count(1)

    def ask(self, question: str) -> Asked:
        """Post a question; return when the first reply and the report were there."""
        started = time.monotonic()
        ts = self._post(question)
        first = self._wait(ts, started, lambda replies: bool(replies))
        report = self._wait(ts, started, lambda replies: any(map(_is_report, replies)))
        return Asked(first_reply_s=first, report_s=report)

    def round_trip(self) -> float:
        """Post a plain message in a channel without the bot and read it back."""
        started = time.monotonic()
        ts = self._post(f"hello {next(self._texts)}", channel="C0GENERAL")
        self._thread(ts, "C0GENERAL")
        return time.monotonic() - started

    def _post(self, text: str, channel: str = INCIDENT_CHANNEL) -> str:
        body = {"user": ASKER, "channel": channel, "text": text}
        answer = self._http.post(f"{self._url}/messages", json=body, timeout=10).json()
        return str(answer["ts"])

    def _thread(self, ts: str, channel: str) -> list[dict[str, Any]]:
        url = f"{self._url}/channels/{channel}/threads/{ts}"
        messages: list[dict[str, Any]] = self._http.get(url, timeout=10).json()["messages"]
        return messages[1:]

    def _wait(self, ts: str, started: float, done: Callable[[list[dict[str, Any]]], bool]) -> float:
        while not done(self._thread(ts, INCIDENT_CHANNEL)):
            if time.monotonic() - started > GIVE_UP_S:
                raise click.ClickException(f"no answer within {GIVE_UP_S:g} s")
            time.sleep(POLL_S)  # noqa: TID251 - nothing else runs here
        return time.monotonic() - started


def _is_report(message: dict[str, Any]) -> bool:
    elements = (e for block in message.get("blocks", ()) for e in block.get("elements", ()))
    return any(element.get("action_id") == "verdict_right" for element in elements)


def _row(name: str, seconds: Sequence[float], base: float) -> None:
    ordered = sorted(seconds)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * len(ordered) + 0.5) - 1)]
    median = statistics.median(ordered)
    click.echo(
        f"{name:42} median {median:7.3f} s   p95 {p95:7.3f} s   max {ordered[-1]:7.3f} s   "
        f"{median / base:8.1f}x baseline   n={len(ordered)}"
    )
