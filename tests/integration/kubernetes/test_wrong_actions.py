"""A repair that does not help is undone by itself; an undo that fails stops the bot and calls."""

import asyncio
from collections.abc import Iterator

import pytest

from bot.storage.database import Database
from bot.storage.switches import Switches
from tests.fakes.faults import fault_named
from tests.fakes.real_cluster import RealCluster
from tests.fakes.real_story import WORKING, Story
from tests.integration.kubernetes.conftest import Told, telling

pytestmark = [pytest.mark.integration, pytest.mark.kubernetes, pytest.mark.long]
UNDONE, CANNOT = "taken back", "cannot be taken back"
READING = [r for r in WORKING if r["verbs"] == ["get", "list"]]


def break_for_good(story: Story) -> None:
    """Release an image that does not exist, when going back is no way out either.

    The release replaces all pods at once, and the revision before it needs a Secret that is gone.
    """
    place = story.place
    place.victim = "orders"
    strategy = {"spec": {"strategy": {"type": "Recreate", "rollingUpdate": None}}}
    place.patch("Deployment", "orders", strategy)
    place.cluster.delete("Secret", place.namespace, "orders-db")
    story.break_it(fault_named("bad image"))


def image(story: Story) -> str:
    body = story.cluster.get("Deployment", story.place.namespace, "orders")
    return str(body["spec"]["template"]["spec"]["containers"][0]["image"])


def tell(story: Story) -> None:
    break_for_good(story)
    bad = image(story)
    story.ask()
    story.approve()
    story.says("Watching until")
    assert image(story) != bad, "it was not even done"
    if story.name == CANNOT:
        _take_the_rights_away(story)
        story.says("A person is needed")
        assert image(story) != bad
    else:
        story.says("I took it back")
        assert image(story) == bad
    story.cluster.wait(lambda: len(reports(story)) == 2, "the investigation is reopened", 60)
    first, second = reports(story)
    sure = "the registry has no such image or tag. 9"  # per cent
    assert sure in first
    assert sure not in second, "what did not help is not refuted"


def reports(story: Story) -> list[str]:
    return [text for text in story.all_said().split("\n---\n") if "Was this right?" in text]


def _take_the_rights_away(story: Story) -> None:
    story.cluster.patch("Role", story.place.namespace, "sre-bot", {"rules": READING})


@pytest.fixture(scope="module")
def told(real_cluster: RealCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    home = tmp_path_factory.mktemp("wrong") / "home"
    with telling(real_cluster, home, [UNDONE, CANNOT], tell) as stories:
        yield stories


def breaker_is_open(story: Story) -> bool:
    database = Database(story.hands.company.database_url)
    switches = Switches(database)
    found = asyncio.run(switches.breaker_open(story.place.namespace, "rollback_deployment"))
    database.close()
    return found


def test_a_repair_that_did_not_help_is_undone_within_its_window(told: Told) -> None:
    story, wrong = told[UNDONE]
    assert not wrong, f"{wrong}\n{story.all_said()}"
    assert not breaker_is_open(story), "one failure is none too many"


def test_an_undo_that_fails_opens_the_breaker_and_calls_a_person(told: Told) -> None:
    story, wrong = told[CANNOT]
    assert not wrong, f"{wrong}\n{story.all_said()}"
    assert breaker_is_open(story)
