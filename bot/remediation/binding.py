"""Binds an action's arguments from the evidence: one function per action, none of them guesses."""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping

from bot.domain.snapshot import Change, ChangeKind, KubernetesObject, Series, Signal
from bot.remediation import cluster_repairs, repairs, repositories
from bot.remediation.evidence import Bound, Case, Unbound, place, replicas, section, users_of
from bot.remediation.revisions import Revision, before_change

HEADROOM = 1.15  # on top of the traffic's growth: a full service serves less than is asked
ROOMY = 0.6  # what a workload should use of its limit after scaling up
MOST_FACTOR, MOST_PODS = 4, 20  # never propose more than this times the pods, or pods in all
SATURATION = (Signal.CPU_OF_LIMIT, Signal.POOL_OF_LIMIT, Signal.CPU_THROTTLED)
SMALL_SHARE = 0.05  # of the busiest service's requests: less is background work
# Source: kubernetes/pkg/controller/deployment/sync.go; "from" since 1.27.
SCALED = re.compile(
    r"^Scaled (?:up|down) replica set \S{1,253} (?:from (\d{1,4}) )?"
    r"to (\d{1,4})(?: from (\d{1,4}))?"
)
RECENT = 0.25  # share of a series that counts as "now"


Binder = Callable[[Case, Mapping[str, str]], Bound]


def rollback(case: Case, _: Mapping[str, str]) -> Bound:
    """Bind the revision before the suspected change."""
    return _rollback(case, case.deployment())


def rollback_stateful(case: Case, _: Mapping[str, str]) -> Bound:
    """Bind the revision of the stateful set before the suspected change."""
    return _rollback(case, _stateful(case))


def rollback_daemon(case: Case, _: Mapping[str, str]) -> Bound:
    """Bind the revision of the daemon set before the suspected change."""
    return _rollback(case, _of_kind(case, "DaemonSet", "daemon set"))


def _rollback(case: Case, workload: KubernetesObject) -> Bound:
    change = case.change()
    deploy = change if change and change.kind in (ChangeKind.DEPLOY, ChangeKind.COMMIT) else None
    return to_revision(workload, before_change(case.snapshot, workload, deploy))


def to_revision(workload: KubernetesObject, chosen: Revision) -> Bound:
    """Bind a workload's going back to a revision that it keeps."""
    goal = chosen.version or f"revision {chosen.number}"
    return Bound(
        arguments={**place(workload), "to_revision": chosen.number},
        title=f"Roll back {workload.name} to {goal}",
    )


def restart_deployment(case: Case, _: Mapping[str, str]) -> Bound:
    """Bind the deployment that is the cause, or whose service it is."""
    deployment = case.deployment()
    return Bound(arguments=place(deployment), title=f"Restart {deployment.name}")


def restart_statefulset(case: Case, _: Mapping[str, str]) -> Bound:
    """Bind the stateful set that is the cause."""
    found = _stateful(case)
    return Bound(arguments=place(found), title=f"Restart {found.name}")


def _stateful(case: Case) -> KubernetesObject:
    return _of_kind(case, "StatefulSet", "stateful set")


def _of_kind(case: Case, kind: str, words: str) -> KubernetesObject:
    found = case.workload()
    if found.kind != kind:
        raise Unbound(f"{found.name} is no {words}")
    return found


def restart_pod(case: Case, _: Mapping[str, str]) -> Bound:
    """Bind the one pod that is the cause; it must have been seen."""
    pod = case.find("Pod", case.name)
    if case.kind != "pod" or pod is None:
        raise Unbound(f"the pod {case.name} was not seen")
    return Bound(arguments=place(pod), title=f"Replace the pod {pod.name}")


def scale(case: Case, options: Mapping[str, str]) -> Bound:
    """Bind the number of pods: up by saturation and traffic, down by half, or back."""
    deployment = case.deployment()
    now, direction = replicas(deployment), options.get("direction", "up")
    owner = autoscaler_of(case, deployment)
    if owner is not None and direction == "up":
        raise Unbound(f"the autoscaler {owner.name} owns the replicas of {deployment.name}")
    wanted = _SCALES[direction](case, deployment, now)
    if wanted == now:
        raise Unbound(f"{deployment.name} has {now} pods already")
    return Bound(
        arguments={**place(deployment), "replicas": wanted},
        title=f"Scale {deployment.name} from {now} to {wanted} pods",
    )


def raise_quota(case: Case, options: Mapping[str, str]) -> Bound:
    """Bind more of a quota: as much as is lacking, or as the pods that scaling adds will need."""
    if options.get("for") != "scale":
        return repairs.raise_quota(case, options)
    deployment = case.deployment()
    now = replicas(deployment)
    return repairs.room_for(case, deployment, _up(case, deployment, now) - now)


