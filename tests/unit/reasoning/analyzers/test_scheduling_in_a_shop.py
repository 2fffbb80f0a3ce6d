"""Why no node takes a pod, in a whole shop, in the words of several versions of Kubernetes."""

from typing import Any

import pytest

from tests.fakes.cluster import event, item, node, pod
from tests.unit.reasoning.analyzers.shop import (
    cause,
    diagnosed,
    nodes,
    running,
    set_of,
    unscheduled,
    waiting,
    workload,
)

HERE = "deployment/cart"
PLANE_TAINT = "1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }"
OLD_PLANE = "1 node(s) had taint {node-role.kubernetes.io/master: }, that the pod didn't tolerate"
PREEMPTION = " preemption: 0/4 nodes are available: 4 Preemption is not helpful for scheduling."
HUGE = {"requests": {"cpu": "64", "memory": "256Mi"}}
FAT = {"requests": {"cpu": "250m", "memory": "64Gi"}}
FIELD = "requiredDuringSchedulingIgnoredDuringExecution"
WEST = {"nodeAffinity": {FIELD: {"nodeSelectorTerms": [
    {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["west"]}]}]}}}  # fmt: skip
APART = {"podAntiAffinity": {FIELD: [
    {"labelSelector": {"matchLabels": {"app": "cart"}},
     "topologyKey": "kubernetes.io/hostname"}]}}  # fmt: skip
DEDICATED = {"taints": [{"key": "dedicated", "value": "batch", "effect": "NoSchedule"}]}
ALL_TAINTED = {f"worker_{i}": DEDICATED for i in (1, 2, 3)}
CORDONED = {"cordoned": True}


@pytest.mark.parametrize("by_event", [True, False])
@pytest.mark.parametrize(
    ("spec", "said", "changes", "expected"),
    [
        ({"resources": HUGE}, f"0/4 nodes are available: {PLANE_TAINT}, 3 Insufficient cpu.", {},
         "cpu_capacity_mismatch"),
        ({"resources": HUGE}, f"0/4 nodes are available: {OLD_PLANE}, 3 Insufficient cpu.", {},
         "cpu_capacity_mismatch"),
        ({"resources": FAT}, "0/4 nodes are available: 1 node(s) were unschedulable, "
         f"3 Insufficient memory.{PREEMPTION}", {}, "memory_capacity_mismatch"),
        ({"nodeSelector": {"disk": "nvme"}},
         f"0/4 nodes are available: {PLANE_TAINT}, 3 node(s) didn't match node selector.", {},
         "node_selector_mismatch"),
        ({"nodeSelector": {"disk": "nvme"}}, f"0/4 nodes are available: {PLANE_TAINT}, 3 node(s) "
         f"didn't match Pod's node affinity/selector.{PREEMPTION}", {}, "node_selector_mismatch"),
        ({"affinity": WEST}, f"0/4 nodes are available: {PLANE_TAINT}, 3 node(s) didn't match "
         "Pod's node affinity.", {}, "node_affinity_mismatch"),
        ({"affinity": WEST, "nodeSelector": {"disk": "ssd"}},
         "0/4 nodes are available: 4 node(s) didn't match Pod's node affinity/selector.", {},
         "node_affinity_mismatch"),
        ({}, f"0/4 nodes are available: {PLANE_TAINT}, 3 node(s) had untolerated taint "
         "{dedicated: batch}.", ALL_TAINTED, "taint_toleration_mismatch"),
        ({}, "0/4 nodes are available: 3 node(s) had taint {dedicated: batch}, that the pod "
         f"didn't tolerate, {OLD_PLANE}.", ALL_TAINTED, "taint_toleration_mismatch"),
        ({"nodeSelector": {"kubernetes.io/hostname": "worker-2"}},
         f"0/4 nodes are available: 1 node(s) had untolerated taint {{dedicated: batch}}, "
         f"{PLANE_TAINT}, 2 node(s) didn't match Pod's node affinity/selector.",
         {"worker_2": DEDICATED}, "taint_toleration_mismatch"),
        ({"nodeSelector": {"kubernetes.io/hostname": "worker-2"}},
         f"0/4 nodes are available: 1 node(s) were unschedulable, {PLANE_TAINT}, "
         "2 node(s) didn't match Pod's node affinity/selector.",
         {"worker_2": CORDONED}, "node_cordon_mismatch"),
        ({}, f"0/4 nodes are available: {PLANE_TAINT}, 3 node(s) were unschedulable.",
         {f"worker_{i}": CORDONED for i in (1, 2, 3)}, "node_cordon_mismatch"),
        ({"resources": HUGE}, f"0/4 nodes are available: {PLANE_TAINT}, 1 Insufficient cpu, "
         "2 node(s) had untolerated taint {dedicated: batch}.",
         {"worker_2": DEDICATED, "worker_3": DEDICATED}, "cpu_capacity_mismatch"),
        ({"resources": HUGE}, f"0/4 nodes are available: {PLANE_TAINT}, 1 Insufficient cpu, "
         "2 node(s) were unschedulable.", {"worker_2": CORDONED, "worker_3": CORDONED},
         "cpu_capacity_mismatch"),
        ({"affinity": APART}, f"0/4 nodes are available: {PLANE_TAINT}, 3 node(s) didn't match "
         "pod affinity/anti-affinity rules, 3 node(s) didn't match pod anti-affinity rules.", {},
         "pod_anti_affinity_conflict"),
        ({}, f"0/4 nodes are available: {PLANE_TAINT}, 3 node(s) didn't match pod topology spread "
         "constraints (missing required label).", {}, "topology_spread_conflict"),
        ({}, f"0/4 nodes are available: {PLANE_TAINT}, 3 node(s) didn't have free ports for the "
         "requested pod ports.", {}, "host_port_conflict"),
        ({"resources": {"limits": {"nvidia.com/gpu": "1"}}},
         f"0/4 nodes are available: {PLANE_TAINT}, 3 Insufficient nvidia.com/gpu.", {},
         "extended_resource_mismatch"),
        ({"resources": {"requests": {"ephemeral-storage": "900Gi"}}},
         f"0/4 nodes are available: {PLANE_TAINT}, 3 Insufficient ephemeral-storage.", {},
         "extended_resource_mismatch"),
        ({}, f"0/4 nodes are available: {PLANE_TAINT}, 3 Too many pods.", {},
         "node_pod_capacity_exceeded"),
        ({}, f"0/4 nodes are available: {PLANE_TAINT}, 3 node(s) exceed max volume count.", {},
         "node_volume_limit_exceeded"),
    ],
)  # fmt: skip
def test_the_constraint_that_has_to_go_is_named(
    spec: dict[str, Any], said: str, changes: dict[str, Any], expected: str, by_event: bool
) -> None:
    cart = workload(**spec)
    broken = [cart, set_of(cart), *unscheduled(cart, said, by_event=by_event)]
    assert cause(*broken, at=nodes(**changes)) == (expected, HERE)


