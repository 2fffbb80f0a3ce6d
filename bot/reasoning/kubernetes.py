"""Reading Kubernetes objects: owners, container states, selectors, events, quantities."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any

from bot.domain.snapshot import KubernetesObject, Snapshot

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob")
SUFFIX = {
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60,
    "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12,
    "P": 1e15, "E": 1e18,
}  # fmt: skip
QUANTITY = re.compile(r"^\s*([+-]?[\d.]+)(?:[eE]([+-]?\d+))?([A-Za-z]*)\s*$")
IMAGE_PULL = (
    "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull",
    "ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed",
)  # fmt: skip
SYSTEM_NAMESPACES = frozenset({"kube-system", "kube-public", "kube-node-lease"})


def get(body: Any, *path: str | int) -> Any:
    """Return the value at a path of keys and indices, None where any step is missing."""
    for step in path:
        if isinstance(step, int):
            body = body[step] if isinstance(body, Sequence) and len(body) > step else None
        else:
            body = body.get(step) if isinstance(body, Mapping) else None
    return body


def mapping(body: Any, *path: str | int) -> Mapping[str, Any]:
    """Return the mapping at a path, an empty one where there is none."""
    found = get(body, *path)
    return found if isinstance(found, Mapping) else {}


def items(body: Any, *path: str | int) -> list[Mapping[str, Any]]:
    """Return the mappings of the list at a path; what is no mapping is left out."""
    found = get(body, *path)
    listed = found if isinstance(found, Sequence) and not isinstance(found, str) else ()
    return [item for item in listed if isinstance(item, Mapping)]


def quantity(text: Any) -> float | None:
    """Return "250m" as 0.25 and "1Gi" as bytes, None for what is no quantity.

    Source: Kubernetes API reference, resource.Quantity.
    """
    match = QUANTITY.match(str(text))
    if not match or match[3] not in SUFFIX:
        return None
    try:
        return float(match[1]) * 10.0 ** int(match[2] or 0) * SUFFIX[match[3]]
    except (ValueError, OverflowError):
        return None


def moment(text: Any) -> datetime | None:
    """Return an API time, None where there is none."""
    try:
        found = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo else None


def object_name(item: KubernetesObject) -> str:
    """Return "deployment/checkout", as hypotheses name objects."""
    return f"{item.kind.lower()}/{item.name}"


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Say whether a label selector (matchLabels, matchExpressions) fits; an empty one fits all."""
    wanted = mapping(selector, "matchLabels")
    expressions = items(selector, "matchExpressions")
    return all(labels.get(k) == v for k, v in wanted.items()) and all(
        expression_holds(expression, labels) for expression in expressions
    )


def expression_holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Say whether one expression of a selector holds; an unknown operator does not."""
    key, operator = str(expression.get("key")), expression.get("operator")
    values = [str(value) for value in expression.get("values") or ()]
    value = labels.get(key)
    if operator == "In":
        return value in values
    if operator == "NotIn":
        return value not in values
    if operator in ("Exists", "DoesNotExist"):
        present = value is not None
        return present if operator == "Exists" else not present
    if operator in ("Gt", "Lt") and value is not None and values:
        mine, limit = quantity(value), quantity(values[0])
        if mine is not None and limit is not None:
            return mine > limit if operator == "Gt" else mine < limit
    return False


def template(workload: KubernetesObject) -> Mapping[str, Any]:
    """Return the pod template of a workload."""
    if workload.kind == "CronJob":
        return mapping(workload.body, "spec", "jobTemplate", "spec", "template")
    return mapping(workload.body, "spec", "template")


def pod_spec(item: KubernetesObject) -> Mapping[str, Any]:
    """Return the pod spec of a pod or of a workload's template."""
    if item.kind == "Pod":
        return mapping(item.body, "spec")
    return mapping(template(item), "spec")


