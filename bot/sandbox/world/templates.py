"""The manifests of the shop's workloads, as its deploy pipeline writes them."""

from bot.sandbox.world.records import Json
from bot.sandbox.world.site import NAMESPACE, Site
from bot.sandbox.world.topology import Role, Service


def labels(service: Service, version: str) -> Json:
    """Return the recommended labels of a service's pods."""
    return {
        "app.kubernetes.io/name": service.name,
        "app.kubernetes.io/part-of": "shop",
        "app.kubernetes.io/version": version,
        "team": service.owner,
    }


def template(site: Site, service: Service, version: str) -> Json:
    """Return the pod template of one version of a service."""
    container: Json = {
        "name": service.name,
        "image": site.image(service.name, version),
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"name": _port_name(service), "containerPort": service.port, "protocol": "TCP"}],
        "envFrom": [{"configMapRef": {"name": f"{service.name}-config"}}],
        "env": [
            {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        ],
        "resources": {
            "requests": {
                "cpu": _millis(service.cpu_limit / 2.0),
                "memory": f"{int(service.memory_limit * 0.75)}Mi",
            },
            "limits": {
                "cpu": _millis(service.cpu_limit),
                "memory": f"{service.memory_limit}Mi",
            },
        },
        **_probes(service),
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    }
    if service.stateful:
        container["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    return {
        "metadata": {"labels": labels(service, version)},
        "spec": {
            "containers": [container],
            "serviceAccountName": service.name,
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": 30,
            "dnsPolicy": "ClusterFirst",
            "schedulerName": "default-scheduler",
            "securityContext": {},
        },
    }


def workload(site: Site, service: Service, version: str, replicas: int) -> Json:
    """Return metadata and spec of a service's Deployment or StatefulSet."""
    body: Json = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet" if service.stateful else "Deployment",
        "metadata": {
            "name": service.name,
            "namespace": NAMESPACE,
            "labels": labels(service, version),
            "annotations": {"team": service.owner},
            "generation": 1,
        },
        "spec": {
            "replicas": replicas,
            "revisionHistoryLimit": 10,
            "selector": {"matchLabels": {"app.kubernetes.io/name": service.name}},
            "template": template(site, service, version),
        },
    }
    body["spec"].update(_strategy(service))
    return body


def _strategy(service: Service) -> Json:
    if service.stateful:
        return {
            "serviceName": service.name,
            "podManagementPolicy": "OrderedReady",
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
            "volumeClaimTemplates": [
                {
                    "metadata": {"name": "data"},
                    "spec": {
                        "accessModes": ["ReadWriteOnce"],
                        "storageClassName": "standard",
                        "resources": {"requests": {"storage": "20Gi"}},
                    },
                }
            ],
        }
    return {
        "progressDeadlineSeconds": 600,
        "strategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"},
        },
    }


def _millis(cores: float) -> str:
    return f"{round(cores * 1000)}m"


def _port_name(service: Service) -> str:
    names = {Role.DATABASE: "postgres", Role.CACHE: "redis", Role.QUEUE: "amqp"}
    return names.get(service.role, "http")


def _probes(service: Service) -> Json:
    if service.stateful:
        check: Json = {"tcpSocket": {"port": service.port}}
        ready = check
    else:
        check = {"httpGet": {"path": "/healthz", "port": service.port, "scheme": "HTTP"}}
        ready = {"httpGet": {"path": "/readyz", "port": service.port, "scheme": "HTTP"}}
    timing = {"timeoutSeconds": 2, "successThreshold": 1, "failureThreshold": 3}
    return {
        "livenessProbe": {**check, "initialDelaySeconds": 15, "periodSeconds": 10, **timing},
        "readinessProbe": {**ready, "initialDelaySeconds": 3, "periodSeconds": 5, **timing},
    }
