"""How load, slowness and errors travel along the service graph, for one block of time."""

import math
from dataclasses import dataclass, field, replace

import numpy as np

from bot.sandbox.world import noise, traffic
from bot.sandbox.world.noise import Bools, Floats
from bot.sandbox.world.records import Effect, Pod
from bot.sandbox.world.site import BLOCK, SCRAPE, Site
from bot.sandbox.world.topology import Call, Role, Service

STATUSES = ("200", "500", "503", "504")


@dataclass(slots=True, kw_only=True)
class Shape:
    """A latency mixture and error shares at every step: most requests, and the slow ones."""

    fast: Floats  # median, s
    slow: Floats  # median of the slow ones, s
    weight: Floats  # share of slow ones
    errors: Floats  # [3, steps] shares of 500, 503, 504
    hang_s: Floats  # how long a 504 took
    shape: float

    def mean(self) -> Floats:
        """Return the mean latency of what is answered."""
        k = self.shape
        factor = (math.pi / k) / math.sin(math.pi / k)
        out: Floats = factor * ((1.0 - self.weight) * self.fast + self.weight * self.slow)
        return out

    def beyond(self, limit: float) -> Floats:
        """Return the share of requests that take longer than the limit."""
        fast = 1.0 / (1.0 + (limit / self.fast) ** self.shape)
        slow = 1.0 / (1.0 + (limit / self.slow) ** self.shape)
        out: Floats = (1.0 - self.weight) * fast + self.weight * slow
        return out

    @property
    def failed(self) -> Floats:
        """Return the share of failed requests."""
        out: Floats = np.minimum(1.0, self.errors.sum(axis=0))
        return out


@dataclass(slots=True, kw_only=True)
class EdgeFlow:
    """What a caller sees of one callee, by class of its pods: rate, latency, failures."""

    call: Call
    rate: Floats  # [2, steps] of the whole service, if all pods were of that class
    add_s: Floats  # [2, steps]
    failed: Floats  # [2, steps]
    late: Floats  # [2, steps] share that hit the timeout


@dataclass(slots=True, kw_only=True)
class Flow:
    """One service in one block. Class 0 pods are untouched by effects, class 1 are touched."""

    service: Service
    block: int
    pods: list[Pod]
    serving: Floats  # [pods, steps] 0 or 1
    touched: Bools  # [pods, steps]
    share: Floats  # [pods, steps] of the traffic
    mix: Floats  # [steps] share of traffic on class 1
    level: dict[str, Floats] = field(default_factory=dict)  # modifier → [steps], class 1
    rate: Floats = field(default_factory=lambda: np.zeros(0))
    count: Floats = field(default_factory=lambda: np.zeros(0))  # ready pods
    busy: Floats = field(default_factory=lambda: np.zeros(0))  # CPU utilisation of the limit
    cpu: Floats = field(default_factory=lambda: np.zeros(0))  # [2, steps] cores per ready pod
    pool: Floats = field(
        default_factory=lambda: np.zeros(0)
    )  # [2, steps] connections wanted per pod
    shapes: tuple[Shape, Shape] | None = None
    edges: dict[str, EdgeFlow] = field(default_factory=dict)
    extra_cpu: Floats = field(
        default_factory=lambda: np.zeros(0)
    )  # cores asked by callers' effects
    final: Shape | None = None  # what callers see, once the block is solved

    @property
    def unreachable(self) -> Floats:
        """Return the share of calls that fail before they arrive."""
        out: Floats = self.mix * self.level["unreachable"]
        return out

    def seen(self) -> Shape:
        """Return what callers see: both classes mixed."""
        if self.final is not None:
            return self.final
        assert self.shapes is not None  # noqa: S101 - set by propagate before anyone asks
        a, b = self.shapes
        if not self.mix.any():
            return a
        m = self.mix
        weight = (1.0 - m) * a.weight + m * b.weight
        return Shape(
            fast=(1.0 - m) * a.fast + m * b.fast,
            slow=np.where(weight > 0, _part(m, a, b) / np.maximum(weight, 1e-12), a.slow),
            weight=weight,
            errors=(1.0 - m) * a.errors + m * b.errors,
            hang_s=np.maximum(a.hang_s, b.hang_s),
            shape=a.shape,
        )


def sliced(flow: Flow, block: int, part: slice) -> Flow:
    """Return one block of a flow that was solved for several."""
    out = replace(flow, block=block)
    for name in ("serving", "touched", "share", "mix", "rate", "count", "busy", "cpu", "pool",
                 "extra_cpu"):  # fmt: skip
        setattr(out, name, getattr(flow, name)[..., part])
    out.level = {k: v[part] for k, v in flow.level.items()}
    out.edges = {
        k: replace(e, rate=e.rate[:, part], add_s=e.add_s[:, part], failed=e.failed[:, part],
                   late=e.late[:, part])
        for k, e in flow.edges.items()
    }  # fmt: skip
    if flow.shapes is not None and flow.final is not None:
        out.shapes = (_cut(flow.shapes[0], part), _cut(flow.shapes[1], part))
        out.final = _cut(flow.final, part)
    return out