def containers(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the containers of a pod spec, init containers not among them."""
    return items(spec, "containers")


def statuses(pod: KubernetesObject) -> list[Mapping[str, Any]]:
    """Return the container statuses of a pod, init containers first."""
    init = items(pod.body, "status", "initContainerStatuses")
    return [*init, *items(pod.body, "status", "containerStatuses")]


def waiting(status: Mapping[str, Any]) -> tuple[str, str]:
    """Return reason and message of a waiting container, two empty texts if it does not wait."""
    state = mapping(status, "state", "waiting")
    return str(state.get("reason") or ""), str(state.get("message") or "")


def terminated(status: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return how the container ended: now, or else the last time; empty if it never did."""
    return mapping(status, "state", "terminated") or mapping(status, "lastState", "terminated")


def is_ready(pod: KubernetesObject) -> bool:
    """Say whether the pod serves: its Ready condition, or else all its containers."""
    for condition in items(pod.body, "status", "conditions"):
        if condition.get("type") == "Ready":
            return bool(condition.get("status") == "True")
    listed = items(pod.body, "status", "containerStatuses")
    return bool(listed) and all(status.get("ready") for status in listed)


def is_finished(pod: KubernetesObject) -> bool:
    """Say whether the pod ended as a job's pod does."""
    return get(pod.body, "status", "phase") in ("Succeeded", "Completed")


def is_scheduled(pod: KubernetesObject) -> bool:
    """Say whether a node was found for the pod."""
    return bool(get(pod.body, "spec", "nodeName"))


def condition(item: KubernetesObject, kind: str) -> Mapping[str, Any]:
    """Return a condition of an object's status, empty if it has none of that type."""
    found = (c for c in items(item.body, "status", "conditions") if c.get("type") == kind)
    return next(found, {})


def desired(workload: KubernetesObject) -> int | None:
    """Return how many pods a workload is told to run; None where that is not known."""
    if workload.kind == "DaemonSet":
        found = get(workload.body, "status", "desiredNumberScheduled")
    else:
        found = get(workload.body, "spec", "replicas")
    return found if isinstance(found, int) else None


def environment(container: Mapping[str, Any]) -> dict[str, str]:
    """Return the plain variables of a container; references to secrets and config maps are not."""
    return {
        str(variable.get("name")): str(variable["value"])
        for variable in items(container, "env")
        if variable.get("value") is not None
    }


def listening_ports(spec: Mapping[str, Any]) -> dict[int, str]:
    """Return the declared container ports of a pod spec with their names ("" without one)."""
    return {
        int(port["containerPort"]): str(port.get("name") or "")
        for container in containers(spec)
        for port in items(container, "ports")
        if isinstance(port.get("containerPort"), int)
    }


class Cluster:
    """The Kubernetes objects of a snapshot by kind, with who belongs to whom."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._by_kind: dict[str, list[KubernetesObject]] = {}
        for item in snapshot.objects:
            self._by_kind.setdefault(item.kind, []).append(item)

    def all(self, *kinds: str) -> list[KubernetesObject]:
        """Return the objects of some kinds."""
        return [item for kind in kinds for item in self._by_kind.get(kind, ())]

    def knows(self, kind: str) -> bool:
        """Say whether any object of that kind was seen, so that a missing one means something."""
        return bool(self._by_kind.get(kind))

    def find(self, kind: str, name: str, namespace: str = "") -> KubernetesObject | None:
        """Return an object by name; an empty namespace fits all."""
        return next(
            (
                item
                for item in self._by_kind.get(kind, ())
                if item.name == name and namespace in ("", item.namespace)
            ),
            None,
        )

    @cached_property
    def workloads(self) -> list[KubernetesObject]:
        """Deployments, stateful sets, daemon sets and jobs outside the system's namespaces."""
        found = self.all(*WORKLOADS)
        return [item for item in found if item.namespace not in SYSTEM_NAMESPACES]

    @cached_property
    def pods(self) -> list[KubernetesObject]:
        """Pods that have not finished, outside the system's namespaces."""
        found = (p for p in self.all("Pod") if p.namespace not in SYSTEM_NAMESPACES)
        return [pod for pod in found if not is_finished(pod)]

    @cached_property
    def _owners(self) -> dict[tuple[str, str], KubernetesObject]:
        return {(pod.namespace, pod.name): o for pod in self.pods if (o := self._owner(pod))}

    @cached_property
    def _pods_of(self) -> dict[tuple[str, str, str], list[KubernetesObject]]:
        found: dict[tuple[str, str, str], list[KubernetesObject]] = {}
        for pod in self.pods:
            owner = self.owner(pod)
            if owner is not None:
                key = (owner.kind, owner.namespace, owner.name)
                found.setdefault(key, []).append(pod)
        return found

    @cached_property
    def values(self) -> list[tuple[str, str]]:
        """Name of the workload and value of each plain variable of its containers."""
        return [
            (workload.name, value)
            for workload in self.workloads
            for container in containers(pod_spec(workload))
            for value in environment(container).values()
        ]

    def owner(self, pod: KubernetesObject) -> KubernetesObject | None:
        """Return the workload that a pod belongs to, through its replica set or by its labels."""
        return self._owners.get((pod.namespace, pod.name))

    def pods_of(self, workload: KubernetesObject) -> list[KubernetesObject]:
        """Return the unfinished pods of a workload."""
        return self._pods_of.get((workload.kind, workload.namespace, workload.name), [])

    def _owner(self, pod: KubernetesObject) -> KubernetesObject | None:
        for reference in items(pod.body, "metadata", "ownerReferences"):
            kind, name = str(reference.get("kind")), str(reference.get("name"))
            if kind == "ReplicaSet":
                return self._owner_of_replica_set(name, pod)
            if kind in WORKLOADS and (found := self.find(kind, name, pod.namespace)):
                return found
        return self._owner_by_labels(pod)

    def _owner_of_replica_set(self, name: str, pod: KubernetesObject) -> KubernetesObject | None:
        replica_set = self.find("ReplicaSet", name, pod.namespace)
        for reference in items(
            replica_set.body if replica_set else {}, "metadata", "ownerReferences"
        ):
            found = self.find(str(reference.get("kind")), str(reference.get("name")), pod.namespace)
            if found is not None:
                return found
        by_name = self.find("Deployment", name.rpartition("-")[0], pod.namespace)
        return by_name or self._owner_by_labels(pod)

    def _owner_by_labels(self, pod: KubernetesObject) -> KubernetesObject | None:
        for workload in self.workloads:
            selector = mapping(workload.body, "spec", "selector")
            same = workload.namespace == pod.namespace
            if same and selector and pod.labels and matches(selector, pod.labels):
                return workload
        return None

    @cached_property
    def _events(self) -> dict[tuple[str, str], list[KubernetesObject]]:
        found: dict[tuple[str, str], list[KubernetesObject]] = {}
        for event in self.all("Event"):
            involved = mapping(event.body, "involvedObject")
            key = (str(involved.get("kind")), str(involved.get("name")))
            found.setdefault(key, []).append(event)
        return found

    def events(self, item: KubernetesObject, *reasons: str) -> list[KubernetesObject]:
        """Return the events of one live object, of some reasons or of all, the newest last."""
        found = self._events.get((item.kind, item.name), [])
        fitting = [
            e
            for e in found
            if (not reasons or e.body.get("reason") in reasons)
            and item.namespace in ("", _namespace_of(e))
        ]
        return sorted(fitting, key=lambda e: str(e.body.get("lastTimestamp") or ""))

    def replica_sets(self, workload: KubernetesObject) -> list[KubernetesObject]:
        """Return the replica sets of a deployment that are told to run pods."""
        return [
            item
            for item in self.all("ReplicaSet")
            if item.namespace == workload.namespace
            and any(
                reference.get("name") == workload.name
                for reference in items(item.body, "metadata", "ownerReferences")
            )
            and (desired(item) or 0) > 0
        ]

    def selected_by(self, service: KubernetesObject) -> list[KubernetesObject]:
        """Return the pods that a service's selector picks, ready or not."""
        selector = mapping(service.body, "spec", "selector")
        if not selector:
            return []
        wanted = {"matchLabels": selector}
        return [
            pod
            for pod in self.pods
            if pod.namespace == service.namespace and pod.labels and matches(wanted, pod.labels)
        ]

    def ready_addresses(self, service: KubernetesObject) -> int | None:
        """Return how many ready endpoints a service has, None if its endpoints were not seen."""
        endpoints = self.find("Endpoints", service.name, service.namespace)
        if endpoints is None:
            return None
        return sum(len(items(s, "addresses")) for s in items(endpoints.body, "subsets"))

    def unready(self, workload: KubernetesObject) -> list[KubernetesObject]:
        """Return the pods of a workload that do not serve."""
        return [pod for pod in self.pods_of(workload) if not is_ready(pod)]


def _namespace_of(event: KubernetesObject) -> str:
    """Where the event's object is: two namespaces may hold objects of one name."""
    return str(get(event.body, "involvedObject", "namespace") or event.namespace)


class _Same:
    """A snapshot as a cache key: by identity, since its facts hold unhashable JSON."""

    __slots__ = ("snapshot",)

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot

    def __hash__(self) -> int:
        return id(self.snapshot)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.snapshot is self.snapshot


@lru_cache(maxsize=2)
def _kept(key: _Same) -> Cluster:
    return Cluster(key.snapshot)


def cluster_of(snapshot: Snapshot) -> Cluster:
    """Return the cluster of a snapshot; the last two are kept, by identity."""
    return _kept(_Same(snapshot))


def services_of(cluster: Cluster, workload: KubernetesObject) -> list[KubernetesObject]:
    """Return the services whose selector fits the workload's pod template."""
    labels = mapping(template(workload), "metadata", "labels")
    return [
        service
        for service in cluster.all("Service")
        if service.namespace == workload.namespace
        and (selector := mapping(service.body, "spec", "selector"))
        and matches({"matchLabels": selector}, labels)
    ]


def latest(events: Iterable[KubernetesObject]) -> KubernetesObject | None:
    """Return the newest of some events."""
    return max(events, key=lambda e: str(e.body.get("lastTimestamp") or ""), default=None)


def messages(events: Iterable[KubernetesObject]) -> Iterator[str]:
    """Yield the messages of some events."""
    return (str(event.body.get("message") or "") for event in events)
