"""Manifests for the real cluster: workloads made of the images that its node has."""

from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]
WEB = "demo/web:v1"  # httpd on 8080, one log line each 5 s
WEB_NEXT = "demo/web:v2"
SHELL = "busybox:1.35"
PORT = 8080
SMALL = {"requests": {"cpu": "5m", "memory": "8Mi"}, "limits": {"cpu": "200m", "memory": "64Mi"}}


def container(image: str = WEB, *, name: str = "app", script: str = "", **fields: Any) -> Json:
    """Return a small container; `script` is run by the shell instead of the image's command."""
    command = {"command": ["sh", "-c", script]} if script else {}
    ports = [] if script else [{"name": "http", "containerPort": PORT}]
    found = {
        "name": name, "image": image, "imagePullPolicy": "IfNotPresent", "resources": SMALL,
        "ports": ports, **command, **fields,
    }  # fmt: skip
    return {k: v for k, v in found.items() if v not in (None, [])}


def http_probe(port: int | str = PORT, path: str = "/", **fields: int) -> Json:
    """Return a probe that asks for a page, each second."""
    return {"httpGet": {"path": path, "port": port}, "periodSeconds": 1, **fields}


def deployment(
    name: str, *containers: Mapping[str, Any], replicas: int = 1,
    labels: Mapping[str, str] | None = None, **spec: Any,
) -> Json:  # fmt: skip
    """Return a Deployment whose pods stop at once; `spec` goes to the pods."""
    found = {"app": name, **(labels or {})}
    pods = {
        "terminationGracePeriodSeconds": 1,
        "containers": list(containers) or [container(readinessProbe=http_probe())],
        **spec,
    }
    return {
        "kind": "Deployment",
        "metadata": {"name": name, "labels": found},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": found}, "spec": pods},
        },
    }


def service(
    name: str, *, selector: Mapping[str, str] | None = None, target: int | str = PORT,
    ports: Sequence[Mapping[str, Any]] = (),
) -> Json:  # fmt: skip
    """Return a Service on port 80 in front of the Deployment of its name."""
    offered = list(ports) or [{"port": 80, "targetPort": target, "protocol": "TCP"}]
    spec = {"selector": dict(selector or {"app": name}), "ports": offered}
    return {"kind": "Service", "metadata": {"name": name}, "spec": spec}


def config_map(name: str, **data: str) -> Json:
    """Return a ConfigMap."""
    return {"kind": "ConfigMap", "metadata": {"name": name}, "data": data}
