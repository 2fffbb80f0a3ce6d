"""Builds an environment as it is on an ordinary day, with a past."""

import math
import re
from dataclasses import replace

from bot.sandbox.world import (
    background,
    manifests,
    noise,
    physics,
    rollout,
    sizing,
    templates,
)
from bot.sandbox.world.records import History, Workload
from bot.sandbox.world.shop import SIZES, shop
from bot.sandbox.world.site import SCRAPE, Node, Site
from bot.sandbox.world.topology import Topology
from bot.sandbox.world.traffic import DAY

PAST_S = 26 * 3600.0
LONG_PAST_S = 7 * DAY


def build(
    env: str, seed: int, now: float, topology: Topology | None = None, local_hour: float = 14.0
) -> Site:
    """Return the environment at `now`, which is made to be that hour of the company's day."""
    begun = math.floor(now / SCRAPE) * SCRAPE
    size = SIZES.get(env, SIZES["prod"])
    site = Site(
        env=env,
        seed=seed,
        begun=begun,
        topology=sizing.sized(topology or shop(), size),
        size=size,
        day_offset=(local_hour * 3600.0 - begun) % DAY,
    )
    site.nodes = _nodes(site)
    manifests.fill(site)
    for service in site.inside():
        _workload(site, service.name)
    background.fill(site)
    physics.fill(site)
    return site


def _nodes(site: Site) -> list[Node]:
    count = site.size.nodes
    if len(site.topology.services) > 40:
        count = max(count, len(site.topology.services) // 10)
    wanted = sum(s.cpu_limit * s.replicas for s in site.inside()) / count
    cores = max(4.0, 4.0 * math.ceil(wanted * 0.8 / 4.0))
    gib = 2.0**30
    need = sum(s.memory_limit * s.replicas for s in site.inside()) * 2.0**20 / count
    memory = max(16.0 * gib, 8.0 * gib * math.ceil(need * 1.1 / (8.0 * gib)))
    return [
        Node(name=f"{site.env}-worker-{i + 1}", cores=cores, memory_bytes=memory)
        for i in range(count)
    ]


def _workload(site: Site, name: str) -> None:
    service = site.service(name)
    past = versions_before(site, name)
    for version in (*past, service.version):
        site.images.add(site.image(name, version))
    body = templates.workload(site, service, past[0] if past else service.version, service.replicas)
    workload = Workload(kind=body["kind"], name=name, service=name, body=body)
    site.workloads[name] = workload
    site.configs.setdefault(f"{name}-config", History())
    at = site.begun - between_days(site, name, "birth")
    workload.scales.append((at, service.replicas))
    for version in (*past, service.version):
        rollout.roll(site, workload, templates.template(site, service, version), at)
        at += between_hours(site, name, version)
    body["metadata"]["labels"] = templates.labels(service, service.version)
    body["metadata"]["generation"] = len(workload.revisions)
    workload.pods = [p for p in workload.pods if p.gone > site.begun - PAST_S]
    workload.events.clear()


def between_days(site: Site, name: str, what: str) -> float:
    """Return an age of five to six and a half days, in seconds."""
    return noise.between(5.0, 6.5, *site.key, name, what) * DAY


def between_hours(site: Site, name: str, what: str) -> float:
    """Return a time between two releases: a day or so, in seconds."""
    return noise.between(20.0, 34.0, *site.key, name, what) * 3600.0


def versions_before(site: Site, name: str) -> tuple[str, ...]:
    """Return the versions that a service had before its present one, oldest first."""
    service = site.service(name)
    if service.stateful or not service.version.startswith("v"):
        return ()
    return tuple(bump(service.version, -back) for back in (2, 1))


def bump(version: str, by: int) -> str:
    """Return a version further on or back: the last part counts, else the middle one."""
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", version)
    major, minor, patch = (int(p) for p in found.groups()) if found else (1, 0, 0)
    patch += by
    if patch < 0:
        minor, patch = max(0, minor + patch), 0
    return f"v{major}.{minor}.{patch}"


def renamed_versions(topology: Topology) -> Topology:
    """Return the topology with every version valid for `bump`."""
    fixed = (
        s
        if s.stateful or not s.inside or s.version.count(".") == 2
        else replace(s, version="v1.0.0")
        for s in topology.services
    )
    return Topology.of(tuple(fixed))
