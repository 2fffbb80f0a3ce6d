"""What makes a fix brittle here: who else owns the object, and what stands in the way."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from bot.domain.snapshot import ChangeKind, KubernetesObject
from bot.remediation.evidence import Case, Unbound, replicas, section

_RESTARTS = ("disruption_budget", "single_replica", "stateful")
_BY_ACTION: Mapping[str, tuple[str, ...]] = {
    "scale_deployment": ("autoscaler", "gitops", "stateful"),
    "rollback_deployment": ("gitops", *_RESTARTS),
    "rollback_statefulset": ("gitops", *_RESTARTS),
    "rollback_daemonset": ("gitops",),
    "pause_rollout": ("gitops",),
    "restart_deployment": _RESTARTS,
    "restart_pod": _RESTARTS,
    "revert_config": ("gitops", *_RESTARTS),
    "restart_statefulset": _RESTARTS,
    "scale_statefulset": ("autoscaler", "gitops", "stateful"),
    "scale_autoscaler": ("gitops", "stateful"),
    "set_image": ("gitops", *_RESTARTS),
    "set_resources": ("gitops", *_RESTARTS),
    "fix_service": ("gitops",),
}
"""What is looked for whatever the runbook says: a runbook may add, never leave out."""


def warnings_of(case: Case, action: str, wanted: Iterable[str]) -> tuple[str, ...]:
    """Return, in plain words, what the facts say may undo, block or outlive an action."""
    names = dict.fromkeys((*_BY_ACTION.get(action, ()), *wanted))
    return tuple(dict.fromkeys(text for name in names for text in _CHECKS[name](case)))


def _autoscaler(case: Case) -> Iterator[str]:
    workload = _workload(case)
    for scaler in case.snapshot.kind("HorizontalPodAutoscaler"):
        target = section(scaler.body, "spec", "scaleTargetRef")
        if workload is not None and _is(workload, target, scaler.namespace):
            most = section(scaler.body, "spec").get("maxReplicas")
            yield (
                f"the autoscaler {scaler.name} owns the replicas of {workload.name} "
                f"(at most {most}): it will set them again"
            )


def _is(workload: KubernetesObject, target: Mapping[str, Any], namespace: str) -> bool:
    same = (target.get("kind"), target.get("name")) == (workload.kind, workload.name)
    return same and namespace == workload.namespace


def _gitops(case: Case) -> Iterator[str]:
    for item in _touched(case):
        owner = gitops_owner(item)
        if owner:
            yield (
                f"{owner} owns the manifest of {item.kind.lower()}/{item.name}: it will put it "
                "back, unless the change is made there too"
            )


def gitops_owner(item: KubernetesObject) -> str:
    """Return who writes an object's manifest from a repository, empty if nobody is seen to."""
    metadata = section(item.body, "metadata")
    names = {*section(metadata, "annotations"), *section(metadata, "labels")}
    if any(n.startswith("argocd.argoproj.io/") for n in names):
        return "Argo CD"
    if any("fluxcd.io/" in n for n in names):
        return "Flux"
    managed = section(metadata, "labels").get("app.kubernetes.io/managed-by")
    return "Helm" if managed == "Helm" or "meta.helm.sh/release-name" in names else ""


def _disruption_budget(case: Case) -> Iterator[str]:
    workload = _workload(case)
    if workload is None:
        return
    labels = section(workload.body, "spec", "template", "metadata", "labels")
    for budget in case.snapshot.kind("PodDisruptionBudget"):
        wanted = section(budget.body, "spec", "selector", "matchLabels")
        allowed = section(budget.body, "status").get("disruptionsAllowed")
        covers = bool(wanted) and all(labels.get(k) == v for k, v in wanted.items())
        if covers and budget.namespace == workload.namespace and allowed == 0:
            yield f"the disruption budget {budget.name} allows no pod of {workload.name} to go now"


def _single_replica(case: Case) -> Iterator[str]:
    workload = _workload(case)
    if workload is not None and workload.kind != "DaemonSet" and replicas(workload) == 1:
        yield f"{workload.name} has one pod: nobody serves while it is replaced"


def _stateful(case: Case) -> Iterator[str]:
    workload = _workload(case)
    if workload is None:
        return
    pod = section(workload.body, "spec", "template", "spec")
    claims = [
        v["persistentVolumeClaim"].get("claimName", "")
        for v in pod.get("volumes") or ()
        if isinstance(v, Mapping) and isinstance(v.get("persistentVolumeClaim"), Mapping)
    ]
    if workload.kind == "StatefulSet" or claims:
        yield f"{workload.name} keeps state on a volume: what was written since stays as it is"


def _storage_class(case: Case) -> Iterator[str]:
    for claim in claims_of(case):
        name = section(claim.body, "spec").get("storageClassName")
        found = next((s for s in case.snapshot.kind("StorageClass") if s.name == name), None)
        if found is not None and found.body.get("allowVolumeExpansion") is not True:
            yield (
                f"storage class {name} of claim {claim.name} cannot expand: a larger volume has to "
                "be made new and the data copied"
            )


def claims_of(case: Case) -> Iterator[KubernetesObject]:
    """Yield the claims that the cause is about: itself, its signal's, or those of its workload."""
    signal = case.hypothesis.signal
    names = {case.name, signal.labels.get("resource", "") if signal else ""}
    for pod in case.snapshot.kind("Pod"):
        owners = (pod.labels.get("app.kubernetes.io/name"), pod.labels.get("app"), pod.name)
        if case.hypothesis.service in owners or case.name in owners:
            for volume in section(pod.body, "spec").get("volumes") or ():
                claim = volume.get("persistentVolumeClaim") if isinstance(volume, Mapping) else None
                names.add(str((claim or {}).get("claimName", "")))
    seen = set()
    for claim in case.snapshot.kind("PersistentVolumeClaim"):
        if claim.name in names and claim.name not in seen:
            seen.add(claim.name)
            yield claim


def _workload(case: Case) -> KubernetesObject | None:
    try:
        return case.deployment()
    except Unbound:
        names = (case.name, case.hypothesis.service)
        found = (case.find(k, n) for k in ("StatefulSet", "DaemonSet") for n in names if n)
        return next((f for f in found if f is not None), None)


def _touched(case: Case) -> Iterator[KubernetesObject]:
    """The objects that an action would write: the workload, and the settings to set back."""
    workload = _workload(case)
    if workload is not None:
        yield workload
    change = case.change()
    if change is not None and change.kind is ChangeKind.CONFIG:
        found = case.find("ConfigMap", change.object.partition("/")[2])
        if found is not None:
            yield found


_CHECKS: Mapping[str, Callable[[Case], Iterator[str]]] = {
    "autoscaler": _autoscaler,
    "gitops": _gitops,
    "disruption_budget": _disruption_budget,
    "single_replica": _single_replica,
    "stateful": _stateful,
    "storage_class": _storage_class,
}
