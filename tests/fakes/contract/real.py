"""The real Kubernetes as a cluster on which the contract is tried."""

import contextlib
import json
import time
from collections.abc import Iterator
from typing import Any

from tests.fakes.contract.cases import REAL
from tests.fakes.contract.nodes_and_storage import SPARE
from tests.fakes.manifests import WEB, WEB_NEXT, config_map, container, deployment
from tests.fakes.real_cluster import RealCluster

READ_ALL = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list"]}
MOVING = ("Deployment", "StatefulSet", "DaemonSet", "HorizontalPodAutoscaler", "ResourceQuota")
STILL_S, PATIENCE_S = 1.5, 120.0


class RealContractCluster:
    """One namespace of a real cluster, with a small web service of two revisions."""

    kind, workload, settings = REAL, "web", "web-config"

    def __init__(self, cluster: RealCluster, namespace: str) -> None:
        self.cluster, self.namespace = cluster, namespace
        self.environment = cluster.environment(namespace)
        reader = cluster.identity(namespace, [READ_ALL], name="reader", cluster_rules=[READ_ALL])
        self.reader = cluster.environment(namespace, kubeconfig=reader)
        self.nobody = cluster.environment(
            namespace, kubeconfig=cluster.identity(namespace, name="nobody")
        )
        cluster.apply(namespace, config_map(self.settings, LOG_LEVEL="info"))
        for image in (WEB, WEB_NEXT):
            body = deployment(self.workload, container(image), replicas=2)
            body["spec"]["revisionHistoryLimit"] = 50
            self._settle(body)

    def as_usual(self) -> None:
        """Take back what tests leave behind."""
        self.patch("Deployment", self.workload, {"spec": {"paused": None, "replicas": 2}})

    def put(self, kind: str, name: str, **body: Any) -> None:
        """Make an object be there; what is not given stays as it is."""
        body.pop("status", None)
        metadata = {"name": name, **body.pop("metadata", {})}
        self._settle({"kind": kind, "metadata": metadata, **body})

    def patch(self, kind: str, name: str, patch: dict[str, Any]) -> None:
        """Change an object."""
        self.cluster.patch(kind, self.namespace, name, patch)

    def get(self, kind: str, name: str) -> dict[str, Any]:
        """Return an object."""
        return self.cluster.get(kind, self.namespace, name)

    def items(self, kind: str) -> list[dict[str, Any]]:
        """Return all objects of a kind."""
        if kind == "ControllerRevision":
            path = f"/apis/apps/v1/namespaces/{self.namespace}/controllerrevisions"
            return list(self.cluster.call("GET", path)["items"])
        return self.cluster.items(kind, self.namespace)

    def idle(self) -> None:
        """Return when no rollout is under way, and nothing of the namespace moved for a while."""
        deadline, still, before = time.monotonic() + PATIENCE_S, time.monotonic(), ""
        while time.monotonic() < deadline:
            now = json.dumps([self.items(kind) for kind in MOVING], sort_keys=True)
            if now != before or self._rolls():
                still, before = time.monotonic(), now
            elif time.monotonic() - still > STILL_S:
                return
            time.sleep(0.2)
        raise AssertionError(f"{self.namespace} does not come to rest")

    def _rolls(self) -> bool:
        """Whether a pod is about to come or go: between two of them nothing may move for long."""
        path = self.cluster.path("Pod", self.namespace)
        pods = self.cluster.call("GET", path)["items"]
        return any("deletionTimestamp" in p["metadata"] for p in pods) or any(
            not _rests(body) for body in self.items("Deployment")
        )

    def _settle(self, body: dict[str, Any]) -> None:
        """Apply an object, and wait until its controller has seen it: its revision is kept."""
        self.cluster.apply(self.namespace, body)
        kind, name = body["kind"], body["metadata"]["name"]
        if kind in CONTROLLED:
            settled, within_s = CONTROLLED[kind]
            self.cluster.wait(
                lambda: settled(self.get(kind, name)), f"{kind} {name} settles", within_s
            )
        elif kind in ("Deployment", "StatefulSet", "DaemonSet"):
            self.cluster.wait(lambda: _seen(self.get(kind, name)), f"{kind} {name} is seen")


@contextlib.contextmanager
def real_contract_cluster(cluster: RealCluster) -> Iterator[RealContractCluster]:
    """Yield a namespace of its own on the real cluster."""
    with cluster.namespace("contract") as namespace:
        try:
            yield RealContractCluster(cluster, namespace)
        finally:
            cluster.delete("Node", "", SPARE)


def _seen(body: dict[str, Any]) -> bool:
    status = body.get("status", {})
    return bool(status.get("observedGeneration") == body["metadata"]["generation"])


def _rests(body: dict[str, Any]) -> bool:
    """Whether all pods of a Deployment are of its newest template and ready, or it is paused."""
    status, wanted = body.get("status", {}), body["spec"]["replicas"]
    counts = [status.get(f, 0) for f in ("updatedReplicas", "readyReplicas", "replicas")]
    return _seen(body) and (body["spec"].get("paused") or all(c == wanted for c in counts))


def _is_lost(node: dict[str, Any]) -> bool:
    """Whether the node's controller has said all that it will say of a node without a kubelet."""
    taints = {t["key"].removeprefix("node.kubernetes.io/") for t in node["spec"].get("taints", ())}
    cordoned = bool(node["spec"].get("unschedulable"))
    return "unreachable" in taints and ("unschedulable" in taints) == cordoned


def _has_failed(job: dict[str, Any]) -> bool:
    return any(c["type"] == "Failed" for c in job.get("status", {}).get("conditions", ()))


CONTROLLED = {"Node": (_is_lost, 180.0), "Job": (_has_failed, 90.0)}  # what is waited for, seconds
