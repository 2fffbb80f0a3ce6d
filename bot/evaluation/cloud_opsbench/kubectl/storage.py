"""Claims, volumes and storage classes, as `kubectl describe` prints them."""

from typing import Any

from bot.evaluation.cloud_opsbench.kubectl.outline import Outline, clean
from bot.evaluation.cloud_opsbench.kubectl.values import label_selector

MODES = {
    "RWO": "ReadWriteOnce",
    "ROX": "ReadOnlyMany",
    "RWX": "ReadWriteMany",
    "RWOP": "ReadWriteOncePod",
}
SOURCES = {"LocalVolume": "local", "HostPath": "hostPath", "NFS": "nfs", "CSI": "csi"}


def claim(text: Outline) -> dict[str, Any]:
    """Return spec and status of a described claim.

    kubectl prints capacity and modes of the bound volume, and nothing of what a pending claim asks
    for: the spec then lacks it, as the text does.
    """
    modes = _modes(text.value("Access Modes"))
    spec = {
        "storageClassName": text.value("StorageClass"),
        "volumeName": text.value("Volume"),
        "accessModes": modes,
        "volumeMode": text.value("VolumeMode"),
    }
    capacity = clean({"storage": text.value("Capacity")})
    status = {"phase": text.value("Status"), "capacity": capacity, "accessModes": modes}
    used_by = list(text.entry("Used By").items())
    return {"spec": clean(spec), "status": clean(status), "usedBy": used_by}


def volume(text: Outline) -> dict[str, Any]:
    """Return spec and status of a described volume."""
    namespace, _, name = text.value("Claim").partition("/")
    source = text.entry("Source").below()
    kind = SOURCES.get(source.value("Type").partition(" ")[0])
    where = clean({"path": source.value("Path"), "server": source.value("Server")})
    spec = {
        "storageClassName": text.value("StorageClass"),
        "accessModes": _modes(text.value("Access Modes")),
        "capacity": clean({"storage": text.value("Capacity")}),
        "persistentVolumeReclaimPolicy": text.value("Reclaim Policy"),
        "volumeMode": text.value("VolumeMode"),
        "claimRef": {"namespace": namespace, "name": name} if name else None,
        "nodeAffinity": _node_affinity(text),
    }
    if kind:
        spec[kind] = where
    status = {"phase": text.value("Status"), "message": text.value("Message")}
    return {"spec": clean(spec), "status": clean(status)}


def storage_class(text: Outline) -> dict[str, Any]:
    """Return the fields of a described storage class."""
    return clean(
        {
            "provisioner": text.value("Provisioner"),
            "reclaimPolicy": text.value("ReclaimPolicy"),
            "volumeBindingMode": text.value("VolumeBindingMode"),
            "allowVolumeExpansion": text.value("AllowVolumeExpansion") == "True",
            "isDefault": text.value("IsDefaultClass") == "Yes",
        }
    )


def _modes(text: str) -> list[str]:
    return [MODES.get(mode.strip(), mode.strip()) for mode in text.split(",") if mode.strip()]


def _node_affinity(text: Outline) -> dict[str, Any] | None:
    terms = text.entry("Node Affinity").below().entry("Required Terms").below()
    listed = [
        label_selector(line).get("matchExpressions", [])
        for term in terms
        for line in term.items()
        if term.key.startswith("Term")
    ]
    if not any(listed):
        return None
    return {
        "required": {
            "nodeSelectorTerms": [{"matchExpressions": found} for found in listed if found]
        }
    }
