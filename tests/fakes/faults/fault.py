"""What a fault is, and the hands that put it into a namespace."""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.real_cluster import Json, RealCluster

STRATEGIC = "application/strategic-merge-patch+json"


@dataclass(kw_only=True)
class Place:
    """A shop in a namespace, and which of its workloads is the victim."""

    cluster: RealCluster
    namespace: str
    victim: str = "cart"
    registry: str = "127.0.0.1:1"  # of images that cannot be had
    undo: list[Callable[[], object]] = field(default_factory=list)
    connections: dict[str, Mapping[str, Any]] = field(default_factory=dict)  # beside Kubernetes
    broken_at: float = 0.0  # on the monotonic clock, where a fault keeps it

    # -- to change it -------------------------------------------------------------------

    def roll(self, *, template: Mapping[str, Any] | None = None, **pod: Any) -> None:
        """Roll out a change of the victim's pods: `pod` is merged into their spec."""
        body = {"spec": {"template": {**(template or {}), "spec": pod}}}
        self.patch("Deployment", self.victim, body)

    def roll_container(self, **fields: Any) -> None:
        """Roll out a change of the victim's container."""
        self.roll(containers=[{"name": "app", **fields}])

    def patch(self, kind: str, name: str, body: Mapping[str, Any]) -> None:
        """Merge a change into an object the way `kubectl patch` does."""
        self.cluster.patch(kind, self.namespace, name, body, STRATEGIC)

    def apply(self, *objects: Mapping[str, Any]) -> None:
        """Create objects in the namespace."""
        self.cluster.apply(self.namespace, *objects)

    def finally_(self, work: Callable[[], object]) -> None:
        """Have something undone when the place is given back: what is not in the namespace."""
        self.undo.append(work)

    def leave(self) -> None:
        """Undo what reaches beyond the namespace."""
        while self.undo:
            with contextlib.suppress(AssertionError):
                self.undo.pop()()

    # -- to look at it ------------------------------------------------------------------

    def pods(self) -> list[Json]:
        """Return the victim's pods."""
        return self.cluster.items("Pod", self.namespace, f"app={self.victim}")

    def states(self) -> list[Json]:
        """Return the states of the victim's containers."""
        return [s for p in self.pods() for s in p["status"].get("containerStatuses", ())]

    def waits(self, *reasons: str) -> bool:
        """Whether a container of the victim waits for one of these reasons."""
        return any(s["state"].get("waiting", {}).get("reason") in reasons for s in self.states())

    def restarts(self) -> int:
        """Return how often the victim's containers were started again, at most."""
        return max((s["restartCount"] for s in self.states()), default=0)

    def unschedulable(self) -> bool:
        """Whether the scheduler found no place for a pod of the victim."""
        return any(
            c.get("reason") == "Unschedulable"
            for p in self.pods()
            for c in p["status"].get("conditions", ())
        )

    def told(self, reason: str, words: str = "") -> bool:
        """Whether there is an event about the victim of this reason, with these words."""
        return any(
            e["reason"] == reason
            and e["involvedObject"]["name"].startswith(self.victim)
            and words in e.get("message", "")
            for e in self.cluster.items("Event", self.namespace)
        )

    def logged(self, words: str) -> bool:
        """Whether a running pod of the victim wrote these words."""
        for pod in (p for p in self.pods() if p["status"].get("phase") == "Running"):
            with contextlib.suppress(AssertionError):
                if words in self.cluster.logs(self.namespace, pod["metadata"]["name"]):
                    return True
        return False


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One way to break the shop.

    `cause`: what the product may call it. `label`: Cloud-OpsBench's name, "" if it has none.
    `object`: the culprit, with the victim and the namespace to be filled in.
    `prepare`: what the shop lacks for it, done while all is well. `shows`: true when a person could
    see it. `alone`: it reaches the whole node. `slow`: it takes minutes to show.
    """

    name: str
    cause: tuple[str, ...]
    inject: Callable[[Place], None]
    shows: Callable[[Place], object]
    label: str = ""
    object: str = "deployment/{victim}"
    alone: bool = False
    slow: bool = False
    within_s: float = 90.0
    prepare: Callable[[Place], Any] = bool

    def truth(self, place: Place) -> str:
        """Return the culprit's "kind/name"."""
        return self.object.format(victim=place.victim, namespace=place.namespace)
