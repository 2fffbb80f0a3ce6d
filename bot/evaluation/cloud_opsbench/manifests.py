"""A live object completed by its manifest, where kubectl's text leaves fields out."""

import re
from collections.abc import Mapping
from typing import Any

POD_FIELDS = (
    "affinity", "topologySpreadConstraints", "imagePullSecrets", "securityContext", "hostNetwork",
    "schedulerName", "dnsPolicy", "dnsConfig", "hostAliases", "runtimeClassName",
)  # fmt: skip
UNDESCRIBED = re.compile(
    r"^ +(?:affinity|topologySpreadConstraints|imagePullSecrets|hostNetwork|dnsConfig|hostAliases|"
    r"runtimeClassName|runAsNonRoot|capabilities):",
    re.MULTILINE,
)
CONTAINER_FIELDS = ("securityContext", "imagePullPolicy", "lifecycle", "workingDir")
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job")


def completed(live: Mapping[str, Any], manifest: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Return the live object with what only the manifest says; what the live object says stands."""
    if manifest is None:
        return live
    if live.get("kind") in WORKLOADS:
        return _workload(live, manifest)
    if live.get("kind") == "PersistentVolumeClaim":
        return _claim(live, manifest)
    return live


def _workload(live: Mapping[str, Any], manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    wanted = _path(manifest, "spec", "template", "spec")
    template = dict(_path(live, "spec", "template"))
    spec = dict(_path(template, "spec"))
    for field in POD_FIELDS:
        if wanted.get(field) and field not in spec:
            spec[field] = wanted[field]
    for group in ("containers", "initContainers"):
        if spec.get(group):
            theirs = {c.get("name"): c for c in wanted.get(group) or () if isinstance(c, Mapping)}
            spec[group] = [_container(c, theirs.get(c.get("name"))) for c in spec[group]]
    return {**live, "spec": {**live["spec"], "template": {**template, "spec": spec}}}


def _container(live: Mapping[str, Any], wanted: Mapping[str, Any] | None) -> Mapping[str, Any]:
    missing = {f: wanted[f] for f in CONTAINER_FIELDS if wanted and wanted.get(f) and f not in live}
    return {**live, **missing}


def _claim(live: Mapping[str, Any], manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    wanted = _path(manifest, "spec")
    spec = dict(_path(live, "spec"))
    for field in ("resources", "selector", "accessModes", "volumeName", "storageClassName"):
        if wanted.get(field) is not None and not spec.get(field):
            spec[field] = wanted[field]
    return {**live, "spec": spec}


def _path(body: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    found: Any = body
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}
