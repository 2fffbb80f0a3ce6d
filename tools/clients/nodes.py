"""One node of a cluster: cordon it, and which pods of the environment would have to leave it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.domain.action import DryRun, Target
from bot.domain.environment import Environment
from tools.clients.kubernetes import Patch
from tools.clients.vanishing import controller_of
from tools.clients.writing import Body, GuardedObjects

KIND = "Node"
MIRROR = "kubernetes.io/config.mirror"
OVER = ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pods:
    """The pods on a node that a drain is about, in order of namespace and name."""

    leaving: tuple[Body, ...]  # have a controller, or are finished with but for their grace
    alone: tuple[Body, ...]  # nothing would make them again
    with_scratch: tuple[Body, ...]  # lose what is in their emptyDir volumes (also in `leaving`)


class Nodes:
    """The nodes of an environment's cluster, and the environment's own pods on them."""

    def __init__(self, objects: GuardedObjects) -> None:
        self.objects = objects

    @classmethod
    def of(cls, environment: Environment) -> "Nodes | None":
        """Return the nodes of an environment, None when it has no cluster."""
        objects = GuardedObjects.of(environment)
        return cls(objects) if objects else None

    async def live(self, name: str) -> Body:
        """Return the node as it is now. Raises: UnknownName, Refused, Unavailable."""
        return await self.objects.live(KIND, "", name)

    async def target(self, name: str) -> Target:
        """Return the node as a target."""
        return await self.objects.target(await self.live(name), replicas=0)

    async def preview(self, body: Body, *, cordon: bool) -> DryRun:
        """Ask the API server what the node would be like, cordoned or not."""
        name = str(body["metadata"]["name"])
        verb = "cordon" if cordon else "uncordon"
        seen = await self.objects.preview(
            body,
            lambda _: cordon_patch(cordon=cordon),
            Patch.MERGE,
            command=f"kubectl {verb} {name}",
            unavailable=0,
        )
        blast = replace(seen.blast_radius, nodes=1, namespaces=0, services=())
        return replace(seen, blast_radius=blast)

    async def others(self, name: str) -> int:
        """Return how many other nodes are ready and take new pods."""
        found = await self.objects.client.list(KIND)
        return sum(
            str(node["metadata"].get("name")) != name and not is_cordoned(node) and is_ready(node)
            for node in found.items
        )

    async def pods(self, name: str) -> Pods:
        """Return the environment's pods on a node that a drain is about.

        Left out: those of a DaemonSet, mirrors of static pods, and those that are over.
        """
        found: list[Body] = []
        for namespace in self.objects.environment.namespaces:
            listing = await self.objects.client.list(
                "Pod", namespace, fields=f"spec.nodeName={name}"
            )
            found += [p for p in listing.items if (p.get("spec") or {}).get("nodeName") == name]
        bound = [pod for pod in sorted(found, key=pod_name) if _moves(pod)]
        leaving = tuple(p for p in bound if controller_of(p) or is_going(p))
        return Pods(
            leaving=leaving,
            alone=tuple(p for p in bound if p not in leaving),
            with_scratch=tuple(p for p in bound if _has_scratch(p) and not is_going(p)),
        )


def cordon_patch(*, cordon: bool) -> dict[str, Any]:
    """Return the merge patch that cordons a node, or takes that back."""
    return {"spec": {"unschedulable": True if cordon else None}}


def is_cordoned(node: Mapping[str, Any]) -> bool:
    """Whether the node takes no new pods."""
    return bool((node.get("spec") or {}).get("unschedulable"))


def is_ready(node: Mapping[str, Any]) -> bool:
    """Whether the node's Ready condition is true."""
    return _ready(node).get("status") == "True"


def ready_condition(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the node's Ready condition, empty if it has none."""
    return _ready(node)


def pod_name(pod: Mapping[str, Any]) -> str:
    """Return "shop/web-1"."""
    metadata = pod.get("metadata") or {}
    return f"{metadata.get('namespace')}/{metadata.get('name')}"


def names(pods: Sequence[Mapping[str, Any]], most: int = 5) -> str:
    """Return the names of pods in one line, the first `most` of them."""
    shown = ", ".join(pod_name(p) for p in pods[:most])
    return shown + (f" and {len(pods) - most} more" if len(pods) > most else "")


def is_going(body: Mapping[str, Any]) -> bool:
    """Whether the object is being deleted already."""
    return bool((body.get("metadata") or {}).get("deletionTimestamp"))


def _ready(node: Mapping[str, Any]) -> Mapping[str, Any]:
    conditions = (node.get("status") or {}).get("conditions") or ()
    return next((c for c in conditions if c.get("type") == "Ready"), {})


def _moves(pod: Mapping[str, Any]) -> bool:
    annotations = (pod.get("metadata") or {}).get("annotations") or {}
    return (
        MIRROR not in annotations
        and controller_of(pod).get("kind") != "DaemonSet"
        and (pod.get("status") or {}).get("phase") not in OVER
    )


def _has_scratch(pod: Mapping[str, Any]) -> bool:
    volumes = (pod.get("spec") or {}).get("volumes") or ()
    return any("emptyDir" in volume for volume in volumes)
