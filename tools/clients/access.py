"""What the bot needs of Kubernetes: to read, and for each action apart, so that little is granted.

`sre-bot rbac --to deploy/rbac` writes it as roles; `sre-bot doctor` compares it with what is there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tools.clients.kubernetes import Kubernetes
from tools.clients.kubernetes_errors import Request
from tools.clients.kubernetes_kinds import RESOURCES, resource_of

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One verb on one resource, as RBAC writes it. `kind` is ours; "*" is every one."""

    verb: str
    group: str
    resource: str  # "pods", "pods/eviction"
    kind: str = ""
    namespaced: bool = True

    @property
    def words(self) -> str:
        """The rule that a role needs for it."""
        return (
            f'apiGroups: ["{self.group}"], resources: ["{self.resource}"], verbs: ["{self.verb}"]'
        )


def _grant(verb: str, kind: str, below: str = "") -> Grant:
    found = resource_of(kind)
    resource = f"{found.plural}/{below}" if below else found.plural
    return Grant(
        verb=verb, group=found.group, resource=resource, kind=kind, namespaced=found.namespaced
    )


def _patch(*kinds: str) -> tuple[Grant, ...]:
    return tuple(_grant("patch", kind) for kind in kinds)


_EVICT = _grant("create", "Pod", "eviction")
_RECORD = _grant("create", "Event")  # what is gone can carry no key: an event remembers it
ACTIONS: Mapping[str, tuple[Grant, ...]] = {
    "cordon_node": _patch("Node"),
    "delete_failed_job": (_grant("delete", "Job"), _RECORD),
    "delete_stuck_pod": (_grant("delete", "Pod"), _RECORD),
    "drain_node": (*_patch("Node"), _EVICT),
    "expand_pvc": _patch("PersistentVolumeClaim"),
    "fix_service": _patch("Service"),
    "pause_rollout": _patch("Deployment"),
    "raise_quota": _patch("ResourceQuota"),
    "restart_daemonset": _patch("DaemonSet"),
    "restart_deployment": _patch("Deployment"),
    "restart_pod": (_EVICT, _RECORD),
    "restart_statefulset": _patch("StatefulSet"),
    "resume_rollout": _patch("Deployment"),
    "revert_config": _patch("ConfigMap", *WORKLOADS),
    "rollback_daemonset": _patch("DaemonSet"),
    "rollback_deployment": _patch("Deployment"),
    "rollback_statefulset": _patch("StatefulSet"),
    "scale_autoscaler": _patch("HorizontalPodAutoscaler"),
    "scale_deployment": _patch("Deployment"),
    "scale_statefulset": _patch("StatefulSet"),
    "set_image": _patch(*WORKLOADS),
    "set_resources": _patch(*WORKLOADS),
    "uncordon_node": _patch("Node"),
}
"""What each Kubernetes action writes; what it reads is in the role for reading."""


def reads() -> tuple[Grant, ...]:
    """Return what perception and the dry look of actions read. Never secrets."""
    listed = (_grant(verb, kind) for kind in RESOURCES for verb in ("get", "list"))
    return (*listed, _grant("get", "Pod", "log"))


WATCHES = (_grant("watch", "Event"),)
"""What is read as it happens, if the settings ask for it: warning events."""


TOO_MUCH: Mapping[str, Grant] = {
    "everything (cluster-admin)": Grant(verb="*", group="*", resource="*"),
    "read secrets": Grant(verb="get", group="", resource="secrets"),
    "list secrets": Grant(verb="list", group="", resource="secrets"),
    "write secrets": Grant(verb="patch", group="", resource="secrets"),
    "run commands in pods": Grant(verb="create", group="", resource="pods/exec"),
    "delete deployments": Grant(verb="delete", group="apps", resource="deployments"),
    "delete volume claims": Grant(
        verb="delete", group="", resource="persistentvolumeclaims"
    ),
    "change roles": Grant(verb="patch", group="rbac.authorization.k8s.io", resource="roles"),
    "bind roles": Grant(
        verb="create", group="rbac.authorization.k8s.io", resource="rolebindings"
    ),
    "bind cluster roles": Grant(
        verb="create", group="rbac.authorization.k8s.io", resource="clusterrolebindings",
        namespaced=False,
    ),
    "act as others": Grant(verb="impersonate", group="", resource="users", namespaced=False),
    "make tokens of service accounts": Grant(
        verb="create", group="", resource="serviceaccounts/token"
    ),
    "reach through nodes": Grant(
        verb="get", group="", resource="nodes/proxy", namespaced=False
    ),
    "delete namespaces": Grant(
        verb="delete", group="", resource="namespaces", namespaced=False
    ),
}  # fmt: skip
"""What the bot never needs; to hold it is a risk that brings nothing."""


async def allowed(client: Kubernetes, grant: Grant, namespace: str) -> bool:
    """Ask the API server whether this identity may. Raises: as the client does."""
    resource, _, below = grant.resource.partition("/")
    wanted = {
        "verb": grant.verb, "group": grant.group, "resource": resource, "subresource": below,
        "namespace": namespace if grant.namespaced else "",
    }  # fmt: skip
    answer = await client.call(
        Request(
            verb="create",
            resource="selfsubjectaccessreviews.authorization.k8s.io",
            method="POST",
            path="/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            body={
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": wanted},
            },
        )
    )
    return (answer.get("status") or {}).get("allowed") is True


def manifests() -> dict[str, list[dict[str, Any]]]:
    """Return the roles by file name, below deploy/rbac."""
    files = {"read.yaml": [_ACCOUNT, *_roles("sre-bot-read", (*reads(), *WATCHES), "")]}
    for name, grants in ACTIONS.items():
        role = f"sre-bot-act-{name.replace('_', '-')}"
        files[f"actions/{name}.yaml"] = _roles(role, grants, name)
    return files


_ACCOUNT = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "sre-bot"}}


def _roles(name: str, grants: Sequence[Grant], action: str) -> list[dict[str, Any]]:
    """Return a role for namespaces and one for the cluster; each only if there is a need."""
    halves = ((name, True), (f"{name}-cluster", False))
    made = []
    for role, namespaced in halves:
        rules = _rules([g for g in grants if g.namespaced is namespaced])
        if rules:
            labels = {"app.kubernetes.io/part-of": "sre-bot"}
            labels |= {"sre-bot/action": action} if action else {}
            made.append(
                {
                    "apiVersion": "rbac.authorization.k8s.io/v1",
                    "kind": "ClusterRole",
                    "metadata": {"name": role, "labels": labels},
                    "rules": rules,
                }
            )
    return made


def _rules(grants: Sequence[Grant]) -> list[dict[str, Any]]:
    """Return one rule per group and set of verbs."""
    verbs: dict[tuple[str, str], list[str]] = {}
    for grant in grants:
        verbs.setdefault((grant.group, grant.resource), []).append(grant.verb)
    together: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (group, resource), said in sorted(verbs.items()):
        together.setdefault((group, tuple(sorted(said))), []).append(resource)
    return [
        {"apiGroups": [group], "resources": resources, "verbs": list(said)}
        for (group, said), resources in together.items()
    ]
