"""A slow release, as a real Prometheus scrapes it: alert, thread, rollback, verified by the metric.

The requests are real, their latency is measured in the pods, the alert is fired by a rule. It lands
in the incident channel as any integration posts it, and nobody asks the bot.
"""

import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import measured
from tests.fakes.real_cluster import Json, RealCluster
from tests.fakes.real_story import Story, stories
from tests.fakes.scraping import FOR_S, Scraped, prometheus

pytestmark = [pytest.mark.integration, pytest.mark.kubernetes, pytest.mark.long]
SERVICE = "pricing"
USUAL_S = 10.0  # how long it serves as usual before the release
WATCHED_S = 210.0  # rates look back two minutes, so what helps shows late


class Alerts:
    """What Prometheus told, and that it did."""

    def __init__(self) -> None:
        self.told: list[Json] = []
        self.fired = threading.Event()

    def hears(self, alert: Json) -> None:
        self.told.append(alert)
        self.fired.set()


def post(story: Story, alert: Json) -> None:
    """Post an alert where Alertmanager's own Slack template would, in its words."""
    labels, said = alert["labels"], alert["annotations"]["summary"]
    text = f"[FIRING:1] {labels['alertname']} in {labels['namespace']}: {said}"
    story.ts = story.hands.say(text, user="U0OBSERVER")


def test_a_slow_release_is_blamed_rolled_back_and_verified_by_the_metric(
    real_cluster: RealCluster, prometheus_program: str, tmp_path: Path
) -> None:
    alerts = Alerts()
    with ExitStack() as stack:

        def scraped(namespace: str) -> Mapping[str, Any]:
            real_cluster.apply(namespace, *measured.measured(SERVICE))
            real_cluster.rolled_out(namespace, SERVICE)
            stack.enter_context(measured.asked(real_cluster, namespace, SERVICE))
            scraping = Scraped(
                cluster=real_cluster, namespace=namespace, service=SERVICE, hears=alerts.hears
            )
            url = prometheus(prometheus_program, tmp_path / namespace, scraping)
            return {"prometheus": {"url": stack.enter_context(url)}}

        _, told = stack.enter_context(
            stories(
                real_cluster, tmp_path / "home", "127.0.0.1:1", ["slow release"],
                connections=scraped, victim=SERVICE, watched_s=WATCHED_S,
            )
        )  # fmt: skip
        story = told["slow release"]
        namespace = story.place.namespace
        stack.enter_context(story.opened())
        time.sleep(USUAL_S)
        assert not alerts.told, "an alert before anything was wrong"
        measured.release(real_cluster, namespace, SERVICE, measured.SLOW)
        assert alerts.fired.wait(FOR_S + 120), "Prometheus' rule did not fire"
        post(story, alerts.told[0])
        offered = story.approve()
        assert offered.startswith(f"Roll back {SERVICE} to v1"), offered
        assert f"p99 of {SERVICE}" in story.all_said(), "the diagnosis names no metric"
        story.ends_recovered(patience_s=WATCHED_S + 60)
        said = story.all_said()
        assert f"recovered after this action: p99 of {SERVICE}" in said, said
        assert measured.version_of(real_cluster, namespace, SERVICE) == measured.USUAL[0]
