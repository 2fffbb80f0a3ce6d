"""Storage that a pod waits for: claims that bind to nothing, taken volumes, failing mounts."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.snapshot import KubernetesObject, LogTemplate, Snapshot
from bot.reasoning.kubernetes import (
    Cluster,
    cluster_of,
    containers,
    get,
    items,
    latest,
    mapping,
    matches,
    pod_spec,
    quantity,
)
from bot.reasoning.statements import GOOD, HINT, PROOF, STRONG, blame, event_text, saw

NAME = "volumes"
# Why a volume does not fit a claim, in the order in which the binder checks it.
# Source: kubernetes/pkg/controller/volume/persistentvolume, FindMatchingVolume.
CAUSE = {
    "occupied": "pv_binding_occupied",
    "class": "pvc_storage_class_mismatch",
    "selector": "pvc_selector_mismatch",
    "capacity": "pvc_capacity_mismatch",
    "mode": "pvc_access_mode_mismatch",
    "volume_mode": "pvc_volume_mode_mismatch",
    "name": "pvc_volume_name_mismatch",
}
ZONE = re.compile(r"volume node affinity conflict")
DENIED = re.compile(r"permission denied|Operation not permitted|access denied", re.I)
NOT_WRITABLE = re.compile(
    r"permission denied|read-only file ?system|operation not permitted|EACCES|EROFS|AccessDenied",
    re.I,
)
ATTACHED = re.compile(r"Multi-Attach error", re.I)


def look(snapshot: Snapshot, _question: Question) -> Finding:
    """Return why claims of waiting pods are not bound, and why volumes are not mounted."""
    cluster = cluster_of(snapshot)
    found: dict[tuple[str, str], Hypothesis] = {}
    for hypothesis in (
        *_unbound(cluster),
        *_not_mounted(cluster),
        *_denied_inside(cluster),
        *_wrong_zone(cluster),
    ):
        found.setdefault((hypothesis.cause, hypothesis.object), hypothesis)
    return Finding(hypotheses=tuple(found.values()))


def _unbound(cluster: Cluster) -> Iterator[Hypothesis]:
    for claim in cluster.all("PersistentVolumeClaim"):
        phase = get(claim.body, "status", "phase")
        if phase not in ("Pending", "Lost"):
            continue
        pods = [pod for pod in cluster.pods if claim.name in claims_of(pod)]
        if pods and all(pod.namespace == claim.namespace for pod in pods):
            owner = cluster.owner(pods[0]) or pods[0]
            yield _explain(cluster, claim, pods[0], owner)


def claims_of(pod: KubernetesObject) -> list[str]:
    """Return the names of the claims that a pod mounts."""
    volumes = items(pod_spec(pod), "volumes")
    found = (get(volume, "persistentVolumeClaim", "claimName") for volume in volumes)
    return [str(name) for name in found if name]


def _explain(
    cluster: Cluster, claim: KubernetesObject, pod: KubernetesObject, owner: KubernetesObject
) -> Hypothesis:
    evidence = [saw(f"claim {claim.name} is {get(claim.body, 'status', 'phase')}", GOOD, claim)]
    event = latest(cluster.events(claim))
    if event is not None:
        evidence.append(saw(event_text(event), GOOD, event))
    waits = latest(cluster.events(pod, "FailedScheduling"))
    if waits is not None:
        evidence.append(saw(event_text(waits), HINT, waits))
    reason, why, weight = _reason(cluster, claim)
    evidence.append(saw(why, weight, claim))
    return blame(
        CAUSE[reason],
        owner,
        f"{owner.name} waits for its claim {claim.name}: {why}",
        evidence,
        analyzer=NAME,
        event=waits or event,
        hint="fix_manifest",
    )


def _reason(cluster: Cluster, claim: KubernetesObject) -> tuple[str, str, float]:
    """Return what keeps the claim unbound: a missing class, or the nearest volume's misfits."""
    name = get(claim.body, "spec", "storageClassName")
    if name and cluster.knows("StorageClass") and not cluster.find("StorageClass", name):
        return "class", f"storage class {name} does not exist", PROOF
    fits = [(misfits(claim, volume), volume) for volume in cluster.all("PersistentVolume")]
    if not fits:
        return "class", "there is no volume, and no class that would make one", HINT
    closest, volume = min(fits, key=lambda fit: (len(fit[0]), _unlike(claim, fit[1]), fit[1].name))
    if not closest:
        return "occupied", f"volume {volume.name} fits, and still is not bound", HINT
    reason = next(iter(closest))
    return reason, f"volume {volume.name} would do, but {closest[reason]}", PROOF / len(closest)


def _unlike(claim: KubernetesObject, volume: KubernetesObject) -> int:
    """Prefer the volume whose name begins like the claim's, as people name pairs."""
    return 0 if claim.name.split("-")[0] == volume.name.split("-")[0] else 1


