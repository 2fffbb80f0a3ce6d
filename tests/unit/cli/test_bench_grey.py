"""What the bench says of a run, and a short run of its own."""

from typing import Any

import pytest
from click.testing import CliRunner

from bot.cli.bench_grey import grey
from bot.cli.grey_account import good, lines
from bot.cli.grey_days import Found, Outcome, Told, run
from bot.sandbox.silent.alerts import Alert
from bot.sandbox.silent.faults import Fault
from bot.triage.grey.episodes import Episode

HELD_OUT = (3031, 3032)  # nothing was tuned on them


def told(at: float, service: str = "web") -> Told:
    episode = Episode(
        id="prod:1:web", service=service, callers=(), began=at, last=at,
        title=f"{service}: 1.0 % fail", text="", severe=False,
    )  # fmt: skip
    return Told(at=at, episode=episode)


def found(told_at: float | None, alert_at: float | None, service: str = "web") -> Found:
    fault = Fault(
        kind="some-fail", service="web", share=0.02, begins=100.0, ramp_s=1.0, ends=4000.0,
        slow_s=1.0,
    )  # fmt: skip
    return Found(
        fault=fault,
        told=None if told_at is None else told(told_at, service),
        alert=None if alert_at is None else Alert(at=alert_at, service="web", rule="failed"),
    )


def outcome(*parts: Found, false: int = 0, **more: Any) -> Outcome:
    return Outcome(
        found=parts, false=tuple(told(1.0) for _ in range(false)), weeks=2.0, streams=60, **more
    )


def test_first_means_before_any_alert() -> None:
    assert found(200.0, 300.0).first
    assert found(200.0, None).first
    assert not found(300.0, 300.0).first
    assert not found(None, 300.0).first
    assert not found(None, None).first


@pytest.mark.parametrize(
    ("firsts", "false", "is_good"), [(4, 2, True), (3, 0, False), (5, 3, False)]
)
def test_enough_must_be_first_and_little_false(firsts: int, false: int, is_good: bool) -> None:
    parts = [found(200.0, 300.0 if i < firsts else 150.0) for i in range(5)]
    assert good(outcome(*parts, false=false)) is is_good


def test_the_table_says_leads_and_what_was_never_alerted_on() -> None:
    parts = (found(200.0, 320.0), found(250.0, None, "db"), found(None, 150.0))
    text = "\n".join(lines(outcome(*parts, false=1)))
    assert "found before any alert: 2 of 3" in text
    assert "right service named: 1 of 2" in text
    assert "median 120 s, 120 to 120 s; 1 more were never alerted on" in text
    assert "false signals: 1 in 2.0 weeks over 60" in text
    assert "names db" in text


def test_degradations_must_not_meet() -> None:
    done = CliRunner().invoke(grey, ["--days", "3", "--degradations", "4"])
    assert done.exit_code == 2
    assert "must not meet" in done.output


@pytest.mark.long
@pytest.mark.parametrize("seed", HELD_OUT)
def test_of_25_silent_degradations_in_50_days_20_are_found_before_an_alert(seed: int) -> None:
    result = run(seed, days=50, count=25)
    print(*lines(result), sep="\n")  # noqa: T201 - the table is what the test is for
    assert len(result.found) == 25
    assert good(result)
