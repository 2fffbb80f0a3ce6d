"""Faults of volumes: claims that no volume fits, a mount that may not be written."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.fakes.faults.fault import Fault, Place
from tests.fakes.faults.shop import SERVE

SIZE = "1Gi"


def _claimed(
    *, claim: Mapping[str, Any], volume: Mapping[str, Any] | None = None,
    labels: Mapping[str, str] | None = None,
) -> Callable[[Place], None]:  # fmt: skip
    """Return an injection: a rollout that mounts a claim which the only volume does not fit."""

    def inject(place: Place) -> None:
        name, kind = f"{place.namespace}-{place.victim}", f"disk-{place.namespace}"
        spec = {
            "storageClassName": kind, "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": SIZE}, "hostPath": {"path": f"/tmp/{name}"},
            "persistentVolumeReclaimPolicy": "Delete", **(volume or {}),
        }  # fmt: skip
        place.cluster.apply(
            "",
            {
                "kind": "StorageClass", "metadata": {"name": kind},
                "provisioner": "kubernetes.io/no-provisioner",
            },
            {
                "kind": "PersistentVolume", "spec": spec,
                "metadata": {"name": name, "labels": dict(labels or {})},
            },
        )  # fmt: skip
        place.finally_(lambda: place.cluster.delete("PersistentVolume", "", name))
        place.finally_(lambda: place.cluster.delete("StorageClass", "", kind))
        wanted = {
            "storageClassName": kind, "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": SIZE}}, **claim,
        }  # fmt: skip
        data = f"{place.victim}-data"
        place.apply({"kind": "PersistentVolumeClaim", "metadata": {"name": data}, "spec": wanted})
        place.roll(
            volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": data}}],
            containers=[{"name": "app", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}],
        )

    return inject


def _denied(place: Place) -> None:
    path = f"/tmp/{place.namespace}-{place.victim}-data"
    script = (
        "echo start > /data/journal || { echo \"ERROR cannot open '/data/journal': "
        'Permission denied"; exit 1; }; '
    )
    place.roll(
        volumes=[{"name": "data", "hostPath": {"path": path, "type": "DirectoryOrCreate"}}],
        containers=[
            {
                "name": "app",
                "command": ["sh", "-c", script + SERVE],
                "volumeMounts": [{"name": "data", "mountPath": "/data"}],
                "securityContext": {"runAsUser": 65534},
            }
        ],
    )


def _claim_fault(words: str, label: str, inject: Callable[[Place], None]) -> Fault:
    return Fault(
        name=f"claim: {words}", cause=(label,), label=label,
        inject=inject, shows=lambda p: p.unschedulable(),
    )  # fmt: skip


STORAGE = (
    _claim_fault(
        "another class", "pvc_storage_class_mismatch",
        _claimed(claim={"storageClassName": "fast-ssd"}),
    ),
    _claim_fault(
        "another access mode", "pvc_access_mode_mismatch",
        _claimed(claim={"accessModes": ["ReadWriteMany"]}),
    ),
    _claim_fault(
        "more than there is", "pvc_capacity_mismatch",
        _claimed(claim={"resources": {"requests": {"storage": "5Gi"}}}),
    ),
    _claim_fault(
        "another label", "pvc_selector_mismatch",
        _claimed(claim={"selector": {"matchLabels": {"tier": "gold"}}}, labels={"tier": "silver"}),
    ),
    Fault(
        name="volume that may not be written", cause=("volume_mount_permission_denied",
                                                      "permission_denied"),
        label="volume_mount_permission_denied", inject=_denied,
        shows=lambda p: p.restarts() >= 2,
    ),
)  # fmt: skip
