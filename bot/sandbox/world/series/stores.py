"""Connection pools, databases, caches, queues and volumes, as their exporters tell."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from bot.sandbox.world import noise, traffic
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
from bot.sandbox.world.site import BLOCK, NAMESPACE, Site
from bot.sandbox.world.solving import Frame
from bot.sandbox.world.topology import Role, Service

GIB = 2.0**30
MIB = 2.0**20
Value = Callable[[Site, Service, Floats], Floats]


def families() -> Iterator[Family]:
    """Yield the families of pools and stores."""
    for name, read in (
        ("db_client_connections_usage", _usage),
        ("db_client_connections_max", _maximum),
        ("db_client_connections_pending_requests", _pending),
        ("pg_stat_activity_count", _activity),
    ):
        yield Family(name=name, kind="gauge", help="Connections.", read=read)
    for name, role, value in (
        ("pg_settings_max_connections", Role.DATABASE, _max_connections),
        ("redis_memory_used_bytes", Role.CACHE, redis_used),
        ("redis_memory_max_bytes", Role.CACHE, _redis_max),
        ("redis_mem_fragmentation_ratio", Role.CACHE, _fragmentation),
        ("redis_evicted_keys_total", Role.CACHE, _evicted),
        ("redis_keyspace_hits_total", Role.CACHE, _hits),
        ("redis_keyspace_misses_total", Role.CACHE, _misses),
        ("redis_connected_clients", Role.CACHE, _clients),
        ("redis_config_maxclients", Role.CACHE, _max_clients),
    ):
        kind = "counter" if name.endswith("_total") else "gauge"
        yield Family(name=name, kind=kind, help="Store.", read=_PerStore(name, role, value))
    yield Family(name="rabbitmq_queue_messages_ready", kind="gauge", help="Ready messages.",
                 read=_backlog)  # fmt: skip
    for name, used in (("used", True), ("capacity", False)):
        yield Family(name=f"kubelet_volume_stats_{name}_bytes", kind="gauge", help="Volume.",
                     read=_Volume(used))  # fmt: skip


class _PerStore:
    def __init__(self, name: str, role: Role, value: Value) -> None:
        self.name, self.role, self.value = name, role, value

    def __call__(self, scope: Scope, keep: Keep, indices: Ints) -> Rows:
        times = times_of(indices)
        parts: list[tuple[Labels, Floats]] = []
        for service in scope.site.inside():
            labels = store_labels(service)
            if service.role is not self.role or not keep(labels):
                continue
            special = scope.site.gauges.get((self.name, service.name))
            value = special(times) if special else self.value(scope.site, service, times)
            parts.append((labels, value))
        return gather(indices, parts)


def store_labels(service: Service) -> Labels:
    """Return the labels of a store's exporter."""
    return {"service_name": service.name, "namespace": NAMESPACE, "pod": f"{service.name}-0",
            "instance": f"{service.name}:{service.port}"}  # fmt: skip


def _max_connections(_site: Site, _service: Service, times: Floats) -> Floats:
    return times * 0.0 + 200.0


def maxmemory(service: Service) -> float:
    """Return a cache's maxmemory in bytes, as its config map says by default."""
    return round(service.memory_limit / 1.15) * MIB


def _redis_max(_site: Site, service: Service, times: Floats) -> Floats:
    return times * 0.0 + maxmemory(service)


def redis_used(site: Site, service: Service, times: Floats) -> Floats:
    """Return used memory on an ordinary week: it follows the sign-ins of the hour before."""
    load = traffic.sign_ins(times - 1800.0, site.day_offset, site.seed) * 0.35 + 0.3
    share = 0.30 + 0.12 * load + 0.01 * noise.wave(times, *site.key, service.name, "redis")
    out: Floats = maxmemory(service) * share
    return out


def _fragmentation(site: Site, service: Service, times: Floats) -> Floats:
    return 1.09 + 0.02 * noise.wave(
        times, *site.key, service.name, "frag", periods_s=(3600.0, 20000.0)
    )


def _evicted(_site: Site, _service: Service, times: Floats) -> Floats:
    return times * 0.0


def _lookups(site: Site, service: Service, times: Floats) -> Floats:
    """Return all lookups since the past began, smoothly (the integral of a mean load)."""
    rate = 40.0 + noise.number(service.name) % 60
    since = times - (site.begun - 8 * traffic.DAY)
    ripple = 3000.0 * np.sin(2.0 * np.pi * since / traffic.DAY)
    out: Floats = rate * (since + ripple) * site.size.traffic / 160.0
    return out


def _hits(site: Site, service: Service, times: Floats) -> Floats:
    return np.floor(0.943 * _lookups(site, service, times))


def _misses(site: Site, service: Service, times: Floats) -> Floats:
    return np.floor(0.057 * _lookups(site, service, times))


def _clients(site: Site, service: Service, times: Floats) -> Floats:
    load = traffic.sign_ins(times, site.day_offset, site.seed)
    return np.round(
        60.0 + 160.0 * load + 4.0 * noise.wave(times, *site.key, service.name, "clients")
    )


def _max_clients(_site: Site, _service: Service, times: Floats) -> Floats:
    return times * 0.0 + 10000.0


