"""Every Kubernetes action keeps the contract, on a real Kubernetes on which pods run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fakes.contract.real import RealContractCluster, real_contract_cluster
from tests.fakes.contract.suite import ActionContract, Bench
from tests.fakes.real_cluster import RealCluster

pytestmark = [pytest.mark.integration, pytest.mark.kubernetes, pytest.mark.long]
RBAC = Path(__file__).resolve().parents[3] / "deploy" / "rbac"


@pytest.fixture(scope="module")
def place(real_cluster: RealCluster) -> Iterator[RealContractCluster]:
    """Yield a namespace with a small web service."""
    with real_contract_cluster(real_cluster) as found:
        yield found


def rules_of(*files: Path) -> list[dict[str, Any]]:
    """Return the rules of all roles in manifests that are delivered."""
    documents = [d for file in files for d in yaml.safe_load_all(file.read_text()) if d]
    return [rule for d in documents if "Role" in d["kind"] for rule in d.get("rules") or ()]


class TestOnTheRealCluster(ActionContract):
    """A server with RBAC, controllers and a node."""

    @pytest.fixture
    def cluster(self, place: RealContractCluster) -> RealContractCluster:
        """Return the namespace without what the test before left."""
        place.as_usual()
        return place

    async def test_the_role_to_read_and_its_own_are_enough(
        self, bench: Bench, place: RealContractCluster
    ) -> None:
        own = RBAC / "actions" / f"{bench.name}.yaml"
        rules = rules_of(RBAC / "read.yaml", own)
        reaching = {"cluster_rules": rules} if "namespace" not in bench.raw else {}
        name = f"own-{bench.name.replace('_', '-')}"
        kubeconfig = place.cluster.identity(place.namespace, rules, name=name, **reaching)
        action = bench.bound(place.cluster.environment(place.namespace, kubeconfig=kubeconfig))
        target = await action.target(bench.args)
        seen = await action.dry_run(bench.args)
        assert seen.ok, seen.detail
        assert (await action.apply(bench.args, target, bench.key)).changed
        assert await action.find(bench.args, bench.key) is not None
