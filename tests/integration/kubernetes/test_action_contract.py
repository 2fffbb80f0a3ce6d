"""Every Kubernetes action keeps the contract, on a real Kubernetes on which pods run."""

from collections.abc import Iterator

import pytest

from tests.fakes.contract.real import RealContractCluster, real_contract_cluster
from tests.fakes.contract.suite import ActionContract
from tests.fakes.real_cluster import RealCluster

pytestmark = [pytest.mark.integration, pytest.mark.kubernetes]


@pytest.fixture(scope="module")
def place(real_cluster: RealCluster) -> Iterator[RealContractCluster]:
    """Yield a namespace with a small web service."""
    with real_contract_cluster(real_cluster) as found:
        yield found


class TestOnTheRealCluster(ActionContract):
    """A server with RBAC, controllers and a node."""

    @pytest.fixture
    def cluster(self, place: RealContractCluster) -> RealContractCluster:
        """Return the namespace without what the test before left."""
        place.as_usual()
        return place
