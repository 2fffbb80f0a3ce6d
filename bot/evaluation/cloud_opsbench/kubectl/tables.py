"""Rows of `kubectl get`, also -o wide and --show-labels, as objects with what a row says."""

import re
from datetime import datetime
from typing import Any

from bot.evaluation.cloud_opsbench.kubectl.outline import NOTHING, clean, table
from bot.evaluation.cloud_opsbench.kubectl.storage import MODES
from bot.evaluation.cloud_opsbench.kubectl.values import (
    age_seconds,
    ago,
    label_selector,
    labels_of,
    whole,
)

Row = dict[str, str]
PORT = re.compile(r"(\d+)(?::(\d+))?/(\w+)")


def rows(kind: str, text: str, namespace: str, now: datetime) -> list[dict[str, Any]]:
    """Return one body per row: metadata, and spec and status as far as the columns tell."""
    found = []
    for row in table(text):
        if row.get("NAME", "") in NOTHING:
            continue
        metadata = {
            "name": row["NAME"].partition(" ")[0],
            "namespace": row.get("NAMESPACE", namespace),
            "labels": labels_of(row.get("LABELS", "")),
            "creationTimestamp": ago(age_seconds(row.get("AGE", "")), now),
        }
        detail = DETAIL[kind](row) if kind in DETAIL else {}
        found.append({"metadata": clean(metadata), **detail})
    return found


def _pod(row: Row) -> dict[str, Any]:
    ready, _, total = row.get("READY", "").partition("/")
    word = row.get("STATUS", "")
    waiting = word not in PHASES
    count = whole(row.get("RESTARTS", ""), 0)
    one = {"restartCount": count, "state": {"waiting": {"reason": word}} if waiting else {}}
    statuses = [
        {**one, "name": str(i), "ready": i < (whole(ready, 0) or 0)}
        for i in range(whole(total, 0) or 0)
    ]
    return {
        "spec": clean({"nodeName": _value(row, "NODE")}),
        "status": clean(
            {
                "phase": "Pending" if waiting else word,
                "podIP": _value(row, "IP"),
                "containerStatuses": statuses,
            }
        ),
    }


PHASES = ("Pending", "Running", "Succeeded", "Failed", "Unknown", "Completed")


def _replicated(row: Row) -> dict[str, Any]:
    ready, _, desired = row.get("READY", "").partition("/")
    wanted = whole(desired or row.get("DESIRED", ""), 0)
    selector = label_selector(row.get("SELECTOR", ""))
    status = {"readyReplicas": whole(ready, 0), "replicas": whole(row.get("CURRENT", desired), 0)}
    if "AVAILABLE" in row:
        status["availableReplicas"] = whole(row["AVAILABLE"], 0)
    return {"spec": clean({"replicas": wanted, "selector": selector}), "status": status}


def _service(row: Row) -> dict[str, Any]:
    ports = [
        clean({"port": int(port), "nodePort": int(node) if node else None, "protocol": protocol})
        for port, node, protocol in PORT.findall(row.get("PORT(S)", ""))
    ]
    return {
        "spec": clean(
            {
                "type": row.get("TYPE"),
                "clusterIP": row.get("CLUSTER-IP"),
                "ports": ports,
                "selector": labels_of(row.get("SELECTOR", "")),
            }
        )
    }


def _node(row: Row) -> dict[str, Any]:
    words = row.get("STATUS", "").split(",")
    ready = {"Ready": "True", "NotReady": "False"}.get(words[0], "Unknown")
    return {
        "spec": clean({"unschedulable": True if "SchedulingDisabled" in words else None}),
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


def _claim(row: Row) -> dict[str, Any]:
    modes = [MODES.get(m, m) for m in _value(row, "ACCESS MODES").split(",") if m]
    return {
        "spec": clean(
            {
                "storageClassName": _value(row, "STORAGECLASS"),
                "volumeName": _value(row, "VOLUME"),
                "accessModes": modes,
            }
        ),
        "status": clean(
            {"phase": row.get("STATUS"), "capacity": clean({"storage": _value(row, "CAPACITY")})}
        ),
    }


def _volume(row: Row) -> dict[str, Any]:
    namespace, _, name = _value(row, "CLAIM").partition("/")
    return {
        "spec": clean(
            {
                "storageClassName": _value(row, "STORAGECLASS"),
                "accessModes": [MODES.get(m, m) for m in _value(row, "ACCESS MODES").split(",")],
                "capacity": clean({"storage": _value(row, "CAPACITY")}),
                "claimRef": {"namespace": namespace, "name": name} if name else None,
            }
        ),
        "status": clean({"phase": row.get("STATUS")}),
    }


def _network_policy(row: Row) -> dict[str, Any]:
    return {"spec": {"podSelector": label_selector(row.get("POD-SELECTOR", ""))}}


def _value(row: Row, column: str) -> str:
    value = row.get(column, "")
    return "" if value in NOTHING else value


DETAIL = {
    "Pod": _pod,
    "Deployment": _replicated,
    "ReplicaSet": _replicated,
    "StatefulSet": _replicated,
    "Service": _service,
    "Node": _node,
    "PersistentVolumeClaim": _claim,
    "PersistentVolume": _volume,
    "NetworkPolicy": _network_policy,
}
