"""Nodes, certificates and autoscalers as the API shows them."""

import copy

from bot.sandbox.world import rollout
from bot.sandbox.world.manifests import iso
from bot.sandbox.world.records import Json
from bot.sandbox.world.site import NAMESPACE, Node, Site


def node_body(site: Site, node: Node, at: float) -> Json:
    """Return a node's JSON."""
    body = copy.deepcopy(site.objects[("nodes", node.name)])
    cpu, memory = str(int(node.cores)), f"{int(node.memory_bytes / 1024)}Ki"
    capacity = {"cpu": cpu, "memory": memory, "pods": "110", "ephemeral-storage": "200Gi"}
    conditions = [
        _condition("MemoryPressure", "False", "KubeletHasSufficientMemory", at),
        _condition("DiskPressure", "False", "KubeletHasNoDiskPressure", at),
        _condition("PIDPressure", "False", "KubeletHasSufficientPID", at),
        _condition("Ready", "True", "KubeletReady", at),
    ]
    body["status"] = {
        "capacity": capacity,
        "allocatable": capacity | {"cpu": f"{int(node.cores * 1000 - 200)}m"},
        "conditions": conditions,
        "addresses": [{"type": "Hostname", "address": node.name}],
        "nodeInfo": {"kubeletVersion": "v1.29.4", "osImage": "Debian GNU/Linux 12 (bookworm)",
                     "containerRuntimeVersion": "containerd://1.7.16", "architecture": "amd64",
                     "operatingSystem": "linux", "kernelVersion": "6.1.0-21-amd64",
                     "kubeProxyVersion": "v1.29.4", "machineID": rollout.uid(node.name),
                     "systemUUID": rollout.uid(node.name, 1), "bootID": rollout.uid(node.name, 2)},
    }  # fmt: skip
    return body


def _condition(kind: str, status: str, reason: str, at: float) -> Json:
    return {"type": kind, "status": status, "reason": reason, "message": reason,
            "lastHeartbeatTime": iso(at - at % 30.0),
            "lastTransitionTime": iso(at - 40 * 86400.0)}  # fmt: skip


def disruption_body(site: Site, body: Json, at: float) -> Json:
    """Return a PodDisruptionBudget with its status."""
    out = copy.deepcopy(body)
    workload = site.workloads.get(out["metadata"]["name"])
    expected = workload.replicas if workload else 0
    healthy = len(workload.ready(at)) if workload else 0
    wanted = out["spec"].get("minAvailable", 0)
    if isinstance(wanted, str):
        wanted = -(-expected * int(wanted.rstrip("%") or 0) // 100)
    out["status"] = {"currentHealthy": healthy, "desiredHealthy": wanted, "expectedPods": expected,
                     "disruptionsAllowed": max(0, healthy - wanted),
                     "observedGeneration": 1}  # fmt: skip
    return out


def autoscaler_uid(site: Site, name: str) -> str:
    """Return the uid of an autoscaler."""
    return rollout.uid(*site.key, "hpa", NAMESPACE, name)
