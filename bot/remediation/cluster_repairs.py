"""Binds the actions on nodes, volume claims, stuck pods and failed Jobs, from what was seen."""

import math
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from bot.domain.snapshot import KubernetesObject
from bot.remediation.brittleness import claims_of
from bot.remediation.evidence import Bound, Case, Unbound, parts, place, section
from tools.clients.quantities import quantity

GIB = Decimal(2**30)
GROWTH = Decimal("1.5")  # once more half of what a claim has: room to find what fills it
GRACE_OVER = timedelta(seconds=60)  # as the action itself counts it


def cordon(case: Case, _: Mapping[str, str]) -> Bound:
    """Bind the node that is the cause, if another one is ready and takes pods."""
    node = _node(case, case.name) if case.kind == "node" else None
    if node is None:
        raise Unbound(f"the node {case.name} was not seen")
    if _cordoned(node):
        raise Unbound(f"{node.name} is cordoned already")
    others = [n for n in case.snapshot.kind("Node") if n.name != node.name]
    if not any(_ready(n) and not _cordoned(n) for n in others):
        raise Unbound(f"no other node than {node.name} is ready and takes pods")
    return Bound(arguments={"node": node.name}, title=f"Cordon the node {node.name}")


def uncordon(case: Case, _: Mapping[str, str]) -> Bound:
    """Bind the one node that is cordoned and ready; of several, nothing tells which to choose."""
    nodes = {n.name: n for n in case.snapshot.kind("Node")}.values()
    found = [n for n in nodes if _cordoned(n) and _ready(n)]
    if len(found) != 1:
        names = ", ".join(sorted(n.name for n in found)) or "none"
        raise Unbound(f"which cordoned node to open again is not told (ready ones: {names})")
    return Bound(arguments={"node": found[0].name}, title=f"Uncordon the node {found[0].name}")


def expand_claim(case: Case, _: Mapping[str, str]) -> Bound:
    """Bind the one claim that the cause is about, half as large again, if its class can expand."""
    claims = list(claims_of(case))
    if len(claims) != 1:
        names = ", ".join(sorted(c.name for c in claims)) or "none was seen"
        raise Unbound(
            f"which volume claim of {case.hypothesis.service} is full is not told: {names}"
        )
    claim = claims[0]
    name = str(section(claim.body, "spec").get("storageClassName") or "")
    kind = next((s for s in case.snapshot.kind("StorageClass") if s.name == name), None)
    if kind is None or kind.body.get("allowVolumeExpansion") is not True:
        said = "cannot expand volumes" if kind is not None else "was not seen"
        raise Unbound(f"storage class {name or 'of no name'} of claim {claim.name} {said}")
    now = section(claim.body, "spec", "resources", "requests").get("storage")
    size = quantity(now)
    if not size:
        raise Unbound(f"how large claim {claim.name} is was not seen")
    wanted = f"{math.ceil(size * GROWTH / GIB)}Gi"
    return Bound(
        arguments={**place(claim), "size": wanted},
        title=f"Grow the claim {claim.name} from {now} to {wanted}",
    )


def stuck_pod(case: Case, _: Mapping[str, str]) -> Bound:
    """Bind the pod that hangs in termination and holds a volume which the cause is about."""
    found = {p.name: p for p in case.snapshot.kind("Pod") if _hangs(p, case.snapshot.now)}
    wanted = set(_volumes(case))
    holding = [p for p in found.values() if wanted & set(_claim_names(p)) or p.name == case.name]
    if len(holding) != 1:
        names = ", ".join(sorted(p.name for p in holding)) or "none was seen"
        raise Unbound(f"which pod hangs and holds the volume is not told: {names}")
    arguments = {**place(holding[0]), "force": True}
    return Bound(arguments=arguments, title=f"Delete the stuck pod {holding[0].name} by force")


def failed_job(case: Case, _: Mapping[str, str]) -> Bound:
    """Bind the Job that is the cause; it must have been seen to have failed."""
    job = case.find("Job", case.name) if case.kind == "job" else None
    if job is None:
        raise Unbound(f"the Job {case.name} was not seen")
    conditions = parts(job.body, "status", "conditions")
    if not any((c.get("type"), c.get("status")) == ("Failed", "True") for c in conditions):
        raise Unbound(f"the Job {job.name} has not failed")
    return Bound(arguments=place(job), title=f"Delete the failed Job {job.name}")


def pause(case: Case, _: Mapping[str, str]) -> Bound:
    """Bind the deployment whose rollout is under way: pods of its old version are still there."""
    deployment = case.deployment()
    if section(deployment.body, "spec").get("paused"):
        raise Unbound(f"the rollout of {deployment.name} is paused already")
    status = section(deployment.body, "status")
    there, new = status.get("replicas"), status.get("updatedReplicas") or 0
    if not isinstance(there, int) or not isinstance(new, int) or new >= there:
        raise Unbound(f"no rollout of {deployment.name} is under way")
    return Bound(arguments=place(deployment), title=f"Pause the rollout of {deployment.name}")


def _node(case: Case, name: str) -> KubernetesObject | None:
    return next((n for n in case.snapshot.kind("Node") if n.name == name), None)


def _cordoned(node: KubernetesObject) -> bool:
    return bool(section(node.body, "spec").get("unschedulable"))


def _ready(node: KubernetesObject) -> bool:
    conditions = parts(node.body, "status", "conditions")
    return any((c.get("type"), c.get("status")) == ("Ready", "True") for c in conditions)


def _hangs(pod: KubernetesObject, now: datetime) -> bool:
    try:
        due = datetime.fromisoformat(str(section(pod.body, "metadata").get("deletionTimestamp")))
    except ValueError:
        return False
    return due.tzinfo is not None and now > due + GRACE_OVER


def _volumes(case: Case) -> Iterator[str]:
    """Yield the claims of the pods that the cause is about."""
    for pod in case.snapshot.kind("Pod"):
        mine = pod.labels.get("app.kubernetes.io/name", pod.labels.get("app"))
        if pod.name == case.name or mine == case.hypothesis.service:
            yield from _claim_names(pod)


def _claim_names(pod: KubernetesObject) -> Iterator[str]:
    for volume in parts(pod.body, "spec", "volumes"):
        claim: Any = volume.get("persistentVolumeClaim")
        if isinstance(claim, Mapping) and claim.get("claimName"):
            yield str(claim["claimName"])
