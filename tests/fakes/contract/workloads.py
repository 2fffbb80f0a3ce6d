"""The cases of the actions on workloads, and on what stands around them."""

from typing import Any

from tests.fakes.contract.cases import (
    ActionCase,
    ContractCluster,
    container_of,
    earlier_revision,
    labels_of,
)

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
    return _container(cluster, requests={"cpu": "7m"}, limits={"memory": "999Mi"})


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