def misfits(claim: KubernetesObject, volume: KubernetesObject) -> dict[str, str]:
    """Return why a volume cannot be bound to a claim, by reason; empty if it can."""
    wanted, offered = mapping(claim.body, "spec"), mapping(volume.body, "spec")
    found: dict[str, str] = {}
    phase = get(volume.body, "status", "phase")
    reference = mapping(offered, "claimRef")
    mine = reference.get("name") == claim.name and reference.get("namespace") == claim.namespace
    if wanted.get("volumeName") not in (None, "", volume.name):
        found["name"] = f"the claim names volume {wanted['volumeName']}"
    if (wanted.get("storageClassName") or "") != (offered.get("storageClassName") or ""):
        found["class"] = _classes(wanted, offered)
    selector = mapping(wanted, "selector")
    if selector and not matches(selector, volume.labels):
        found["selector"] = f"its labels {dict(volume.labels)} do not match the claim's selector"
    found |= _size_and_modes(wanted, offered)
    if reference and not (mine and phase == "Available"):
        holder = f"{reference.get('namespace')}/{reference.get('name')}"
        found["occupied"] = f"it is {phase} and held by {holder}"
    return found


def _classes(wanted: Mapping[str, Any], offered: Mapping[str, Any]) -> str:
    asked = wanted.get("storageClassName") or "no class"
    return f"the claim asks for {asked}, it has {offered.get('storageClassName') or 'no class'}"


def _size_and_modes(wanted: Mapping[str, Any], offered: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    size = quantity(get(wanted, "resources", "requests", "storage"))
    room = quantity(get(offered, "capacity", "storage"))
    if size is not None and room is not None and size > room:
        asked = get(wanted, "resources", "requests", "storage")
        found["capacity"] = f"the claim asks for {asked}, it has {offered['capacity']['storage']}"
    lacking = set(wanted.get("accessModes") or ()) - set(offered.get("accessModes") or ())
    if lacking:
        have = ", ".join(offered.get("accessModes") or ()) or "none"
        found["mode"] = f"the claim asks for {', '.join(sorted(lacking))}, it offers {have}"
    modes = wanted.get("volumeMode"), offered.get("volumeMode")
    if all(modes) and modes[0] != modes[1]:
        found["volume_mode"] = f"the claim is {modes[0]}, it is {modes[1]}"
    return found


def _not_mounted(cluster: Cluster) -> Iterator[Hypothesis]:
    for pod in cluster.pods:
        event = latest(cluster.events(pod, "FailedMount", "FailedAttachVolume"))
        if event is None or get(pod.body, "status", "phase") != "Pending":
            continue
        text = str(event.body["message"])
        owner = cluster.owner(pod) or pod
        evidence = [saw(event_text(event), STRONG, event)]
        if DENIED.search(text):
            yield _mount("volume_mount_permission_denied", owner, "may not mount", evidence, event)
        elif ATTACHED.search(text):
            yield _mount("volume_multi_attach", owner, "shares a single-node", evidence, event)


def _mount(
    cause: str,
    owner: KubernetesObject,
    verb: str,
    evidence: list[Evidence],
    event: KubernetesObject,
) -> Hypothesis:
    weighed = [*evidence, saw("the kubelet names this reason itself", STRONG, event)]
    summary = f"{owner.name} {verb} volume"
    return blame(cause, owner, summary, weighed, analyzer=NAME, event=event, hint="fix_manifest")


def _denied_inside(cluster: Cluster) -> Iterator[Hypothesis]:
    """Mounted well, but the process may not write there: wrong owner, or mounted read-only."""
    for workload in cluster.workloads:
        mounts = [
            str(mount.get("mountPath"))
            for container in containers(pod_spec(workload))
            for mount in items(container, "volumeMounts")
            if not str(mount.get("mountPath")).startswith("/var/run/secrets/")
        ]
        if not mounts:
            continue
        for log in cluster.snapshot.logs:
            if log.service == workload.name and NOT_WRITABLE.search(log.example):
                yield _not_writable(cluster, workload, log, mounts)
                break


def _not_writable(
    cluster: Cluster, workload: KubernetesObject, log: LogTemplate, mounts: Sequence[str]
) -> Hypothesis:
    named = [mount for mount in mounts if mount in log.example]
    unready = cluster.unready(workload)
    evidence = [
        saw(f"its log, {log.count}x: {log.example[:200]}", STRONG, log.source),
        saw(f"it mounts {', '.join(named or mounts)}", STRONG if named else HINT, workload),
        saw(f"{len(unready)} of its pods are not ready", GOOD if unready else -GOOD, workload),
    ]
    summary = f"{workload.name} may not write to its volume"
    return blame(
        "volume_mount_permission_denied",
        workload,
        summary,
        evidence,
        analyzer=NAME,
        hint="fix_manifest",
    )


def _wrong_zone(cluster: Cluster) -> Iterator[Hypothesis]:
    for pod in cluster.pods:
        event = latest(cluster.events(pod, "FailedScheduling"))
        if event is None or get(pod.body, "spec", "nodeName"):
            continue
        if ZONE.search(str(event.body["message"])):
            owner = cluster.owner(pod) or pod
            evidence = [saw(event_text(event), PROOF, event)]
            summary = f"{owner.name}'s volume is tied to nodes (a zone) that it may not run on"
            yield blame(
                "volume_node_affinity_conflict",
                owner,
                summary,
                evidence,
                analyzer=NAME,
                event=event,
            )
