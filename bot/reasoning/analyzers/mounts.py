"""Volumes that are bound and not usable: attached elsewhere, not mounted, not writable."""

import re
from collections.abc import Iterator, Sequence

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.snapshot import KubernetesObject, LogTemplate, Snapshot
from bot.reasoning.kubernetes import (
    Cluster,
    cluster_of,
    containers,
    get,
    items,
    latest,
    pod_spec,
    statuses,
    terminated,
    waiting,
)
from bot.reasoning.relevance import doubts
from bot.reasoning.statements import GOOD, HINT, PROOF, STRONG, blame, event_text, saw

NAME = "mounts"
# Source: kubernetes/pkg/volume, pkg/kubelet/volumemanager, csi; mount(8), nfs-utils.
SAID = (
    (r"Multi-Attach error|ReadWriteOncePod", "volume_multi_attach",
     "its volume is attached to another node, and only one may have it"),
    (r"access denied by server while mounting|permission denied|operation not permitted|"
     r"access denied", "volume_mount_permission_denied", "it may not mount its volume"),
    (r"driver name \S+ not found in the list of registered CSI drivers", "csi_driver_missing",
     "its volume's driver does not run on the node"),
    (r"hostPath type check failed|is not a (?:directory|file|socket|block device)|"
     r"path \S+ does not exist|no such file or directory", "volume_path_missing",
     "the path of its volume does not exist on the node or server"),
    (r"wrong fs type|bad superblock|structure needs cleaning|fsck", "volume_filesystem_corrupt",
     "the file system of its volume cannot be mounted"),
    (r"exceed max volume count|maximum number of (?:volumes|attachments)|"
     r"attachment limit", "node_volume_limit_exceeded", "its node may not attach another volume"),
    (r"AttachVolume\.Attach failed|FailedAttachVolume", "volume_attach_failed",
     "its volume cannot be attached to the node"),
    (r"connection timed out|no route to host|connection refused|mount failed|timed out waiting",
     "volume_mount_failed", "its volume cannot be mounted"),
)  # fmt: skip
PATTERNS = tuple((re.compile(text, re.I), cause, words) for text, cause, words in SAID)
CONFIGURATION = re.compile(
    r'(?:secrets?|configmaps?) "[^"]+" not found|references non-existent|not registered|'
    r"failed to fetch token|kube-api-access",
    re.I,
)
NOT_WRITABLE = re.compile(
    r"permission denied|read-only file ?system|operation not permitted|EACCES|EROFS|EPERM|"
    r"AccessDenied|not writable|not writeable|cannot create directory",
    re.I,
)
WAITS = ("ContainerCreating", "PodInitializing", "")


def look(snapshot: Snapshot, _question: Question) -> Finding:
    """Return why volumes are not attached, not mounted, or not writable."""
    cluster = cluster_of(snapshot)
    found: dict[tuple[str, str], Hypothesis] = {}
    for hypothesis in (*_not_mounted(cluster), *_denied_inside(cluster)):
        found.setdefault((hypothesis.cause, hypothesis.object), hypothesis)
    return Finding(hypotheses=tuple(found.values()))


def _not_mounted(cluster: Cluster) -> Iterator[Hypothesis]:
    for pod in cluster.pods:
        if get(pod.body, "status", "phase") != "Pending" or not _creating(pod):
            continue
        events = cluster.events(pod, "FailedMount", "FailedAttachVolume", "FailedMapVolume")
        found = _telling(events)
        if found is not None:
            yield _mount(cluster, pod, *found)


def _creating(pod: KubernetesObject) -> bool:
    return all(waiting(s)[0] in WAITS and not terminated(s) for s in statuses(pod))


def _telling(
    events: Sequence[KubernetesObject],
) -> tuple[KubernetesObject, str, str] | None:
    """The most specific of the newest words: a plain time-out follows every other failure."""
    for pattern, cause, words in PATTERNS:
        fitting = [
            event
            for event in events
            if pattern.search(said := str(event.body.get("message") or ""))
            and not CONFIGURATION.search(said)
        ]
        event = latest(fitting)
        if event is not None:
            return event, cause, words
    return None


