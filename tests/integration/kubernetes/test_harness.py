"""The real cluster keeps what its harness promises to the other tests."""

import pytest

from tests.fakes.manifests import deployment
from tests.fakes.real_cluster import ApiError, RealCluster

pytestmark = [pytest.mark.integration, pytest.mark.kubernetes]
READ_PODS = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}


def test_pods_really_run(real_cluster: RealCluster, kube_namespace: str) -> None:
    real_cluster.apply(kube_namespace, deployment("web"))
    real_cluster.rolled_out(kube_namespace, "web")
    (pod,) = real_cluster.items("Pod", kube_namespace)
    assert "web v1 starting" in real_cluster.logs(kube_namespace, pod["metadata"]["name"])


def test_an_identity_may_do_what_its_rules_say_and_no_more(
    real_cluster: RealCluster, kube_namespace: str
) -> None:
    reader = RealCluster(
        kubeconfig=real_cluster.identity(kube_namespace, [READ_PODS]), scratch=real_cluster.scratch
    )
    assert reader.items("Pod", kube_namespace) == []
    for kind, namespace in (("Secret", kube_namespace), ("Pod", "default"), ("Node", "")):
        with pytest.raises(ApiError) as refused:
            reader.items(kind, namespace)
        assert refused.value.status == 403


def test_an_identity_without_rights_sees_nothing(
    real_cluster: RealCluster, kube_namespace: str
) -> None:
    nobody = RealCluster(
        kubeconfig=real_cluster.identity(kube_namespace), scratch=real_cluster.scratch
    )
    with pytest.raises(ApiError) as refused:
        nobody.items("Pod", kube_namespace)
    assert refused.value.status == 403
