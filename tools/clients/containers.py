"""A container of a workload's pod template, and which images it ran before."""

from collections.abc import Mapping
from typing import Any

from tools.clients.rollouts import kept_templates
from tools.clients.writing import Body, GuardedObjects, words

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")


def containers_of(template: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the containers of a pod template, in order."""
    return list((template.get("spec") or {}).get("containers") or ())


def place_of(body: Body, container: str) -> int | None:
    """Return the position of a container in a workload's template, None if it has none."""
    template = (body.get("spec") or {}).get("template") or {}
    names = [c.get("name") for c in containers_of(template)]
    return names.index(container) if container in names else None


def container_at(body: Body, place: int) -> Mapping[str, Any]:
    """Return the container at a position."""
    return containers_of(body["spec"]["template"])[place]


def hindrance(body: Body, container: str) -> str:
    """Return why a container's change would not reach its pods, "" if it would."""
    if (body.get("spec") or {}).get("paused"):
        return f"{words(body)} is paused: resume it first"
    if place_of(body, container) is None:
        template = (body.get("spec") or {}).get("template") or {}
        there = ", ".join(str(c.get("name")) for c in containers_of(template)) or "none"
        return f"{words(body)} has no container {container}; there are: {there}"
    return ""


async def templates_of(objects: GuardedObjects, body: Body) -> dict[int, Mapping[str, Any]]:
    """Return the pod templates that are kept of a workload, by revision. Raises: Refused, …."""
    kind = "ReplicaSet" if body["kind"] == "Deployment" else "ControllerRevision"
    listing = await objects.client.list(kind, str(body["metadata"]["namespace"]))
    return kept_templates(body, listing.items)


def images_of(templates: Mapping[int, Mapping[str, Any]], container: str) -> list[str]:
    """Return the images that a container had, the newest revision's first, each once."""
    found = (
        str(c.get("image"))
        for number in sorted(templates, reverse=True)
        for c in containers_of(templates[number])
        if c.get("name") == container and c.get("image")
    )
    return list(dict.fromkeys(found))