def bounds(case: Case, _: Mapping[str, str]) -> Bound:
    """Bind a higher ceiling for the autoscaler that keeps the workload at its most."""
    deployment = case.deployment()
    owner = autoscaler_of(case, deployment)
    if owner is None:
        raise Unbound(f"no autoscaler of {deployment.name} was seen")
    spec = section(owner.body, "spec")
    least, most = spec.get("minReplicas") or 1, spec.get("maxReplicas")
    if not isinstance(most, int) or not isinstance(least, int):
        raise Unbound(f"the bounds of the autoscaler {owner.name} were not seen")
    now = replicas(deployment)
    if now < most:
        raise Unbound(f"the autoscaler {owner.name} has room up to {most} pods by itself")
    wanted = _up(case, deployment, now)
    if wanted <= most:
        raise Unbound(f"the autoscaler {owner.name} allows {most} pods already")
    return Bound(
        arguments={**place(owner), "min_replicas": least, "max_replicas": wanted},
        title=f"Let the autoscaler {owner.name} go up to {wanted} pods instead of {most}",
    )


def autoscaler_of(case: Case, deployment: KubernetesObject) -> KubernetesObject | None:
    """Return the autoscaler that sets a deployment's replicas, None if none was seen."""
    for scaler in case.snapshot.kind("HorizontalPodAutoscaler"):
        aim = section(scaler.body, "spec", "scaleTargetRef")
        same = (aim.get("kind"), aim.get("name")) == (deployment.kind, deployment.name)
        if same and scaler.namespace == deployment.namespace:
            return scaler
    return None


def scale_back(case: Case, _: Mapping[str, str]) -> Bound:
    """Bind as many members of a stateful set as there were before it was scaled to none."""
    found = _stateful(case)
    now = replicas(found)
    wanted = _back(case, found, now)
    return Bound(
        arguments={**place(found), "replicas": wanted},
        title=f"Scale {found.name} from {now} to {wanted} pods",
    )


def _up(case: Case, deployment: KubernetesObject, now: int) -> int:
    if now < 1:
        raise Unbound(f"{deployment.name} has no pods, so its load is not known")
    fullest = max(_recent(case, SATURATION, deployment.name), default=0.0)
    growth = max(_growth(case, deployment.name), default=0.0)
    factor = max(fullest / ROOMY, growth * HEADROOM if growth > 1 else 0.0)
    if factor <= 1.0:
        raise Unbound(f"neither saturation nor growing traffic of {deployment.name} was seen")
    return max(now, min(math.ceil(now * factor), now * MOST_FACTOR, MOST_PODS))


def _down(case: Case, deployment: KubernetesObject, now: int) -> int:
    """Halve what serves requests, one pod stays; stop what nobody waits for."""
    if now < 1:
        raise Unbound(f"{deployment.name} has no pods already")
    if not _serves(case, deployment.name):
        return 0
    if now == 1:
        raise Unbound(f"{deployment.name} serves requests from its only pod")
    return now // 2


def _serves(case: Case, service: str) -> bool:
    """Whether somebody waits for it: others call it, or it has a real share of the requests."""
    if any(edge.callee == service for edge in case.snapshot.edges):
        return True
    rates: dict[str, float] = {}
    for series in case.snapshot.signal(Signal.REQUEST_RATE):
        rates[series.service] = max([rates.get(series.service, 0.0), *_finite(series)])
    return rates.get(service, 0.0) > SMALL_SHARE * max(rates.values(), default=0.0)


def _back(case: Case, deployment: KubernetesObject, now: int) -> int:
    change = case.change()
    before = change.before if change and change.kind is ChangeKind.SCALE else None
    if before and before.isascii() and before.isdigit() and 0 < int(before) <= MOST_PODS:
        return int(before)
    desired = [
        max(series.values)
        for series in case.snapshot.signal(Signal.DESIRED_PODS, deployment.name)
        if series.values
    ]
    told = _told_pods(case, deployment)
    most = max((v for v in desired if math.isfinite(v)), default=float(told))
    if now < most <= MOST_PODS:
        return int(most)
    raise Unbound(f"how many pods {deployment.name} had before was not seen")


def _told_pods(case: Case, deployment: KubernetesObject) -> int:
    """Return how many pods the deployment's own events last speak of, before there were none."""
    found = [
        (str(event.body.get("lastTimestamp") or event.body.get("firstTimestamp")), int(number))
        for event in case.snapshot.kind("Event")
        if (event.body.get("involvedObject") or {}).get("name") == deployment.name
        and event.namespace == deployment.namespace
        and event.body.get("reason") == "ScalingReplicaSet"
        for match in [SCALED.search(str(event.body.get("message") or ""))]
        for number in (match.groups() if match else ())
        if number and int(number) > 0
    ]
    return max(found, default=("", 0))[1]


_SCALES: Mapping[str, Callable[[Case, KubernetesObject, int], int]] = {
    "up": _up,
    "down": _down,
    "back": _back,
}


def set_flag(case: Case, options: Mapping[str, str]) -> Bound:
    """Bind the flag's variant before its change, or the flag that routes around an external."""
    if options.get("to") == "fallback":
        return _fallback(case)
    change = _blamed(case, ChangeKind.FLAG)
    flag = change.object.partition("/")[2]
    if not flag or not change.before:
        raise Unbound(f"what the flag {flag or case.name} was before is not known")
    if change.before == change.after:
        raise Unbound(f"the flag {flag} did not change")
    arguments = {"flag": flag, "variant": change.before}
    return Bound(arguments=arguments, title=f"Set the flag {flag} back to {change.before}")


