"""Would this pod fit that node: labels, affinity, taints, cordon, and what is free."""

from collections.abc import Mapping
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


def describe_bytes(value: float) -> str:
    """Return bytes as "8 GiB" or "512 MiB"."""
    if value >= 2**30:
        return f"{value / 2**30:.3g} GiB"
    return f"{value / 2**20:.3g} MiB"


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

    def would_fit_if_uncordoned(self, spec: Mapping[str, Any]) -> bool:
        """Say whether cordoned workers are what is missing: they fit, and no other node does.

        A control plane is cordoned or tainted on purpose: it is no node that is missing.
        """
        fitting = [n for n in self.fitting_selector(spec) if n in self.fitting_affinity(spec)]
        if any(not self.is_cordoned(node) for node in fitting):
            return False
        usable = [n for n in fitting if not self._control_plane(n)]
        return any(self._has_room(spec, n) and not self.untolerated(spec, n) for n in usable)

    def requested_by(self, spec: Mapping[str, Any], resource: str) -> float:
        """Return what the pod's containers request together, in cores or bytes."""
        wanted = (
            get(container, "resources", "requests", resource)
            or get(container, "resources", "limits", resource)
            for container in containers(spec)
        )
        return sum(quantity(value) or 0.0 for value in wanted if value is not None)

    def allocatable(self, node: KubernetesObject, resource: str) -> float:
        """Return what a node can give to pods, in cores or bytes."""
        return quantity(get(node.body, "status", "allocatable", resource)) or 0.0

    def free(self, node: KubernetesObject, resource: str) -> float:
        """Return allocatable less requested; the pods seen are summed where nobody summed them."""
        summed = quantity(get(node.body, "requested", resource))
        if summed is None:
            here = (
                p for p in self._cluster.all("Pod") if get(p.body, "spec", "nodeName") == node.name
            )
            summed = sum(self.requested_by(pod_spec(pod), resource) for pod in here)
        return self.allocatable(node, resource) - summed

    def _has_room(self, spec: Mapping[str, Any], node: KubernetesObject) -> bool:
        return all(
            self.requested_by(spec, resource) <= self.free(node, resource)
            for resource in ("cpu", "memory")
            if self.allocatable(node, resource)
        )

    def _control_plane(self, node: KubernetesObject) -> bool:
        roles = [
            k for k in node.labels if "control-plane" in k or "node-role.kubernetes.io/master" in k
        ]
        return bool(roles) or node.labels.get("kubernetes.io/role") in ("master", "control-plane")


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
