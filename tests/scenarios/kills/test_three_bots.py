"""Three bots on one PostgreSQL and one Slack: one is killed while it acts, one sleeps and wakes."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.workflows.seat import LOST
from tests.fakes.mortal import DONE, Life, Point
from tests.fakes.story import saying
from tests.scenarios.kills.scripts import INCIDENT
from tests.scenarios.kills.theatre import Place, Story

pytestmark = [pytest.mark.integration, pytest.mark.story, pytest.mark.long]
PATIENCE_S = 120.0  # the server gives the seat of one that sleeps away after 15 s
ACTED = Point(kind="remediate", step="act", where=DONE)


@pytest.fixture
def story(tmp_path: Path, postgres_server: str) -> Iterator[Story]:
    place = Place(tmp_path, postgres_server)
    yield place.story()
    place.close()


def until(done: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def test_one_is_killed_one_sleeps_and_the_third_ends_the_story_once(story: Story) -> None:
    settings = story.place.variables(story.name)
    bots = {
        name: Life({**settings, "SRE_BOT_EXECUTOR_ID": name}, story.home, [ACTED])
        for name in ("a", "b", "c")
    }
    try:
        assert all(bot.ready() for bot in bots.values())
        story.place.hands.start_incident(INCIDENT)
        before = story.posts()
        truth = story.place.hands.get("control/truth")["truth"]["prod"]
        story.ts = story.place.hands.say(f"@sre-bot {truth['question']}")
        until(lambda: story.approve() or not all(b.alive for b in bots.values()), "nobody acted")
        until(lambda: saying("Watching until")(story.thread()), "nobody went on")
        sleeper = bots[story.records.owner("-p1")]
        os.kill(sleeper.process.pid or 0, signal.SIGSTOP)
        until(story.over, "nobody ended it")
        os.kill(sleeper.process.pid or 0, signal.SIGCONT)
        sleeper.process.join(PATIENCE_S)
        assert sleeper.process.exitcode == LOST
        time.sleep(1.0)
        assert story.checked(story.posts() - before) == []
    finally:
        for bot in bots.values():
            bot.end()
