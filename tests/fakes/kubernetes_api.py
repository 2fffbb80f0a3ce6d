"""A small Kubernetes API in memory: lists, gets, patches with dry-run and conflicts, evictions."""

import copy
import json
import threading
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.loopback import Asked, Reply

GROUPS = {
    "apps": ["v1"],
    "autoscaling": ["v2"],
    "policy": ["v1"],
    "networking.k8s.io": ["v1"],
    "batch": ["v1"],
    "storage.k8s.io": ["v1"],
}
KINDS = {
    "deployments": "Deployment",
    "statefulsets": "StatefulSet",
    "replicasets": "ReplicaSet",
    "pods": "Pod",
    "configmaps": "ConfigMap",
    "poddisruptionbudgets": "PodDisruptionBudget",
    "horizontalpodautoscalers": "HorizontalPodAutoscaler",
    "events": "Event",
    "jobs": "Job",
    "persistentvolumeclaims": "PersistentVolumeClaim",
    "nodes": "Node",
    "storageclasses": "StorageClass",
}
VERBS = {"GET": "get", "PATCH": "patch", "POST": "create", "DELETE": "delete"}
PLURALS = {kind: plural for plural, kind in KINDS.items()}


@dataclass
class Cluster:
    """Objects by (plural, name); `on` holds one-shot answers by (method, plural)."""

    objects: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    forbidden: set[tuple[str, str]] = field(default_factory=set)  # (method, plural)
    lost_answers: int = 0  # how many next writes are done but not answered
    meddle: list[Any] = field(default_factory=list)  # run before the next write, one each
    budget_exhausted: bool = False
    evicted: list[str] = field(default_factory=list)
    writes: int = 0
    version: int = 100
    lock: threading.RLock = field(default_factory=threading.RLock)

    def put(self, kind: str, name: str, **body: Any) -> dict[str, Any]:
        """Put an object there, as `kubectl apply` would."""
        self.version += 1
        metadata = body.pop("metadata", {})
        whole = {
            "apiVersion": "v1",
            "kind": kind,
            "metadata": {
                "name": name,
                "namespace": "shop",
                "uid": f"uid-{name}",
                "resourceVersion": str(self.version),
                **metadata,
            },
            **body,
        }
        self.objects[(PLURALS[kind], name)] = whole
        return whole

    def get(self, kind: str, name: str) -> dict[str, Any]:
        return self.objects[(PLURALS[kind], name)]

    def answer(self, asked: Asked) -> Reply:
        """Answer one request."""
        with self.lock:
            return self._answer(asked)

    def _answer(self, asked: Asked) -> Reply:
        if asked.path == "/apis":
            groups = [
                {"name": g, "versions": [{"version": v} for v in vs]} for g, vs in GROUPS.items()
            ]
            return Reply(body={"kind": "APIGroupList", "groups": groups})
        if asked.path == "/version":
            return Reply(body={"gitVersion": "v1.34.1"})
        _, found, below = asked.path.partition("/namespaces/shop/")
        if not found:
            return status(404, "the server could not find the requested resource")
        plural, *rest = below.split("/")
        return self._resource(asked, plural, rest)

    def _resource(self, asked: Asked, plural: str, rest: list[str]) -> Reply:
        if (asked.method, plural) in self.forbidden:
            verb = {"GET": "get", "PATCH": "patch", "POST": "create", "DELETE": "delete"}[
                asked.method
            ]
            said = f'{plural} is forbidden: User "bot" cannot {verb} resource "{plural}"'
            return status(403, said)
        if asked.method == "POST":
            return self._create(asked, plural, rest)
        return self._object(asked, plural, rest)

    def _object(self, asked: Asked, plural: str, rest: list[str]) -> Reply:
        if not rest:
            items = [o for (p, _), o in sorted(self.objects.items()) if p == plural]
            return Reply(body={"kind": "List", "apiVersion": "v1", "metadata": {}, "items": items})
        found = self.objects.get((plural, rest[0]))
        if found is None:
            return status(404, f'{plural} "{rest[0]}" not found')
        if asked.method == "GET":
            return Reply(body=found)
        return self._patch(asked, plural, rest[0])

    def _patch(self, asked: Asked, plural: str, name: str) -> Reply:
        dry = asked.query.get("dryRun") == "All"
        if not dry and self.meddle:
            self.meddle.pop(0)()
        found = self.objects[(plural, name)]
        if "json-patch+json" in asked.headers["Content-Type"]:
            after = json_patch(found, asked.json)
        else:
            after = merge(found, asked.json)
        if after["metadata"]["resourceVersion"] != found["metadata"]["resourceVersion"]:
            return status(409, "the object has been modified")
        if plural == "deployments" and after["spec"].get("replicas", 1) > 500:
            return status(422, "spec.replicas: Invalid value")
        if dry:
            return Reply(body=after)
        self.writes += 1
        self.version += 1
        after["metadata"]["resourceVersion"] = str(self.version)
        self.objects[(plural, name)] = after
        if self.lost_answers:
            self.lost_answers -= 1
            return Reply(drop=True)
        return Reply(body=after)

    def _create(self, asked: Asked, plural: str, rest: list[str]) -> Reply:
        body = asked.json
        if rest[1:] == ["eviction"]:
            return self._evict(asked, rest[0], body)
        key = (plural, body["metadata"]["name"])
        if key in self.objects:
            return status(409, "already exists")
        self.objects[key] = body
        return Reply(status=201, body=body)

    def _evict(self, asked: Asked, name: str, body: dict[str, Any]) -> Reply:
        pod = self.objects.get(("pods", name))
        if pod is None:
            return status(404, f'pods "{name}" not found')
        if self.budget_exhausted:
            said = "Cannot evict pod as it would violate the pod's disruption budget."
            return status(429, said)
        if body["deleteOptions"]["preconditions"]["uid"] != pod["metadata"]["uid"]:
            return status(409, "Precondition failed: UID in precondition")
        if asked.query.get("dryRun") != "All":
            del self.objects[("pods", name)]
            self.evicted.append(name)
            if self.lost_answers:
                self.lost_answers -= 1
                return Reply(drop=True)
        return Reply(status=201, body={"kind": "Status", "status": "Success"})


