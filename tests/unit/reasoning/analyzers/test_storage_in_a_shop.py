"""Claims that pods wait for, in a whole shop, in the words of binders and provisioners."""

from typing import Any

import pytest

from bot.domain.snapshot import KubernetesObject
from tests.fakes.cluster import event, item
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
VOLUME = [{"name": "d", "persistentVolumeClaim": {"claimName": "cart-data"}}]
UNBOUND = "0/4 nodes are available: pod has unbound immediate PersistentVolumeClaims."
OLD_UNBOUND = (
    'running "VolumeBinding" filter plugin for pod "cart": pod has unbound immediate '
    "PersistentVolumeClaims"
)
NOTHING = "no persistent volumes available for this claim and no storage class is set"
ONE, MANY = ["ReadWriteOnce"], ["ReadWriteMany"]


def claim(phase: str = "Pending", **spec: Any) -> KubernetesObject:
    wanted = {"accessModes": ONE, "storageClassName": "",
              "resources": {"requests": {"storage": "5Gi"}}, **spec}  # fmt: skip
    return item("PersistentVolumeClaim", "cart-data", spec=wanted, status={"phase": phase})


def volume(
    name: str = "cart-pv",
    phase: str = "Available",
    labels: dict[str, str] | None = None,
    **spec: Any,
) -> KubernetesObject:
    offered = {"accessModes": ONE, "capacity": {"storage": "5Gi"}, "storageClassName": "", **spec}
    return item("PersistentVolume", name, namespace="", metadata={"labels": labels or {}},
                spec=offered, status={"phase": phase})  # fmt: skip


def storage_class(name: str, provisioner: str, **more: Any) -> KubernetesObject:
    return item("StorageClass", name, namespace="", provisioner=provisioner, **more)


def waits(wanted: KubernetesObject, *more: KubernetesObject, said: str = "", reason: str = "",
          pod_said: str = UNBOUND) -> list[KubernetesObject]:  # fmt: skip
    cart = workload(volumes=VOLUME)
    held = unscheduled(cart, pod_said) if pod_said else [waiting(cart)]
    told = [event(wanted, reason or "FailedBinding", said)] if said else []
    return [cart, set_of(cart), *held, wanted, *told, *more]


HELD = {"phase": "Bound", "claimRef": {"namespace": "shop", "name": "other"}}
OFF = volume("spare-pv", capacity={"storage": "1Gi"}, storageClassName="slow")


@pytest.mark.parametrize("said", [NOTHING, ""])
@pytest.mark.parametrize("pod_said", [UNBOUND, OLD_UNBOUND, ""])
@pytest.mark.parametrize(
    ("wanted", "offered", "expected"),
    [
        ({"storageClassName": "fast"}, {}, "pvc_storage_class_mismatch"),
        ({"selector": {"matchLabels": {"tier": "gold"}}}, {"labels": {"tier": "tin"}},
         "pvc_selector_mismatch"),
        ({"selector": {"matchExpressions": [{"key": "tier", "operator": "Exists"}]}}, {},
         "pvc_selector_mismatch"),
        ({"resources": {"requests": {"storage": "50Gi"}}}, {}, "pvc_capacity_mismatch"),
        ({"accessModes": MANY}, {}, "pvc_access_mode_mismatch"),
        ({}, HELD, "pv_binding_occupied"),
        ({"volumeName": "cart-pv"}, HELD, "pv_binding_occupied"),
        ({}, {"phase": "Released", "claimRef": {"namespace": "shop", "name": "cart-data"}},
         "pv_binding_occupied"),
        ({"volumeName": "no-such-pv"}, {}, "pvc_volume_name_mismatch"),
    ],
)  # fmt: skip
def test_the_nearest_volume_tells_what_is_wrong(
    wanted: dict[str, Any], offered: dict[str, Any], expected: str, said: str, pod_said: str
) -> None:
    known = volume(**offered), OFF, storage_class("standard", "kubernetes.io/no-provisioner")
    found = cause(*waits(claim(**wanted), *known, said=said, pod_said=pod_said))
    assert found == (expected, HERE)


CSI = storage_class("fast", "csi.example.com")


