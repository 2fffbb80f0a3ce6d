"""Events, as `kubectl get events` lists them and `kubectl describe` appends them."""

import re
from datetime import datetime
from typing import Any

from bot.evaluation.cloud_opsbench.kubectl.outline import clean
from bot.evaluation.cloud_opsbench.kubectl.values import ago, counted_age

LISTED = re.compile(r"^(\S+(?: \(x\d+ over \S+\))?)\s+(Normal|Warning)\s+(\S+)\s+(\S+)\s+(.*)$")
DESCRIBED = re.compile(
    r"^\s+(Normal|Warning)\s+(\S+)\s+(\S+(?: \(x\d+ over \S+\))?)\s+(\S+)\s{2,}(.*)$"
)
KINDS = {
    name.lower(): name
    for name in (
        "Pod", "Node", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob",
        "Service", "Endpoints", "EndpointSlice", "Ingress", "PersistentVolumeClaim",
        "PersistentVolume", "StorageClass", "HorizontalPodAutoscaler", "Namespace", "ConfigMap",
        "Secret", "ServiceAccount", "ResourceQuota", "NetworkPolicy", "PodDisruptionBudget",
    )
}  # fmt: skip


def listed_events(text: str, namespace: str, now: datetime) -> list[dict[str, Any]]:
    """Return the events of a `kubectl get events` table, with or without its header line."""
    events: list[dict[str, Any]] = []
    for line in text.splitlines():
        if match := LISTED.match(line):
            seen, level, reason, target, message = match.groups()
            kind, _, name = target.partition("/")
            involved = {"kind": KINDS.get(kind.lower(), kind), "name": name}
            events.append(_event(involved, namespace, (level, reason, seen, "", message), now))
        elif events and line.strip() and not line.startswith("LAST SEEN"):
            events[-1]["message"] += "\n" + line.strip()
    return merged(events)


def described_events(
    lines: tuple[str, ...], kind: str, name: str, namespace: str, now: datetime
) -> list[dict[str, Any]]:
    """Return the events at the end of a `kubectl describe`."""
    events: list[dict[str, Any]] = []
    for line in lines:
        if match := DESCRIBED.match(line):
            level, reason, seen, source, message = match.groups()
            involved = {"kind": kind, "name": name}
            events.append(_event(involved, namespace, (level, reason, seen, source, message), now))
        elif events and line.strip():
            events[-1]["message"] += "\n" + line.strip()
    return merged(events)


def merged(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the events with those that say the same of the same object counted together."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for event in events:
        involved = event["involvedObject"]
        key = (involved["kind"], involved["name"], event["reason"], event["message"])
        first = found.setdefault(key, event)
        if first is not event:
            first["count"] = first["count"] + event["count"]
            first["lastTimestamp"] = max(_seen(first), _seen(event)) or None
    return list(found.values())


def _seen(event: dict[str, Any]) -> str:
    return event.get("lastTimestamp") or ""


def _event(
    involved: dict[str, str], namespace: str, fields: tuple[str, ...], now: datetime
) -> dict[str, Any]:
    level, reason, seen, source, message = fields
    last, count, first = counted_age(seen)
    return {
        "type": level,
        "reason": reason,
        "message": message.strip(),
        "count": count,
        "involvedObject": clean({**involved, "namespace": namespace}),
        "source": clean({"component": source}),
        "firstTimestamp": ago(first, now),
        "lastTimestamp": ago(last, now),
    }
