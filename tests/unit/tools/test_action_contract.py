"""Every Kubernetes action keeps the contract, on the small API in memory."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.contract.clusters import FakeCluster, fake_cluster
from tests.fakes.contract.suite import ActionContract


class TestOnTheFake(ActionContract):
    """The strict fake."""

    @pytest.fixture
    def cluster(self, tmp_path: Path) -> Iterator[FakeCluster]:
        """Yield a fresh fake."""
        with fake_cluster(tmp_path) as found:
            yield found
