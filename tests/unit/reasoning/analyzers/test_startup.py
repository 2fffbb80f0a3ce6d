"""Containers that do not start: images, configuration, volumes."""

import pytest

from bot.domain.snapshot import KubernetesObject
from bot.reasoning.analyzers import configuration, images, mounts, volumes
from tests.fakes.cluster import (
    answer,
    container,
    deployment,
    event,
    item,
    log,
    pod,
    question,
    snapshot,
)

IMAGE = "registry.example.com/cart:v1"


def waiting(reason: str) -> list[dict[str, object]]:
    state = {"waiting": {"reason": reason}}
    return [{"name": "app", "image": IMAGE, "ready": False, "restartCount": 0, "state": state}]


def stuck(reason: str, event_reason: str, message: str, *more: KubernetesObject) -> list[object]:
    workload = deployment("cart")
    held = pod(workload, phase="Pending", ready=False, statuses=waiting(reason))
    return [workload, held, event(held, event_reason, message), *more]


@pytest.mark.parametrize(
    ("answered", "cause"),
    [
        ("dial tcp: lookup registry.example.com: no such host", "image_registry_dns_failure"),
        ("rpc error: code = NotFound desc = manifest unknown", "incorrect_image_reference"),
        ("failed to authorize: failed to fetch anonymous token: 401 Unauthorized",
         "missing_image_pull_secret"),
        ("dial tcp 10.0.0.1:443: i/o timeout", "image_registry_unreachable"),
        ("no match for platform in manifest: not found", "image_platform_mismatch"),
        ("toomanyrequests: You have reached your pull rate limit", "image_registry_rate_limited"),
        ("unexpected status from HEAD request to https://mirror.example.com: 403 Forbidden",
         "incorrect_image_reference"),
    ],
)  # fmt: skip
def test_the_registry_s_answer_tells_the_cause(answered: str, cause: str) -> None:
    message = f'Failed to pull image "{IMAGE}": failed to resolve reference "{IMAGE}": {answered}'
    facts = snapshot(*stuck("ImagePullBackOff", "Failed", message))  # type: ignore[arg-type]
    assert answer(images.look(facts, question())) == (cause, "deployment/cart")


def test_a_pull_secret_that_does_not_exist_is_named() -> None:
    workload = deployment("cart", imagePullSecrets=[{"name": "regcred"}])
    held = pod(workload, phase="Pending", ready=False, statuses=waiting("ErrImagePull"))
    text = "Unable to retrieve some image pull secrets (regcred)"
    said = event(held, "FailedToRetrieveImagePullSecret", text)
    found = images.look(snapshot(workload, held, said), question())
    assert answer(found) == ("missing_image_pull_secret", "deployment/cart")


def test_a_running_pod_with_old_pull_errors_is_fine() -> None:
    workload = deployment("cart")
    running = pod(workload)
    said = event(running, "Failed", f'Failed to pull image "{IMAGE}": manifest unknown')
    assert images.look(snapshot(workload, running, said), question()).hypotheses == ()


@pytest.mark.parametrize(
    ("reason", "message", "cause"),
    [
        ("CreateContainerConfigError", 'Error: secret "keys" not found', "missing_secret_binding"),
        ("CreateContainerConfigError", 'Error: configmap "s" not found', "missing_config_map"),
        ("CreateContainerConfigError", "Error: couldn't find key a in Secret shop/keys",
         "missing_secret_key"),
        ("CreateContainerConfigError", "Error: couldn't find key a in ConfigMap shop/s",
         "missing_config_map_key"),
        ("RunContainerError", 'exec: "/cart": executable file not found in $PATH',
         "command_not_found"),
        ("CreateContainerConfigError",
         "Error: container has runAsNonRoot and image will run as root",
         "security_context_conflict"),
    ],
)  # fmt: skip
def test_the_kubelet_names_what_is_missing(reason: str, message: str, cause: str) -> None:
    facts = snapshot(*stuck(reason, "Failed", message))  # type: ignore[arg-type]
    assert answer(configuration.look(facts, question())) == (cause, "deployment/cart")


def test_a_secret_that_exists_by_now_weighs_against() -> None:
    objects = stuck("CreateContainerConfigError", "Failed", 'Error: secret "keys" not found')
    before = configuration.look(snapshot(*objects), question())  # type: ignore[arg-type]
    later = configuration.look(snapshot(*objects, item("Secret", "keys")), question())  # type: ignore[arg-type]
    assert later.hypotheses[0].log_odds < before.hypotheses[0].log_odds - 2


