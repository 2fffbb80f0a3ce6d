"""Faults on the real cluster are named with cause and object, through live collectors only."""

import pytest

from tests.fakes.faults import fault_named
from tests.fakes.live import broken, judge, table
from tests.fakes.real_cluster import RealCluster

pytestmark = [pytest.mark.integration, pytest.mark.kubernetes]
SOME = (
    "registry without a name", "missing secret", "names do not resolve", "claim: another label",
    "unschedulable by anti-affinity", "quota of services",
)  # fmt: skip


def test_faults_of_six_families_are_told_apart(real_cluster: RealCluster, registry: str) -> None:
    faults = [fault_named(name) for name in SOME]
    with broken(real_cluster, faults, registry, victims=["orders"]) as places:
        outcomes = [judge(fault, place) for fault, place in places]
    assert all(outcome.right for outcome in outcomes), f"\n{table(outcomes)}"