def status(code: int, message: str) -> Reply:
    """Return the API's own shape of a failure."""
    return Reply(status=code, body={"kind": "Status", "code": code, "message": message})


def merge(body: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    result = copy.deepcopy(body) if isinstance(body, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


def json_patch(body: Any, operations: list[dict[str, Any]]) -> Any:
    """RFC 6902, add and replace."""
    result = json.loads(json.dumps(body))
    for operation in operations:
        *path, last = [
            part.replace("~1", "/").replace("~0", "~") for part in operation["path"][1:].split("/")
        ]
        place = result
        for part in path:
            place = place[part]
        place[last] = operation["value"]
    return result


def shop() -> Cluster:
    """Return a cluster: a Deployment of two revisions, its pods, its settings and a budget."""
    cluster = Cluster()
    labels = {"app.kubernetes.io/name": "web"}

    def template(version: str) -> dict[str, Any]:
        container = {
            "name": "web",
            "image": f"registry/web:{version}",
            "env": [{"name": "API_TOKEN", "value": f"s3cr3t-{version}"}],
        }
        return {
            "metadata": {"labels": {**labels, "app.kubernetes.io/version": version}},
            "spec": {"containers": [container]},
        }

    cluster.put(
        "Deployment",
        "web",
        metadata={
            "labels": labels,
            "generation": 3,
            "annotations": {"deployment.kubernetes.io/revision": "2"},
        },
        spec={
            "replicas": 4,
            "selector": {"matchLabels": labels},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%"}},
            "template": template("v2"),
        },
        status={"readyReplicas": 4},
    )
    owner = {"kind": "Deployment", "name": "web", "uid": "uid-web", "controller": True}
    for number, version in ((1, "v1"), (2, "v2")):
        cluster.put(
            "ReplicaSet",
            f"web-{number}",
            metadata={
                "ownerReferences": [owner],
                "creationTimestamp": f"2026-01-01T0{number}:00:00Z",
                "annotations": {"deployment.kubernetes.io/revision": str(number)},
                "labels": labels,
            },
            spec={
                "template": {
                    **template(version),
                    "metadata": {
                        "labels": {
                            **template(version)["metadata"]["labels"],
                            "pod-template-hash": f"h{number}",
                        }
                    },
                }
            },
        )
    replica_set = {"kind": "ReplicaSet", "name": "web-2", "uid": "uid-web-2", "controller": True}
    for letter in "abcd":
        cluster.put(
            "Pod",
            f"web-2-{letter}",
            metadata={"labels": labels, "ownerReferences": [replica_set]},
            spec=template("v2")["spec"],
            status={"phase": "Running"},
        )
    cluster.put(
        "ConfigMap",
        "web-config",
        metadata={"labels": labels},
        data={"POOL": "5", "DB_PASSWORD": "hunter22"},
    )
    cluster.put(
        "PodDisruptionBudget",
        "web",
        spec={"selector": {"matchLabels": labels}},
        status={"disruptionsAllowed": 1},
    )
    return cluster