def _cut(shape: Shape, part: slice) -> Shape:
    return Shape(
        fast=shape.fast[part], slow=shape.slow[part], weight=shape.weight[part],
        errors=shape.errors[:, part], hang_s=shape.hang_s[part], shape=shape.shape,
    )  # fmt: skip


def _part(mix: Floats, a: Shape, b: Shape) -> Floats:
    out: Floats = (1.0 - mix) * a.weight * a.slow + mix * b.weight * b.slow
    return out


ADDED = ("latency_add_s", "slow_share", "errors", "hang_share", "unreachable", "cpu_add")
NEUTRAL = {
    "latency_factor": 1.0, "latency_add_s": 0.0, "slow_share": 0.0, "slow_s": 0.0, "errors": 0.0,
    "hang_share": 0.0, "unreachable": 0.0, "cpu_factor": 1.0, "cpu_add": 0.0,
}  # fmt: skip


def flow_of(site: Site, service: Service, times: Floats) -> Flow:
    """Return who serves when, and which pods are touched how strongly, before any load."""
    pods = _present(site, service, times)
    effects = [e for e in site.effects if e.service == service.name]
    if pods:
        serving = np.array([p.serving(times) for p in pods if p is not None])
    else:
        serving = np.zeros((0, len(times)))
    if not service.inside:
        serving = np.ones((1, len(times)))
    strengths = _strengths(effects, pods if service.inside else [None], times)
    touched = np.zeros(serving.shape, dtype=bool)
    if effects:
        touched = np.any(strengths > 0, axis=0)
    count = serving.sum(axis=0)
    share = serving / np.maximum(count, 1.0)
    mix = (share * touched).sum(axis=0)
    flow = Flow(
        block=int(times[0] // SCRAPE) // BLOCK,
        service=service, pods=[p for p in pods if p is not None], serving=serving, touched=touched,
        share=share, mix=mix, count=count,
    )  # fmt: skip
    flow.level = _levels(effects, strengths, share * touched, mix)
    return flow


def _present(site: Site, service: Service, times: Floats) -> list[Pod | None]:
    workload = site.workloads.get(service.name)
    if workload is None:
        return []
    start, end = float(times[0]), float(times[-1])
    return [p for p in workload.pods if p.created <= end and p.gone > start]


def _strengths(effects: list[Effect], pods: "list[Pod | None]", times: Floats) -> Floats:
    if not effects:
        return np.zeros((0, len(pods), len(times)))
    return np.array([[e.strength(p, times) for p in pods] for e in effects]).reshape(
        len(effects), len(pods), len(times)
    )


def _levels(
    effects: list[Effect], strengths: Floats, touched: Floats, mix: Floats
) -> dict[str, Floats]:
    """Return every modifier of class 1: each effect at its mean strength on that class."""
    level = {name: np.full(len(mix), value) for name, value in NEUTRAL.items()}
    for effect, strength in zip(effects, strengths, strict=True):
        mean = (strength * touched).sum(axis=0) / np.maximum(mix, 1e-9)
        mean = np.clip(mean, 0.0, 1.0)
        m = effect.modifiers
        for name in ("latency_factor", "cpu_factor"):
            level[name] = level[name] * (1.0 + (getattr(m, name) - 1.0) * mean)
        for name in ADDED:
            level[name] = level[name] + getattr(m, name) * mean
        level["slow_s"] = np.maximum(level["slow_s"], m.slow_s * (mean > 0))
        if m.pool_size:
            level["pool_size"] = np.where(mean > 0, m.pool_size, 0.0)
        for callee, factor in m.calls.items():
            level[f"calls:{callee}"] = 1.0 + (factor - 1.0) * mean
        for callee, seconds in m.call_add_s.items():
            level[f"add:{callee}"] = seconds * mean
        for callee, cpu in m.callee_cpu_s.items():
            level[f"cpu:{callee}"] = cpu * mean
    return level


def entry(site: Site, service: Service, times: Floats) -> Floats:
    """Return the outside traffic that enters at a service, requests per second."""
    for name, extra in site.surges:
        if name == service.name:
            return _usual_entry(site, service, times) + extra(times)
    return _usual_entry(site, service, times)


def _usual_entry(site: Site, service: Service, times: Floats) -> Floats:
    if not service.entry_share:
        return np.zeros(len(times))
    signing = service.role is Role.HTTP and service.entry_share < 0.5
    profile = traffic.sign_ins if signing else traffic.shoppers
    rate = site.size.traffic * service.entry_share * profile(times, site.day_offset, site.seed)
    if service.role is Role.BATCH:
        rate = np.full(len(times), site.size.traffic * service.entry_share)
    out: Floats = rate
    return out


def jitter(site: Site, service: Service, times: Floats, first: int) -> tuple[Floats, Floats]:
    """Return the noise factors of latency and rate in the block that begins at `first`."""
    blocks = range(first, first + len(times), BLOCK)
    keys = [noise.generator(*site.key, service.name, "jitter", b) for b in blocks]
    draws = np.concatenate([g.standard_normal((2, BLOCK)) for g in keys], axis=1)[:, : len(times)]
    slow = 0.06 * noise.wave(times, *site.key, service.name)
    return np.exp(0.07 * draws[0] + slow), np.exp(0.03 * draws[1])