def test_a_ready_pod_misses_nothing() -> None:
    workload = deployment("cart")
    running = pod(workload)
    said = event(running, "Failed", 'Error: secret "keys" not found')
    assert configuration.look(snapshot(workload, running, said), question()).hypotheses == ()


def claim(**spec: object) -> KubernetesObject:
    wanted = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
        **spec,
    }
    return item("PersistentVolumeClaim", "cart-data", spec=wanted, status={"phase": "Pending"})


def volume(
    *, labels: dict[str, str] | None = None, phase: str = "Available", **spec: object
) -> KubernetesObject:
    offered = {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, **spec}
    metadata = {"labels": labels or {}}
    return item(
        "PersistentVolume", "cart-pv", namespace="", metadata=metadata, spec=offered,
        status={"phase": phase},
    )  # fmt: skip


def waits_for(*objects: KubernetesObject) -> tuple[str, str] | None:
    source = {"persistentVolumeClaim": {"claimName": "cart-data"}}
    workload = deployment("cart", volumes=[{"name": "data", **source}])
    held = pod(workload, node="", phase="Pending", ready=False, statuses=[])
    text = "0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims."
    said = event(held, "FailedScheduling", text)
    return answer(volumes.look(snapshot(workload, held, said, *objects), question()))


@pytest.mark.parametrize(
    ("wanted", "offered", "cause"),
    [
        ({"storageClassName": "fast"}, {}, "pvc_storage_class_mismatch"),
        ({"selector": {"matchLabels": {"a": "b"}}}, {}, "pvc_selector_mismatch"),
        ({"resources": {"requests": {"storage": "3Gi"}}}, {}, "pvc_capacity_mismatch"),
        ({"accessModes": ["ReadWriteMany"]}, {}, "pvc_access_mode_mismatch"),
        ({"volumeMode": "Block"}, {"volumeMode": "Filesystem"}, "pvc_volume_mode_mismatch"),
        ({}, {"claimRef": {"namespace": "shop", "name": "other"}, "phase": "Bound"},
         "pv_binding_occupied"),
    ],
)  # fmt: skip
def test_a_claim_that_no_volume_fits_is_told_by_the_nearest_volume(
    wanted: dict[str, object], offered: dict[str, object], cause: str
) -> None:
    found = waits_for(claim(**wanted), volume(**offered))  # type: ignore[arg-type]
    assert found == (cause, "deployment/cart")


def test_a_class_that_does_not_exist_is_found_without_a_volume() -> None:
    known = item("StorageClass", "standard", namespace="")
    found = waits_for(claim(storageClassName="fast"), known)
    assert found == ("pvc_storage_class_mismatch", "deployment/cart")


def test_a_bound_claim_is_no_trouble() -> None:
    bound = item("PersistentVolumeClaim", "cart-data", spec={}, status={"phase": "Bound"})
    assert waits_for(bound, volume(phase="Bound")) is None


def test_a_claim_that_nobody_mounts_is_no_trouble() -> None:
    facts = snapshot(claim(), volume(accessModes=[]))
    assert volumes.look(facts, question()).hypotheses == ()


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        ("MountVolume.SetUp failed: mount failed: permission denied",
         "volume_mount_permission_denied"),
        ("Multi-Attach error for volume pv-1: already exclusively attached",
         "volume_multi_attach"),
    ],
)  # fmt: skip
def test_a_mount_that_fails_is_told_by_the_kubelet(message: str, cause: str) -> None:
    facts = snapshot(*stuck("ContainerCreating", "FailedMount", message))  # type: ignore[arg-type]
    assert answer(mounts.look(facts, question())) == (cause, "deployment/cart")


def test_a_volume_that_the_process_may_not_write_to_is_told_by_its_log() -> None:
    paths = [{"mountPath": "/data", "name": "data"}]
    workload = deployment("cart", containers=[container(volumeMounts=paths)])
    down = pod(workload, ready=False)
    said = log("cart", "open /data/dump.rdb: permission denied")
    found = mounts.look(snapshot(workload, down, logs=(said,)), question())
    assert answer(found) == ("volume_mount_permission_denied", "deployment/cart")


def test_a_permission_that_a_ready_pod_lacks_elsewhere_is_no_answer() -> None:
    paths = [{"mountPath": "/data", "name": "data"}]
    workload = deployment("cart", containers=[container(volumeMounts=paths)])
    said = log("cart", "user 7: permission denied")
    found = mounts.look(snapshot(workload, pod(workload), logs=(said,)), question())
    assert answer(found) is None
