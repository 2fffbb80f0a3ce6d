"""The cases of the actions on workloads, and on what stands around them."""

import json
from collections.abc import Mapping
from typing import Any

from tests.fakes.contract.cases import (
    REAL,
    SANDBOX,
    ActionCase,
    ContractCluster,
    container_of,
    earlier_revision,
    labels_of,
)

NOWHERE = {"example.com/there-is": "no-such-node"}
APPS_DEPLOYMENTS = ("apps", "deployments", "patch")


def _workload(cluster: ContractCluster, **more: Any) -> dict[str, Any]:
    return {"namespace": cluster.namespace, "name": cluster.workload, **more}


def _rollback(cluster: ContractCluster) -> dict[str, Any]:
    annotations = earlier_revision(cluster)["metadata"]["annotations"]
    number = int(annotations["deployment.kubernetes.io/revision"])
    return _workload(cluster, to_revision=number)


def _scale(cluster: ContractCluster) -> dict[str, Any]:
    replicas = cluster.get("Deployment", cluster.workload)["spec"]["replicas"]
    return _workload(cluster, replicas=replicas + 1)


def _pod(cluster: ContractCluster) -> dict[str, Any]:
    if cluster.kind == REAL:
        cluster.idle()  # else its controller may be about to take that pod away itself
    pods = [
        p["metadata"]
        for p in cluster.items("Pod")
        if p["metadata"]["name"].startswith(f"{cluster.workload}-")
        and "deletionTimestamp" not in p["metadata"]
    ]
    return {"namespace": cluster.namespace, "name": pods[0]["name"]}


def _settings(cluster: ContractCluster) -> dict[str, Any]:
    now = cluster.get("ConfigMap", cluster.settings)["data"].get("LOG_LEVEL")
    other = "warn" if now != "warn" else "error"
    return {
        "namespace": cluster.namespace,
        "name": cluster.settings,
        "data": {"LOG_LEVEL": other},
        "restart": cluster.workload,
    }


def _resume(cluster: ContractCluster) -> dict[str, Any]:
    cluster.patch("Deployment", cluster.workload, {"spec": {"paused": True}})
    return _workload(cluster)


def _bounds(cluster: ContractCluster) -> dict[str, Any]:
    aim = {"apiVersion": "apps/v1", "kind": "Deployment", "name": cluster.workload}
    spec = {"scaleTargetRef": aim, "minReplicas": 1, "maxReplicas": 6}
    cluster.put("HorizontalPodAutoscaler", "bounds", spec=spec)
    place = {"namespace": cluster.namespace, "name": "bounds"}
    return {**place, "min_replicas": 2, "max_replicas": 9}


def _container(cluster: ContractCluster, **more: Any) -> dict[str, Any]:
    return _workload(cluster, kind="Deployment", container=container_of(cluster), **more)


def _image(cluster: ContractCluster) -> dict[str, Any]:
    template = earlier_revision(cluster)["spec"]["template"]
    return _container(cluster, image=template["spec"]["containers"][0]["image"])


def _resources(cluster: ContractCluster) -> dict[str, Any]:
    body = cluster.get("Deployment", cluster.workload)
    now = body["spec"]["template"]["spec"]["containers"][0].get("resources") or {}
    other = "2999Mi" if (now.get("limits") or {}).get("memory") != "2999Mi" else "2998Mi"
    return _container(cluster, requests={"cpu": "7m"}, limits={"memory": other})


def _service(cluster: ContractCluster) -> dict[str, Any]:
    port = {"name": "main", "port": 80, "targetPort": 8080, "protocol": "TCP"}
    spec = {"selector": {**labels_of(cluster), "track": "wrong"}, "ports": [port]}
    cluster.put("Service", "astray", spec=spec)
    return {
        "namespace": cluster.namespace,
        "name": "astray",
        "kind": "Deployment",
        "workload": cluster.workload,
        "part": "selector",
    }


def _quota(cluster: ContractCluster) -> dict[str, Any]:
    cluster.put("ResourceQuota", "bound", spec={"hard": {"count/secrets": "20", "services": "9"}})
    return {"namespace": cluster.namespace, "name": "bound", "hard": {"count/secrets": "30"}}