def _fallback(case: Case) -> Bound:
    prepared = case.environment.fallbacks.get(case.name, {})
    flag, variant = prepared.get("flag"), prepared.get("variant")
    if not flag or not variant:
        raise Unbound(f"no fallback flag is configured for {case.name}")
    arguments = {"flag": flag, "variant": variant}
    return Bound(arguments=arguments, title=f"Switch {case.name} to its fallback: {flag} {variant}")


def revert_config(case: Case, _: Mapping[str, str]) -> Bound:
    """Bind the values before the change, and the workload that has to read them again."""
    change = _blamed(case, ChangeKind.CONFIG)
    kind, _slash, name = change.object.partition("/")
    if kind != "configmap" or not name:
        raise Unbound(f"{change.object or 'what changed'} is not a config map")
    data = _values(change)
    reader = _reader(case, change, name)
    namespace = reader.namespace if reader else _only_namespace(case, name)
    restart = reader.name if reader else ""
    keys = ", ".join(sorted(data))
    return Bound(
        arguments={"namespace": namespace, "name": name, "data": data, "restart": restart},
        title=f"Set {keys} of {name} back" + (f" and restart {restart}" if restart else ""),
    )


def _values(change: Change) -> Mapping[str, str]:
    """Return the changed keys' values before, as texts. Raises: Unbound."""
    try:
        before = json.loads(change.before or "")
    except ValueError as error:
        raise Unbound(f"the settings of {change.object} before are not known") from error
    if not isinstance(before, dict) or not before:
        raise Unbound(f"the settings of {change.object} before are not known")
    return {str(k): v if isinstance(v, str) else json.dumps(v) for k, v in before.items()}


def _reader(case: Case, change: Change, config: str) -> KubernetesObject | None:
    """Return the deployment to restart: the change's service if it reads the map, else a reader."""
    for namespace in case.environment.namespaces:
        readers = list(users_of(case, config, namespace))
        chosen = change.service if change.service in readers else next(iter(readers), None)
        if chosen is not None:
            return case.find("Deployment", chosen)
    return case.find("Deployment", change.service)


def _only_namespace(case: Case, name: str) -> str:
    seen = case.find("ConfigMap", name)
    if seen is not None:
        return seen.namespace
    if len(case.environment.namespaces) == 1:
        return case.environment.namespaces[0]
    raise Unbound(f"the namespace of {name} is not known")


def _blamed(case: Case, kind: ChangeKind) -> Change:
    change = case.change()
    if change is None or change.kind is not kind:
        raise Unbound(f"no {kind.value} change that could be taken back was seen")
    if not change.revertible:
        raise Unbound(f"{change.summary}: it cannot be taken back")
    return change


def _recent(case: Case, signals: tuple[Signal, ...], service: str) -> Iterator[float]:
    for signal in signals:
        for series in case.snapshot.signal(signal, service):
            yield from _finite(series)[-_tail(series) :]


def _growth(case: Case, service: str) -> Iterator[float]:
    """Yield how many times the usual request rate comes in now."""
    asked = (s for s in case.snapshot.signal(Signal.EDGE_RATE) if s.labels.get("peer") == service)
    for series in (*case.snapshot.signal(Signal.REQUEST_RATE, service), *asked):
        before = [
            v
            for t, v in zip(series.times, series.values, strict=False)
            if t < case.onset.timestamp() and math.isfinite(v)
        ]
        recent = _finite(series)[-_tail(series) :]
        usual = sorted(before)[len(before) // 2] if before else 0.0
        if usual > 0 and recent:
            yield max(recent) / usual


def _finite(series: Series) -> list[float]:
    return [v for v in series.values if math.isfinite(v)]


def _tail(series: Series) -> int:
    return max(1, math.ceil(len(series.values) * RECENT))


BINDERS: Mapping[str, Binder] = {
    "rollback_deployment": rollback,
    "rollback_statefulset": rollback_stateful,
    "rollback_daemonset": rollback_daemon,
    "restart_deployment": restart_deployment,
    "restart_pod": restart_pod,
    "scale_deployment": scale,
    "set_flag": set_flag,
    "revert_config": revert_config,
    "restart_statefulset": restart_statefulset,
    "scale_statefulset": scale_back,
    "scale_autoscaler": bounds,
    "fix_service": repairs.fix_service,
    "raise_quota": raise_quota,
    "set_image": repairs.set_image,
    "set_resources": repairs.set_resources,
    "cordon_node": cluster_repairs.cordon,
    "uncordon_node": cluster_repairs.uncordon,
    "expand_pvc": cluster_repairs.expand_claim,
    "delete_stuck_pod": cluster_repairs.stuck_pod,
    "pause_rollout": cluster_repairs.pause,
    "delete_failed_job": cluster_repairs.failed_job,
    "revert_commit": repositories.revert_commit,
}
