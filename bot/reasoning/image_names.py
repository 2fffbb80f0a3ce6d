"""Image references: registry, repository and tag, and how one differs from what ran before."""

from dataclasses import dataclass
from difflib import SequenceMatcher

from bot.domain.snapshot import KubernetesObject
from bot.reasoning.kubernetes import Cluster, containers, get, items, pod_spec, statuses, template

HUB = "docker.io"
PUBLIC = ("registry.k8s.io", "mcr.microsoft.com", "public.ecr.aws")  # pulls need no account there
ALIKE = 0.75  # of 1: a name this near to the old one is the old one misspelt


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """An image reference taken apart. Source: distribution/reference, "Grammar"."""

    host: str
    repository: str
    tag: str

    @property
    def place(self) -> tuple[str, str]:
        """Registry and repository: what credentials are given for."""
        return self.host, self.repository

    @property
    def is_public(self) -> bool:
        """Whether anybody may pull it: official images of Docker Hub, and public registries."""
        official = self.host == HUB and self.repository.startswith("library/")
        return official or self.host in PUBLIC


def reference(image: str) -> Reference:
    """Return the parts of a reference; Docker Hub's short names are completed."""
    name, _, digest = image.partition("@")
    first, slash, rest = name.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost"):
        first, rest = HUB, name if slash else f"library/{name}"
    path, _, last = rest.rpartition("/")
    repository, _, tag = last.partition(":")
    whole = f"{path}/{repository}" if path else repository
    return Reference(host=first, repository=whole, tag=digest or tag or "latest")


def pulled_by(pod: KubernetesObject) -> set[Reference]:
    """Return the images of a pod's containers that run or ran: they were pulled."""
    return {
        reference(str(status["image"]))
        for status in statuses(pod)
        if status.get("image") and _started(status)
    }


def before(cluster: Cluster, owner: KubernetesObject, image: str) -> Reference | None:
    """Return another image that the workload had in the same container before, None if unseen."""
    mine = reference(image)
    names = {
        container.get("name")
        for container in containers(pod_spec(owner))
        if reference(str(container.get("image") or "")) == mine
    }
    older = [pod_spec(p) for p in cluster.pods_of(owner)]
    older += [
        template(s).get("spec") or {}
        for s in cluster.all("ReplicaSet")
        if any(r.get("name") == owner.name for r in items(s.body, "metadata", "ownerReferences"))
    ]
    for spec in older:
        for container in containers(spec):
            other = reference(str(container.get("image") or ""))
            if container.get("name") in names and container.get("image") and other != mine:
                return other
    return None


def misspelt(new: Reference, old: Reference) -> str:
    """Return which part of a reference is nearly, not quite, the old one; "" if none is."""
    pairs = (("registry", new.host, old.host), ("repository", new.repository, old.repository))
    changed = [(part, a, b) for part, a, b in pairs if a != b]
    if not changed:
        return "tag" if new.tag != old.tag else ""
    near = [part for part, a, b in changed if SequenceMatcher(None, a, b).ratio() >= ALIKE]
    return near[0] if len(near) == len(changed) == 1 else ""


def _started(status: object) -> bool:
    running = get(status, "state", "running") or get(status, "lastState", "terminated")
    return bool(running or get(status, "state", "terminated"))
