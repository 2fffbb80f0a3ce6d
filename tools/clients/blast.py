"""How many pods an action can take away at one time, by Kubernetes' own rules of rolling out."""

import math
from collections.abc import Mapping
from typing import Any

from bot.domain.action import BlastRadius


def desired_replicas(body: Mapping[str, Any]) -> int:
    """Return how many pods a workload wants; a DaemonSet tells in its status."""
    if body.get("kind") == "DaemonSet":
        return int((body.get("status") or {}).get("desiredNumberScheduled") or 0)
    replicas = (body.get("spec") or {}).get("replicas")
    return 1 if replicas is None else int(replicas)


def rollout_unavailable(body: Mapping[str, Any]) -> int:
    """Return how many pods a rollout may have unavailable at one time.

    Percentages of maxUnavailable round down, of maxSurge up; if both come to 0, one pod may go.
    Source: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment
    """
    replicas = desired_replicas(body)
    spec = body.get("spec") or {}
    if body.get("kind") == "StatefulSet":
        return min(1, replicas)
    strategy = spec.get("strategy") or spec.get("updateStrategy") or {}
    if strategy.get("type") == "Recreate":
        return replicas
    rolling = strategy.get("rollingUpdate") or {}
    default = 1 if body.get("kind") == "DaemonSet" else "25%"
    unavailable = _share(rolling.get("maxUnavailable", default), replicas, math.floor)
    surge = _share(rolling.get("maxSurge", "25%"), replicas, math.ceil)
    if unavailable == 0 and surge == 0:
        unavailable = 1
    return min(unavailable, replicas)


def radius(*, pods: int, total: int, fleet: int, service: str, namespaces: int = 1) -> BlastRadius:
    """Return the radius of `pods` out of a workload's `total` and an environment's `fleet`."""
    return BlastRadius(
        pods=pods,
        pods_total=total,
        workload_ratio=min(1.0, pods / total) if total else 0.0,
        fleet_ratio=min(1.0, pods / fleet) if fleet else 0.0,
        namespaces=namespaces,
        services=(service,) if service else (),
    )


def _share(value: Any, replicas: int, rounded: Any) -> int:
    text = str(value)
    if text.endswith("%") and text[:-1].isdigit():
        return int(rounded(replicas * int(text[:-1]) / 100))
    return int(text) if text.isdigit() else 0
