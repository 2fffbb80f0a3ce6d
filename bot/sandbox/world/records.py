"""What the clusters remember: pods, revisions, settings, flags. Times in epoch seconds."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.world.noise import Floats

Json = dict[str, Any]
NEVER = math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """One death of a container and its return."""

    at: float
    back: float  # ready again
    reason: str  # OOMKilled, Error, Completed
    exit_code: int
    message: str = ""


@dataclass(slots=True, kw_only=True)
class Pod:
    """One pod, from creation to removal; both may lie in the future."""

    name: str
    uid: str
    workload: str
    service: str
    version: str
    template_hash: str
    node: str
    created: float
    ready: float  # NEVER: it does not become ready
    gone: float = NEVER
    image: str = ""
    waiting: str = ""  # why it is not ready: ImagePullBackOff, …
    restarts: list[Restart] = field(default_factory=list)
    marks: set[str] = field(default_factory=set)  # what an incident did to just this pod

    def alive(self, at: float) -> bool:
        """Return whether the object exists at this moment."""
        return self.created <= at < self.gone

    def is_ready(self, at: float) -> bool:
        """Return whether it passes its readiness probe at this moment."""
        if not (self.ready <= at < self.gone):
            return False
        return not any(r.at <= at < r.back for r in self.restarts)

    def started(self, at: float) -> float:
        """Return when the process that runs at this moment was started."""
        starts = [r.back - 4.0 for r in self.restarts if r.back - 4.0 <= at]
        return max([self.created + 1.0, *starts])

    def present(self, times: Floats) -> Floats:
        """Return 1 where the object exists, 0 elsewhere."""
        return ((times >= self.created) & (times < self.gone)).astype(float)

    def serving(self, times: Floats) -> Floats:
        """Return 1 where it is ready, 0 elsewhere."""
        out = ((times >= self.ready) & (times < self.gone)).astype(float)
        for restart in self.restarts:
            out[(times >= restart.at) & (times < restart.back)] = 0.0
        return out


@dataclass(slots=True, kw_only=True)
class Revision:
    """One pod template a workload has had: a ReplicaSet."""

    number: int
    hash: str
    template: Json
    created: float
    used: float  # when it last became the current one


@dataclass(slots=True, kw_only=True)
class Workload:
    """A Deployment or StatefulSet with its past. `body` holds metadata and spec as last written."""

    kind: str
    name: str
    service: str
    body: Json
    revisions: list[Revision] = field(default_factory=list)
    pods: list[Pod] = field(default_factory=list)
    scales: list[tuple[float, int]] = field(default_factory=list)
    events: list[tuple[float, str, str]] = field(default_factory=list)  # at, reason, message
    made: int = 0  # pods so far

    @property
    def replicas(self) -> int:
        """Return how many pods are wanted."""
        return int(self.body["spec"]["replicas"])

    @property
    def current(self) -> Revision:
        """Return the revision that is wanted."""
        return max(self.revisions, key=lambda r: r.number)

    def alive(self, at: float) -> list[Pod]:
        """Return the pods that exist at this moment."""
        return [p for p in self.pods if p.alive(at)]

    def ready(self, at: float) -> list[Pod]:
        """Return the pods that are ready at this moment."""
        return [p for p in self.pods if p.is_ready(at)]


@dataclass(slots=True, kw_only=True)
class History:
    """A value that changes at moments: settings, a flag's variant."""

    moments: list[tuple[float, Any]] = field(default_factory=list)

    def at(self, when: float) -> Any:
        """Return the value at this moment (the first one, before the first moment)."""
        found = self.moments[0][1]
        for moment, value in self.moments:
            if moment <= when:
                found = value
        return found

    def put(self, when: float, value: Any) -> None:
        """Set the value from this moment on."""
        self.moments = [m for m in self.moments if m[0] < when] + [(when, value)]

    def equals(self, times: Floats, wanted: Any) -> Floats:
        """Return 1 where the value is the wanted one, 0 elsewhere."""
        out = (times * 0.0) + float(self.moments[0][1] == wanted)
        for moment, value in self.moments:
            out[times >= moment] = float(value == wanted)
        return out


@dataclass(slots=True, kw_only=True)
class Flag:
    """A feature flag, its variants, and which was served when."""

    name: str
    service: str
    variants: Mapping[str, Any]
    served: History
    version: int = 1
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Modifiers:
    """What an effect does to a service, at full strength. Neutral by default."""

    latency_factor: float = 1.0
    latency_add_s: float = 0.0
    slow_share: float = 0.0  # of requests take slow_s longer
    slow_s: float = 0.0
    errors: float = 0.0
    hang_share: float = 0.0  # of requests never answer: the caller's timeout strikes
    unreachable: float = 0.0  # share of calls that fail before they arrive
    calls: Mapping[str, float] = field(default_factory=dict)  # callee → factor on calls per request
    call_add_s: Mapping[str, float] = field(default_factory=dict)  # callee → seconds per call
    callee_cpu_s: Mapping[str, float] = field(default_factory=dict)  # callee → CPU seconds per call
    cpu_factor: float = 1.0
    cpu_add: float = 0.0  # cores per pod, traffic or not
    pool_size: float = 0.0  # 0: unchanged


Strength = Callable[[Pod | None, Floats], Floats]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """Something that changes how a service behaves, per pod and over time, strength in [0, 1]."""

    name: str
    service: str
    modifiers: Modifiers
    strength: Strength  # of (pod, times); the pod is None for what has no pods
