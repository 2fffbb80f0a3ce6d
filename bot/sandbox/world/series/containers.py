"""CPU and memory of containers and nodes, as cAdvisor and the node exporter tell."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from bot.sandbox.world import noise
from bot.sandbox.world.noise import Floats, Ints
from bot.sandbox.world.propagation import Flow
from bot.sandbox.world.records import Pod
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
from bot.sandbox.world.site import BLOCK, NAMESPACE, SCRAPE, Site
from bot.sandbox.world.solving import Frame

MIB = 2.0**20
CPU, THROTTLED, PERIODS = 0, 1, 2
MODES = ("user", "system", "iowait", "idle")


def families() -> Iterator[Family]:
    """Yield cAdvisor's and the node exporter's families."""
    for name, kind, text in (
        ("container_cpu_usage_seconds_total", CPU, "Cumulative cpu time consumed."),
        ("container_cpu_cfs_throttled_periods_total", THROTTLED, "Throttled period intervals."),
        ("container_cpu_cfs_periods_total", PERIODS, "Elapsed enforcement period intervals."),
    ):
        yield Family(name=name, kind="counter", help=text, read=_CpuReader(kind))
    yield Family(name="container_memory_working_set_bytes", kind="gauge",
                 help="Current working set in bytes.", read=_memory)  # fmt: skip
    yield Family(name="node_cpu_seconds_total", kind="counter",
                 help="Seconds the CPUs spent in each mode.", read=_node_cpu)  # fmt: skip
    yield Family(name="node_memory_MemAvailable_bytes", kind="gauge",
                 help="Memory field MemAvailable_bytes.", read=_node_available)  # fmt: skip
    for name, value in (
        ("node_memory_MemTotal_bytes", "memory"),
        ("node_filesystem_size_bytes", "disk"),
        ("node_filesystem_avail_bytes", "free"),
    ):
        yield Family(name=name, kind="gauge", help="Node exporter.", read=_NodeReader(value))


def container_labels(pod: Pod) -> Labels:
    """Return the labels cAdvisor and kube-state-metrics put on a container's series."""
    return {"namespace": NAMESPACE, "pod": pod.name, "container": pod.service, "node": pod.node}


def running(pod: Pod, times: Floats) -> Floats:
    """Return 1 where the container runs (ready or starting), 0 elsewhere."""
    if pod.waiting:
        return times * 0.0
    return ((times >= pod.created + 2.0) & (times < pod.gone)).astype(float)


class _CpuReader:
    def __init__(self, kind: int) -> None:
        self.kind = kind

    def __call__(self, scope: Scope, keep: Keep, indices: Ints) -> Rows:
        times = times_of(indices)
        parts: list[tuple[Labels, Floats]] = []
        for workload in scope.site.workloads.values():
            wanted = {p.name: p for p in workload.pods if keep(container_labels(p))}
            if not wanted:
                continue
            rows = scope.blocks.counter("cpu", workload.service, cpu_increments, indices)
            for name, pod in wanted.items():
                if name in rows:
                    scale = 1000.0 if self.kind == CPU else 1.0
                    value = rows[name][self.kind] / scale
                    parts.append((container_labels(pod), where(running(pod, times), value)))
        return gather(indices, parts)


def cpu_increments(frame: Frame, name: str) -> dict[Any, Floats]:
    """Return CPU milliseconds, throttled periods and periods per sample, by pod."""
    flow = frame[name]
    out: dict[Any, Floats] = {}
    for i, pod in enumerate(flow.pods):
        cores = pod_cores(flow, i)
        busy = np.where(flow.touched[i], flow.busy[1], flow.busy[0])
        if not busy.any():
            busy = cores / max(flow.service.cpu_limit, 1e-3)
        throttled = np.clip((busy - 0.72) / 0.35, 0.0, 0.95)
        one = np.ones_like(cores)
        out[pod.name] = np.array([1000.0 * cores, 10.0 * throttled, 10.0 * one]) * SCRAPE
    return out


