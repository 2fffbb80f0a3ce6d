"""Solves one block: load goes down the graph, slowness and errors come back up."""

import numpy as np

from bot.sandbox.world import sizing
from bot.sandbox.world.noise import Floats
from bot.sandbox.world.propagation import EdgeFlow, Flow, Shape, entry, flow_of, jitter
from bot.sandbox.world.site import BLOCK, SCRAPE, Site
from bot.sandbox.world.topology import Call, Role

POOL_TIMEOUT_S = 2.5
HANG_S = 12.0
Frame = dict[str, Flow]


def solve(site: Site, block: int, count: int = 1) -> Frame:
    """Return every service's flow in `count` blocks of samples from `block * BLOCK` on."""
    first = block * BLOCK
    times = (first + np.arange(BLOCK * count)).astype(np.float64) * SCRAPE
    return Solver(site, times, first).solve()


class Solver:
    """One block's solution in the making."""

    def __init__(self, site: Site, times: Floats, first: int) -> None:
        self.site, self.times = site, times
        services = site.topology.services
        self.noon = sizing.noon_rates(site.topology, site.size.traffic)
        self.frame = {s.name: flow_of(site, s, times) for s in services}
        self.noise = {s.name: jitter(site, s, times, first) for s in services}
        self.shed = {s.name: np.zeros(len(times)) for s in services}
        self.entry = {s.name: entry(site, s, times) for s in services}

    def solve(self) -> Frame:
        """Run two passes: the second with the retries and refusals that the first one showed."""
        for _ in range(2):
            self._load()
            for service in reversed(self.site.topology.services):
                self._respond(self.frame[service.name])
        for flow in self.frame.values():
            flow.final = flow.seen()
        return self.frame

    def _load(self) -> None:
        for flow in self.frame.values():
            flow.rate = self.entry[flow.service.name] * self.noise[flow.service.name][1]
            flow.extra_cpu = np.zeros(len(self.times))
        for service in self.site.topology.services:
            flow = self.frame[service.name]
            for call in service.calls:
                self._ask(flow, call)

    def _ask(self, flow: Flow, call: Call) -> None:
        per = self._per_request(flow, call)
        old = flow.edges.get(call.callee)
        again = np.ones_like(per) if old is None else _attempts(old.failed, call.retries)
        rate = per * again * flow.rate * (1.0 - self.shed[flow.service.name])
        zeros = [np.zeros_like(per) for _ in range(3)]
        flow.edges[call.callee] = EdgeFlow(
            call=call, rate=rate, add_s=zeros[0], failed=zeros[1], late=zeros[2]
        )
        callee = self.frame[call.callee]
        arriving = ((1.0 - flow.mix) * rate[0] + flow.mix * rate[1]) * (1.0 - callee.unreachable)
        callee.rate = callee.rate + arriving
        cpu = flow.level.get(f"cpu:{call.callee}")
        if cpu is not None:
            callee.extra_cpu = callee.extra_cpu + flow.mix * rate[1] * cpu

    def _per_request(self, flow: Flow, call: Call) -> Floats:
        factor = flow.level.get(f"calls:{call.callee}", np.ones(len(self.times)))
        base = np.full(len(self.times), call.per_request)
        return np.array([base, base * factor])

    def _respond(self, flow: Flow) -> None:
        service = flow.service
        count = np.maximum(flow.count, 1.0)
        per_pod = flow.rate / count
        busy = self._cpu(flow, per_pod, count)
        waits, refused = self._pools(flow, per_pod)
        crowd = np.maximum(0.0, 1.0 - 0.97 / np.maximum(busy, 1e-9))
        if service.role in (Role.EXTERNAL, Role.BATCH):
            crowd = crowd * 0.0
        down = (flow.count < 0.5).astype(float)
        shapes = tuple(self._shape(flow, v, busy[v], waits[v]) for v in (0, 1))
        for v in (0, 1):
            full = self._threads(flow, per_pod, shapes[v])
            no = 1.0 - (1.0 - crowd[v]) * (1.0 - refused[v]) * (1.0 - full) * (1.0 - down)
            errors = shapes[v].errors * (1.0 - no)
            errors[1] += no
            shapes[v].errors = errors
            self.shed[service.name] = (
                no if v == 0 else (1.0 - flow.mix) * self.shed[service.name] + flow.mix * no
            )
        flow.shapes = (shapes[0], shapes[1])

    def _cpu(self, flow: Flow, per_pod: Floats, count: Floats) -> Floats:
        service, level = flow.service, flow.level
        own = per_pod * service.cpu_s + flow.extra_cpu / count + 0.004
        cores = np.array([own, own * level["cpu_factor"] + level["cpu_add"]])
        flow.busy = cores / service.cpu_limit
        roof = service.cpu_limit + np.array([level["cpu_add"] * 0.0, level["cpu_add"]])
        flow.cpu = np.minimum(cores, roof)
        return flow.busy if service.cpu_s else flow.busy * 0.0

    def _pools(self, flow: Flow, per_pod: Floats) -> tuple[Floats, Floats]:
        """Return seconds of waiting for a connection, and the share that gave up, by class."""
        service = flow.service
        zero = np.zeros((2, len(self.times)))
        flow.pool = zero
        stores = [c for c in service.calls if self.site.service(c.callee).role is Role.DATABASE]
        if not service.pool or not stores:
            return zero, zero
        extra = zero + 0.0
        for call in stores:
            add = flow.level.get(f"add:{call.callee}", zero[0])
            usual = call.per_request * self.site.service(call.callee).median_s
            fast = self.frame[call.callee].seen().fast
            seconds = self._per_request(flow, call) * np.array([fast, fast + add])
            extra = extra + np.maximum(0.0, seconds - usual)
        noon = max(self.noon[service.name] / service.replicas, 1e-6)
        flow.pool = per_pod * (0.38 * service.pool / noon + extra)
        size = np.array([zero[0] + service.pool, flow.level.get("pool_size", zero[0])])
        size = np.where(size > 0, size, service.pool)
        return _waiting(flow.pool / size, flow.pool / np.maximum(per_pod, 1e-6))

    def _threads(self, flow: Flow, per_pod: Floats, shape: Shape) -> Floats:
        if flow.service.role is not Role.HTTP:
            return per_pod * 0.0
        held = shape.mean() + shape.errors[2] * shape.hang_s
        out: Floats = np.maximum(0.0, 1.0 - flow.service.threads / np.maximum(per_pod * held, 1e-9))
        return out

    def _shape(self, flow: Flow, v: int, busy: Floats, wait: Floats) -> Shape:
        service, level = flow.service, flow.level
        own = service.median_s * self.noise[service.name][0] * _queueing(busy)
        slow_share, errors, hang = own * 0.0, own * 0.0 + service.error_ratio, own * 0.0
        slow_s = own * 0.0
        if v == 1:
            own = own * level["latency_factor"] + level["latency_add_s"]
            slow_share, slow_s, hang = level["slow_share"], level["slow_s"], level["hang_share"]
            errors = errors + level["errors"]
        shape = Shape(
            fast=own + wait, slow=own + slow_s, weight=slow_share, hang_s=own * 0.0 + HANG_S,
            errors=np.array([errors * (1.0 - hang), own * 0.0, hang]), shape=service.shape,
        )  # fmt: skip
        if service.role is not Role.QUEUE:
            tails = _Tails(shape)
            for call in service.calls:
                self._wait_for(flow, call, v, tails)
            tails.finish()
        return shape

    def _wait_for(self, flow: Flow, call: Call, v: int, tails: "_Tails") -> None:
        edge = flow.edges[call.callee]
        seen = self.frame[call.callee].seen()
        per = self._per_request(flow, call)[v]
        add = flow.level.get(f"add:{call.callee}", per * 0.0) if v == 1 else per * 0.0
        late = seen.beyond(call.timeout_s) if not add.any() else _later(seen, add, call.timeout_s)
        late = np.minimum(1.0, late + seen.errors[2] * (seen.hang_s >= call.timeout_s))
        lost = self.frame[call.callee].unreachable
        failed = 1.0 - (1.0 - seen.failed) * (1.0 - late) * (1.0 - lost)
        edge.add_s[v], edge.failed[v], edge.late[v] = add, failed, late
        fast = np.minimum(seen.fast + add, call.timeout_s)
        slow = np.minimum(seen.slow + add, call.timeout_s)
        tails.add(call, per, (fast, slow, seen.weight), (failed, late))


