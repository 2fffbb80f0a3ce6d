"""The cases of the actions on workloads, and on what stands around them."""

from typing import Any

from tests.fakes.contract.cases import ActionCase, ContractCluster, earlier_revision

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


CASES = {
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
