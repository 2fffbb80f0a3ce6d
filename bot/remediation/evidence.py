"""What a remedy rests on: the blamed change and the objects it touches, from the snapshot."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.domain.diagnosis import Hypothesis
from bot.domain.environment import Environment
from bot.domain.snapshot import Change, KubernetesObject, Snapshot

LOOK_BACK = timedelta(hours=6)
SLACK = timedelta(minutes=1)  # a rollout is entered a little after it began
WORKLOADS = {
    "deployment": "Deployment",
    "statefulset": "StatefulSet",
    "daemonset": "DaemonSet",
}


class Unbound(Exception):
    """An action cannot be bound: the text says which evidence is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """Arguments that the evidence gives, and the title that says them."""

    arguments: Mapping[str, Any]
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One root cause with the facts around it."""

    hypothesis: Hypothesis
    snapshot: Snapshot
    environment: Environment

    @property
    def kind(self) -> str:
        """Kind of the object that is the cause, lower case."""
        return self.hypothesis.object.partition("/")[0]

    @property
    def name(self) -> str:
        """Name of the object that is the cause."""
        return self.hypothesis.object.partition("/")[2]

    @property
    def onset(self) -> datetime:
        """When the trouble began, as far as is known."""
        return self.hypothesis.onset or self.snapshot.now

    def change(self) -> Change | None:
        """Return the change to blame: the hypothesis' own, else the newest of its object before."""
        if self.hypothesis.change is not None:
            return self.hypothesis.change
        found = [c for c in self.snapshot.changes if self._is_suspect(c)]
        return max(found, key=lambda c: c.at, default=None)

    def _is_suspect(self, change: Change) -> bool:
        here = change.object == self.hypothesis.object or change.service == self.hypothesis.service
        return here and self.onset - LOOK_BACK <= change.at <= self.onset + SLACK

    def deployment(self) -> KubernetesObject:
        """Return the deployment that the cause is about. Raises: Unbound."""
        names = [self.name] if self.kind in ("deployment", "pod") else []
        change = self.hypothesis.change
        if change is not None and change.object.startswith("deployment/"):
            names.append(change.object.partition("/")[2])
        for name in (*names, self.hypothesis.service):
            found = self.find("Deployment", name)
            if found is not None:
                return found
        raise Unbound(f"the deployment of {self.hypothesis.service} was not seen")

    def workload(self) -> KubernetesObject:
        """Return the workload of any kind that the cause is about. Raises: Unbound."""
        kind = WORKLOADS.get(self.kind)
        if kind not in (None, "Deployment"):
            found = self.find(str(kind), self.name)
            if found is None:
                raise Unbound(f"{self.hypothesis.object} was not seen")
            return found
        return self.deployment()

    def find(self, kind: str, name: str) -> KubernetesObject | None:
        """Return the newest read of an object in the environment's namespaces."""
        found = None
        for candidate in self.snapshot.kind(kind):
            watched = candidate.namespace in self.environment.namespaces
            if candidate.name == name and (watched or not self.environment.namespaces):
                found = candidate
        return found


def place(item: KubernetesObject) -> dict[str, Any]:
    """Return the arguments that name an object of a namespace."""
    return {"namespace": item.namespace, "name": item.name}


def parts(body: Mapping[str, Any], *path: str) -> list[Mapping[str, Any]]:
    """Return the objects of a nested list, empty where anything is missing or of another type."""
    *above, last = path
    found = section(body, *above).get(last)
    items = found if isinstance(found, list | tuple) else ()
    return [i for i in items if isinstance(i, Mapping)]


def replicas(deployment: KubernetesObject) -> int:
    """Return how many pods a deployment asks for; the API's default is 1."""
    wanted = section(deployment.body, "spec").get("replicas")
    return wanted if isinstance(wanted, int) and not isinstance(wanted, bool) else 1


def section(body: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """Return a nested object, empty where anything on the way is missing or of another type."""
    here: Any = body
    for name in path:
        here = here.get(name) if isinstance(here, Mapping) else None
    return here if isinstance(here, Mapping) else {}


def users_of(case: Case, config: str, namespace: str) -> Iterator[str]:
    """Yield the deployments whose pods read a config map."""
    seen = set()
    for item in case.snapshot.kind("Deployment"):
        if item.namespace == namespace and item.name not in seen and _reads(item.body, config):
            seen.add(item.name)
            yield item.name


def _reads(body: Mapping[str, Any], config: str) -> bool:
    pod = section(body, "spec", "template", "spec")
    return any(
        reference.get("name") == config
        for reference in _config_references({"pod": pod})
        if isinstance(reference, Mapping)
    )


def _config_references(value: Any) -> Iterator[Any]:
    """Yield what stands under configMapRef, configMapKeyRef and configMap, at any depth."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key in ("configMapRef", "configMapKeyRef", "configMap"):
                yield inner
            yield from _config_references(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _config_references(inner)
