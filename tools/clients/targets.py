"""What policy must know of a live object: owner, state, whether it is the bot itself."""

from collections.abc import Mapping
from typing import Any

from bot.domain.action import Target
from tools.clients.diffs import spec_hash
from tools.clients.names import service_of_object

BOT_NAME = "sre-bot"
NAME_LABEL = "app.kubernetes.io/name"


def target_of(
    environment: str, body: Mapping[str, Any], *, replicas: int, pdb_allows: int | None = None
) -> Target:
    """Return the object as a target, as it is now."""
    metadata = body.get("metadata") or {}
    return Target(
        environment=environment,
        kind=str(body.get("kind") or ""),
        namespace=str(metadata.get("namespace") or ""),
        name=str(metadata.get("name") or ""),
        uid=str(metadata.get("uid") or ""),
        spec_hash=spec_hash(body),
        service=service_of_object(body),
        replicas=replicas,
        stateful=is_stateful(body),
        gitops_owner=gitops_owner(body),
        is_bot_itself=is_bot_itself(body),
        pdb_allows=pdb_allows,
        owner=owner(body),
    )


def pod_spec(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the pod spec of a workload, or of a pod itself."""
    spec = body.get("spec") or {}
    if body.get("kind") == "Pod":
        return dict(spec)
    return (spec.get("template") or {}).get("spec") or {}


def pod_labels(body: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the labels that a workload's pods (or a pod) carry."""
    if body.get("kind") == "Pod":
        return (body.get("metadata") or {}).get("labels") or {}
    template = (body.get("spec") or {}).get("template") or {}
    return (template.get("metadata") or {}).get("labels") or {}


def is_stateful(body: Mapping[str, Any]) -> bool:
    """Whether it keeps data: a StatefulSet, one of its pods, or a user of a volume claim."""
    if body.get("kind") == "StatefulSet":
        return True
    owners = (body.get("metadata") or {}).get("ownerReferences") or ()
    if any(owner.get("kind") == "StatefulSet" for owner in owners):
        return True
    volumes = pod_spec(body).get("volumes") or ()
    return any("persistentVolumeClaim" in v or "ephemeral" in v for v in volumes)


def owner(body: Mapping[str, Any]) -> str:
    """Return the team that its label or annotation names, "" if none does."""
    metadata = body.get("metadata") or {}
    for place in (metadata.get("labels") or {}, metadata.get("annotations") or {}):
        for name, value in sorted(place.items()):
            if name.rpartition("/")[2] in ("team", "owner") and isinstance(value, str):
                return value
    return ""


def gitops_owner(body: Mapping[str, Any]) -> str:
    """Return "argocd", "flux" or "helm" if that would undo a change made in place, else ""."""
    metadata = body.get("metadata") or {}
    labels = metadata.get("labels") or {}
    annotations = metadata.get("annotations") or {}
    names = {*labels, *annotations}
    if names & {"argocd.argoproj.io/instance", "argocd.argoproj.io/tracking-id"}:
        return "argocd"
    if any(".toolkit.fluxcd.io/" in name for name in names) or "fluxcd.io/sync-checksum" in names:
        return "flux"
    managed = str(labels.get("app.kubernetes.io/managed-by", "")).lower()
    if managed == "helm" or "meta.helm.sh/release-name" in names:
        return "helm"
    return ""


def is_bot_itself(body: Mapping[str, Any]) -> bool:
    """Whether the object, or the pods it makes, carry the bot's own name."""
    own = (body.get("metadata") or {}).get("labels") or {}
    return BOT_NAME in (own.get(NAME_LABEL), pod_labels(body).get(NAME_LABEL))


def selects(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether a label selector matches. An empty selector matches everything, none nothing.

    Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/
    """
    if selector is None:
        return False
    wanted = selector.get("matchLabels") or {}
    if any(labels.get(k) != v for k, v in wanted.items()):
        return False
    return all(_meets(rule, labels) for rule in selector.get("matchExpressions") or ())


def _meets(rule: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = str(rule.get("key")), rule.get("values") or ()
    there = key in labels
    checks = {
        "In": there and labels.get(key) in values,
        "NotIn": labels.get(key) not in values,
        "Exists": there,
        "DoesNotExist": not there,
    }
    return checks.get(str(rule.get("operator")), False)