@pytest.mark.parametrize(
    ("said", "reason", "expected"),
    [
        ('volume "cart-pv" already bound to a different claim.', "FailedBinding",
         "pv_binding_occupied"),
        ('Cannot bind to requested volume "cart-pv": requested PV is too small', "VolumeMismatch",
         "pvc_capacity_mismatch"),
        ('Cannot bind to requested volume "cart-pv": storageClassName does not match',
         "VolumeMismatch", "pvc_storage_class_mismatch"),
        ('Cannot bind to requested volume "cart-pv": incompatible accessMode', "VolumeMismatch",
         "pvc_access_mode_mismatch"),
        ('storageclass.storage.k8s.io "fast" not found', "ProvisioningFailed",
         "pvc_storage_class_mismatch"),
        ('failed to provision volume with StorageClass "fast": invalid AccessModes '
         "[ReadWriteMany]: only AccessModes [ReadWriteOnce] are supported", "ProvisioningFailed",
         "pvc_access_mode_mismatch"),
        ('failed to provision volume with StorageClass "fast": claim Selector is not supported',
         "ProvisioningFailed", "pvc_selector_mismatch"),
        ('failed to provision volume with StorageClass "fast": rpc error: code = Internal desc = x',
         "ProvisioningFailed", "volume_provisioning_failed"),
        ("Waiting for a volume to be created either by the external provisioner 'csi.example.com' "
         "or manually by the system administrator.", "ExternalProvisioning",
         "volume_provisioner_unavailable"),
        ('waiting for a volume to be created, either by external provisioner "csi.example.com" or '
         "manually created by system administrator", "ExternalProvisioning",
         "volume_provisioner_unavailable"),
    ],
)  # fmt: skip
def test_the_binder_s_and_the_provisioner_s_words_are_read(
    said: str, reason: str, expected: str
) -> None:
    wanted = claim(storageClassName="fast")
    assert cause(*waits(wanted, CSI, said=said, reason=reason)) == (expected, HERE)


PATIENT = storage_class("local", "kubernetes.io/no-provisioner",
                        volumeBindingMode="WaitForFirstConsumer")  # fmt: skip


def test_a_claim_that_waits_for_its_pod_is_not_why_the_pod_waits() -> None:
    cart = workload(volumes=VOLUME, resources={"requests": {"cpu": "64"}})
    said = "0/4 nodes are available: 4 Insufficient cpu."
    held = unscheduled(cart, said)
    wanted = claim(storageClassName="local")
    told = event(
        wanted, "WaitForFirstConsumer", "waiting for first consumer to be created", kind="Normal"
    )
    found = cause(cart, set_of(cart), *held, wanted, told, PATIENT)
    assert found == ("cpu_capacity_mismatch", HERE)


def test_a_patient_claim_that_no_volume_fits_is_why_the_pod_waits() -> None:
    said = "0/4 nodes are available: 4 node(s) didn't find available persistent volumes to bind."
    wanted = claim(storageClassName="local", resources={"requests": {"storage": "50Gi"}})
    small = volume(storageClassName="local")
    found = cause(*waits(wanted, small, PATIENT, pod_said=said))
    assert found == ("pvc_capacity_mismatch", HERE)


def tied(zone: str) -> KubernetesObject:
    term = {"matchExpressions": [{"key": "zone", "operator": "In", "values": [zone]}]}
    reach = {"required": {"nodeSelectorTerms": [term]}}
    return volume(phase="Bound", nodeAffinity=reach)


ZONES = {f"worker_{i}": {"labels": {"zone": z}} for i, z in ((1, "a"), (2, "a"), (3, "b"))}
BOUND = claim("Bound", volumeName="cart-pv")


@pytest.mark.parametrize("wording", [
    "4 node(s) had volume node affinity conflict.",
    "4 node(s) didn't match PersistentVolume's node affinity.",
])  # fmt: skip
def test_a_volume_in_another_zone_is_found(wording: str) -> None:
    cart = workload(volumes=VOLUME)
    held = unscheduled(cart, f"0/4 nodes are available: {wording}")
    found = cause(cart, set_of(cart), *held, BOUND, tied("c"), at=nodes(**ZONES))
    assert found == ("volume_node_affinity_conflict", HERE)


def test_a_full_node_in_the_volume_s_zone_is_the_cause_and_not_the_zone() -> None:
    cart = workload(volumes=VOLUME, resources={"requests": {"cpu": "64"}})
    said = (
        "0/4 nodes are available: 1 Insufficient cpu, 3 node(s) had volume node affinity conflict."
    )
    held = unscheduled(cart, said)
    found = cause(cart, set_of(cart), *held, BOUND, tied("b"), at=nodes(**ZONES))
    assert found == ("cpu_capacity_mismatch", HERE)


def test_a_cordoned_node_that_alone_reaches_the_volume_is_the_cause() -> None:
    cart = workload(volumes=VOLUME)
    said = ("0/4 nodes are available: 1 node(s) were unschedulable, 3 node(s) had volume node "
            "affinity conflict.")  # fmt: skip
    at = nodes(**{**ZONES, "worker_3": {"labels": {"zone": "b"}, "cordoned": True}})
    found = cause(cart, set_of(cart), *unscheduled(cart, said), BOUND, tied("b"), at=at)
    assert found == ("node_cordon_mismatch", HERE)


def test_a_lost_volume_is_named() -> None:
    lost = claim("Lost", volumeName="cart-pv")
    assert cause(*waits(lost, pod_said="")) == ("pvc_volume_lost", HERE)


def test_a_pending_claim_of_a_running_workload_and_of_nobody_is_no_trouble() -> None:
    cart = workload()
    leftover = claim(storageClassName="gone")
    assert diagnosed(cart, set_of(cart, "old"), running(cart), leftover, CSI).causes == ()
