"""Leftovers of every real cluster are not blamed, alone or above a real fault."""

import pytest

from bot.domain.snapshot import KubernetesObject
from tests.fakes.cluster import deployment, event, item, log, pod
from tests.unit.reasoning.analyzers.shop import (
    cause,
    diagnosed,
    running,
    set_of,
    unscheduled,
    waiting,
    workload,
)

HERE = "deployment/cart"
OLD = "2025-12-20T10:00:00Z"


def forgotten() -> list[KubernetesObject]:
    """A pod that has waited in another namespace for two weeks."""
    lab = item("Deployment", "toy", namespace="lab", spec={"replicas": 1, "template": {"spec": {}}})
    reason = {"type": "PodScheduled", "status": "False",
              "message": "0/4 nodes are available: 4 Insufficient nvidia.com/gpu."}  # fmt: skip
    held = item("Pod", "toy-1", namespace="lab",
                metadata={"creationTimestamp": OLD,
                          "ownerReferences": [{"kind": "Deployment", "name": "toy"}]},
                spec={"containers": []},
                status={"phase": "Pending", "conditions": [reason]})  # fmt: skip
    return [lab, held]


def leftovers() -> list[KubernetesObject]:
    """Evicted and completed pods, unused claims, full quotas, events of what is gone."""
    web = workload("web")
    evicted = waiting(web, where="worker-2", phase="Failed",
                      status={"reason": "Evicted", "message": "The node ran low"})  # fmt: skip
    done = item("Pod", "report-1", spec={"containers": []}, status={"phase": "Succeeded"})
    unused = item("PersistentVolumeClaim", "unused", spec={"storageClassName": "gone"},
                  status={"phase": "Pending"})  # fmt: skip
    full = item("ResourceQuota", "full", spec={"hard": {"pods": "7"}},
                status={"hard": {"pods": "7"}, "used": {"pods": "7"}})  # fmt: skip
    gone = pod(deployment("ghost"), node="")
    pull = event(gone, "Failed", 'Failed to pull image "x": not found')
    place = event(gone, "FailedScheduling", "0/4 nodes are available: 4 Insufficient cpu.")
    account = event(set_of(web, "old"), "FailedCreate",
                    'pods "web-" is forbidden: serviceaccount "web" not found')  # fmt: skip
    mount = event(running(web), "FailedMount", 'MountVolume.SetUp failed: secret "s" not found')
    return [evicted, done, unused, full, pull, place, account, mount]


def test_leftovers_alone_are_no_trouble() -> None:
    assert diagnosed(*leftovers()).causes == ()


def test_a_forgotten_pod_elsewhere_is_less_sure_than_a_new_one() -> None:
    found = diagnosed(*forgotten(), *leftovers())
    assert found.confidence < 0.95


SELECTOR = "0/4 nodes are available: 4 node(s) didn't match Pod's node affinity/selector."


def by_selector() -> list[KubernetesObject]:
    cart = workload(nodeSelector={"disk": "tape"})
    return [cart, set_of(cart), *unscheduled(cart, SELECTOR)]


def by_image() -> list[KubernetesObject]:
    cart = workload()
    held = waiting(cart, "ImagePullBackOff")
    said = 'Failed to pull image "registry.example.com/cart:v1": not found'
    return [cart, set_of(cart), held, event(held, "Failed", said)]


def by_account() -> list[KubernetesObject]:
    cart = workload(serviceAccountName="cart")
    maker = set_of(cart)
    said = 'Error creating: pods "cart-" is forbidden: serviceaccount "cart" not found'
    return [cart, maker, event(maker, "FailedCreate", said), item("ServiceAccount", "default")]


def by_secret() -> list[KubernetesObject]:
    cart = workload()
    held = waiting(cart, "CreateContainerConfigError", 'secret "keys" not found')
    return [cart, set_of(cart), held]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (by_selector, "node_selector_mismatch"),
        (by_image, "incorrect_image_reference"),
        (by_account, "missing_service_account"),
        (by_secret, "missing_secret_binding"),
    ],
)
def test_a_real_fault_stands_above_the_leftovers(fault, expected: str) -> None:  # type: ignore[no-untyped-def]
    assert cause(*fault(), *leftovers(), *forgotten()) == (expected, HERE)
    assert cause(*forgotten(), *leftovers(), *fault()) == (expected, HERE)


def test_objects_of_one_name_in_two_namespaces_keep_their_own_events() -> None:
    cart = workload()
    other = item(
        "PersistentVolumeClaim", "data", namespace="lab", spec={}, status={"phase": "Pending"}
    )
    mine = item("PersistentVolumeClaim", "data", spec={"storageClassName": "", "volumeName": "v"},
                status={"phase": "Bound"})  # fmt: skip
    said = event(other, "ProvisioningFailed", 'storageclass.storage.k8s.io "x" not found')
    well = [cart, set_of(cart, "old"), running(cart), mine, other, said]
    assert diagnosed(*well).causes == ()


FORBIDDEN = (
    'pods is forbidden: User "system:serviceaccount:shop:cart" cannot list resource "pods" in API '
    'group "" in the namespace "shop"'
)


def test_a_right_that_a_crashing_workload_lacks_is_named() -> None:
    cart = workload(serviceAccountName="cart")
    held = waiting(cart, "CrashLoopBackOff", phase="Running")
    said = log("cart", FORBIDDEN)
    assert cause(cart, set_of(cart), held, logs=(said,)) == ("rbac_forbidden", HERE)


def test_a_right_that_was_always_missing_is_no_answer() -> None:
    cart = workload(serviceAccountName="cart")
    said = log("cart", FORBIDDEN, baseline_count=5)
    assert diagnosed(cart, set_of(cart, "old"), running(cart), logs=(said,)).causes == ()
