"""One kubectl output, whatever its form, as Kubernetes objects."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import yaml

from bot.domain.errors import Malformed
from bot.domain.snapshot import KubernetesObject, Source
from bot.evaluation.cloud_opsbench.kubectl import (
    networking,
    nodes,
    policies,
    storage,
    tables,
    workloads,
)
from bot.evaluation.cloud_opsbench.kubectl.events import KINDS, described_events, listed_events
from bot.evaluation.cloud_opsbench.kubectl.outline import Outline, clean, outline
from bot.evaluation.cloud_opsbench.kubectl.values import moment

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
IRREGULAR = {
    "endpoints": "Endpoints", "networkpolicies": "NetworkPolicy", "ingresses": "Ingress",
    "storageclasses": "StorageClass", "ev": "Event", "events": "Event", "event": "Event",
    "limitranges": "LimitRange", "limits": "LimitRange", "resourcequota": "ResourceQuota",
    "quota": "ResourceQuota", "po": "Pod", "svc": "Service", "deploy": "Deployment", "no": "Node",
    "cm": "ConfigMap", "pvc": "PersistentVolumeClaim", "pv": "PersistentVolume", "ns": "Namespace",
    "rs": "ReplicaSet", "sts": "StatefulSet", "ds": "DaemonSet", "sa": "ServiceAccount",
    "ing": "Ingress", "sc": "StorageClass", "netpol": "NetworkPolicy", "ep": "Endpoints",
    "hpa": "HorizontalPodAutoscaler", "roles": "Role", "rolebindings": "RoleBinding",
    "clusterroles": "ClusterRole", "clusterrolebindings": "ClusterRoleBinding",
}  # fmt: skip
CLUSTER_SCOPED = frozenset(
    {"Node", "Namespace", "PersistentVolume", "StorageClass", "ClusterRole", "ClusterRoleBinding"}
)
BY_OUTLINE: dict[str, Callable[[Outline], dict[str, Any]]] = {
    "Pod": workloads.pod,
    "Deployment": workloads.deployment,
    "ReplicaSet": workloads.replica_set,
    "StatefulSet": workloads.stateful_set,
    "DaemonSet": workloads.daemon_set,
    "Job": workloads.job,
    "Node": nodes.node,
    "Service": networking.service,
    "Endpoints": networking.endpoints,
    "Ingress": networking.ingress,
    "NetworkPolicy": networking.network_policy,
    "PersistentVolumeClaim": storage.claim,
    "PersistentVolume": storage.volume,
    "StorageClass": storage.storage_class,
    "Namespace": policies.namespace,
    "ServiceAccount": policies.service_account,
    "RoleBinding": policies.role_binding,
    "ClusterRoleBinding": policies.role_binding,
    "Role": policies.role,
    "ClusterRole": policies.role,
}
BY_TEXT: dict[str, Callable[[str], dict[str, Any]]] = {
    "ResourceQuota": policies.quota,
    "LimitRange": policies.limit_range,
    "Secret": policies.secret,
    "ConfigMap": policies.config_map,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A kubectl command: `describe` or `get` of a kind, of one object or all (`name` empty)."""

    verb: str
    kind: str
    name: str
    namespace: str

    @property
    def source(self) -> Source:
        """The command as a person would type it."""
        words = ["kubectl", self.verb, self.kind.lower(), self.name]
        scope = ["-n", self.namespace] if self.namespace else []
        return Source(system="kubernetes", query=" ".join(w for w in [*words, *scope] if w))


def kind_of(resource: str) -> str:
    """Return "Pod" for "pods", "pod" or "po"; the text itself where the kind is not known."""
    word = resource.lower().partition(".")[0]
    return IRREGULAR.get(word) or KINDS.get(word) or KINDS.get(word.removesuffix("s")) or resource


def parse(command: Command, text: str, now: datetime) -> tuple[KubernetesObject, ...]:
    """Return the objects of one output, events among them; nothing where kubectl printed an error.

    Raises: Malformed: the text claims to be YAML and is not.
    """
    if not text.strip() or text.startswith(("Error from server", "No resources found", "error:")):
        return ()
    if text.lstrip().startswith("apiVersion:"):
        return tuple(_from_yaml(command, text))
    if command.kind == "Event":
        found = listed_events(text, command.namespace, now)
        return tuple(_event(command, i, body) for i, body in enumerate(found))
    if command.verb == "describe":
        return tuple(_described(command, text, now))
    listed = tables.rows(command.kind, text, command.namespace, now)
    return tuple(_object(command, command.kind, body) for body in listed)


def manifests(text: str) -> list[dict[str, Any]]:
    """Return the documents of a YAML stream that are objects. Raises: Malformed."""
    try:
        documents = list(yaml.load_all(text, Loader=LOADER))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Malformed(f"not YAML: {str(error)[:200]}") from error
    return [d for d in documents if isinstance(d, dict) and isinstance(d.get("metadata"), dict)]


def _from_yaml(command: Command, text: str) -> Iterator[KubernetesObject]:
    for document in manifests(text):
        yield _object(command, str(document.get("kind") or command.kind), document)


def _described(command: Command, text: str, now: datetime) -> Iterator[KubernetesObject]:
    for block in text.split("\n\n\nName:"):
        block = block if block.startswith("Name:") else "Name:" + block
        found = outline(block)
        kind, name = command.kind, found.value("Name")
        if kind in BY_TEXT:
            detail = BY_TEXT[kind](block)
        else:
            detail = BY_OUTLINE[kind](found) if kind in BY_OUTLINE else {}
        body = {"metadata": _metadata(found, command), **detail}
        item = _object(command, kind, body)
        yield item
        lines = found.entry("Events").lines
        events = described_events(lines, kind, name, item.namespace, now)
        yield from (_event(command, i, event) for i, event in enumerate(events))
        if kind == "Namespace":
            yield from _quotas(command, name, block)


def _quotas(command: Command, namespace: str, text: str) -> Iterator[KubernetesObject]:
    for name, body in policies.quotas_of_namespace(text):
        metadata = {"name": name, "namespace": namespace}
        yield _object(command, "ResourceQuota", {"metadata": metadata, **body})


def _metadata(found: Outline, command: Command) -> dict[str, Any]:
    controller, _, owner = found.value("Controlled By").partition("/")
    return clean(
        {
            "name": found.value("Name"),
            "namespace": found.value("Namespace") or command.namespace,
            "labels": found.pairs("Labels", "="),
            "annotations": found.pairs("Annotations", ":"),
            "creationTimestamp": moment(
                found.value("CreationTimestamp") or found.value("Start Time")
            ),
            "ownerReferences": [{"kind": controller, "name": owner}] if owner else [],
        }
    )


def _event(command: Command, number: int, body: dict[str, Any]) -> KubernetesObject:
    involved = body["involvedObject"]
    name = f"{involved['name']}.{number}"
    metadata = {"name": name, "namespace": involved.get("namespace", "")}
    return _object(command, "Event", {"metadata": metadata, **body})


def _object(command: Command, kind: str, body: dict[str, Any]) -> KubernetesObject:
    metadata = body.get("metadata") or {}
    namespace = "" if kind in CLUSTER_SCOPED else str(metadata.get("namespace") or "")
    if kind not in CLUSTER_SCOPED and not namespace:
        namespace = command.namespace
    return KubernetesObject(
        kind=kind,
        namespace=namespace,
        name=str(metadata.get("name") or command.name),
        body={"kind": kind, **body},
        source=command.source,
    )
