"""What the contract suite must know of one action, and of one cluster to try it on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.domain.environment import Environment

FAKE, SANDBOX, REAL = "fake", "sandbox", "real"


class ContractCluster(Protocol):
    """A cluster with a Deployment of several pods and at least two revisions of two images."""

    kind: str  # FAKE, SANDBOX or REAL
    namespace: str
    workload: str  # the Deployment
    settings: str  # a ConfigMap that has the key LOG_LEVEL
    environment: Environment  # with an identity that may do everything
    reader: Environment  # may get and list, not write
    nobody: Environment  # may do nothing

    def put(self, kind: str, name: str, **body: Any) -> None:
        """Make the object be there as given (`spec`, `data`, `metadata`, …), made anew if it is."""

    def patch(self, kind: str, name: str, patch: dict[str, Any]) -> None:
        """Merge the patch into an object, as somebody else would."""

    def get(self, kind: str, name: str) -> dict[str, Any]:
        """Return an object of the namespace (or of the cluster) as it is now."""

    def items(self, kind: str) -> list[dict[str, Any]]:
        """Return the objects of a kind in the namespace."""

    def idle(self) -> None:
        """Return when nothing of the workload moves any more."""


@dataclass(frozen=True, kw_only=True)
class ActionCase:
    """One action on a cluster.

    `ready` puts there what the action needs and returns its raw arguments; it may be called again
    after the action acted, and then makes it possible again. `rule` is what RBAC must allow for the
    write: (API group, resource, verb). `not_on`: cluster → why the action cannot be tried there.
    """

    ready: Callable[[ContractCluster], dict[str, Any]]
    rule: tuple[str, str, str]
    not_on: Mapping[str, str] = field(default_factory=dict)
    name_field: str = "name"  # the argument that names the object
    optional: frozenset[str] = frozenset()  # arguments that may be null or empty
    leads_back: bool = True  # after the inverse, the target wants the same as before


def labels_of(cluster: ContractCluster) -> dict[str, str]:
    """Return the labels by which the workload selects its pods."""
    spec = cluster.get("Deployment", cluster.workload)["spec"]
    return dict(spec["selector"]["matchLabels"])


def earlier_revision(cluster: ContractCluster) -> dict[str, Any]:
    """Return a ReplicaSet of the workload whose image is not the one of now."""
    body = cluster.get("Deployment", cluster.workload)
    now = _image(body)
    return next(
        item
        for item in cluster.items("ReplicaSet")
        if _owner(item) == cluster.workload and _image(item) != now
    )


def container_of(cluster: ContractCluster) -> str:
    """Return the name of the workload's first container."""
    body = cluster.get("Deployment", cluster.workload)
    return str(body["spec"]["template"]["spec"]["containers"][0]["name"])


def _image(body: Mapping[str, Any]) -> str:
    return str(body["spec"]["template"]["spec"]["containers"][0]["image"])


def _owner(body: Mapping[str, Any]) -> str:
    return next((str(o["name"]) for o in body["metadata"].get("ownerReferences") or ()), "")