def _pools(flow: Flow, index: int, at: Ints) -> tuple[Floats, Floats, Floats]:
    """Return (used, size, waiting) of one pod's pool at positions of a frame."""
    touched = flow.touched[index][at]
    wanted = np.where(touched, flow.pool[1][at], flow.pool[0][at])
    size = np.full(len(at), float(flow.service.pool))
    special = flow.level.get("pool_size")
    if special is not None:
        size = np.where(touched & (special[at] > 0), special[at], size)
    serving = flow.serving[index][at]
    generator = noise.generator(flow.pods[index].uid, "pool", flow.block)
    wobble = np.exp(0.18 * generator.standard_normal(BLOCK))[at]
    used = np.round(np.minimum(wanted * np.where(wanted < 0.9 * size, wobble, 1.0), size) * serving)
    waiting = np.maximum(0.0, wanted / size - 0.93) * 30.0 * wobble
    return used, size, np.round(np.minimum(waiting, 400.0) * serving)


def _pool_rows(
    scope: Scope, indices: Ints, pick: Callable[[Any], dict[Any, Floats]]
) -> dict[Any, Floats]:
    def read(frame: Frame, at: Ints) -> dict[Any, Floats]:
        out: dict[Any, Floats] = {}
        for flow in frame.values():
            if flow.service.pool and flow.service.inside:
                for i, pod in enumerate(flow.pods):
                    for key, value in pick(_pools(flow, i, at)).items():
                        out[(flow.service.name, pod.name, key)] = value
        return out

    return scope.blocks.instant(indices, read)


def _pool_family(
    scope: Scope, keep: Keep, indices: Ints, pick: Callable[[Any], dict[Any, Floats]]
) -> Rows:
    times = times_of(indices)
    pods = {p.name: p for p in scope.site.pods()}
    parts: list[tuple[Labels, Floats]] = []
    for (service, pod, state), values in _pool_rows(scope, indices, pick).items():
        labels = {"service_name": service, "pod": pod, "namespace": NAMESPACE}
        labels["pool_name"] = f"{service}-db"
        if state:
            labels["state"] = state
        if keep(labels) and pod in pods:
            parts.append((labels, where(pods[pod].present(times), values)))
    return gather(indices, parts)


def _usage(scope: Scope, keep: Keep, indices: Ints) -> Rows:
    return _pool_family(scope, keep, indices, lambda p: {"used": p[0], "idle": p[1] - p[0]})


def _maximum(scope: Scope, keep: Keep, indices: Ints) -> Rows:
    return _pool_family(scope, keep, indices, lambda p: {"": p[1]})


def _pending(scope: Scope, keep: Keep, indices: Ints) -> Rows:
    return _pool_family(scope, keep, indices, lambda p: {"": p[2]})


def _activity(scope: Scope, keep: Keep, indices: Ints) -> Rows:
    stores = [s for s in scope.site.inside() if s.role is Role.DATABASE]

    def read(frame: Frame, at: Ints) -> dict[Any, Floats]:
        out: dict[Any, Floats] = {}
        for store in stores:
            active, idle = np.full(len(at), 2.0), np.full(len(at), 3.0)
            for caller, _call in scope.site.topology.callers(store.name):
                flow = frame[caller.name]
                for i in range(len(flow.pods)):
                    used, size, _ = _pools(flow, i, at)
                    serving = flow.serving[i][at]
                    active = active + used * serving
                    idle = idle + np.maximum(0.0, np.round(0.4 * (size - used))) * serving
            out[(store.name, "active")], out[(store.name, "idle")] = active, idle
        return out

    parts: list[tuple[Labels, Floats]] = []
    for (name, state), values in scope.blocks.instant(indices, read).items():
        labels = store_labels(scope.site.service(name)) | {"state": state, "datname": "shop"}
        if keep(labels):
            parts.append((labels, values))
    return gather(indices, parts)


def _backlog(scope: Scope, keep: Keep, indices: Ints) -> Rows:
    times = times_of(indices)
    parts: list[tuple[Labels, Floats]] = []
    for service in scope.site.inside():
        labels = store_labels(service) | {"queue": "orders", "vhost": "/"}
        if service.role is Role.QUEUE and keep(labels):
            special = scope.site.gauges.get(("rabbitmq_queue_messages_ready", service.name))
            usual = 6.0 + 5.0 * noise.wave(times, *scope.site.key, "queue", periods_s=(45.0, 200.0))
            parts.append((labels, np.round(special(times) if special else np.maximum(0.0, usual))))
    return gather(indices, parts)


class _Volume:
    def __init__(self, used: bool) -> None:
        self.used = used

    def __call__(self, scope: Scope, keep: Keep, indices: Ints) -> Rows:
        times = times_of(indices)
        parts: list[tuple[Labels, Floats]] = []
        for service in scope.site.inside():
            labels = {"namespace": NAMESPACE, "persistentvolumeclaim": f"data-{service.name}-0"}
            if service.stateful and keep(labels):
                size = times * 0.0 + 20.0 * GIB
                share = noise.between(0.3, 0.62, *scope.site.key, service.name, "volume")
                grow = 0.004 * (times - scope.site.begun) / traffic.DAY
                parts.append((labels, size * (share + grow) if self.used else size))
        return gather(indices, parts)


def pod_of(site: Site, name: str) -> Pod | None:
    """Return a pod by name, whenever it lived."""
    return next((p for p in site.pods() if p.name == name), None)
