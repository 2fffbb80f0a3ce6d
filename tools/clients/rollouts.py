"""The revisions of Deployments, as their ReplicaSets keep them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tools.clients.moments import moment_of

REVISION = "deployment.kubernetes.io/revision"
HASH_LABEL = "pod-template-hash"
OWNERS = ("Deployment", "StatefulSet", "DaemonSet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One revision of a workload. `template` is the pod template, without the hash label."""

    owner: str  # the workload's name
    owner_uid: str
    number: int
    uid: str
    name: str
    created_at: datetime
    template: Mapping[str, Any]
    body: Mapping[str, Any]
    kind: str = "Deployment"

    @property
    def version(self) -> str:
        """What people call it: the version label, else the first image's tag."""
        labels = (self.template.get("metadata") or {}).get("labels") or {}
        version = labels.get("app.kubernetes.io/version") or labels.get("version")
        return str(version) if version else image_tag(first_image(self.template))


def revisions_of(items: Iterable[Mapping[str, Any]]) -> list[Revision]:
    """Return the revisions among ReplicaSets and ControllerRevisions.

    Those without owner or number are skipped.
    """
    return [found for found in (_revision(item) for item in items) if found is not None]


def kept_templates(
    workload: Mapping[str, Any], items: Iterable[Mapping[str, Any]]
) -> dict[int, Mapping[str, Any]]:
    """Return the pod templates that a workload's revisions keep, by number.

    `items`: ReplicaSets for a Deployment, ControllerRevisions for a StatefulSet or DaemonSet.
    """
    uid = (workload.get("metadata") or {}).get("uid")
    if workload.get("kind") == "Deployment":
        return {r.number: r.template for r in revisions_of(items) if r.owner_uid == uid}
    return dict(_controller_revision(item) for item in items if uid and _belongs(item, uid))


def _belongs(item: Mapping[str, Any], uid: str) -> bool:
    owners = (item.get("metadata") or {}).get("ownerReferences") or ()
    return any(o.get("controller") and o.get("uid") == uid for o in owners)


def _controller_revision(item: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
    """Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/controller-revision-v1/."""
    number = item.get("revision")
    template = ((item.get("data") or {}).get("spec") or {}).get("template") or {}
    kept = {k: v for k, v in template.items() if k != "$patch"}
    return (number if isinstance(number, int) else 0), kept


def first_image(template: Mapping[str, Any]) -> str:
    """Return the image of the first container, "" if there is none."""
    containers = (template.get("spec") or {}).get("containers") or [{}]
    return str(containers[0].get("image") or "")


def image_tag(image: str) -> str:
    """Return "v2" of "registry:5000/shop/cart:v2@sha256:…"; the whole image if it has no tag."""
    name = image.split("@", 1)[0]
    _, colon, tag = name.rpartition(":")
    return tag if colon and "/" not in tag else image


def _revision(body: Mapping[str, Any]) -> Revision | None:
    metadata = body.get("metadata") or {}
    owners = metadata.get("ownerReferences") or ()
    owner = next((o for o in owners if o.get("kind") in OWNERS), None)
    number, template = _kept(body)
    created = moment_of(metadata.get("creationTimestamp"))
    if owner is None or number < 0 or created is None:
        return None
    return Revision(
        kind=str(owner["kind"]),
        owner=str(owner.get("name")),
        owner_uid=str(owner.get("uid")),
        number=number,
        uid=str(metadata.get("uid")),
        name=str(metadata.get("name")),
        created_at=created,
        template=_without_hash(template),
        body=body,
    )


def _kept(body: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
    """Return a revision's number (-1: it has none) and the pod template that it keeps."""
    if "data" in body:
        number, template = _controller_revision(body)
        return number or -1, template
    number_text = str(((body.get("metadata") or {}).get("annotations") or {}).get(REVISION, ""))
    template = (body.get("spec") or {}).get("template") or {}
    return (int(number_text) if number_text.isdigit() else -1), template


def _without_hash(template: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = dict(template.get("metadata") or {})
    labels = {k: v for k, v in (metadata.get("labels") or {}).items() if k != HASH_LABEL}
    return {**template, "metadata": {**metadata, "labels": labels}}