def pod_cores(flow: Flow, index: int) -> Floats:
    """Return the cores one pod uses at every step of a frame."""
    cores = np.where(flow.touched[index], flow.cpu[1], flow.cpu[0])
    blocks = range(flow.block, flow.block + max(1, len(cores) // BLOCK))
    keys = [noise.generator(flow.pods[index].uid, b) for b in blocks]
    jitter = np.exp(0.05 * np.concatenate([g.standard_normal(BLOCK) for g in keys]))
    out: Floats = np.where(flow.serving[index] > 0, cores * jitter, 0.004)
    return out


def memory_bytes(site: Site, pod: Pod, times: Floats) -> Floats:
    """Return a container's working set."""
    service = site.service(pod.service)
    base = service.memory_base * MIB * noise.between(0.94, 1.06, pod.uid, "memory")
    start = pod.started(float(times[-1]))
    warm = 0.72 + 0.28 * (1.0 - np.exp(-np.maximum(0.0, times - start) / 240.0))
    out = base * warm * (1.0 + 0.02 * noise.wave(times, pod.uid, "memory", periods_s=(90.0, 700.0)))
    extra = site.memory.get(pod.service)
    if extra is not None:
        out = out + extra(pod, times)
    return np.minimum(out, service.memory_limit * MIB * 0.999)


def _memory(scope: Scope, keep: Keep, indices: Ints) -> Rows:
    times = times_of(indices)
    parts = [
        (container_labels(p), where(running(p, times), memory_bytes(scope.site, p, times)))
        for p in scope.site.pods()
        if keep(container_labels(p))
    ]
    return gather(indices, parts)


def _node_cpu(scope: Scope, keep: Keep, indices: Ints) -> Rows:
    parts: list[tuple[Labels, Floats]] = []
    rows = scope.blocks.counter("node", "", _NodeIncrements(scope.site), indices)
    for node in scope.site.nodes:
        for i, mode in enumerate(MODES):
            labels = {"node": node.name, "mode": mode, "cpu": "all"}
            if keep(labels) and node.name in rows:
                parts.append((labels, rows[node.name][i] / 1000.0))
    return gather(indices, parts)


class _NodeIncrements:
    def __init__(self, site: Site) -> None:
        self.site = site

    def __call__(self, frame: Frame, _name: str) -> dict[Any, Floats]:
        """Return milliseconds of each mode per sample, by node."""
        busy = node_cores(self.site, frame)
        out: dict[Any, Floats] = {}
        for node in self.site.nodes:
            used = np.minimum(busy[node.name], node.cores * 0.995)
            iowait = 0.004 * node.cores + used * 0.0
            idle = np.maximum(0.0, node.cores - used - iowait)
            out[node.name] = np.array([0.78 * used, 0.22 * used, iowait, idle]) * 1000.0 * SCRAPE
        return out


def node_cores(site: Site, frame: Frame) -> dict[str, Floats]:
    """Return the cores in use on every node, system daemons included."""
    steps = len(next(iter(frame.values())).rate)
    out = {n.name: np.full(steps, 0.06 * n.cores) for n in site.nodes}
    for flow in frame.values():
        for i, pod in enumerate(flow.pods):
            if pod.node in out:
                out[pod.node] = out[pod.node] + pod_cores(flow, i)
    return out


def _node_available(scope: Scope, keep: Keep, indices: Ints) -> Rows:
    times = times_of(indices)
    parts: list[tuple[Labels, Floats]] = []
    for node in scope.site.nodes:
        if not keep({"node": node.name}):
            continue
        used = np.full(len(times), 1.4 * 2.0**30)
        for pod in scope.site.pods():
            if pod.node == node.name:
                used = used + running(pod, times) * memory_bytes(scope.site, pod, times)
        parts.append(({"node": node.name}, np.maximum(0.0, node.memory_bytes - used)))
    return gather(indices, parts)


class _NodeReader:
    def __init__(self, what: str) -> None:
        self.what = what

    def __call__(self, scope: Scope, keep: Keep, indices: Ints) -> Rows:
        times = times_of(indices)
        parts: list[tuple[Labels, Floats]] = []
        for node in scope.site.nodes:
            labels = {"node": node.name}
            if self.what != "memory":
                labels |= {"mountpoint": "/", "fstype": "ext4"}
            if keep(labels):
                parts.append((labels, self._value(scope, node.name, node.memory_bytes, times)))
        return gather(indices, parts)

    def _value(self, scope: Scope, node: str, memory: float, times: Floats) -> Floats:
        if self.what == "memory":
            return times * 0.0 + memory
        size = 200.0 * 2.0**30
        if self.what == "disk":
            return times * 0.0 + size
        free = noise.between(0.42, 0.7, *scope.site.key, node, "disk")
        drift = 0.006 * noise.wave(times, node, "disk", periods_s=(9000.0, 40000.0))
        out: Floats = size * (free + drift)
        return out
