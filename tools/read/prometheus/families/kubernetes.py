"""Containers, workloads and quotas: cAdvisor, kube-state-metrics (old names too), kubelet stats."""

from collections.abc import Iterator

from bot.domain.snapshot import Signal
from tools.read.prometheus.template import POD, Template

_REAL = 'container!="",container!="POD"'
_OWN = 'pod!="",container=""'  # the pod's own cgroup, where no runtime tells of its containers
_POD = 'pod!="",interface!="lo"'  # the network is the whole pod's: its sandbox counts it
_BY = "by (namespace, pod)"
_EACH = "by (namespace, pod, container)"


def templates() -> Iterator[Template]:
    """Yield the templates, best first."""
    yield from _containers()
    yield from _collected()
    yield from _workloads()
    yield from _quotas()


def _containers() -> Iterator[Template]:
    cpu = "container_cpu_usage_seconds_total"
    memory = "container_memory_working_set_bytes"
    limits = "kube_pod_container_resource_limits"
    old_cpu, old_memory = f"{limits}_cpu_cores", f"{limits}_memory_bytes"
    quota, period = "container_spec_cpu_quota", "container_spec_cpu_period"
    spec = "container_spec_memory_limit_bytes"
    periods, throttled = (
        "container_cpu_cfs_periods_total",
        "container_cpu_cfs_throttled_periods_total",
    )
    restarts = "kube_pod_container_status_restarts_total"
    came, went = (f"container_network_{way}_packets_total" for way in ("receive", "transmit"))
    used = f"sum {_EACH}(rate({cpu}{{{_REAL}}}[2m]))"
    used_by_pod = f"max {_BY}(rate({cpu}{{{_OWN}}}[2m]))"
    held_by_pod = f"max {_BY}({memory}{{{_OWN}}})"
    held = f"max {_EACH}({memory}{{{_REAL}}})"
    rows = (
        (Signal.CPU_CORES, (cpu,), "sum",
         f"sum {_BY}(rate({cpu}{{{_REAL}}}[2m])) or {used_by_pod}"),
        (Signal.CPU_OF_LIMIT, (cpu, limits), "max",
         f'max {_BY}({used} / max {_EACH}({limits}{{resource="cpu"}}))'),
        (Signal.CPU_OF_LIMIT, (cpu, old_cpu), "max",
         f"max {_BY}({used} / max {_EACH}({old_cpu}{{}}))"),
        (Signal.CPU_OF_LIMIT, (cpu, quota, period), "max",
         f"max {_BY}({used} / (max {_EACH}({quota}{{{_REAL}}}) > 0)"
         f" * max {_EACH}({period}{{{_REAL}}}))"
         f" or {used_by_pod} / (max {_BY}({quota}{{{_OWN}}}) > 0) * max {_BY}({period}{{{_OWN}}})"),
        (Signal.CPU_THROTTLED, (periods, throttled), "max",
         f"sum {_BY}(rate({throttled}{{{_REAL}}}[2m]))"
         f" / sum {_BY}(rate({periods}{{{_REAL}}}[2m]))"
         f" or max {_BY}(rate({throttled}{{{_OWN}}}[2m]))"
         f" / max {_BY}(rate({periods}{{{_OWN}}}[2m]))"),
        (Signal.MEMORY_BYTES, (memory,), "sum", f"sum {_BY}({memory}{{{_REAL}}}) or {held_by_pod}"),
        (Signal.MEMORY_OF_LIMIT, (memory, limits), "max",
         f'max {_BY}({held} / max {_EACH}({limits}{{resource="memory"}}))'),
        (Signal.MEMORY_OF_LIMIT, (memory, old_memory), "max",
         f"max {_BY}({held} / max {_EACH}({old_memory}{{}}))"),
        (Signal.MEMORY_OF_LIMIT, (memory, spec), "max",
         f"max {_BY}({held} / (max {_EACH}({spec}{{{_REAL}}}) > 0))"
         f" or {held_by_pod} / (max {_BY}({spec}{{{_OWN}}}) > 0)"),
        (Signal.RESTARTS, (restarts,), "sum", f"sum {_BY}({restarts}{{}})"),
        (Signal.PACKETS_IN, (came,), "sum", f"sum {_BY}(rate({came}{{{_POD}}}[2m]))"),
        (Signal.PACKETS_OUT, (went,), "sum", f"sum {_BY}(rate({went}{{{_POD}}}[2m]))"),
    )  # fmt: skip
    for signal, needs, reduce, promql in rows:
        yield Template(signal=signal, needs=needs, promql=promql, reduce=reduce, service=POD,
                       source="container", breakdowns={"pod": "pod"})  # fmt: skip


def _collected() -> Iterator[Template]:
    """What the collector's kubelet stats and cluster receivers write."""
    otel = (
        (Signal.CPU_CORES, "k8s_pod_cpu_usage", "sum"),
        (Signal.MEMORY_BYTES, "k8s_pod_memory_working_set_bytes", "sum"),
        (Signal.CPU_OF_LIMIT, "k8s_pod_cpu_limit_utilization_ratio", "max"),
        (Signal.MEMORY_OF_LIMIT, "k8s_pod_memory_limit_utilization_ratio", "max"),
        (Signal.RESTARTS, "k8s_container_restarts", "sum"),
    )
    for signal, metric, how in otel:
        yield Template(
            signal=signal, needs=(metric,), reduce=how, source="container",
            promql=f"{how} by (k8s_namespace_name, k8s_pod_name)({metric}{{}})",
            service=("k8s_pod_name",), namespace="k8s_namespace_name",
            breakdowns={"pod": "k8s_pod_name"},
        )  # fmt: skip


def _workloads() -> Iterator[Template]:
    rows = (
        ("deployment", "kube_deployment_status_replicas_available",
         "kube_deployment_spec_replicas"),
        ("statefulset", "kube_statefulset_status_replicas_ready", "kube_statefulset_replicas"),
        ("daemonset", "kube_daemonset_status_number_ready",
         "kube_daemonset_status_desired_number_scheduled"),
    )  # fmt: skip
    for label, ready, desired in rows:
        for signal, metric in ((Signal.READY_PODS, ready), (Signal.DESIRED_PODS, desired)):
            yield Template(signal=signal, needs=(metric,), service=(label,), source=label,
                           promql=f"max by (namespace, {label})({metric}{{}})")  # fmt: skip


def _quotas() -> Iterator[Template]:
    metric, by = "kube_resourcequota", "by (namespace, resourcequota, resource)"
    yield Template(
        signal=Signal.QUOTA_OF_LIMIT, needs=(metric,), source="quota", service=("namespace",),
        promql=f'max {by}({metric}{{type="used"}}) / (max {by}({metric}{{type="hard"}}) > 0)',
        labels={"resource": "resource"}, reduce="max",
    )  # fmt: skip
