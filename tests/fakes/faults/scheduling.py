"""Faults that leave pods without a node: selectors, affinity, size, taints, cordons."""

from typing import Any

from tests.fakes.faults.fault import Fault, Place

TAINT = {"key": "dedicated", "value": "batch", "effect": "NoSchedule"}


def _selector(place: Place) -> None:
    place.roll(nodeSelector={"disk": "nvme"})


def _affinity(place: Place) -> None:
    rule = {"key": "zone", "operator": "In", "values": ["eu-west-9"]}
    terms = {"nodeSelectorTerms": [{"matchExpressions": [rule]}]}
    place.roll(affinity={"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}})


def _anti_affinity(place: Place) -> None:
    term = {
        "labelSelector": {"matchLabels": {"app": place.victim}},
        "topologyKey": "kubernetes.io/hostname",
    }
    required = {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
    body = {
        "spec": {
            "replicas": 2,
            "template": {"spec": {"affinity": {"podAntiAffinity": required}}},
        }
    }
    place.patch("Deployment", place.victim, body)


def _asks(resource: str, amount: str) -> Any:
    def inject(place: Place) -> None:
        asked = {resource: amount}
        place.roll_container(resources={"requests": asked, "limits": asked})

    return inject


def _node(place: Place) -> str:
    return str(place.cluster.items("Node")[0]["metadata"]["name"])


def _taint(place: Place) -> None:
    node = _node(place)
    _write_node(place, node, {"taints": [TAINT]})
    place.finally_(lambda: _write_node(place, node, {"taints": None}))
    place.roll(template={"metadata": {"annotations": {"release": "2"}}})


def _cordon(place: Place) -> None:
    node = _node(place)
    _write_node(place, node, {"unschedulable": True})
    place.finally_(lambda: _write_node(place, node, {"unschedulable": None, "taints": None}))
    place.roll(template={"metadata": {"annotations": {"release": "2"}}})


def _write_node(place: Place, node: str, spec: dict[str, Any]) -> None:
    place.cluster.patch("Node", "", node, {"spec": spec})


def _stuck(place: Place) -> bool:
    return place.unschedulable()


SCHEDULING = (
    Fault(
        name="unschedulable by selector", cause=("node_selector_mismatch",),
        label="node_selector_mismatch", inject=_selector, shows=_stuck,
    ),
    Fault(
        name="unschedulable by affinity", cause=("node_affinity_mismatch",),
        label="node_affinity_mismatch", inject=_affinity, shows=_stuck,
    ),
    Fault(
        name="unschedulable by anti-affinity", cause=("pod_anti_affinity_conflict",),
        label="pod_anti_affinity_conflict", inject=_anti_affinity, shows=_stuck,
    ),
    Fault(
        name="unschedulable by CPU", cause=("cpu_capacity_mismatch",),
        label="cpu_capacity_mismatch", inject=_asks("cpu", "64"), shows=_stuck,
    ),
    Fault(
        name="unschedulable by memory", cause=("memory_capacity_mismatch",),
        label="memory_capacity_mismatch", inject=_asks("memory", "900Gi"), shows=_stuck,
    ),
    Fault(
        name="unschedulable by taint", cause=("taint_toleration_mismatch",),
        label="taint_toleration_mismatch", inject=_taint, shows=_stuck, alone=True,
    ),
    Fault(
        name="cordoned node", cause=("node_cordon_mismatch",),
        label="node_cordon_mismatch", inject=_cordon, shows=_stuck, alone=True,
    ),
)  # fmt: skip
