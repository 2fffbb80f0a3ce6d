"""Parts of nodes and of the control plane that are down, and twins that are no trouble."""

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.snapshot import KubernetesObject
from bot.reasoning.analyzers import components
from bot.reasoning.kubernetes import cluster_of
from bot.reasoning.nodes import is_control_plane
from tests.fakes.cluster import (
    answer,
    component,
    deployment,
    item,
    node,
    pending,
    question,
    snapshot,
)

PLANE_TAINT = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}


def part(
    name: str, where: str, *, ready: bool, reason: str = "CrashLoopBackOff", **more: Any
) -> KubernetesObject:
    """A pod of the cluster itself."""
    state = {"running": {}} if ready else {"waiting": {"reason": reason}}
    status = {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": str(ready)}],
        "containerStatuses": [{"name": name, "ready": ready, "restartCount": 0, "state": state}],
        **more,
    }
    spec = {"nodeName": where, "containers": [{"name": name}]}
    return item("Pod", f"{name}-{where}", namespace="kube-system", spec=spec, status=status)


def named(*objects: KubernetesObject, **facts: Any) -> tuple[str, str] | None:
    return answer(components.look(snapshot(*objects, **facts), question()))


def causes(*objects: KubernetesObject) -> list[str]:
    return [h.cause for h in components.look(snapshot(*objects), question()).hypotheses]


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("kube-proxy", "kube_proxy_unavailable"),
        ("coredns", "cluster_dns_unavailable"),
        ("kube-scheduler", "kube_scheduler_unavailable"),
        ("kube-controller-manager", "kube_controller_manager_unavailable"),
        ("etcd", "etcd_unavailable"),
    ],
)
def test_a_part_that_runs_as_a_pod_and_crashes_is_found(name: str, cause: str) -> None:
    assert named(node("w1"), part(name, "w1", ready=False)) == (cause, "node/w1")
    assert named(node("w1"), part(name, "w1", ready=True)) is None


@pytest.mark.parametrize("name", ["coredns", "kube-scheduler", "etcd"])
def test_one_of_several_that_crashes_takes_nothing_down(name: str) -> None:
    pair = (part(name, "w1", ready=False), part(name, "w2", ready=True))
    assert named(node("w1"), node("w2"), *pair) is None


def test_the_proxy_of_one_node_is_needed_though_others_run() -> None:
    pair = (part("kube-proxy", "w1", ready=False), part("kube-proxy", "w2", ready=True))
    assert named(node("w1"), node("w2"), *pair) == ("kube_proxy_unavailable", "node/w1")


@pytest.mark.parametrize(
    "more", [{"reason": "ContainerCreating"}, {"phase": "Failed"}, {"containerStatuses": []}]
)
def test_a_part_that_starts_or_was_evicted_is_fine(more: dict[str, Any]) -> None:
    assert named(node("w1"), part("kube-proxy", "w1", ready=False, **more)) is None


def test_the_pods_of_a_node_that_is_not_ready_are_not_blamed_for_it() -> None:
    gone = {"type": "Ready", "status": "Unknown", "message": "Kubelet stopped posting node status."}
    lost = node("w1", conditions=[gone])
    assert causes(lost, part("kube-proxy", "w1", ready=False)) == ["kubelet_unavailable"]


def test_a_workload_that_happens_to_be_called_so_is_no_part_of_the_cluster() -> None:
    own = part("etcd", "w1", ready=False)
    own = replace(own, namespace="shop")
    assert named(node("w1"), own) is None


def test_a_runtime_that_is_stopped_beside_the_one_in_use_is_fine() -> None:
    old = component("w1", "docker", running=False)
    used = component("w1", "containerd", running=True)
    assert named(node("w1"), components=(old, used)) is None
    elsewhere = component("w2", "containerd", running=True)
    found = named(node("w1"), components=(old, elsewhere))
    assert found == ("containerd_unavailable", "node/w1")


def test_a_scheduler_that_another_was_elected_for_is_fine_unless_pods_wait() -> None:
    facts = (
        component("p1", "kube-scheduler", running=False),
        component("p2", "kube-scheduler", running=True),
    )
    assert named(node("p1"), node("p2"), components=facts) is None
    cart = deployment("cart")
    found = named(node("p1"), node("p2"), cart, pending(cart), components=facts)
    assert found == ("kube_scheduler_unavailable", "node/p1")


def test_a_network_plugin_that_is_not_there_is_not_the_runtime_s_fault() -> None:
    message = (
        "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady "
        "message:Network plugin returns error: cni plugin not initialized"
    )
    bare = node("w1", conditions=[{"type": "Ready", "status": "False", "message": message}])
    assert causes(bare) == ["node_network_unavailable"]
    down = "container runtime is down"
    bare = node("w1", conditions=[{"type": "Ready", "status": "False", "message": down}])
    assert causes(bare) == ["containerd_unavailable"]


def test_a_runtime_that_hangs_is_told_by_the_lister_of_its_containers() -> None:
    hangs = "PLEG is not healthy: pleg was last seen active 3m12.4s ago; threshold is 3m0s"
    bare = node("w1", conditions=[{"type": "Ready", "status": "False", "message": hangs}])
    assert causes(bare) == ["containerd_unavailable"]


@pytest.mark.parametrize(
    "facts",
    [
        {"labels": {"node-role.kubernetes.io/control-plane": ""}},
        {"labels": {"node-role.kubernetes.io/master": ""}},
        {"labels": {"kubernetes.io/role": "master"}},
        {"taints": [PLANE_TAINT]},
    ],
)
def test_a_control_plane_is_told_by_label_or_taint(facts: dict[str, Any]) -> None:
    found = node("n7", **facts)
    assert is_control_plane(cluster_of(snapshot(found)), found)


def test_a_control_plane_is_told_by_what_runs_there_and_never_by_its_name() -> None:
    found = node("n7")
    told = component("n7", "kube-scheduler", running=False)
    assert is_control_plane(cluster_of(snapshot(found, components=(told,))), found)
    mirror = part("kube-apiserver", "n7", ready=True)
    assert is_control_plane(cluster_of(snapshot(found, mirror)), found)
    master = node("master", labels={"kubernetes.io/role": "node"})
    assert not is_control_plane(cluster_of(snapshot(master)), master)
