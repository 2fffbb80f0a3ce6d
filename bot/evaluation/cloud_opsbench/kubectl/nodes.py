"""Nodes, as `kubectl describe node` prints them, with what the pods there request."""

import re
from typing import Any

from bot.evaluation.cloud_opsbench.kubectl.outline import Outline, clean, table
from bot.evaluation.cloud_opsbench.kubectl.values import moment, taint

SYSTEM_INFO = {
    "Kernel Version": "kernelVersion",
    "OS Image": "osImage",
    "Operating System": "operatingSystem",
    "Architecture": "architecture",
    "Container Runtime Version": "containerRuntimeVersion",
    "Kubelet Version": "kubeletVersion",
}


def node(text: Outline) -> dict[str, Any]:
    """Return spec and status of a described node.

    `requested` beside them is no field of the API: it is what kubectl sums over the node's pods.
    """
    info = text.entry("System Info").below()
    status = {
        "capacity": text.pairs("Capacity", ":"),
        "allocatable": text.pairs("Allocatable", ":"),
        "conditions": _conditions(text),
        "addresses": [
            {"type": name, "address": address}
            for name, address in text.pairs("Addresses", ":").items()
        ],
        "nodeInfo": clean({theirs: info.value(ours) for ours, theirs in SYSTEM_INFO.items()}),
    }
    spec = {
        "unschedulable": text.value("Unschedulable") == "true",
        "taints": [taint(line) for line in text.entry("Taints").items()],
        "podCIDR": text.value("PodCIDR"),
    }
    return {"spec": clean(spec), "status": clean(status), "requested": _requested(text)}


def _conditions(text: Outline) -> list[dict[str, Any]]:
    return [
        clean(
            {
                "type": row.get("Type"),
                "status": row.get("Status"),
                "reason": row.get("Reason"),
                "message": row.get("Message"),
                "lastHeartbeatTime": moment(row.get("LastHeartbeatTime", "")),
                "lastTransitionTime": moment(row.get("LastTransitionTime", "")),
            }
        )
        for row in table(text.entry("Conditions").lines)
    ]


def _requested(text: Outline) -> dict[str, str]:
    lines = [line for line in text.entry("Allocated resources").lines if "(Total" not in line]
    requested = {
        row["Resource"]: row.get("Requests", "").partition(" ")[0]
        for row in table(lines)
        if row.get("Resource")
    }
    pods = re.search(r"\((\d+) in total\)", text.value("Non-terminated Pods"))
    return {**requested, "pods": pods[1]} if pods else requested