def test_a_rollout_that_waits_beside_old_pods_is_found() -> None:
    cart = workload(resources=HUGE)
    said = f"0/4 nodes are available: {PLANE_TAINT}, 3 Insufficient cpu."
    broken = [cart, set_of(cart), running(workload("cart")), *unscheduled(cart, said)]
    assert cause(*broken) == ("cpu_capacity_mismatch", HERE)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"nodeSelector": {"disk": "nvme"}}, "node_selector_mismatch"),
        ({"affinity": WEST}, "node_affinity_mismatch"),
    ],
)
def test_without_any_words_the_nodes_tell(spec: dict[str, Any], expected: str) -> None:
    cart = workload(**spec)
    assert cause(cart, set_of(cart), waiting(cart)) == (expected, HERE)


def test_without_words_and_with_room_nothing_is_blamed() -> None:
    cart = workload()
    assert diagnosed(cart, set_of(cart), waiting(cart)).causes == ()


def test_a_modest_pod_with_half_the_cluster_cordoned_is_not_surely_too_large() -> None:
    full = {"cpu": "100m"}
    cart = workload()
    said = (
        f"0/4 nodes are available: {PLANE_TAINT}, 1 Insufficient cpu, 2 node(s) were unschedulable."
    )
    at = nodes(worker_1=full, worker_2=CORDONED, worker_3=CORDONED)
    found = diagnosed(cart, set_of(cart), *unscheduled(cart, said), at=at)
    assert [r.hypothesis.cause for r in found.ranked[:1]] == ["node_cordon_mismatch"]
    assert found.confidence < 0.9


def test_nodes_in_trouble_are_not_the_pods_fault() -> None:
    cart = workload()
    taint = "{node.kubernetes.io/unreachable: }"
    said = f"0/4 nodes are available: 4 node(s) had untolerated taint {taint}."
    down = [
        {"type": "Ready", "status": "Unknown", "message": "Kubelet stopped posting node status."}
    ]
    at = [node(f"worker-{i}", conditions=down) for i in (1, 2, 3)]
    found = cause(cart, set_of(cart), *unscheduled(cart, said), at=at)
    assert found[1] != HERE


def test_a_pod_that_its_kubelet_turns_down_names_the_resource() -> None:
    cart = workload(nodeName="worker-1", resources=HUGE)
    refused = waiting(cart, where="worker-1", phase="Failed",
                      status={"reason": "OutOfcpu", "message": "Node lacks CPU"})  # fmt: skip
    assert cause(cart, set_of(cart), refused) == ("cpu_capacity_mismatch", HERE)


def test_failed_pods_of_the_past_beside_a_running_one_are_no_trouble() -> None:
    cart = workload()
    old = waiting(cart, where="worker-1", phase="Failed", status={"reason": "OutOfcpu"})
    assert diagnosed(cart, set_of(cart, "old"), old, running(cart)).causes == ()


def test_a_scheduling_gate_holds_a_pod_back() -> None:
    cart = workload()
    held = waiting(cart, status={"conditions": [
        {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated",
         "message": "Scheduling is blocked due to non-empty scheduling gates"}]})  # fmt: skip
    held.body["spec"]["schedulingGates"] = [{"name": "example.com/quota"}]
    assert cause(cart, set_of(cart), held) == ("scheduling_gated", HERE)


def test_a_scheduler_that_nobody_runs_is_found() -> None:
    cart = workload(schedulerName="fancy")
    assert cause(cart, set_of(cart), waiting(cart)) == ("unknown_scheduler", HERE)


def test_a_leftover_pending_pod_is_not_blamed_above_a_real_fault() -> None:
    cart, batch = workload(resources=HUGE), item("Job", "report", spec={"parallelism": 1})
    done = item("Pod", "report-x", spec={"containers": []}, status={"phase": "Succeeded"})
    gone = pod(workload("ghost"), node="")
    old = event(gone, "FailedScheduling", "0/4 nodes are available: 4 Insufficient memory.")
    said = f"0/4 nodes are available: {PLANE_TAINT}, 3 Insufficient cpu."
    broken = [cart, set_of(cart), *unscheduled(cart, said), batch, done, old]
    assert cause(*broken) == ("cpu_capacity_mismatch", HERE)
