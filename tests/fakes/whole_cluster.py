"""The small Kubernetes API with nodes, storage and deletions: what the cluster itself owns."""

from dataclasses import dataclass, field
from typing import Any

from tests.fakes.kubernetes_api import Cluster, status
from tests.fakes.loopback import Asked, Reply

LONG_AGO = "2026-01-01T00:00:00Z"
FAR_AHEAD = "2999-01-01T00:00:00Z"


@dataclass
class WholeCluster(Cluster):
    """`budgets`: how many pods of an owner may still go. `stubborn`: evicted, they stay a while."""

    deleted: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    budgets: dict[str, int] = field(default_factory=dict)
    stubborn: set[str] = field(default_factory=set)

    def _object(self, asked: Asked, plural: str, rest: list[str]) -> Reply:
        reply = super()._object(asked, plural, rest)
        wanted = asked.query.get("fieldSelector", "")
        if not rest and wanted:
            key, _, node = wanted.partition("=")
            assert (plural, key) == ("pods", "spec.nodeName"), "a field that cannot be selected by"
            items = [p for p in reply.body["items"] if p["spec"].get("nodeName") == node]
            return Reply(body={**reply.body, "items": items})
        return reply

    def _patch(self, asked: Asked, plural: str, name: str) -> Reply:
        if plural == "persistentvolumeclaims":
            claim = self.objects[(plural, name)]
            of = claim["spec"].get("storageClassName", "")
            storage = self.objects.get(("storageclasses", of), {})
            if not storage.get("allowVolumeExpansion"):
                said = "only dynamically provisioned pvc can be resized"
                return status(403, f'persistentvolumeclaims "{name}" is forbidden: {said}')
        return super()._patch(asked, plural, name)

    def _evict(self, asked: Asked, name: str, body: dict[str, Any]) -> Reply:
        pod = self.objects.get(("pods", name))
        owner = pod["metadata"]["ownerReferences"][0]["name"] if pod and _owned(pod) else ""
        if self.budgets.get(owner, 1) < 1:
            return status(429, "Cannot evict pod as it would violate the pod's disruption budget.")
        dry = asked.query.get("dryRun") == "All"
        if owner in self.budgets and not dry:
            self.budgets[owner] -= 1
        if pod is not None and name in self.stubborn and not dry:
            pod["metadata"]["deletionTimestamp"] = FAR_AHEAD
            self.evicted.append(name)
            return Reply(status=201, body={"kind": "Status", "status": "Success"})
        return super()._evict(asked, name, body)

    def _delete(self, asked: Asked, plural: str, name: str) -> Reply:
        found = self.objects.get((plural, name))
        if found is None:
            return status(404, f'{plural} "{name}" not found')
        options = asked.json
        assert options["kind"] == "DeleteOptions"
        if options["preconditions"]["uid"] != found["metadata"]["uid"]:
            return status(409, "Precondition failed: UID in precondition")
        if asked.query.get("dryRun") == "All":
            assert options["dryRun"] == ["All"]
            return Reply(body=found)
        self.writes += 1
        self.deleted.append((plural, name, options))
        if plural == "pods" and options.get("gracePeriodSeconds") != 0:
            found["metadata"]["deletionTimestamp"] = FAR_AHEAD  # the kubelet is to confirm it
        else:
            del self.objects[(plural, name)]
        if self.lost_answers:
            self.lost_answers -= 1
            return Reply(drop=True)
        return Reply(body=found)


def _owned(pod: dict[str, Any]) -> bool:
    return bool(pod["metadata"].get("ownerReferences"))


def _node(cluster: WholeCluster, name: str, *, ready: str = "True") -> None:
    condition = {"type": "Ready", "status": ready, "lastTransitionTime": LONG_AGO}
    cluster.put("Node", name, spec={"podCIDR": "10.0.0.0/24"}, status={"conditions": [condition]})


def _pod(cluster: WholeCluster, name: str, owner: str, kind: str = "ReplicaSet",
         **more: Any) -> None:  # fmt: skip
    reference = {"kind": kind, "name": owner, "uid": f"uid-{owner}", "controller": True}
    cluster.put(
        "Pod",
        name,
        metadata={"labels": {"app": owner}, "ownerReferences": [reference] if owner else []},
        spec={"nodeName": "worker-1", "containers": [{"name": "app"}], **more.get("spec", {})},
        status={"phase": more.get("phase", "Running")},
    )


def company() -> WholeCluster:
    """Return a cluster of three nodes, one lost; pods, a failed Job, a claim that can grow."""
    cluster = WholeCluster()
    _node(cluster, "worker-1")
    _node(cluster, "worker-2")
    _node(cluster, "worker-3", ready="Unknown")
    for name in ("web-a", "web-b"):
        _pod(cluster, name, "web")
    _pod(cluster, "cart-a", "cart")
    _pod(cluster, "agent-a", "agent", "DaemonSet")
    _pod(cluster, "old-a", "old", phase="Succeeded")
    _pod(cluster, "web-c", "web", spec={"nodeName": "worker-2"})
    _pod(cluster, "cart-b", "cart", spec={"nodeName": "worker-2"})
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "data-db-0"}}
    _pod(cluster, "db-0", "db", "StatefulSet", spec={"nodeName": "worker-3", "volumes": [volume]})
    cluster.put(
        "Job",
        "report",
        metadata={"labels": {"app": "report"}},
        spec={"backoffLimit": 3, "template": {"spec": {"containers": []}}},
        status={
            "failed": 4,
            "conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}],
        },
    )
    cluster.put("StorageClass", "fast", allowVolumeExpansion=True)
    cluster.put(
        "PersistentVolumeClaim",
        "data-db-0",
        metadata={"labels": {"app": "db"}},
        spec={
            "storageClassName": "fast",
            "resources": {"requests": {"storage": "10Gi"}},
            "volumeName": "pv-1",
        },
        status={"phase": "Bound", "capacity": {"storage": "10Gi"}},
    )
    return cluster
