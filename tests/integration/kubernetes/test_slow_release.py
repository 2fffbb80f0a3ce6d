"""A release that makes requests slow, as a real Prometheus scrapes from its pods, is taken back."""

import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.fakes.measured import measured, scraping, slow_release
from tests.fakes.real_cluster import RealCluster
from tests.fakes.real_story import stories

pytestmark = [pytest.mark.integration, pytest.mark.kubernetes, pytest.mark.long]
USUAL_S = 80  # how long it serves as usual before the release
SUFFERED_S = 50  # how long the release is suffered before somebody asks
WATCHED_S = 150.0  # rates look back two minutes, so what helps shows late


def test_a_slow_release_is_blamed_by_metrics_rolled_back_and_verified_by_them(
    real_cluster: RealCluster, prometheus_program: str, tmp_path: Path
) -> None:
    with ExitStack() as stack:

        def scraped(namespace: str) -> dict[str, dict[str, str]]:
            serving = scraping(prometheus_program, real_cluster, namespace, tmp_path / namespace)
            return {"prometheus": {"url": stack.enter_context(serving)}}

        _, told = stack.enter_context(
            stories(
                real_cluster, tmp_path / "home", "127.0.0.1:1", ["slow release"],
                connections=scraped, victim="pricing", watched_s=WATCHED_S,
            )
        )  # fmt: skip
        story = told["slow release"]
        namespace = story.place.namespace
        real_cluster.apply(namespace, *measured("pricing"))
        real_cluster.rolled_out(namespace, "pricing")
        time.sleep(USUAL_S)
        slow_release(real_cluster, namespace, "pricing", delay_ms=900)
        real_cluster.rolled_out(namespace, "pricing")
        time.sleep(SUFFERED_S)
        story.ask()
        assert "Roll back pricing" in story.approve()
        story.ends_recovered(patience_s=WATCHED_S + 60)
        assert "p99 of pricing" in story.all_said()
        pods = real_cluster.items("Deployment", namespace)
        pricing = next(d for d in pods if d["metadata"]["name"] == "pricing")
        environment = pricing["spec"]["template"]["spec"]["containers"][0]["env"]
        assert {"name": "DELAY_MS", "value": "80"} in environment
