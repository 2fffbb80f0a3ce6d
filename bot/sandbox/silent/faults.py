"""Silent degradations: a few of a service's requests fail, hang or are slow; checks are green."""

from dataclasses import dataclass

import numpy as np

from bot.sandbox.world import building, noise, rollout, templates
from bot.sandbox.world.incidents import parts
from bot.sandbox.world.noise import Floats
from bot.sandbox.world.records import Modifiers, Pod
from bot.sandbox.world.site import Site
from bot.sandbox.world.topology import Role
from bot.sandbox.world.traffic import DAY

KINDS = ("pod-fails", "pod-slow", "pod-hangs", "some-fail", "some-slow", "unreachable", "version")
LEAST, MOST = 0.01, 0.10  # of the service's requests


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One degradation. Times in epoch seconds."""

    kind: str
    service: str
    share: float  # of the service's requests, when it is fully there
    begins: float
    ramp_s: float  # until it is fully there
    ends: float
    slow_s: float  # how much longer the slow ones take


def drawn(site: Site, seed: int, count: int, first: float, days: float) -> list[Fault]:
    """Return so many degradations, spread over the days, never two at a time."""
    out, spacing = [], days * DAY / count
    services = [s for s in site.inside() if s.role in (Role.HTTP, Role.WORKER)]
    called = [s for s in services if site.topology.callers(s.name)]
    for i in range(count):
        key = ("silent", seed, i)
        kind = KINDS[noise.number(*key, "kind") % len(KINDS)]
        several = [s for s in called if s.replicas > 2] if kind.startswith("pod") else called
        service = noise.choice(services if kind == "version" else several, *key, "service")
        begins = first + (i + noise.between(0.1, 0.8, *key, "at")) * spacing
        ramp = noise.between(600.0, 2700.0, *key, "ramp") if noise.number(*key) % 2 else 1.0
        lasts = noise.between(2700.0, 9000.0, *key, "lasts")
        out.append(
            Fault(
                kind=kind,
                service=service.name,
                share=LEAST * (MOST / LEAST) ** noise.unit(*key, "share"),
                begins=begins,
                ramp_s=ramp,
                ends=begins + ramp + lasts,
                slow_s=noise.between(0.4, 3.0, *key, "slow"),
            )
        )
    return out


def install(site: Site, fault: Fault) -> None:
    """Put a degradation into the physics, when the days have come to its beginning."""
    mark = f"silent-{fault.begins:.0f}"
    alive = sorted(site.workloads[fault.service].ready(fault.begins), key=lambda p: p.name)
    share, strength = fault.share, _While(fault)
    if fault.kind.startswith("pod"):
        bad = noise.choice(alive, mark)
        bad.marks.add(mark)
        share, strength = min(0.95, fault.share * len(alive)), _While(fault, mark=mark)
    elif fault.kind == "version":
        strength = _While(fault, version=release(site, fault.service, fault.begins))
    parts.add(site, fault.service, _modifiers(fault, share), strength, mark)


def release(site: Site, name: str, at: float) -> str:
    """Roll out the next version of a service, and return it."""
    workload = site.workloads[name]
    before = rollout.version_of(rollout.image_of(workload.current.template))
    after = building.bump(before, 1)
    site.images.add(site.image(name, after))
    rollout.roll(site, workload, templates.template(site, site.service(name), after), at)
    return after


def _modifiers(fault: Fault, share: float) -> Modifiers:
    if fault.kind.endswith("slow"):
        return Modifiers(slow_share=share, slow_s=fault.slow_s)
    if fault.kind == "pod-hangs":
        return Modifiers(hang_share=share)
    if fault.kind == "unreachable":
        return Modifiers(unreachable=share)
    return Modifiers(errors=share)


class _While:
    """Rises from 0 to 1 on the pods that are meant, then is over."""

    def __init__(self, fault: Fault, *, mark: str = "", version: str = "") -> None:
        self._fault, self._mark, self._version = fault, mark, version

    def __call__(self, pod: Pod | None, times: Floats) -> Floats:
        """Return the strength."""
        fault = self._fault
        if pod is None or (self._mark and self._mark not in pod.marks):
            return times * 0.0
        if self._version and pod.version != self._version:
            return times * 0.0
        grown = np.clip((times - fault.begins) / fault.ramp_s, 0.0, 1.0)
        out: Floats = np.where(times < fault.ends, grown, 0.0)
        return out
