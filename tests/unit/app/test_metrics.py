"""Measurements in Prometheus' format: few series, no name from data, no secret."""

import subprocess
import sys
from dataclasses import replace

from prometheus_client.parser import text_string_to_metric_families

from bot.app.metrics import MOST_VALUES, Metrics, tallied
from tests.unit.app.test_selfwatch import QUIET


def samples(text: bytes) -> dict[tuple[str, tuple[str, ...]], float]:
    """Return name and label values, by the labels' names in order, to value."""
    return {
        (sample.name, tuple(v for _, v in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def test_calls_steps_and_rulings_are_counted() -> None:
    metrics = Metrics(version="1")
    metrics.called("Slack", "chat.update", "ok", 0.2)
    metrics.called("Slack", "chat.update", "limited", 0.1)
    metrics.waited("Slack", "chat.update", 1.5)
    metrics.stage("look 3", "done", 2.0)
    metrics.stage("look 12", "failed", 2.0)
    metrics.ended("investigate", "failed")
    metrics.ruled("restart_deployment", "propose", "approval")
    metrics.answered("/webhooks/pagerduty", 202, 0.02)
    found = samples(metrics.text())
    assert found["sre_bot_calls_total", ("chat.update", "limited", "Slack")] == 1
    assert found["sre_bot_call_seconds_count", ("Slack",)] == 2
    assert found["sre_bot_held_back_seconds_total", ("Slack",)] == 1.5
    assert found["sre_bot_steps_total", ("failed", "look")] == 1
    assert found["sre_bot_workflows_total", ("failed", "investigate")] == 1
    assert found["sre_bot_requests_total", ("/webhooks/pagerduty", "202")] == 1
    assert found["sre_bot_rulings_total", ("restart_deployment", "propose", "approval")] == 1


def test_names_without_end_become_other() -> None:
    metrics = Metrics(version="1")
    for number in range(5 * MOST_VALUES):
        metrics.stage(f"step-{number}-x", "done", 0.1)
        metrics.called("Slack", f"method.{number}.x", "ok", 0.1)
    found = samples(metrics.text())
    steps = [labels for name, labels in found if name == "sre_bot_steps_total"]
    assert len(steps) == MOST_VALUES + 1
    assert found["sre_bot_steps_total", ("done", "other")] == 4 * MOST_VALUES


def test_a_system_is_away_from_its_first_failure_until_something_of_it_answers() -> None:
    metrics = Metrics(version="1")
    metrics.called("metrics", "a", "timeout", 8.0)
    metrics.called("metrics", "b", "error", 0.1)
    assert set(metrics.away()) == {"metrics"}
    metrics.called("metrics", "a", "ok", 0.1)
    metrics.called("Slack", "chat.update", "limited", 0.1)  # it answers: slowly, please
    assert metrics.away() == {}


def test_what_all_replicas_did_comes_from_the_tables() -> None:
    tally = replace(
        QUIET,
        investigations={("",): 2, ("root_cause",): 7},
        executions={("restart_deployment", "applied", "do"): 3},
        inbox_waiting=4,
        inbox_age_s=12.5,
        stopped=True,
    )
    found = samples(Metrics(version="1").text(tallied(tally, unfinished=5)))
    assert found["sre_bot_investigations_total", ("running",)] == 2
    assert found["sre_bot_executions_total", ("restart_deployment", "do", "applied")] == 3
    assert found["sre_bot_inbox_age_seconds", ()] == 12.5
    assert found["sre_bot_workflows_unfinished", ()] == 5
    assert found["sre_bot_kill_switch", ()] == 1


def test_nothing_of_it_is_loaded_before_it_is_needed() -> None:
    code = (
        "import sys, bot.app.watcher, bot.app.metrics, bot.app.tracing\n"
        "print([m for m in sys.modules if m.startswith(('opentelemetry', 'prometheus_client'))])\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
