"""Would this pod fit that node: labels, affinity, taints, cordon, and what is free."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.domain.snapshot import KubernetesObject
from bot.reasoning.kubernetes import (
    Cluster,
    containers,
    expression_holds,
    get,
    items,
    mapping,
    pod_spec,
    quantity,
)

CORDON = "node.kubernetes.io/unschedulable"
TAINTED_OUT = ("NoSchedule", "NoExecute")
ENDED = ("Succeeded", "Completed", "Failed")
VOLUME = "nodeSelectorTerms"
CONTROL_PLANE = ("kube-apiserver", "kube-scheduler", "kube-controller-manager", "etcd")
CONTROL_PLANE_ROLES = ("control-plane", "controlplane", "master")
CONTROL_PLANE_KEYS = frozenset(f"node-role.kubernetes.io/{role}" for role in CONTROL_PLANE_ROLES)


def describe_bytes(value: float) -> str:
    """Return bytes as "8 GiB" or "512 MiB"."""
    if value >= 2**30:
        return f"{value / 2**30:.3g} GiB"
    return f"{value / 2**20:.3g} MiB"


def is_control_plane(cluster: Cluster, node: KubernetesObject) -> bool:
    """Say whether a node runs the control plane, whatever it is called.

    Its role's label or taint says so, or a part of the control plane runs there (as a service of
    the system or as a pod that mirrors a static one).
    """
    taints = {str(taint.get("key")) for taint in items(node.body, "spec", "taints")}
    if {*node.labels, *taints} & CONTROL_PLANE_KEYS:
        return True
    if node.labels.get("kubernetes.io/role") in CONTROL_PLANE_ROLES:
        return True
    if any(
        c.component in CONTROL_PLANE and c.node == node.name for c in cluster.snapshot.components
    ):
        return True
    mirrored = {f"{part}-{node.name}" for part in CONTROL_PLANE}
    return any(p.namespace == "kube-system" and p.name in mirrored for p in cluster.all("Pod"))


class Nodes:
    """The nodes of a cluster, as the scheduler's filters see them."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.all = cluster.all("Node")

    @property
    def known(self) -> bool:
        """Whether any node was seen, so that counting them means something."""
        return bool(self.all)

    @property
    def cordoned(self) -> list[KubernetesObject]:
        """Nodes that take no new pods."""
        return [node for node in self.all if self.is_cordoned(node)]

    def is_cordoned(self, node: KubernetesObject) -> bool:
        """Say whether the node was cordoned (or drained)."""
        return bool(get(node.body, "spec", "unschedulable"))

    def fitting_selector(self, spec: Mapping[str, Any]) -> list[KubernetesObject]:
        """Return the nodes that have the labels of the pod's node selector."""
        wanted = mapping(spec, "nodeSelector")
        return [n for n in self.all if all(n.labels.get(k) == v for k, v in wanted.items())]

    def fitting_affinity(self, spec: Mapping[str, Any]) -> list[KubernetesObject]:
        """Return the nodes that satisfy the pod's required node affinity."""
        field = "requiredDuringSchedulingIgnoredDuringExecution"
        terms = items(spec, "affinity", "nodeAffinity", field, "nodeSelectorTerms")
        return [n for n in self.all if not terms or any(_term_holds(t, n) for t in terms)]

    def untolerated(
        self, spec: Mapping[str, Any], node: KubernetesObject
    ) -> list[Mapping[str, Any]]:
        """Return the taints of a node, the cordon's aside, that keep the pod away."""
        tolerations = items(spec, "tolerations")
        return [
            taint
            for taint in items(node.body, "spec", "taints")
            if taint.get("effect") in TAINTED_OUT
            and taint.get("key") != CORDON
            and not any(_tolerates(toleration, taint) for toleration in tolerations)
        ]

    def placed(self, spec: Mapping[str, Any]) -> list[KubernetesObject]:
        """Return the workers that the pod asks for: by name, selector and required affinity.

        A control plane is cordoned or tainted on purpose: it is no node that is missing, unless
        the pod tolerates its taints.
        """
        name = spec.get("nodeName")
        by_affinity = self.fitting_affinity(spec)
        return [
            node
            for node in self.fitting_selector(spec)
            if node in by_affinity and name in (None, "", node.name) and self._for_work(spec, node)
        ]

    def reaching(self, volumes: Sequence[KubernetesObject]) -> list[KubernetesObject]:
        """Return the nodes from which all these persistent volumes can be reached."""
        required = [items(v.body, "spec", "nodeAffinity", "required", VOLUME) for v in volumes]
        return [n for n in self.all if all(not t or _any_term(t, n) for t in required)]

    def lacking(self, spec: Mapping[str, Any], node: KubernetesObject) -> list[str]:
        """Return the resources that the pod requests and the node has not free."""
        return [
            resource
            for resource in sorted(self.resources_of(spec))
            if self._counts(node, resource)
            and self.requested_by(spec, resource) > self.free(node, resource)
        ]

    def resources_of(self, spec: Mapping[str, Any]) -> set[str]:
        """Return the names of all resources that the pod's containers request or limit."""
        return {
            str(resource)
            for container in (*containers(spec), *items(spec, "initContainers"))
            for side in ("requests", "limits")
            for resource in mapping(container, "resources", side)
        }

    def requested_by(self, spec: Mapping[str, Any], resource: str) -> float:
        """Return what the pod requests, in cores or bytes.

        That is the sum of its containers or its largest init container, with the overhead of its
        runtime class. Source: Kubernetes documentation, "Init containers: resource sharing".
        """
        together = sum(_requested(c, resource) for c in containers(spec))
        first = max((_requested(c, resource) for c in items(spec, "initContainers")), default=0.0)
        return max(together, first) + (quantity(get(spec, "overhead", resource)) or 0.0)

    def allocatable(self, node: KubernetesObject, resource: str) -> float:
        """Return what a node can give to pods, in cores or bytes."""
        return quantity(get(node.body, "status", "allocatable", resource)) or 0.0

    def free(self, node: KubernetesObject, resource: str) -> float:
        """Return allocatable less requested; the pods seen are summed where nobody summed them."""
        summed = quantity(get(node.body, "requested", resource))
        if summed is None:
            here = (
                p
                for p in self._cluster.all("Pod")
                if get(p.body, "spec", "nodeName") == node.name
                and get(p.body, "status", "phase") not in ENDED
            )
            summed = sum(self.requested_by(pod_spec(pod), resource) for pod in here)
        return self.allocatable(node, resource) - summed

    def is_control_plane(self, node: KubernetesObject) -> bool:
        """Say whether the node runs the control plane: by role, by taint, or by what runs there."""
        return is_control_plane(self._cluster, node)

    def _counts(self, node: KubernetesObject, resource: str) -> bool:
        """Whether what the node can give is known: an extended resource may be there or not."""
        known = mapping(node.body, "status", "allocatable")
        return resource in known or bool(known and resource not in ("cpu", "memory"))

    def _for_work(self, spec: Mapping[str, Any], node: KubernetesObject) -> bool:
        closed = self.is_cordoned(node) or self.untolerated(spec, node)
        return not (closed and self.is_control_plane(node))


def _any_term(terms: Sequence[Mapping[str, Any]], node: KubernetesObject) -> bool:
    return any(_term_holds(term, node) for term in terms)


def _requested(container: Mapping[str, Any], resource: str) -> float:
    """A limit without a request is the request. Source: Kubernetes, "Resource management"."""
    value = get(container, "resources", "requests", resource)
    if value is None:
        value = get(container, "resources", "limits", resource)
    return quantity(value) or 0.0


def _term_holds(term: Mapping[str, Any], node: KubernetesObject) -> bool:
    by_label = all(expression_holds(e, node.labels) for e in items(term, "matchExpressions"))
    names = {"metadata.name": node.name}
    return by_label and all(expression_holds(e, names) for e in items(term, "matchFields"))


def _tolerates(toleration: Mapping[str, Any], taint: Mapping[str, Any]) -> bool:
    if toleration.get("effect") not in (None, "", taint.get("effect")):
        return False
    if not toleration.get("key"):
        return toleration.get("operator") == "Exists"
    if toleration["key"] != taint.get("key"):
        return False
    equal = toleration.get("value", "") == taint.get("value", "")
    return toleration.get("operator") == "Exists" or equal
