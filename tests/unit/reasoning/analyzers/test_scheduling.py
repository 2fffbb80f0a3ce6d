"""Why no node takes a pod."""

import pytest

from bot.domain.snapshot import KubernetesObject
from bot.reasoning.analyzers.scheduling import look
from tests.fakes.cluster import (
    answer,
    container,
    deployment,
    event,
    node,
    pending,
    pod,
    question,
    snapshot,
)

AFFINITY = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [
                {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["west"]}]}
            ]
        }
    }
}


def refused(message: str, *nodes: KubernetesObject, **spec: object) -> tuple[str, str] | None:
    workload = deployment("checkout", **spec)  # type: ignore[arg-type]
    waiting = pending(workload)
    said = event(waiting, "FailedScheduling", message)
    return answer(look(snapshot(workload, waiting, said, *nodes), question()))


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        ("0/2 nodes are available: 2 Insufficient cpu.", "cpu_capacity_mismatch"),
        ("0/2 nodes are available: 2 Insufficient memory.", "memory_capacity_mismatch"),
        ("0/2 nodes are available: 2 Insufficient nvidia.com/gpu.", "extended_resource_mismatch"),
        ("0/2 nodes are available: 2 Too many pods.", "node_pod_capacity_exceeded"),
        (
            "0/2 nodes are available: 2 node(s) had untolerated taint {dedicated: batch}.",
            "taint_toleration_mismatch",
        ),
        (
            "0/2 nodes are available: 2 node(s) didn't match pod anti-affinity rules.",
            "pod_anti_affinity_conflict",
        ),
        (
            "0/2 nodes are available: 2 node(s) didn't match pod topology spread constraints.",
            "topology_spread_conflict",
        ),
        (
            "0/2 nodes are available: 2 node(s) didn't have free ports for the requested ports.",
            "host_port_conflict",
        ),
    ],
)
def test_the_scheduler_names_the_cause(message: str, cause: str) -> None:
    assert refused(message, node("a"), node("b")) == (cause, "deployment/checkout")


def test_a_selector_that_no_node_has_is_told_from_an_affinity() -> None:
    message = "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector."
    nodes = node("a"), node("b")
    by_selector = refused(message, *nodes, nodeSelector={"disk": "ssd"})
    by_affinity = refused(message, *nodes, affinity=AFFINITY)
    assert by_selector == ("node_selector_mismatch", "deployment/checkout")
    assert by_affinity == ("node_affinity_mismatch", "deployment/checkout")


def test_of_selector_and_affinity_the_one_that_excludes_more_nodes_is_blamed() -> None:
    message = "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector."
    nodes = node("a", labels={"disk": "ssd"}), node("b", labels={"disk": "ssd"})
    found = refused(message, *nodes, nodeSelector={"disk": "ssd"}, affinity=AFFINITY)
    assert found == ("node_affinity_mismatch", "deployment/checkout")


def test_a_cordoned_node_that_would_fit_is_the_cause() -> None:
    message = (
        "0/2 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, "
        "1 node(s) were unschedulable."
    )
    nodes = node("a"), node("b", labels={"disk": "ssd"}, cordoned=True)
    found = refused(message, *nodes, nodeSelector={"disk": "ssd"})
    assert found == ("node_cordon_mismatch", "deployment/checkout")


def test_a_cordoned_control_plane_is_not_the_cause() -> None:
    message = "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable."
    plane = node("p", labels={"node-role.kubernetes.io/control-plane": ""}, cordoned=True)
    assert refused(message, node("a"), plane) == ("cpu_capacity_mismatch", "deployment/checkout")


def test_a_cordoned_node_that_is_too_small_is_not_the_cause() -> None:
    message = "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable."
    big = [container(resources={"requests": {"cpu": "16"}})]
    found = refused(message, node("a"), node("b", cordoned=True), containers=big)
    assert found == ("cpu_capacity_mismatch", "deployment/checkout")


def test_a_placed_pod_is_no_trouble_even_if_it_once_waited() -> None:
    workload = deployment("checkout")
    placed = pod(workload)
    said = event(placed, "FailedScheduling", "0/2 nodes are available: 2 Insufficient cpu.")
    assert look(snapshot(workload, placed, said, node("a")), question()).hypotheses == ()


def test_an_event_of_a_pod_that_is_gone_is_no_trouble() -> None:
    workload = deployment("checkout")
    said = event(
        pending(workload), "FailedScheduling", "0/2 nodes are available: 2 Insufficient cpu."
    )
    assert look(snapshot(workload, said, node("a")), question()).hypotheses == ()


def test_a_taint_that_the_cluster_set_on_a_node_in_trouble_is_not_the_pod_s_fault() -> None:
    taint = "node.kubernetes.io/unreachable: "
    message = f"0/2 nodes are available: 2 node(s) had untolerated taint {{{taint}}}."
    assert refused(message, node("a"), node("b")) is None
