"""The cases of the actions on nodes, Jobs, volume claims and pods that hang."""

from typing import Any

from tests.fakes.contract.cases import FAKE, REAL, SANDBOX, ActionCase, ContractCluster
from tests.fakes.manifests import SHELL, container

SPARE = "spare"  # of the real cluster: a node that is only written down, beside the one that runs
READY = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}
LONG_AGO = "2026-01-01T00:00:00Z"


def _cordon(cluster: ContractCluster) -> dict[str, Any]:
    return {"node": _prepared(cluster, cordoned=False)}


def _uncordon(cluster: ContractCluster) -> dict[str, Any]:
    return {"node": _prepared(cluster, cordoned=True)}


def _drain(cluster: ContractCluster) -> dict[str, Any]:
    node = _prepared(cluster, cordoned=False)
    return {"node": node, "delete_empty_dir_data": True, "evict_unmanaged": False}


def _prepared(cluster: ContractCluster, *, cordoned: bool) -> str:
    """Return a node with few pods of any one workload, cordoned or not; another one takes pods."""
    if cluster.kind == REAL:
        cluster.put("Node", SPARE, spec={"unschedulable": cordoned or None})
        return SPARE
    if cluster.kind == FAKE:
        _fake_nodes(cluster)
    pods = cluster.items("Pod")

    def crowd(node: dict[str, Any]) -> tuple[bool, int]:
        here = [p for p in pods if p["spec"].get("nodeName") == node["metadata"]["name"]]
        owners = [p["metadata"]["ownerReferences"][0] for p in here]
        names = [o["name"] for o in owners]
        stateful = any(o["kind"] == "StatefulSet" for o in owners)
        return stateful or not here, max(map(names.count, names), default=0)

    body = min(cluster.items("Node"), key=crowd)
    name = str(body["metadata"]["name"])
    spec = {k: v for k, v in body.get("spec", {}).items() if k != "unschedulable"}
    spec |= {"unschedulable": True} if cordoned else {}
    more = {k: body[k] for k in ("status",) if k in body}
    cluster.put("Node", name, metadata=body["metadata"], spec=spec, **more)
    return name


def _fake_nodes(cluster: ContractCluster) -> None:
    there = {n["metadata"]["name"] for n in cluster.items("Node")}
    for name in {"node-1", "node-2"} - there:
        cluster.put("Node", name, spec={"podCIDR": "10.0.0.0/24"}, status={"conditions": [READY]})
    owner = {"kind": "ReplicaSet", "name": "web-2", "uid": "uid-web-2", "controller": True}
    if any(p["spec"].get("nodeName") == "node-1" for p in cluster.items("Pod")):
        return
    cluster.put(
        "Pod",
        "web-2-node",
        metadata={"ownerReferences": [owner], "labels": {"app": "web"}},
        spec={"nodeName": "node-1", "containers": [{"name": "web"}]},
        status={"phase": "Running"},
    )


def _job(cluster: ContractCluster) -> dict[str, Any]:
    if cluster.kind == REAL:  # that it has failed is its controller's word
        pods = {"restartPolicy": "Never", "containers": [container(SHELL, script="exit 1")]}
        cluster.put("Job", "report", spec={"backoffLimit": 0, "template": {"spec": pods}})
        return {"namespace": cluster.namespace, "name": "report"}
    condition = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}
    cluster.put(
        "Job",
        "report",
        spec={"backoffLimit": 1, "template": {"spec": {"containers": [{"name": "report"}]}}},
        status={"failed": 2, "conditions": [condition]},
    )
    return {"namespace": cluster.namespace, "name": "report"}


def _claim(cluster: ContractCluster) -> dict[str, Any]:
    cluster.put("StorageClass", "grows", provisioner="example.com/x", allowVolumeExpansion=True)
    cluster.put(
        "PersistentVolumeClaim",
        "data",
        spec={"storageClassName": "grows", "resources": {"requests": {"storage": "10Gi"}}},
        status={"phase": "Bound", "capacity": {"storage": "10Gi"}},
    )
    return {"namespace": cluster.namespace, "name": "data", "size": "20Gi"}


def _stuck(cluster: ContractCluster) -> dict[str, Any]:
    owner = {"kind": "ReplicaSet", "name": "web-2", "uid": "uid-web-2", "controller": True}
    cluster.put(
        "Pod",
        "web-2-stuck",
        metadata={"ownerReferences": [owner], "deletionTimestamp": LONG_AGO},
        spec={"nodeName": "node-9", "containers": [{"name": "web"}]},
        status={"phase": "Running"},
    )
    return {"namespace": cluster.namespace, "name": "web-2-stuck", "force": True}


CASES = {
    "cordon_node": ActionCase(ready=_cordon, rule=("", "nodes", "patch"), name_field="node"),
    "uncordon_node": ActionCase(ready=_uncordon, rule=("", "nodes", "patch"), name_field="node"),
    "drain_node": ActionCase(ready=_drain, rule=("", "nodes", "patch"), name_field="node"),
    "delete_failed_job": ActionCase(
        ready=_job,
        rule=("batch", "jobs", "delete"),
    ),
    "expand_pvc": ActionCase(
        ready=_claim,
        rule=("", "persistentvolumeclaims", "patch"),
        not_on={REAL: "it has no driver that can expand volumes"},
    ),
    "delete_stuck_pod": ActionCase(
        ready=_stuck,
        rule=("", "pods", "delete"),
        not_on={
            SANDBOX: "its pods never hang",
            REAL: "its one node is never lost, and its pods end in time",
        },
    ),
}
