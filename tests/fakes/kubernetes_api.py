"""A small Kubernetes API in memory: lists, gets, patches with dry-run and conflicts, evictions."""

import copy
import json
import threading
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.loopback import Asked, Reply

GROUPS: dict[str, list[str]] = {
    "apps": ["v1"],
    "autoscaling": ["v1", "v2"],
    "batch": ["v1"],
    "policy": ["v1"],
    "networking.k8s.io": ["v1"],
    "storage.k8s.io": ["v1"],
}
KINDS = {
    "deployments": "Deployment",
    "statefulsets": "StatefulSet",
    "daemonsets": "DaemonSet",
    "replicasets": "ReplicaSet",
    "controllerrevisions": "ControllerRevision",
    "pods": "Pod",
    "services": "Service",
    "configmaps": "ConfigMap",
    "resourcequotas": "ResourceQuota",
    "persistentvolumeclaims": "PersistentVolumeClaim",
    "storageclasses": "StorageClass",
    "nodes": "Node",
    "jobs": "Job",
    "poddisruptionbudgets": "PodDisruptionBudget",
    "horizontalpodautoscalers": "HorizontalPodAutoscaler",
    "events": "Event",
}
PLURALS = {kind: plural for plural, kind in KINDS.items()}
CLUSTER_SCOPED = ("nodes", "storageclasses")
VERBS = {"GET": "get", "PATCH": "patch", "POST": "create", "DELETE": "delete"}
REVISION = "deployment.kubernetes.io/revision"
READER, NOBODY = "read-only", "nobody"  # tokens of identities with few rights


