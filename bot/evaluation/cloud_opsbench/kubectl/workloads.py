"""Pods and what makes them: deployments, replica sets, stateful sets, daemon sets, jobs."""

import re
from typing import Any

from bot.evaluation.cloud_opsbench.kubectl.containers import container_statuses, containers, volumes
from bot.evaluation.cloud_opsbench.kubectl.outline import Outline, clean, table
from bot.evaluation.cloud_opsbench.kubectl.values import label_selector, moment, toleration, whole

NODE = re.compile(r"^([^/]+)/(.*)$")
COUNT = re.compile(r"(\d+) (desired|updated|total|available|unavailable|current)")
PODS = {"Running": "runningPods", "Waiting": "waitingPods", "Failed": "failedPods"}
READY_OF_STATEFUL_SET = re.compile(r"(\d+) desired \| (\d+) total")


def pod(text: Outline) -> dict[str, Any]:
    """Return spec and status of a described pod."""
    node = NODE.match(text.value("Node"))
    spec = {"nodeName": node[1] if node else "", **pod_spec(text)}
    status = {
        "phase": text.value("Status").partition(" ")[0],
        "reason": text.value("Reason"),
        "message": text.value("Message"),
        "hostIP": node[2] if node else "",
        "podIP": text.value("IP"),
        "startTime": moment(text.value("Start Time")),
        "conditions": conditions(text),
        "containerStatuses": container_statuses(text.entry("Containers")),
        "initContainerStatuses": container_statuses(text.entry("Init Containers")),
    }
    return {"spec": clean(spec), "status": clean(status)}


def pod_spec(text: Outline) -> dict[str, Any]:
    """Return the pod spec of a described pod or pod template."""
    tolerations = [toleration(line) for line in text.entry("Tolerations").items()]
    return clean(
        {
            "serviceAccountName": text.value("Service Account"),
            "priorityClassName": text.value("Priority Class Name"),
            "initContainers": containers(text.entry("Init Containers")),
            "containers": containers(text.entry("Containers")),
            "volumes": volumes(text.entry("Volumes")),
            "nodeSelector": text.pairs("Node-Selectors", "="),
            "tolerations": tolerations,
        }
    )


def deployment(text: Outline) -> dict[str, Any]:
    """Return spec and status of a described deployment."""
    counts = {name: int(number) for number, name in COUNT.findall(text.value("Replicas"))}
    return {
        "spec": {
            "replicas": counts.get("desired", 0),
            "selector": label_selector(text.value("Selector")),
            "strategy": {"type": text.value("StrategyType")},
            "template": template(text),
        },
        "status": {
            "replicas": counts.get("total", 0),
            "updatedReplicas": counts.get("updated", 0),
            "availableReplicas": counts.get("available", 0),
            "readyReplicas": counts.get("available", 0),
            "unavailableReplicas": counts.get("unavailable", 0),
            "conditions": conditions(text),
        },
    }


def replica_set(text: Outline) -> dict[str, Any]:
    """Return spec and status of a described replica set (or replication controller)."""
    counts = {name: int(number) for number, name in COUNT.findall(text.value("Replicas"))}
    return {
        "spec": {
            "replicas": counts.get("desired", 0),
            "selector": label_selector(text.value("Selector")),
            "template": template(text),
        },
        "status": {"replicas": counts.get("current", 0), "conditions": conditions(text)},
    }


def stateful_set(text: Outline) -> dict[str, Any]:
    """Return spec and status of a described stateful set."""
    match = READY_OF_STATEFUL_SET.search(text.value("Replicas"))
    desired, total = (int(match[1]), int(match[2])) if match else (0, 0)
    return {
        "spec": {
            "replicas": desired,
            "selector": label_selector(text.value("Selector")),
            "template": template(text),
        },
        "status": {"replicas": total},
    }


def daemon_set(text: Outline) -> dict[str, Any]:
    """Return spec and status of a described daemon set."""
    scheduled = "Number of Nodes Scheduled with Available Pods"
    return {
        "spec": {
            "selector": label_selector(text.value("Selector")),
            "template": template(text),
        },
        "status": {
            "desiredNumberScheduled": whole(text.value("Desired Number of Nodes Scheduled"), 0),
            "currentNumberScheduled": whole(text.value("Current Number of Nodes Scheduled"), 0),
            "numberAvailable": whole(text.value(scheduled), 0),
        },
    }


def job(text: Outline) -> dict[str, Any]:
    """Return spec and status of a described job."""
    states = re.findall(r"(\d+) (\w+)", text.value("Pods Statuses"))
    counts = {name.lower(): int(number) for number, name in states}
    return {
        "spec": {
            "parallelism": whole(text.value("Parallelism"), 1),
            "completions": whole(text.value("Completions"), 1),
            "template": template(text),
        },
        "status": clean({name: counts.get(name) for name in ("active", "succeeded", "failed")}),
    }


def template(text: Outline) -> dict[str, Any]:
    """Return the pod template of a described workload."""
    inside = text.entry("Pod Template").below()
    metadata = clean(
        {"labels": inside.pairs("Labels", "="), "annotations": inside.pairs("Annotations", ":")}
    )
    return {"metadata": metadata, "spec": pod_spec(inside)}


def conditions(text: Outline) -> list[dict[str, Any]]:
    """Return the conditions table as the API's conditions."""
    names = {"Type": "type", "Status": "status", "Reason": "reason", "Message": "message"}
    return [
        clean({names[key]: value for key, value in row.items() if key in names})
        for row in table(text.entry("Conditions").lines)
    ]
