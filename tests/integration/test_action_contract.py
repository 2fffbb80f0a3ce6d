"""Every Kubernetes action keeps the contract, on the sandbox's API over HTTP."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.contract.clusters import SandboxCluster
from tests.fakes.contract.suite import ActionContract
from tests.fakes.world import RunningWorld, running_world


@pytest.fixture(scope="module")
def company() -> Iterator[RunningWorld]:
    """Yield a running sandbox."""
    with running_world() as running:
        yield running


class TestInTheSandbox(ActionContract):
    """The sandbox's production."""

    @pytest.fixture
    def cluster(self, company: RunningWorld, tmp_path: Path) -> SandboxCluster:
        """Return production as on an ordinary day."""
        company.world.reset("prod")
        return SandboxCluster(company, tmp_path)
