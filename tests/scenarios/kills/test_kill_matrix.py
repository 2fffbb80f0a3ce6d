"""SIGKILL before, inside and after every step of an investigation, of a repair and of its undo.

A first life that nobody disturbs says which moments there are: every boundary between two steps,
and inside each step every one at which something outside has just changed. Then the bot is killed
at several points a story, early and late, and started again each time. What people, the world and
SQL hold then is what they would hold if nobody had died: nothing lost, nothing twice.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.fakes.mortal import DONE, KEPT, Point, moments, traced
from tests.scenarios.kills.scripts import RECOVERS, UNDOES, Script
from tests.scenarios.kills.scripts_of_pages import ANSWERED, CALLED, PAGED
from tests.scenarios.kills.theatre import Place, Played

pytestmark = [pytest.mark.integration, pytest.mark.story]
DEATHS = 8  # a story, at most
Named = tuple[str, str, str, int]
SAMPLE: dict[str, dict[Script, tuple[Named, ...]]] = {  # of each database two stories
    "sqlite": {
        RECOVERS: (
            ("investigate", "look 1", KEPT, 0),
            ("investigate", "report", "chat.postMessage", 1),
            ("remediate", "act", "PATCH configmaps", 1),
        ),
        UNDOES: (
            ("click", "approve", "writing audit", 1),
            ("remediate", "settle", DONE, 0),
            ("remediate", "undo", "PATCH configmaps", 1),
        ),
    },
    "postgresql": {
        RECOVERS: (
            ("investigate", "greet", "chat.postMessage", 1),
            ("remediate", "act", DONE, 0),
            ("remediate", "settle", "writing audit", 1),
        ),
        UNDOES: (
            ("remediate", "wait for a message", DONE, 0),
            ("remediate", "act", "writing executions", 1),
            ("remediate", "undo", DONE, 0),
        ),
    },
}
LEAST = {
    RECOVERS: 80,
    UNDOES: 25,
    PAGED: 20,
    ANSWERED: 45,
    CALLED: 12,
}  # points of the whole matrix
SCRIPTS = pytest.mark.parametrize("script", LEAST, ids=lambda s: s.name)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    server = request.getfixturevalue("postgres_server") if request.param == "postgresql" else ""
    place = Place(tmp_path, server)
    yield place
    place.close()


def test_killed_at_a_sample_of_points_it_ends_as_if_nothing_had_happened(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    played = []
    for script, rows in SAMPLE["postgresql" if place.server else "sqlite"].items():
        points = [Point(kind=k, step=s, where=w, number=n) for k, s, w, n in rows]
        played.append(place.play(*points, script=script)[1])
    shown(played, capsys)
    assert not [story for story in played if story.wrong]
    assert all(story.reached == story.points for story in played)


@pytest.mark.long
@SCRIPTS
def test_killed_at_every_point_it_ends_as_if_nothing_had_happened(
    place: Place, script: Script, capsys: pytest.CaptureFixture[str]
) -> None:
    story, undisturbed = place.play(script=script)
    assert not undisturbed.wrong, undisturbed
    points = script.points(moments(traced(story.home)))
    played = [place.play(*part, script=script)[1] for part in dealt(points)]
    passed_by = [p for story in played for p in story.points if p not in story.reached]
    played += [place.play(*part, script=script)[1] for part in dealt(passed_by)]
    shown(played, capsys)
    reached = {point for story in played for point in story.reached}
    assert not [story for story in played if story.wrong]
    assert len(reached) >= LEAST[script]
    assert not [str(p) for p in points if p not in reached and not by_chance(p)]


def dealt(points: Sequence[Point]) -> list[tuple[Point, ...]]:
    """Deal the points out to stories, each with points from all parts of the story."""
    stories = -(-len(points) // DEATHS)
    return [tuple(points[n::stories]) for n in range(stories)]


def shown(played: Sequence[Played], capsys: pytest.CaptureFixture[str]) -> None:
    """Print the table."""
    killed, seconds = sum(len(p.reached) for p in played), sum(p.took_s for p in played)
    total = f"{killed} times killed in {len(played)} stories, {seconds:.0f} s"
    with capsys.disabled():
        sys.stdout.write("\n" + "\n".join(map(str, played)) + f"\n{total}\n")


def by_chance(point: Point) -> bool:
    """Whether it is a matter of the moment that it is passed.

    How often it looks, whether what it sees changes, and what one round of a loop takes together.
    """
    looks = [f"{what} {n}" for what in ("look", "show seen") for n in range(2, 20)]
    return point.step in looks or point.kind in ("triage", "paging", "showing")
