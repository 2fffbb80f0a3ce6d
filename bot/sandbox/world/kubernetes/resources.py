"""Which resources the API knows, and its discovery documents."""

from dataclasses import dataclass
from typing import Any

READ = ("get", "list")
WRITE = ("get", "list", "patch", "update")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One resource of one API group."""

    group: str  # "" is the core group
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    verbs: tuple[str, ...] = READ
    subresources: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        """Return group and version as objects carry it."""
        return f"{self.group}/{self.version}" if self.group else self.version


def _core(plural: str, kind: str, **more: Any) -> Resource:
    return Resource(group="", version="v1", plural=plural, kind=kind, **more)


def _apps(plural: str, kind: str, **more: Any) -> Resource:
    return Resource(group="apps", version="v1", plural=plural, kind=kind, **more)


RESOURCES: tuple[Resource, ...] = (
    _core("pods", "Pod", verbs=("get", "list", "delete", "patch"),
          subresources=("log", "eviction")),
    _core("services", "Service", verbs=WRITE),
    _core("endpoints", "Endpoints"),
    _core("configmaps", "ConfigMap", verbs=WRITE),
    _core("events", "Event", verbs=("get", "list", "create")),
    _core("nodes", "Node", namespaced=False, verbs=WRITE),
    _core("namespaces", "Namespace", namespaced=False),
    _core("persistentvolumeclaims", "PersistentVolumeClaim", verbs=WRITE),
    _core("persistentvolumes", "PersistentVolume", namespaced=False),
    _core("serviceaccounts", "ServiceAccount"),
    _core("resourcequotas", "ResourceQuota", verbs=WRITE),
    _core("limitranges", "LimitRange"),
    _core("secrets", "Secret"),
    _apps("deployments", "Deployment", verbs=WRITE, subresources=("scale",)),
    _apps("replicasets", "ReplicaSet"),
    _apps("statefulsets", "StatefulSet", verbs=WRITE, subresources=("scale",)),
    _apps("daemonsets", "DaemonSet", verbs=WRITE),
    _apps("controllerrevisions", "ControllerRevision"),
    Resource(group="autoscaling", version="v2", plural="horizontalpodautoscalers",
             kind="HorizontalPodAutoscaler", verbs=WRITE),
    Resource(group="policy", version="v1", plural="poddisruptionbudgets",
             kind="PodDisruptionBudget", verbs=WRITE),
    Resource(group="batch", version="v1", plural="jobs", kind="Job",
             verbs=("get", "list", "delete")),
    Resource(group="batch", version="v1", plural="cronjobs", kind="CronJob"),
    Resource(group="networking.k8s.io", version="v1", plural="ingresses", kind="Ingress",
             verbs=WRITE),
    Resource(group="networking.k8s.io", version="v1", plural="networkpolicies",
             kind="NetworkPolicy", verbs=WRITE),
    Resource(group="storage.k8s.io", version="v1", plural="storageclasses", kind="StorageClass",
             namespaced=False),
    Resource(group="cert-manager.io", version="v1", plural="certificates", kind="Certificate"),
)  # fmt: skip


def find(group: str, version: str, plural: str) -> Resource | None:
    """Return a resource by its path."""
    for resource in RESOURCES:
        if (resource.group, resource.version, resource.plural) == (group, version, plural):
            return resource
    return None


def core_versions() -> dict[str, Any]:
    """Return `/api`."""
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}


def groups() -> dict[str, Any]:
    """Return `/apis`."""
    names = list(dict.fromkeys((r.group, r.version) for r in RESOURCES if r.group))
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(g, v) for g, v in names]}


def _group(group: str, version: str) -> dict[str, Any]:
    one = {"groupVersion": f"{group}/{version}", "version": version}
    return {"name": group, "versions": [one], "preferredVersion": one}


def group(name: str) -> dict[str, Any] | None:
    """Return `/apis/{group}`."""
    for resource in RESOURCES:
        if resource.group == name and name:
            return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, resource.version)}
    return None


def resource_list(group_name: str, version: str) -> dict[str, Any] | None:
    """Return `/api/v1` or `/apis/{group}/{version}`."""
    entries: list[dict[str, Any]] = []
    for r in RESOURCES:
        if (r.group, r.version) != (group_name, version):
            continue
        entry = {"name": r.plural, "singularName": r.kind.lower(), "namespaced": r.namespaced,
                 "kind": r.kind, "verbs": list(r.verbs)}  # fmt: skip
        entries.append(entry)
        entries.extend(
            entry | {"name": f"{r.plural}/{sub}", "verbs": ["get", "patch", "update", "create"]}
            for sub in r.subresources
        )
    if not entries:
        return None
    version_name = f"{group_name}/{version}" if group_name else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version_name,
            "resources": entries}  # fmt: skip


def version() -> dict[str, str]:
    """Return `/version`."""
    return {"major": "1", "minor": "29", "gitVersion": "v1.29.4", "gitCommit": "sandbox",
            "gitTreeState": "clean", "buildDate": "2024-04-16T15:00:00Z", "goVersion": "go1.21.9",
            "compiler": "gc", "platform": "linux/amd64"}  # fmt: skip
