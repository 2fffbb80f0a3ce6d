"""Every Kubernetes action keeps the contract, on the sandbox's API over HTTP."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.contract.clusters import SandboxCluster, sandbox_cluster
from tests.fakes.contract.suite import ActionContract


class TestInTheSandbox(ActionContract):
    """The sandbox's production."""

    @pytest.fixture
    def cluster(self, tmp_path: Path) -> Iterator[SandboxCluster]:
        """Yield a quiet world of this test's own."""
        with sandbox_cluster(tmp_path) as found:
            yield found