def _mount(
    cluster: Cluster, pod: KubernetesObject, event: KubernetesObject, cause: str, words: str
) -> Hypothesis:
    owner = cluster.owner(pod) or pod
    vague = cause in ("volume_mount_failed", "volume_attach_failed")
    evidence = [
        saw(event_text(event), STRONG, event),
        saw("the kubelet names this reason itself", GOOD if vague else PROOF, event),
    ]
    evidence += doubts(cluster, pod)
    if cause == "volume_multi_attach":
        evidence += _elsewhere(cluster, pod)
    summary = f"{owner.name} waits for its volume: {words}"
    return blame(cause, owner, summary, evidence, analyzer=NAME, event=event, hint="fix_manifest")


def _elsewhere(cluster: Cluster, pod: KubernetesObject) -> list[Evidence]:
    """Who holds the volume: another pod of the same claim on another node."""
    mine = {get(v, "persistentVolumeClaim", "claimName") for v in items(pod_spec(pod), "volumes")}
    for other in cluster.pods:
        theirs = {
            get(v, "persistentVolumeClaim", "claimName") for v in items(pod_spec(other), "volumes")
        }
        apart = get(other.body, "spec", "nodeName") not in (None, get(pod.body, "spec", "nodeName"))
        if other is not pod and apart and (mine & theirs) - {None}:
            where = get(other.body, "spec", "nodeName")
            return [saw(f"{other.name} on {where} mounts the same claim", GOOD, other)]
    return []


def _denied_inside(cluster: Cluster) -> Iterator[Hypothesis]:
    """Mounted well, but the process may not write there: wrong owner, or mounted read-only."""
    for workload in cluster.workloads:
        mounts = _mounts(workload)
        if not mounts:
            continue
        said = [
            log
            for log in cluster.snapshot.logs
            if log.service == workload.name and NOT_WRITABLE.search(log.example)
        ]
        if said:
            best = max(said, key=lambda log: any(path in log.example for path in mounts))
            yield _not_writable(cluster, workload, best, mounts)


def _mounts(workload: KubernetesObject) -> dict[str, bool]:
    """Return the mount paths of a workload with whether they are read-only."""
    spec = pod_spec(workload)
    return {
        str(mount.get("mountPath")): bool(mount.get("readOnly"))
        for container in (*containers(spec), *items(spec, "initContainers"))
        for mount in items(container, "volumeMounts")
        if not str(mount.get("mountPath")).startswith("/var/run/secrets/")
    }


def _not_writable(
    cluster: Cluster, workload: KubernetesObject, log: LogTemplate, mounts: dict[str, bool]
) -> Hypothesis:
    named = [path for path in mounts if path != "/" and path in log.example]
    if not named and len(mounts) == 1 and "'.'" in log.example:
        named = list(mounts)  # the directory that the image works in
    unready = cluster.unready(workload)
    evidence = [
        saw(f"its log, {log.count}x: {log.example[:200]}", STRONG, log.source),
        saw(f"it mounts {', '.join(named or mounts)}", STRONG if named else HINT, workload),
        saw(f"{len(unready)} of its pods are not ready", GOOD if unready else -HINT, workload),
        *_reasons(workload, named, mounts),
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


def _reasons(
    workload: KubernetesObject, named: Sequence[str], mounts: dict[str, bool]
) -> list[Evidence]:
    """What in the manifest explains it: a read-only mount, or a user that does not own it."""
    spec = pod_spec(workload)
    contexts = [spec.get("securityContext"), *(c.get("securityContext") for c in containers(spec))]
    read_only = [path for path in named or mounts if mounts[path]]
    if read_only and named:
        return [saw(f"{', '.join(read_only)} is mounted read-only", STRONG, workload)]
    user = next((u for c in contexts if (u := get(c, "runAsUser")) is not None), None)
    if user not in (None, 0) and get(spec, "securityContext", "fsGroup") is None:
        text = f"it runs as user {user} without an fsGroup that would own its volume"
        return [saw(text, GOOD if named else HINT, workload)]
    sealed = [c for c in containers(spec) if get(c, "securityContext", "readOnlyRootFilesystem")]
    if sealed and not named:
        text = "its root file system is read-only, and the path is on none of its volumes"
        return [saw(text, -PROOF, workload)]
    return []
