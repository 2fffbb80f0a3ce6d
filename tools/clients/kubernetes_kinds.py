"""Which API group, plural and versions each Kubernetes kind has, newest version first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.domain.errors import Refused, UnknownName


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """Where a kind lives in the API. `versions`: those whose shape this bot knows, best first."""

    kind: str
    group: str
    plural: str
    versions: tuple[str, ...] = ("v1",)
    namespaced: bool = True

    @property
    def command_name(self) -> str:
        """The name that `kubectl` takes, singular and in lower case."""
        return self.kind.lower()


def _core(kind: str, plural: str, *, namespaced: bool = True) -> Resource:
    return Resource(kind=kind, group="", plural=plural, namespaced=namespaced)


def _of(group: str, kind: str, plural: str, *versions: str, namespaced: bool = True) -> Resource:
    known = versions or ("v1",)
    return Resource(kind=kind, group=group, plural=plural, versions=known, namespaced=namespaced)


RESOURCES: Mapping[str, Resource] = {
    r.kind: r
    for r in (
        _core("Pod", "pods"),
        _core("Service", "services"),
        _core("Endpoints", "endpoints"),
        _core("ConfigMap", "configmaps"),
        _core("PersistentVolumeClaim", "persistentvolumeclaims"),
        _core("PersistentVolume", "persistentvolumes", namespaced=False),
        _core("ResourceQuota", "resourcequotas"),
        _core("LimitRange", "limitranges"),
        _core("Event", "events"),
        _core("Node", "nodes", namespaced=False),
        _core("Namespace", "namespaces", namespaced=False),
        _core("ServiceAccount", "serviceaccounts"),
        _of("apps", "Deployment", "deployments"),
        _of("apps", "StatefulSet", "statefulsets"),
        _of("apps", "DaemonSet", "daemonsets"),
        _of("apps", "ReplicaSet", "replicasets"),
        _of("apps", "ControllerRevision", "controllerrevisions"),
        _of("batch", "Job", "jobs"),
        _of("batch", "CronJob", "cronjobs", "v1", "v1beta1"),
        _of("autoscaling", "HorizontalPodAutoscaler", "horizontalpodautoscalers",
            "v2", "v2beta2", "v1"),
        _of("policy", "PodDisruptionBudget", "poddisruptionbudgets", "v1", "v1beta1"),
        _of("networking.k8s.io", "NetworkPolicy", "networkpolicies"),
        _of("networking.k8s.io", "Ingress", "ingresses", "v1", "v1beta1"),
        _of("networking.k8s.io", "IngressClass", "ingressclasses", namespaced=False),
        _of("gateway.networking.k8s.io", "Gateway", "gateways", "v1", "v1beta1"),
        _of("gateway.networking.k8s.io", "HTTPRoute", "httproutes", "v1", "v1beta1"),
        _of("gateway.networking.k8s.io", "GRPCRoute", "grpcroutes", "v1"),
        _of("rbac.authorization.k8s.io", "Role", "roles"),
        _of("rbac.authorization.k8s.io", "RoleBinding", "rolebindings"),
        _of("rbac.authorization.k8s.io", "ClusterRole", "clusterroles", namespaced=False),
        _of("rbac.authorization.k8s.io", "ClusterRoleBinding", "clusterrolebindings",
            namespaced=False),
        _of("storage.k8s.io", "StorageClass", "storageclasses", namespaced=False),
        _of("cert-manager.io", "Certificate", "certificates", "v1", "v1alpha2"),
    )
}  # fmt: skip

OPTIONAL_GROUPS = (
    "cert-manager.io",
    "gateway.networking.k8s.io",
)  # not there without discovery saying so


def resource_of(kind: str) -> Resource:
    """Return where a kind lives. Raises: Refused: Secrets are never read; UnknownName."""
    if kind.lower() in ("secret", "secrets"):
        raise Refused("secrets are never read", rule="no-secrets")
    found = RESOURCES.get(kind)
    if found is None:
        raise UnknownName("kind", kind, place="the kinds that the bot reads")
    return found


def version_to_use(resource: Resource, served: Mapping[str, Sequence[str]] | None) -> str | None:
    """Return the best known version that the server has, None if it has none.

    `served` maps API groups to versions; empty or None when the server does not tell.
    """
    if not resource.group:
        return "v1"
    if not served:
        return None if resource.group in OPTIONAL_GROUPS else resource.versions[0]
    there = served.get(resource.group, ())
    return next((v for v in resource.versions if v in there), None)
