"""Deployments, StatefulSets, ReplicaSets and endpoints as the API shows them."""

import copy

from bot.sandbox.world import noise, rollout
from bot.sandbox.world.kubernetes.pods import pod_body
from bot.sandbox.world.manifests import iso
from bot.sandbox.world.records import Json, Revision, Workload
from bot.sandbox.world.site import NAMESPACE, Site

REVISION = "deployment.kubernetes.io/revision"


def workload_body(site: Site, workload: Workload, at: float) -> Json:
    """Return a Deployment's or StatefulSet's JSON at this moment."""
    body = copy.deepcopy(workload.body)
    plural = workload.kind.lower() + "s"
    metadata = body["metadata"]
    metadata["uid"] = rollout.uid(*site.key, plural, workload.name)
    metadata.setdefault(
        "resourceVersion", str(noise.number(*site.key, plural, workload.name) % 400_000)
    )
    metadata["creationTimestamp"] = iso(min(r.created for r in workload.revisions))
    metadata.setdefault("annotations", {})
    if workload.kind == "Deployment":
        metadata["annotations"][REVISION] = str(workload.current.number)
        body["status"] = _deployment_status(workload, metadata["generation"], at)
    else:
        body["status"] = _stateful_status(workload, metadata["generation"], at)
    return body


def _counts(workload: Workload, at: float) -> tuple[int, int, int]:
    alive = workload.alive(at)
    updated = [p for p in alive if p.template_hash == workload.current.hash]
    return len(alive), len(updated), len(workload.ready(at))


def _deployment_status(workload: Workload, generation: int, at: float) -> Json:
    total, updated, ready = _counts(workload, at)
    wanted = workload.replicas
    status: Json = {"observedGeneration": generation, "replicas": total, "updatedReplicas": updated,
                    "readyReplicas": ready, "availableReplicas": ready}  # fmt: skip
    if ready < wanted or total > ready:
        status["unavailableReplicas"] = max(total, wanted) - ready
    status = {k: v for k, v in status.items() if v or k == "observedGeneration"}
    status["conditions"] = _conditions(workload, at, (updated, ready))
    return status


def _conditions(workload: Workload, at: float, counts: tuple[int, int]) -> list[Json]:
    updated, ready = counts
    wanted = workload.replicas
    current = workload.current
    name = f"{workload.name}-{current.hash}"
    enough = ready >= wanted - int(wanted * 0.25)
    fresh = [p for p in workload.pods if p.template_hash == current.hash and p.is_ready(at)]
    done = updated >= wanted and len(fresh) >= wanted
    deadline = float(workload.body["spec"].get("progressDeadlineSeconds", 600))
    late = not done and at > current.used + deadline
    reason = "NewReplicaSetAvailable" if done else "ReplicaSetUpdated"
    text = f'ReplicaSet "{name}" ' + ("has successfully progressed." if done else "is progressing.")
    if late:
        reason = "ProgressDeadlineExceeded"
        text = f'ReplicaSet "{name}" has timed out progressing.'
    moved = max([p.ready for p in fresh], default=current.used)
    return [
        {"type": "Available", "status": str(enough), "lastTransitionTime": iso(current.used),
         "lastUpdateTime": iso(current.used),
         "reason": "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable",
         "message": f"Deployment {'has' if enough else 'does not have'} minimum availability."},
        {"type": "Progressing", "status": str(not late), "lastTransitionTime": iso(current.used),
         "lastUpdateTime": iso(moved), "reason": reason, "message": text},
    ]  # fmt: skip


def _stateful_status(workload: Workload, generation: int, at: float) -> Json:
    total, updated, ready = _counts(workload, at)
    revision = f"{workload.name}-{workload.current.hash}"
    return {"observedGeneration": generation, "replicas": total, "readyReplicas": ready,
            "availableReplicas": ready, "currentReplicas": total, "updatedReplicas": updated,
            "currentRevision": revision, "updateRevision": revision,
            "collisionCount": 0}  # fmt: skip


def replica_set_body(site: Site, workload: Workload, revision: Revision, at: float) -> Json:
    """Return the ReplicaSet of one revision."""
    name = f"{workload.name}-{revision.hash}"
    alive = [p for p in workload.alive(at) if p.template_hash == revision.hash]
    ready = sum(p.is_ready(at) for p in alive)
    template = copy.deepcopy(revision.template)
    template["metadata"].setdefault("labels", {})["pod-template-hash"] = revision.hash
    labels = dict(template["metadata"]["labels"])
    wanted = workload.replicas if revision is workload.current else len(alive)
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": workload.name,
                 "controller": True, "blockOwnerDeletion": True,
                 "uid": rollout.uid(*site.key, "deployments", workload.name)}  # fmt: skip
    status = {"replicas": len(alive), "fullyLabeledReplicas": len(alive), "readyReplicas": ready,
              "availableReplicas": ready}  # fmt: skip
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": name, "namespace": NAMESPACE, "labels": labels,
            "uid": rollout.uid(*site.key, "replicasets", name),
            "resourceVersion": str(noise.number(*site.key, name) % 400_000 + revision.number),
            "creationTimestamp": iso(revision.created), "generation": 1,
            "annotations": {REVISION: str(revision.number),
                            "deployment.kubernetes.io/desired-replicas": str(workload.replicas)},
            "ownerReferences": [reference],
        },
        "spec": {
            "replicas": wanted,
            "selector": {"matchLabels": {
                **workload.body["spec"]["selector"]["matchLabels"],
                "pod-template-hash": revision.hash,
            }},
            "template": template,
        },
        "status": {k: v for k, v in status.items() if v} | {"replicas": len(alive),
                                                              "observedGeneration": 1},
    }  # fmt: skip


def endpoints_body(site: Site, service: Json, at: float) -> Json:
    """Return the Endpoints of a Service: the pods its selector finds."""
    selector = service["spec"].get("selector") or {}
    ready: list[Json] = []
    waiting: list[Json] = []
    for workload in site.workloads.values():
        for pod in workload.alive(at):
            body = pod_body(site, workload, pod, at)
            labels = body["metadata"]["labels"]
            if selector and all(labels.get(k) == v for k, v in selector.items()):
                reference = {
                    "kind": "Pod",
                    "name": pod.name,
                    "namespace": NAMESPACE,
                    "uid": pod.uid,
                }
                address = {"ip": body["status"]["podIP"], "nodeName": pod.node,
                           "targetRef": reference}  # fmt: skip
                (ready if pod.is_ready(at) else waiting).append(address)
    ports = [{"name": p.get("name", ""), "port": p.get("targetPort", p["port"]), "protocol": "TCP"}
             for p in service["spec"].get("ports", [])]  # fmt: skip
    subset: Json = {"ports": ports}
    if ready:
        subset["addresses"] = ready
    if waiting:
        subset["notReadyAddresses"] = waiting
    metadata = {k: service["metadata"][k] for k in ("name", "namespace", "creationTimestamp")}
    metadata |= {"resourceVersion": str(site.resource_version),
                 "uid": rollout.uid(*site.key, "endpoints", metadata["name"])}  # fmt: skip
    return {"apiVersion": "v1", "kind": "Endpoints", "metadata": metadata,
            "subsets": [subset] if ready or waiting else []}  # fmt: skip
