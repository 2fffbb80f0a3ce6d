"""One environment of the company: everything it remembers, and nothing that reads a clock."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bot.sandbox.world.noise import Floats
from bot.sandbox.world.records import Effect, Flag, History, Json, Pod, Workload
from bot.sandbox.world.shop import Size
from bot.sandbox.world.topology import Service, Topology

NAMESPACE = "shop"
SCRAPE = 15.0  # seconds between two samples
BLOCK = 240  # samples per block
REGISTRY = "registry.shop.example"


@dataclass(slots=True, kw_only=True)
class Node:
    """A machine of the cluster."""

    name: str
    cores: float
    memory_bytes: float


@dataclass(slots=True, kw_only=True)
class LogRule:
    """A kind of log line that appears while something is true.

    `rate` returns lines per second of one pod at the times; `{…}` in the texts are filled in.
    """

    service: str
    level: str
    texts: tuple[str, ...]
    rate: Callable[[Pod, Floats], Floats]


@dataclass(slots=True, kw_only=True)
class Site:
    """The state of one environment. Every view of it is a function of this and a moment."""

    env: str
    seed: int
    begun: float  # the moment of its creation; it has a past of 7 days
    topology: Topology
    size: Size
    day_offset: float
    nodes: list[Node] = field(default_factory=list)
    workloads: dict[str, Workload] = field(default_factory=dict)
    configs: dict[str, History] = field(default_factory=dict)  # config map → data
    objects: dict[tuple[str, str], Json] = field(default_factory=dict)  # (plural, name) → body
    flags: dict[str, Flag] = field(default_factory=dict)
    changes: list[Json] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    surges: list[tuple[str, Callable[[Floats], Floats]]] = field(default_factory=list)
    gauges: dict[tuple[str, str], Callable[[Floats], Floats]] = field(default_factory=dict)
    memory: dict[str, Callable[[Pod, Floats], Floats]] = field(default_factory=dict)  # extra bytes
    births: list[Callable[[Pod], None]] = field(default_factory=list)  # told of every new pod
    logs: list[LogRule] = field(default_factory=list)
    events: list[Json] = field(default_factory=list)
    images: set[str] = field(default_factory=set)
    actions: list[Json] = field(default_factory=list)
    keys: dict[str, Json] = field(default_factory=dict)  # idempotency key → answer
    incident: str = ""
    incident_seed: int = 0
    onset: float = 0.0
    version: int = 0  # grows with every change; a resourceVersion is made of it
    watchers: list[Callable[[float], None]] = field(default_factory=list)

    @property
    def key(self) -> tuple[int, str]:
        """Return what all of its randomness depends on."""
        return (self.seed, self.env)

    def changed(self, at: float) -> int:
        """Note a change from this moment on, and return the new resource version."""
        self.version += 1
        for watcher in self.watchers:
            watcher(at)
        return self.resource_version

    @property
    def resource_version(self) -> int:
        """Return the newest resource version."""
        return 481_000 + 7 * self.version

    def service(self, name: str) -> Service:
        """Return a service. Raises: KeyError."""
        return self.topology.by_name[name]

    def inside(self) -> Iterator[Service]:
        """Yield the services that run in the cluster."""
        return (s for s in self.topology.services if s.inside)

    def pods(self) -> Iterator[Pod]:
        """Yield every pod there ever was or is scheduled to be."""
        for workload in self.workloads.values():
            yield from workload.pods

    def pod(self, name: str, at: float) -> Pod | None:
        """Return the pod of that name that exists at this moment."""
        return next((p for p in self.pods() if p.name == name and p.alive(at)), None)

    def image(self, service: str, version: str) -> str:
        """Return the image of one version of a service."""
        return f"{REGISTRY}/{service}:{version}"
