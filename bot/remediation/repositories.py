"""Turns proposals into pull requests: to revert a commit, or because GitOps or Helm owns an object.

What is owned elsewhere is put back when it is patched in place. Where the environment's settings
say in which repository its manifest is, the same change is proposed there; where they do not, the
proposal stays what it is: policy lets nobody run it here, and the card shows the command.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from bot.domain.errors import NotConfigured
from bot.domain.snapshot import ChangeKind, KubernetesObject
from bot.remediation.brittleness import gitops_owner
from bot.remediation.evidence import Bound, Case, Unbound, parts, section
from bot.remediation.revisions import revisions
from tools.clients.manifest_places import places_of

PULL_REQUESTS = frozenset({"revert_commit", "edit_manifest"})
LATER = PULL_REQUESTS | {"rerun_deployment"}
"""Actions that touch the cluster only by the rollout which follows them."""
PATIENCE_S = 3600.0  # a person reads and merges it, then it is rolled out
_SHA = re.compile(r"[0-9a-f]{40}")
_KINDS = {"revert_config": "ConfigMap"}
Values = Mapping[str, str | int]


def revert_commit(case: Case, _: Mapping[str, str]) -> Bound:
    """Bind the commit to blame: its own change, or the only one that a deploy brought."""
    service, change = case.hypothesis.service, case.change()
    known = (case.environment.connections.get("github") or {}).get("repositories") or {}
    if not isinstance(known, Mapping) or service not in known:
        raise Unbound(f"in which repository {service} is, no setting says")
    if change is None or change.kind not in (ChangeKind.COMMIT, ChangeKind.DEPLOY):
        raise Unbound("no commit that could be reverted was seen")
    if not change.revertible:
        raise Unbound(f"{change.summary}: it cannot be taken back")
    commits = change.commits if change.kind is ChangeKind.DEPLOY else (change.after or "",)
    if len(commits) != 1 or not _SHA.fullmatch(commits[0]):
        raise Unbound(f"{change.summary}: which one commit to revert is not known")
    arguments = {"service": service, "commit": commits[0], "withdraw": False}
    return Bound(arguments=arguments, title=f"Open a pull request that reverts {commits[0][:8]}")


def in_its_repository(case: Case, action: str, bound: Bound) -> tuple[str, Bound]:
    """Return the same change as a pull request where somebody else owns the object, else as it is.

    Raises: Unbound: its manifest is elsewhere, and this change cannot be made there value by value.
    """
    translate = _VALUES.get(action)
    item = _touched(case, action, bound.arguments) if translate is not None else None
    owner = gitops_owner(item) if item is not None else ""
    if translate is None or item is None or not owner:
        return action, bound
    service = _mapped(case, item)
    if not service:
        return action, bound
    arguments: Mapping[str, Any] = {
        "service": service,
        "kind": item.kind,
        "name": item.name,
        "values": dict(translate(case, item, bound.arguments)),
        "withdraw": False,
    }
    title = f"{bound.title}, by a pull request ({owner} owns {item.kind.lower()}/{item.name})"
    return "edit_manifest", Bound(arguments=arguments, title=title)


def _mapped(case: Case, item: KubernetesObject) -> str:
    """Return the service under which the manifest's place is set, "" if none is."""
    try:
        places = places_of(case.environment)
    except NotConfigured:
        return ""
    return next((n for n in (case.hypothesis.service, item.name) if n in places), "")


def _touched(case: Case, action: str, arguments: Mapping[str, Any]) -> KubernetesObject | None:
    kind = str(arguments.get("kind") or _KINDS.get(action, "Deployment"))
    if action == "scale_autoscaler":
        kind = "HorizontalPodAutoscaler"
    return case.find(kind, str(arguments.get("name")))


def _scaled(_: Case, __: KubernetesObject, arguments: Mapping[str, Any]) -> Values:
    return {"spec.replicas": arguments["replicas"]}


def _bounds(_: Case, __: KubernetesObject, arguments: Mapping[str, Any]) -> Values:
    return {
        "spec.minReplicas": arguments["min_replicas"],
        "spec.maxReplicas": arguments["max_replicas"],
    }


def _image(_: Case, __: KubernetesObject, arguments: Mapping[str, Any]) -> Values:
    return {_image_path(arguments["container"]): arguments["image"]}


def _settings(_: Case, item: KubernetesObject, arguments: Mapping[str, Any]) -> Values:
    removed = sorted(key for key, value in arguments["data"].items() if value is None)
    if removed:
        raise Unbound(f"{', '.join(removed)} of {item.name} would have to be taken out by a person")
    return {f"data[{key}]": value for key, value in arguments["data"].items()}


def _earlier_images(case: Case, item: KubernetesObject, arguments: Mapping[str, Any]) -> Values:
    """Return the images of the earlier revision, if nothing but images differs from it."""
    kept = {r.number: r.template for r in revisions(case.snapshot, item)}
    earlier = kept.get(arguments["to_revision"])
    now = kept[max(kept)] if kept else {}
    if earlier is None or _but_images(earlier) != _but_images(now):
        raise Unbound(f"more than images of {item.name} changed: revert the commit that did it")
    before, after = _images(now), _images(earlier)
    return {_image_path(name): after[name] for name in before if after[name] != before[name]}


def _but_images(template: Mapping[str, Any]) -> Mapping[str, Any]:
    spec = section(template, "spec")
    bare = [{k: v for k, v in c.items() if k != "image"} for c in parts(template, "spec",
                                                                        "containers")]  # fmt: skip
    return {**spec, "containers": bare}


def _images(template: Mapping[str, Any]) -> dict[str, str]:
    return {str(c.get("name")): str(c.get("image")) for c in parts(template, "spec", "containers")}


def _image_path(container: str) -> str:
    return f"spec.template.spec.containers[{container}].image"


_VALUES: Mapping[str, Callable[[Case, KubernetesObject, Mapping[str, Any]], Values]] = {
    "scale_deployment": _scaled,
    "scale_autoscaler": _bounds,
    "set_image": _image,
    "revert_config": _settings,
    "rollback_deployment": _earlier_images,
}
