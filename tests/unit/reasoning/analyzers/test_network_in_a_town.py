"""Delay and loss are told from work, a surge and a slow store, in towns of any shape."""

import pytest

from tests.unit.reasoning.analyzers.networks import broken, diagnosed

SEEDS = range(12)
TOLD = 9  # of the towns; a suspect that nobody else calls or that is barely slower stays unknown


def told(fault: str) -> list[tuple[tuple[str, str], tuple[str, str]]]:
    """Return what was right and what was named, town by town."""
    found = []
    for seed in SEEDS:
        made, right = broken(seed, fault)
        cause = diagnosed(made).cause
        found.append((right, (cause.cause, cause.object) if cause else ("", "")))
    return found


@pytest.mark.parametrize("fault", ["pod_delay", "node_delay", "node_loss", "cpu"])
def test_the_fault_is_named_in_almost_every_town(fault: str) -> None:
    assert sum(right == named for right, named in told(fault)) >= TOLD


@pytest.mark.parametrize("fault", ["nothing", "slow_code", "surge", "slow_store"])
def test_the_network_is_never_blamed_for_what_is_not_its_fault(fault: str) -> None:
    named = {cause for _, (cause, _) in told(fault)}
    assert not {cause for cause in named if "network" in cause}