@dataclass
class Cluster:
    """Objects by (plural, name); `on` holds one-shot answers by (method, plural)."""

    objects: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    forbidden: set[tuple[str, str]] = field(default_factory=set)  # (method, plural)
    groups: dict[str, list[str]] = field(default_factory=lambda: copy.deepcopy(GROUPS))
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
        place = {} if PLURALS[kind] in CLUSTER_SCOPED else {"namespace": "shop"}
        whole = {
            "apiVersion": "v1",
            "kind": kind,
            "metadata": {
                "name": name,
                **place,
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
                {"name": g, "versions": [{"version": v} for v in vs]}
                for g, vs in self.groups.items()
            ]
            return Reply(body={"kind": "APIGroupList", "groups": groups})
        if asked.path == "/version":
            return Reply(body={"gitVersion": "v1.34.1"})
        below = self._below(asked.path)
        if below is None:
            return status(404, "the server could not find the requested resource")
        plural, *rest = below.split("/")
        return self._resource(asked, plural, rest)

    def _below(self, path: str) -> str | None:
        """Return what follows the group's version and the shop's namespace, None elsewhere."""
        root, *parts = path.strip("/").split("/")
        group, version, *rest = ["", *parts] if root == "api" else parts
        if group and version not in self.groups.get(group, ()):
            return None
        if rest[:2] == ["namespaces", "shop"]:
            return "/".join(rest[2:])
        return "/".join(rest) if rest and rest[0] in CLUSTER_SCOPED else None

    def _resource(self, asked: Asked, plural: str, rest: list[str]) -> Reply:
        token = asked.headers.get("Authorization", "").removeprefix("Bearer ")
        refused = token == NOBODY or (token == READER and asked.method != "GET")
        if refused or (asked.method, plural) in self.forbidden:
            verb = VERBS[asked.method] if rest or asked.method != "GET" else "list"
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
        if asked.method == "DELETE":
            return self._delete(asked, plural, rest[0])
        return self._patch(asked, plural, rest[0])

    def _delete(self, asked: Asked, plural: str, name: str) -> Reply:
        options = asked.json if asked.body else {}
        wanted = options.get("preconditions") or {}
        metadata = self.objects[(plural, name)]["metadata"]
        for field_ in ("uid", "resourceVersion"):
            if wanted.get(field_) not in (None, metadata.get(field_)):
                return status(409, f"Precondition failed: {field_} in precondition")
        if asked.query.get("dryRun") != "All" and options.get("dryRun") != ["All"]:
            self.writes += 1
            del self.objects[(plural, name)]
        return Reply(body={"kind": "Status", "status": "Success"})

    def _patch(self, asked: Asked, plural: str, name: str) -> Reply:
        dry = asked.query.get("dryRun") == "All"
        if not dry and self.meddle:
            self.meddle.pop(0)()
        found = self.objects[(plural, name)]
        if "json-patch+json" in asked.headers["Content-Type"]:
            after = json_patch(found, asked.json)
        else:
            after = merge(found, asked.json)
        if (refusal := _refusal(plural, found, after)) is not None:
            return refusal
        if after.get("spec") != found.get("spec") and "generation" in found["metadata"]:
            after["metadata"]["generation"] += 1
        return Reply(body=after) if dry else self._store(plural, name, after)

    def _store(self, plural: str, name: str, after: dict[str, Any]) -> Reply:
        found = self.objects[(plural, name)]
        self.writes += 1
        self.version += 1
        after["metadata"]["resourceVersion"] = str(self.version)
        self.objects[(plural, name)] = after
        if plural == "deployments":
            self._roll(found, after)
        if self.lost_answers:
            self.lost_answers -= 1
            return Reply(drop=True)
        return Reply(body=after)

    def _roll(self, before: dict[str, Any], after: dict[str, Any]) -> None:
        """Give the revision of a changed template the newest number, as the controller does."""
        template, paused = after["spec"]["template"], after["spec"].get("paused")
        if paused or template == before["spec"]["template"]:
            return
        name, uid = after["metadata"]["name"], after["metadata"]["uid"]
        kept = [o for (p, _), o in self.objects.items() if p == "replicasets"]
        own = [o for o in kept if o["metadata"]["ownerReferences"][0]["uid"] == uid]
        number = str(1 + max((int(_notes(o)[REVISION]) for o in own), default=0))
        same = next((o for o in own if _bare(o["spec"]["template"]) == _bare(template)), None)
        if same is None:
            labels = {**template["metadata"]["labels"], "pod-template-hash": f"h{number}"}
            owner = {"kind": "Deployment", "name": name, "uid": uid, "controller": True}
            metadata = {**template["metadata"], "labels": labels}
            same = self.put(
                "ReplicaSet", f"{name}-{number}",
                metadata={"ownerReferences": [owner], "creationTimestamp": "2026-01-02T00:00:00Z"},
                spec={"template": {**template, "metadata": metadata}},
            )  # fmt: skip
        for body in (same, after):
            body["metadata"]["annotations"] = {**_notes(body), REVISION: number}

    def _create(self, asked: Asked, plural: str, rest: list[str]) -> Reply:
        body = asked.json
        if rest[1:] == ["eviction"]:
            return self._evict(asked, rest[0], body)
        key = (plural, body["metadata"]["name"])
        if key in self.objects:
            return status(409, "already exists")
        if asked.query.get("dryRun") == "All":
            return Reply(status=201, body=body)
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


def _refusal(plural: str, found: dict[str, Any], after: dict[str, Any]) -> Reply | None:
    """Return what a real API would answer to a change that it does not take."""
    before, wanted = found["metadata"], after["metadata"]
    if wanted["resourceVersion"] != before["resourceVersion"]:
        return status(409, "the object has been modified")
    if plural == "deployments" and after["spec"].get("replicas", 1) > 500:
        return status(422, "spec.replicas: Invalid value")
    if wanted.get("uid") != before.get("uid"):
        return status(422, "metadata.uid: Invalid value: field is immutable")
    return None


def _notes(body: dict[str, Any]) -> dict[str, str]:
    return body["metadata"].get("annotations") or {}


def _bare(template: dict[str, Any]) -> dict[str, Any]:
    metadata = template.get("metadata") or {}
    labels = {k: v for k, v in metadata.get("labels", {}).items() if k != "pod-template-hash"}
    return {**template, "metadata": {**metadata, "labels": labels}}


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
    """RFC 6902: add, replace, remove and test. Raises: what a path that is not there raises."""
    result = json.loads(json.dumps(body))
    for operation in operations:
        *path, last = [
            part.replace("~1", "/").replace("~0", "~") for part in operation["path"][1:].split("/")
        ]
        place = result
        for part in path:
            place = place[int(part)] if isinstance(place, list) else place[part]
        step: Any = int(last) if isinstance(place, list) else last
        if operation["op"] != "add":
            held = place[step]
            assert operation["op"] != "test" or held == operation["value"]
        if operation["op"] == "remove":
            del place[step]
        elif operation["op"] != "test":
            place[step] = operation["value"]
    return result


def shop() -> Cluster:
    """Return a cluster: a Deployment of two revisions, its pods, its settings and a budget."""
    cluster = Cluster()
    labels = {"app.kubernetes.io/name": "web"}

    def template(version: str) -> dict[str, Any]:
        container = {
            "name": "web",
            "image": f"registry/web:{version}",
            "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
            "resources": {},
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
