"""From a person's question to a repair that is verified, on the real cluster, by the workspace.

The fault is injected unannounced; the question names the place and nothing else; an approver clicks
on what the bot offers; it is over when the watch has ended and the shop is well.
"""

import logging
from collections.abc import Iterator

import pytest

from tests.fakes.faults import fault_named
from tests.fakes.real_cluster import RealCluster
from tests.fakes.real_story import Story
from tests.integration.kubernetes.conftest import Told, telling

pytestmark = [pytest.mark.integration, pytest.mark.kubernetes]
LOG = logging.getLogger(__name__)
BACK = "Roll back cart to v1"
QUICK = {
    "bad image": BACK,
    "selector mismatch": "Let service cart select the pods of cart",
    "quota of pod": "Raise quota shop-quota: pods to",
}
LONG = {
    "image authentication": BACK,
    "missing secret": BACK,
    "missing config map": BACK,
    "bad command": BACK,
    "crash loop": BACK,
    "wrong liveness port": BACK,
    "wrong probe timing": BACK,
    "wrong readiness port": BACK,
    "memory hog": BACK,
    "sidecar on the same port": BACK,
    "unschedulable by selector": BACK,
    "unschedulable by CPU": BACK,
    "variable that points nowhere": BACK,
    "missing service account": BACK,
    "quota of cpu": "Raise quota shop-quota: requests.cpu to",
    "wrong target port": "Let service cart reach port 8080 of cart",
    "zero replicas": "Scale cart from 0 to 1 pods",
}
EXPECTED = QUICK | LONG


def tell(story: Story) -> None:
    """Break the shop, ask, approve, and wait until the watch is over."""
    story.break_it(fault_named(story.name))
    story.ask()
    offered = story.approve()
    assert offered.startswith(EXPECTED[story.name]), offered
    story.ends_recovered()
    assert story.is_well(), "recovered, and yet not every workload serves"


@pytest.fixture(scope="module")
def quick(real_cluster: RealCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    with telling(real_cluster, tmp_path_factory.mktemp("quick") / "home", [*QUICK], tell) as told:
        yield told


@pytest.fixture(scope="module")
def long(real_cluster: RealCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    with telling(real_cluster, tmp_path_factory.mktemp("long") / "home", [*LONG], tell) as told:
        yield told


@pytest.mark.parametrize("name", QUICK)
def test_a_fault_is_repaired_and_the_repair_verified(quick: Told, name: str) -> None:
    story, wrong = quick[name]
    LOG.info("%s: repaired and verified in %.0f s", name, story.took_s)
    assert not wrong, f"{wrong}\n{story.all_said()}"


@pytest.mark.long
@pytest.mark.parametrize("name", LONG)
def test_every_other_fault_is_repaired_and_the_repair_verified(long: Told, name: str) -> None:
    story, wrong = long[name]
    LOG.info("%s: repaired and verified in %.0f s", name, story.took_s)
    assert not wrong, f"{wrong}\n{story.all_said()}"
