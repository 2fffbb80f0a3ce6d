"""Who calls whom in the make-believe shop, and what every service is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    """What a service is."""

    HTTP = "http"
    WORKER = "worker"
    DATABASE = "database"
    CACHE = "cache"
    QUEUE = "queue"
    EXTERNAL = "external"
    BATCH = "batch"


STATEFUL = frozenset({Role.DATABASE, Role.CACHE, Role.QUEUE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One dependency of a service: how often it is asked per request, and what a failure does."""

    callee: str
    per_request: float
    operation: str
    timeout_s: float = 2.0
    retries: int = 0
    soft: bool = False  # the caller has a fallback: a failure here is no failure there


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service. Times in seconds, memory in MiB, CPU in cores or CPU seconds per request."""

    name: str
    role: Role
    median_s: float  # own work, without what it waits for
    cpu_s: float  # CPU seconds per request
    replicas: int  # in production
    calls: tuple[Call, ...] = ()
    entry_share: float = 0.0  # of the environment's outside traffic that enters here
    shape: float = 3.4  # of the log-logistic latency: smaller is heavier-tailed
    error_ratio: float = 0.00006
    threads: int = 64  # requests at once per pod
    pool: int = 0  # database connections per pod, 0: no pool
    cpu_limit: float = 1.0
    memory_limit: int = 512
    memory_base: int = 210
    port: int = 8080
    language: str = "go"
    owner: str = "team-shop"
    version: str = "v1.0.0"

    @property
    def stateful(self) -> bool:
        """Whether it runs as a StatefulSet with a volume."""
        return self.role in STATEFUL

    @property
    def inside(self) -> bool:
        """Whether it runs in the cluster."""
        return self.role is not Role.EXTERNAL

    @property
    def serves_http(self) -> bool:
        """Whether it has HTTP server metrics of its own."""
        return self.role in (Role.HTTP, Role.WORKER, Role.BATCH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """A whole company: services in an order in which callers come before callees."""

    services: tuple[Service, ...]
    by_name: Mapping[str, Service] = field(default_factory=dict)

    @classmethod
    def of(cls, services: tuple[Service, ...]) -> "Topology":
        """Return the topology, its services callers first. Raises: ValueError: a cycle."""
        by_name = {s.name: s for s in services}
        order: list[str] = []
        state: dict[str, int] = {}
        for service in services:
            _visit(service.name, by_name, state, order)
        return cls(services=tuple(by_name[n] for n in reversed(order)), by_name=by_name)

    def callers(self, name: str) -> tuple[tuple[Service, Call], ...]:
        """Return who calls this service, and how."""
        return tuple((s, c) for s in self.services for c in s.calls if c.callee == name)

    def upstream(self, name: str) -> tuple[str, ...]:
        """Return everything that calls this service, directly or not, nearest first."""
        found: list[str] = []
        waiting = [name]
        while waiting:
            for caller, _ in self.callers(waiting.pop(0)):
                if caller.name not in found:
                    found.append(caller.name)
                    waiting.append(caller.name)
        return tuple(found)


def _visit(
    root: str, by_name: Mapping[str, Service], state: dict[str, int], order: list[str]
) -> None:
    stack = [(root, False)]
    while stack:
        name, leaving = stack.pop()
        if leaving:
            state[name] = 2
            order.append(name)
            continue
        if state.get(name):
            continue
        state[name] = 1
        stack.append((name, True))
        for call in by_name[name].calls:
            if state.get(call.callee) == 1:
                raise ValueError(f"{name} and {call.callee} call each other")
            stack.append((call.callee, False))
