"""Pods, deployments and objectives, as kube-state-metrics and the recording rules tell."""

from collections.abc import Callable, Iterator

import numpy as np

from bot.sandbox.world.noise import Floats, Ints
from bot.sandbox.world.records import Pod, Workload
from bot.sandbox.world.series.containers import MIB, container_labels
from bot.sandbox.world.series.family import (
    Family,
    Keep,
    Labels,
    Rows,
    Scope,
    gather,
    times_of,
    where,
)
from bot.sandbox.world.site import NAMESPACE
from bot.sandbox.world.topology import Role, Service

Value = Callable[[Scope, Workload, Floats], Floats]


def families() -> Iterator[Family]:
    """Yield kube-state-metrics' families and the objectives."""
    yield Family(name="kube_pod_info", kind="gauge", help="Information about pod.", read=_info)
    yield Family(name="kube_pod_container_status_restarts_total", kind="counter",
                 help="Container restarts.", read=_restarts)  # fmt: skip
    yield Family(name="kube_pod_status_ready", kind="gauge",
                 help="Whether the pod is ready.", read=_ready)  # fmt: skip
    for what in ("limits", "requests"):
        yield Family(name=f"kube_pod_container_resource_{what}", kind="gauge",
                     help=f"Container resource {what}.", read=_Resources(what))  # fmt: skip
    for name, value in (
        ("kube_deployment_spec_replicas", _wanted),
        ("kube_deployment_status_replicas_available", _available),
        ("kube_statefulset_replicas", _wanted),
        ("kube_statefulset_status_replicas_ready", _available),
    ):
        kind = "Deployment" if "deployment" in name else "StatefulSet"
        yield Family(name=name, kind="gauge", help="Replicas.", read=_PerWorkload(kind, value))
    yield Family(name="slo:objective:ratio", kind="gauge", help="Objective.", read=_Slo(_ratio))
    yield Family(name="slo:latency_threshold:seconds", kind="gauge", help="Objective.",
                 read=_Slo(latency_threshold))  # fmt: skip
    yield Family(name="up", kind="gauge", help="Whether the scrape worked.", read=_up)


def _per_pod(
    scope: Scope, keep: Keep, indices: Ints, row: Callable[[Pod, Floats], tuple[Labels, Floats]]
) -> Rows:
    times = times_of(indices)
    parts = [
        row(p, times) for p in scope.site.pods() if p.gone > times[0] and p.created <= times[-1]
    ]
    return gather(indices, [(l, where(v * 0 + 1, v)) for l, v in parts if keep(l)])  # noqa: E741


def _info(scope: Scope, keep: Keep, indices: Ints) -> Rows:
    def row(pod: Pod, times: Floats) -> tuple[Labels, Floats]:
        stateful = scope.site.service(pod.service).stateful
        owner = pod.workload if stateful else pod.name.rpartition("-")[0]
        labels = {
            "namespace": NAMESPACE, "pod": pod.name, "node": pod.node, "uid": pod.uid,
            "created_by_kind": "StatefulSet" if stateful else "ReplicaSet",
            "created_by_name": owner,
        }  # fmt: skip
        return labels, where(pod.present(times), 1.0)

    return _per_pod(scope, keep, indices, row)


def _restarts(scope: Scope, keep: Keep, indices: Ints) -> Rows:
    def row(pod: Pod, times: Floats) -> tuple[Labels, Floats]:
        count = times * 0.0
        for restart in pod.restarts:
            count = count + (times >= restart.at)
        return container_labels(pod) | {"uid": pod.uid}, where(pod.present(times), count)

    return _per_pod(scope, keep, indices, row)


def _ready(scope: Scope, keep: Keep, indices: Ints) -> Rows:
    def row(pod: Pod, times: Floats) -> tuple[Labels, Floats]:
        labels = {"namespace": NAMESPACE, "pod": pod.name, "condition": "true"}
        return labels, where(pod.present(times), pod.serving(times))

    return _per_pod(scope, keep, indices, row)


def _up(scope: Scope, keep: Keep, indices: Ints) -> Rows:
    def row(pod: Pod, times: Floats) -> tuple[Labels, Floats]:
        labels = {"namespace": NAMESPACE, "pod": pod.name, "job": pod.service}
        return labels, where(pod.present(times), pod.serving(times))

    return _per_pod(scope, keep, indices, row)


class _Resources:
    def __init__(self, what: str) -> None:
        self.what = what

    def __call__(self, scope: Scope, keep: Keep, indices: Ints) -> Rows:
        times = times_of(indices)
        parts: list[tuple[Labels, Floats]] = []
        for pod in scope.site.pods():
            service = scope.site.service(pod.service)
            cpu, memory = service.cpu_limit, service.memory_limit * MIB
            if self.what == "requests":
                cpu, memory = cpu / 2.0, memory * 0.75
            for resource, unit, value in (("cpu", "core", cpu), ("memory", "byte", memory)):
                labels = container_labels(pod) | {"resource": resource, "unit": unit}
                if keep(labels):
                    parts.append((labels, where(pod.present(times), value)))
        return gather(indices, parts)


class _PerWorkload:
    def __init__(self, kind: str, value: Value) -> None:
        self.kind, self.value = kind, value

    def __call__(self, scope: Scope, keep: Keep, indices: Ints) -> Rows:
        times = times_of(indices)
        parts: list[tuple[Labels, Floats]] = []
        for workload in scope.site.workloads.values():
            labels = {"namespace": NAMESPACE, self.kind.lower(): workload.name}
            if workload.kind == self.kind and keep(labels):
                parts.append((labels, self.value(scope, workload, times)))
        return gather(indices, parts)


def _wanted(_scope: Scope, workload: Workload, times: Floats) -> Floats:
    out = times * 0.0 + workload.scales[0][1]
    for at, replicas in workload.scales:
        out[times >= at] = replicas
    return out


def _available(_scope: Scope, workload: Workload, times: Floats) -> Floats:
    out = times * 0.0
    for pod in workload.pods:
        out = out + pod.serving(times)
    return out


class _Slo:
    def __init__(self, value: Callable[[Scope, Service], float]) -> None:
        self.value = value

    def __call__(self, scope: Scope, keep: Keep, indices: Ints) -> Rows:
        parts: list[tuple[Labels, Floats]] = []
        for service in scope.site.inside():
            labels = {"service_name": service.name, "namespace": NAMESPACE}
            if service.role in (Role.HTTP, Role.WORKER) and keep(labels):
                parts.append((labels, np.full(len(indices), self.value(scope, service))))
        return gather(indices, parts)


def _ratio(_scope: Scope, service: Service) -> float:
    return 0.999 if service.role is Role.HTTP else 0.99


def latency_threshold(scope: Scope, service: Service) -> float:
    """Return the objective's p99: the first round number over twice the usual."""
    usual = usual_p99(scope, service)
    for limit in (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 2.5, 5.0, 10.0):
        if limit > 1.6 * usual:
            return limit
    return 30.0


def usual_p99(scope: Scope, service: Service) -> float:
    """Return the ordinary p99 of a service, from its median and what it calls."""
    median = _usual_median(scope, service)
    return median * float(99.0 ** (1.0 / service.shape))


def _usual_median(scope: Scope, service: Service) -> float:
    below = sum(
        c.per_request * _usual_median(scope, scope.site.service(c.callee))
        for c in service.calls
        if scope.site.service(service.name).role != "queue"
    )
    return 1.03 * service.median_s + below
