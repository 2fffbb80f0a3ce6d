"""Pods as the API shows them: phase, conditions, container states."""

import copy

from bot.sandbox.world import noise, rollout
from bot.sandbox.world.manifests import iso
from bot.sandbox.world.records import NEVER, Json, Pod, Restart, Workload
from bot.sandbox.world.site import NAMESPACE, Site

PULL_S = 2.0
BACKOFF_S = 25.0


def pod_body(site: Site, workload: Workload, pod: Pod, at: float) -> Json:
    """Return one pod's JSON at this moment."""
    revision = next(
        (r for r in workload.revisions if r.hash == pod.template_hash), workload.current
    )
    template = copy.deepcopy(revision.template)
    labels = {**template["metadata"].get("labels", {}), "pod-template-hash": pod.template_hash}
    if workload.kind == "StatefulSet":
        labels["statefulset.kubernetes.io/pod-name"] = pod.name
    metadata: Json = {
        "name": pod.name,
        "namespace": NAMESPACE,
        "uid": pod.uid,
        "resourceVersion": str(_version(pod, at)),
        "creationTimestamp": iso(pod.created),
        "labels": labels,
        "annotations": dict(template["metadata"].get("annotations") or {}),
        "ownerReferences": [owner(site, workload, pod)],
    }
    if workload.kind == "Deployment":
        metadata["generateName"] = pod.name.rpartition("-")[0] + "-"
    if pod.gone < NEVER and pod.gone - rollout.GONE_S <= at:
        metadata["deletionTimestamp"] = iso(pod.gone + 28.0)
        metadata["deletionGracePeriodSeconds"] = 30
    spec = template["spec"]
    spec["nodeName"] = pod.node
    spec["tolerations"] = []
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": spec,
        "status": _status(pod, spec["containers"][0], at),
    }


def owner(site: Site, workload: Workload, pod: Pod) -> Json:
    """Return the owner reference of a pod."""
    kind, name = "ReplicaSet", f"{workload.name}-{pod.template_hash}"
    if workload.kind == "StatefulSet":
        kind, name = "StatefulSet", workload.name
    plural = "replicasets" if kind == "ReplicaSet" else "statefulsets"
    return {"apiVersion": "apps/v1", "kind": kind, "name": name, "controller": True,
            "blockOwnerDeletion": True, "uid": rollout.uid(*site.key, plural, name)}  # fmt: skip


def _version(pod: Pod, at: float) -> int:
    passed = (pod.created, pod.ready, pod.gone, *(r.at for r in pod.restarts))
    base = noise.number(pod.uid, "rv") % 50_000 + 420_000
    return base + sum(1 for moment in passed if moment <= at)


def past_restarts(pod: Pod, at: float) -> list[Restart]:
    """Return the restarts up to this moment."""
    return [r for r in pod.restarts if r.at <= at]


def _status(pod: Pod, container: Json, at: float) -> Json:
    ready = pod.is_ready(at)
    seed = noise.number(pod.uid, "ip")
    status: Json = {
        "phase": "Running" if _started(pod, at) else "Pending",
        "qosClass": "Burstable",
        "hostIP": f"10.0.{noise.number(pod.node) % 200}.{noise.number(pod.node, 1) % 250 + 2}",
        "podIP": f"10.244.{seed % 250}.{seed // 250 % 250 + 2}",
        "startTime": iso(pod.created),
        "conditions": _conditions(pod, ready, at),
        "containerStatuses": [_container(pod, container, ready, at)],
    }
    status["podIPs"] = [{"ip": status["podIP"]}]
    return status


def _started(pod: Pod, at: float) -> bool:
    return not pod.waiting and at >= pod.created + PULL_S


def _conditions(pod: Pod, ready: bool, at: float) -> list[Json]:
    since = pod.ready if pod.ready <= at else pod.created
    restarts = past_restarts(pod, at)
    if restarts and pod.ready <= at:
        last = restarts[-1]
        since = last.back if last.back <= at else last.at
    state = "True" if ready else "False"
    out: list[Json] = [
        {"type": "Initialized", "status": "True", "lastTransitionTime": iso(pod.created)},
        {"type": "Ready", "status": state, "lastTransitionTime": iso(since)},
        {"type": "ContainersReady", "status": state, "lastTransitionTime": iso(since)},
        {"type": "PodScheduled", "status": "True", "lastTransitionTime": iso(pod.created)},
    ]
    if not ready:
        for condition in out[1:3]:
            condition["reason"] = "ContainersNotReady"
            condition["message"] = f"containers with unready status: [{pod.service}]"
    return out


def _container(pod: Pod, container: Json, ready: bool, at: float) -> Json:
    restarts = past_restarts(pod, at)
    digest = noise.number(pod.image, "digest")
    out: Json = {
        "name": container["name"],
        "image": pod.image,
        "imageID": "" if pod.waiting else f"{pod.image.rpartition(':')[0]}@sha256:{digest:064x}",
        "ready": ready,
        "started": _started(pod, at),
        "restartCount": len(restarts),
        "state": _state(pod, at),
        "lastState": {},
    }
    if _started(pod, at):
        out["containerID"] = f"containerd://{noise.number(pod.uid, len(restarts)):064x}"
    if restarts:
        last = restarts[-1]
        begun = restarts[-2].back - 4.0 if len(restarts) > 1 else pod.created + PULL_S
        out["lastState"] = {"terminated": {
            "exitCode": last.exit_code, "reason": last.reason, "startedAt": iso(begun),
            "finishedAt": iso(last.at),
            "containerID": f"containerd://{noise.number(pod.uid, -1):064x}",
        } | ({"message": last.message} if last.message else {})}  # fmt: skip
    return out


def _state(pod: Pod, at: float) -> Json:
    if pod.waiting:
        return {"waiting": _image_trouble(pod, at)}
    if at < pod.created + PULL_S:
        return {"waiting": {"reason": "ContainerCreating"}}
    for restart in pod.restarts:
        down_until = max(restart.at, restart.back - 4.0)
        if restart.at <= at < down_until:
            return _down(pod, restart, at, down_until)
    return {"running": {"startedAt": iso(pod.started(at) + 1.0)}}


def _down(pod: Pod, restart: Restart, at: float, until: float) -> Json:
    if until - restart.at > BACKOFF_S and at > restart.at + 3.0:
        wait = int(min(300, 10 * 2 ** min(5, len(past_restarts(pod, at)))))
        text = (f"back-off {wait}s restarting failed container={pod.service} "
                f"pod={pod.name}_{NAMESPACE}({pod.uid})")  # fmt: skip
        return {"waiting": {"reason": "CrashLoopBackOff", "message": text}}
    return {"terminated": {"exitCode": restart.exit_code, "reason": restart.reason,
                           "finishedAt": iso(restart.at)}}  # fmt: skip


def _image_trouble(pod: Pod, at: float) -> Json:
    since = at - pod.created
    if since < PULL_S or (since % 60.0) < 4.0:
        text = (f'rpc error: code = NotFound desc = failed to pull and unpack image "{pod.image}": '
                f'failed to resolve reference "{pod.image}": {pod.image}: not found')  # fmt: skip
        return {"reason": "ErrImagePull", "message": text}
    return {"reason": "ImagePullBackOff", "message": f'Back-off pulling image "{pod.image}"'}