class _Tails:
    """Adds what a service waits for to its own latency: sums of medians, mixtures of tails."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.clear = 1.0 - shape.weight
        self.parts = shape.weight * shape.slow
        self.weights = shape.weight + 0.0

    def add(
        self,
        call: Call,
        per: Floats,
        seen: tuple[Floats, Floats, Floats],
        bad: tuple[Floats, Floats],
    ) -> None:
        """Add `per` calls a request: `seen` is (fast, slow, weight), `bad` is (failed, late)."""
        fast, slow, weight = seen
        failed, late = bad
        self.shape.fast = self.shape.fast + per * fast
        tail = np.minimum(1.0, weight + (late if call.retries or call.soft else 0.0))
        reach = _some(tail, per)
        self.clear = self.clear * (1.0 - reach)
        self.weights = self.weights + reach
        waits = np.where(late > 0.3 * tail, call.timeout_s, slow)
        self.parts = self.parts + reach * waits
        if call.soft:
            return
        final = failed ** (call.retries + 1)
        broken = _some(final, per)
        split = np.minimum(1.0, late / np.maximum(failed, 1e-12))
        rest = 1.0 - self.shape.errors.sum(axis=0)
        self.shape.errors[2] += rest * broken * split
        self.shape.errors[0] += rest * broken * (1.0 - split)
        took = call.timeout_s * (call.retries + 1)
        heavy = broken * split > 0.5 * self.shape.errors[2]
        self.shape.hang_s = np.where(heavy, took, self.shape.hang_s)

    def finish(self) -> None:
        """Write weight and median of the slow requests."""
        mean = self.parts / np.maximum(self.weights, 1e-12)
        self.shape.weight = 1.0 - self.clear
        self.shape.slow = self.shape.fast + np.where(self.weights > 0, mean, 0.0)


def _some(share: Floats, per: Floats) -> Floats:
    """Return how likely one of `per` calls meets what a share meets; a fraction is a maybe-call."""
    whole = np.floor(per)
    out: Floats = 1.0 - (1.0 - share) ** whole * (1.0 - (per - whole) * share)
    return out


def _later(seen: Shape, add: Floats, limit: float) -> Floats:
    moved = Shape(
        fast=seen.fast + add, slow=seen.slow + add, weight=seen.weight, errors=seen.errors,
        hang_s=seen.hang_s, shape=seen.shape,
    )  # fmt: skip
    return moved.beyond(limit)


def _attempts(failed: Floats, retries: int) -> Floats:
    out = np.ones_like(failed)
    for i in range(1, retries + 1):
        out = out + failed**i
    return out


def _queueing(busy: Floats) -> Floats:
    """Return how waiting for a CPU stretches service time, as M/M/c does near saturation."""
    b = np.minimum(busy, 0.97)
    out: Floats = 1.0 + 0.5 * b**4 / (1.0 - b)
    return out


def _waiting(asked: Floats, hold_s: Floats) -> tuple[Floats, Floats]:
    """Return the wait for one of a pool's connections, and the share that waited in vain."""
    a = np.minimum(asked, 0.97)
    wait = hold_s * 0.5 * a**6 / (1.0 - a)
    over = np.clip((asked - 0.97) / 0.5, 0.0, 1.0)
    wait = np.minimum(wait + over * POOL_TIMEOUT_S, POOL_TIMEOUT_S)
    gave_up: Floats = np.maximum(0.0, 1.0 - 1.0 / np.maximum(asked, 1e-9))
    return wait, gave_up
