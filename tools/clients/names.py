"""From the names that metrics, pods and addresses carry to the name of the workload behind them."""

import re
from collections.abc import Mapping, Sequence

_SAFE = "bcdfghjklmnpqrstvwxz2456789"  # the alphabet of Kubernetes' random suffixes
_WORKLOAD_PATTERNS = (
    re.compile(rf"^(.+)-[{_SAFE}]{{6,10}}-[{_SAFE}]{{5}}$"),  # Deployment
    re.compile(r"^(.+)-\d{1,4}$"),  # StatefulSet
    re.compile(r"^(.+)-(?=[a-z]*\d)[a-z0-9]{6,10}-[a-z0-9]{5}$"),  # Deployment, hand-made hash
    re.compile(rf"^(.+)-[{_SAFE}]{{5}}$"),  # DaemonSet, Job
)
_ADDRESS = re.compile(
    r"^(?:[a-z]+://)?\[?([^\[\]/:]+|[0-9a-f:]+)\]?(?::\d+)?(?:/.*)?$", re.IGNORECASE
)
_IPV4 = re.compile(r"^\d{1,3}(\.\d{1,3}){3}$")
NAME_LABELS = ("app.kubernetes.io/name", "app", "k8s-app", "app.kubernetes.io/component")


def workload_of_pod(pod: str) -> str:
    """Return the workload that a pod's name speaks of; the name itself when it follows no rule."""
    for pattern in _WORKLOAD_PATTERNS:
        found = pattern.match(pod)
        if found:
            return found.group(1)
    return pod


def workload_of_claim(claim: str) -> str:
    """Return the StatefulSet that a claim's name speaks of: "data-orders-db-0" → "orders-db".

    A claim is called template-StatefulSet-ordinal; the template is taken to be one word.
    """
    found = re.match(r"^[a-z0-9]+-(.+)-\d{1,4}$", claim)
    return found.group(1) if found else claim


def host_of(address: str, namespaces: Sequence[str] = ()) -> str:
    """Return the callee that an address names: the service of a cluster address, else the host.

    "http://cart.shop.svc.cluster.local:8080/x" → "cart", "cart.shop" → "cart" (when `shop` is one
    of the namespaces), "api.pay.example:443" → "api.pay.example".
    """
    found = _ADDRESS.match(address)
    host = found.group(1) if found else address
    if _IPV4.match(host) or "." not in host:
        return host
    first, second, *rest = host.split(".")
    if second in namespaces or (rest and rest[0] == "svc"):
        return first
    return host


def service_of_object(body: Mapping[str, object]) -> str:
    """Return the service an object belongs to: by its labels, else by its own name."""
    metadata = body.get("metadata")
    if not isinstance(metadata, Mapping):
        return ""
    labels = metadata.get("labels")
    if isinstance(labels, Mapping):
        for label in NAME_LABELS[:3]:
            if labels.get(label):
                return str(labels[label])
    name = str(metadata.get("name") or "")
    return workload_of_pod(name) if body.get("kind") == "Pod" else name