def _other(cluster: ContractCluster, kind: str) -> dict[str, Any]:
    """Make a workload of another kind be there, with its two revisions."""
    name, spec = f"kept-{kind.lower()}", _spec(kind, "v2")
    if cluster.kind == SANDBOX and kind == "StatefulSet":  # it makes none, but the shop has some
        found = cluster.items(kind)[0]
        name, spec = found["metadata"]["name"], found["spec"]
    elif cluster.kind == REAL:  # no node fits: rollouts of its own would never let it rest
        spec["template"]["spec"]["nodeSelector"] = NOWHERE
        before = _spec(kind, "v1")
        before["template"]["spec"]["nodeSelector"] = NOWHERE
        cluster.put(kind, name, spec=before)
        cluster.put(kind, name, spec=spec)
    else:
        cluster.put(kind, name, spec=spec, status={"desiredNumberScheduled": 2})
    if cluster.kind != REAL:
        _revisions(cluster, kind, name, spec["template"])
    return {"namespace": cluster.namespace, "name": name}


def _spec(kind: str, version: str) -> dict[str, Any]:
    labels = {"app": f"kept-{kind.lower()}"}
    container = {"name": "app", "image": f"demo/web:{version}", "resources": {}}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec: dict[str, Any] = {"selector": {"matchLabels": labels}, "template": template}
    return spec | ({"replicas": 2, "serviceName": "kept"} if kind == "StatefulSet" else {})


def _revisions(cluster: ContractCluster, kind: str, name: str, template: Mapping[str, Any]) -> None:
    """Put there what the controller would keep: the template of now, and one of before."""
    owner = {"kind": kind, "name": name, "controller": True}
    owner["uid"] = cluster.get(kind, name)["metadata"]["uid"]
    before = json.loads(json.dumps(template))
    before["spec"]["containers"][0]["image"] += "-before"
    for number, kept in ((1, before), (2, template)):
        data = {"spec": {"template": {**kept, "$patch": "replace"}}}
        metadata = {"ownerReferences": [owner]}
        cluster.put(
            "ControllerRevision",
            f"{name}-{number}",
            metadata=metadata,
            data=data,
            revision=number,
        )


def _earlier(cluster: ContractCluster, kind: str) -> dict[str, Any]:
    place = _other(cluster, kind)
    uid = cluster.get(kind, place["name"])["metadata"]["uid"]
    own = [
        item["revision"]
        for item in cluster.items("ControllerRevision")
        if item["metadata"]["ownerReferences"][0]["uid"] == uid
    ]
    return {**place, "to_revision": sorted(own)[-2]}


def _more_members(cluster: ContractCluster) -> dict[str, Any]:
    place = _other(cluster, "StatefulSet")
    now = cluster.get("StatefulSet", place["name"])["spec"]["replicas"]
    return {**place, "replicas": now + 1}


CASES = {
    "pause_rollout": ActionCase(ready=_workload, rule=APPS_DEPLOYMENTS),
    "resume_rollout": ActionCase(ready=_resume, rule=APPS_DEPLOYMENTS),
    "scale_autoscaler": ActionCase(
        ready=_bounds, rule=("autoscaling", "horizontalpodautoscalers", "patch")
    ),
    "set_image": ActionCase(ready=_image, rule=APPS_DEPLOYMENTS),
    "set_resources": ActionCase(
        ready=_resources, rule=APPS_DEPLOYMENTS, optional=frozenset({"requests", "limits"})
    ),
    "fix_service": ActionCase(ready=_service, rule=("", "services", "patch")),
    "restart_statefulset": ActionCase(
        ready=lambda c: _other(c, "StatefulSet"), rule=("apps", "statefulsets", "patch")
    ),
    "restart_daemonset": ActionCase(
        ready=lambda c: _other(c, "DaemonSet"), rule=("apps", "daemonsets", "patch")
    ),
    "rollback_statefulset": ActionCase(
        ready=lambda c: _earlier(c, "StatefulSet"), rule=("apps", "statefulsets", "patch")
    ),
    "rollback_daemonset": ActionCase(
        ready=lambda c: _earlier(c, "DaemonSet"), rule=("apps", "daemonsets", "patch")
    ),
    "scale_statefulset": ActionCase(ready=_more_members, rule=("apps", "statefulsets", "patch")),
    "raise_quota": ActionCase(ready=_quota, rule=("", "resourcequotas", "patch")),
    "restart_deployment": ActionCase(ready=_workload, rule=APPS_DEPLOYMENTS),
    "rollback_deployment": ActionCase(ready=_rollback, rule=APPS_DEPLOYMENTS),
    "scale_deployment": ActionCase(ready=_scale, rule=APPS_DEPLOYMENTS),
    "restart_pod": ActionCase(ready=_pod, rule=("", "pods/eviction", "create")),
    "revert_config": ActionCase(
        ready=_settings,
        rule=("", "configmaps", "patch"),
        optional=frozenset({"restart"}),
    ),
}
