"""Which earlier revision of a workload to go back to: it must be kept, differ, and have run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from bot.domain.snapshot import Change, KubernetesObject, Snapshot
from bot.remediation.evidence import Unbound, section

REVISION = "deployment.kubernetes.io/revision"
STOOD = timedelta(minutes=5)  # a revision replaced sooner than that was hardly a healthy one
NEAR = timedelta(minutes=10)  # a change feed and the cluster may disagree by this much


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One kept revision, from a ReplicaSet or a ControllerRevision."""

    number: int
    version: str
    created: datetime
    template: Mapping[str, Any]


def before_change(
    snapshot: Snapshot, workload: KubernetesObject, change: Change | None
) -> Revision:
    """Return the newest healthy revision before the suspected change. Raises: Unbound."""
    kept = revisions(snapshot, workload)
    if not kept:
        raise Unbound(f"no revision of {workload.name} was seen")
    current = kept[-1]
    culprit = _culprit(kept, change)
    earlier = [r for r in kept if r.number < culprit.number and r.template != culprit.template]
    if not earlier:
        raise Unbound(f"no earlier revision of {workload.name} is kept")
    chosen = _as_the_change_says(earlier, change) or _healthy(kept, earlier)
    if chosen is None:
        raise Unbound(f"no earlier revision of {workload.name} ran long enough to be trusted")
    if chosen.template == current.template:
        raise Unbound(f"{workload.name} is at revision {chosen.number} again already")
    return chosen


def revisions(snapshot: Snapshot, workload: KubernetesObject) -> list[Revision]:
    """Return the kept revisions of a workload, the oldest first; unreadable ones are skipped."""
    found = {r.number: r for r in _parsed(snapshot, workload)}
    return [found[number] for number in sorted(found)]


def _parsed(snapshot: Snapshot, workload: KubernetesObject) -> Iterator[Revision]:
    kind = "ReplicaSet" if workload.kind == "Deployment" else "ControllerRevision"
    for item in snapshot.kind(kind):
        if item.namespace != workload.namespace or not _owned(item, workload):
            continue
        metadata = section(item.body, "metadata")
        number = _number(item.body)
        created = _moment(metadata.get("creationTimestamp"))
        if number.isascii() and number.isdigit() and len(number) < 10 and created is not None:
            template = _template(item.body)
            yield Revision(
                number=int(number), version=_version(template), created=created, template=template
            )


def _number(body: Mapping[str, Any]) -> str:
    """Return a revision's number, "" if it has none.

    Source: kubernetes.io/docs/reference/kubernetes-api/workload-resources/controller-revision-v1.
    """
    own = body.get("revision")
    if isinstance(own, int) and not isinstance(own, bool):
        return str(own)
    return str(section(body, "metadata", "annotations").get(REVISION, ""))


def _owned(item: KubernetesObject, workload: KubernetesObject) -> bool:
    owners = section(item.body, "metadata").get("ownerReferences")
    uid = section(workload.body, "metadata").get("uid")
    return any(
        section({"o": owner}, "o").get("kind") == workload.kind
        and section({"o": owner}, "o").get("name") == workload.name
        and (uid is None or section({"o": owner}, "o").get("uid") in (None, uid))
        for owner in (owners if isinstance(owners, list | tuple) else ())
    )


def _template(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the pod template without what Kubernetes adds per revision."""
    template = section(body, "data", "spec", "template") or section(body, "spec", "template")
    metadata = section(template, "metadata")
    labels = {k: v for k, v in section(metadata, "labels").items() if k != "pod-template-hash"}
    return {"labels": labels, "spec": section(template, "spec")}


def _version(template: Mapping[str, Any]) -> str:
    label = template["labels"].get("app.kubernetes.io/version")
    if label:
        return str(label)
    containers = template["spec"].get("containers")
    first = containers[0] if isinstance(containers, list | tuple) and containers else {}
    image = str(section({"c": first}, "c").get("image", "")).split("@", 1)[0]
    _, colon, tag = image.rpartition(":")
    return tag if colon and "/" not in tag else ""


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _culprit(kept: list[Revision], change: Change | None) -> Revision:
    """Return the revision that the change brought: by version, else by time, else the current."""
    if change is None:
        return kept[-1]
    named = [r for r in kept if change.after and same_version(r.version, change.after)]
    near = [r for r in kept if abs(r.created - change.at) <= NEAR]
    return (named or near or kept)[-1]


def _as_the_change_says(earlier: list[Revision], change: Change | None) -> Revision | None:
    if change is None or not change.before:
        return None
    named = [r for r in earlier if same_version(r.version, change.before)]
    return named[-1] if named else None


def same_version(one: str, other: str) -> bool:
    """Return whether two texts name one version: "v2.40", "2.40", "registry/shop/cart:v2.40"."""

    def bare(text: str) -> str:
        return text.split("@", 1)[0].rpartition(":")[2].strip().removeprefix("v")

    return bool(bare(one)) and bare(one) == bare(other)


def _healthy(kept: list[Revision], earlier: list[Revision]) -> Revision | None:
    """Return the newest earlier revision that stood a while before the next one came."""
    stood = {a.number for a, b in pairwise(kept) if b.created - a.created >= STOOD}
    # A revision that was rolled back to has a later number than its age tells: then it did stand.
    stood |= {a.number for a, b in pairwise(kept) if b.created < a.created}
    return next((r for r in reversed(earlier) if r.number in stood), None)
