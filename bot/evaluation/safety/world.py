"""The simulated world: incidents with a hidden truth, actions that help or harm, odd metrics."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar, Self

from bot.domain.action import (
    ActionCall,
    ActionFacts,
    Applied,
    BlastRadius,
    DryRun,
    Effect,
    Level,
    Target,
)
from bot.domain.diagnosis import SignalRef
from bot.domain.environment import Environment, Tier
from bot.domain.errors import Conflict, Malformed, Unavailable, UnknownName
from bot.domain.snapshot import Series, Source
from tools.contract import Action

TIERS = {"prod": Tier.PRODUCTION, "staging": Tier.STAGING, "dev": Tier.DEVELOPMENT}
SERVICES = tuple(f"service-{number}" for number in range(12))
POINTS, STEP_S = 12, 60.0
SOURCE = Source(system="simulation", query="latency")
GOOD, BAD, WORSE = 0.2, 4.0, 9.0


class Truth(StrEnum):
    """What an action really does to an incident."""

    HELPS = "helps"
    NOTHING = "nothing"
    HARMS = "harms"


class Metrics(StrEnum):
    """What the metrics do while it is watched."""

    HONEST = "honest"
    VANISH = "vanish"
    LIE = "lie"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """An action of the simulated catalogue. `helps`, `harms`: of the right diagnoses."""

    name: str
    helps: float
    harms: float
    wrong: float  # how many of its incidents are diagnosed wrongly
    reversible: bool = True
    highest: Level = Level.L4

    @property
    def harmful(self) -> bool:
        """Whether it makes things worse so often that it must never be promoted."""
        return self.harms >= HARMFUL


HARMFUL = 0.4
STEP_HARMS = 0.03  # of the steps before an action
HARMS_WHEN_WRONG = 0.15  # of the runs on a wrong diagnosis, for any action
KINDS = (
    Kind(name="mend", helps=0.97, harms=0.0, wrong=0.01),
    Kind(name="nudge", helps=0.9, harms=0.01, wrong=0.15),
    Kind(name="shrug", helps=0.05, harms=0.0, wrong=0.1),  # what recovers, recovers by itself
    Kind(name="break", helps=0.3, harms=0.5, wrong=0.3),
    Kind(name="wreck", helps=0.1, harms=0.7, wrong=0.5, reversible=False, highest=Level.L3),
    Kind(name="erase", helps=0.95, harms=0.01, wrong=0.1, reversible=False, highest=Level.L3),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One incident, with what nobody knows."""

    number: int
    environment: str
    service: str
    kind: Kind
    right: bool  # whether the diagnosis is
    truth: Truth
    alone: bool  # whether it goes away without an action
    metrics: Metrics

    @property
    def cause(self) -> str:
        """The diagnosed cause."""
        return f"cause-of-{self.kind.name}"


def incident(number: int, dice: random.Random) -> Incident:
    """Return the next incident."""
    kind = dice.choice(KINDS)
    right = dice.random() >= kind.wrong
    helps, harms = (kind.helps, kind.harms) if right else (0.0, max(kind.harms, HARMS_WHEN_WRONG))
    roll = dice.random()
    truth = Truth.HELPS if roll < helps else Truth.HARMS if roll < helps + harms else Truth.NOTHING
    return Incident(
        number=number,
        environment=dice.choice(tuple(TIERS)),
        service=dice.choice(SERVICES),
        kind=kind,
        right=right,
        truth=truth,
        alone=dice.random() < (0.6 if kind.name == "shrug" else 0.15),
        metrics=dice.choices(tuple(Metrics), weights=(92, 4, 4))[0],
    )


def first_step(happened: Incident, dice: random.Random) -> Incident:
    """Return what must be done first, on another service: it helps nobody by itself."""
    others = [name for name in SERVICES if name != happened.service]
    return replace(
        happened,
        kind=dice.choice([kind for kind in KINDS if not kind.harmful]),
        service=dice.choice(others),
        truth=Truth.HARMS if dice.random() < STEP_HARMS else Truth.NOTHING,
    )


@dataclass
class SimulatedClock:
    """Time passes only when the simulation says so."""

    moment: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        """Return the moment; each look is a microsecond later."""
        self.moment += timedelta(microseconds=1)
        return self.moment

    def wall_seconds(self, seconds: float) -> float:
        """Return the seconds as they are."""
        return seconds

    def pass_(self, seconds: float) -> None:
        """Let time pass."""
        self.moment += timedelta(seconds=seconds)


@dataclass
class SimulatedWorld:
    """Objects with a version, what was done to them, and a system that sometimes fails."""

    dice: random.Random
    versions: dict[tuple[str, str], int] = field(default_factory=dict)
    keys: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    applied: list[str] = field(default_factory=list)  # keys, in the order in which they acted
    lost_answers: float = 0.01
    after: Callable[[], None] = lambda: None  # called after every change

    def version(self, environment: str, name: str) -> int:
        """Return an object's version. Raises: UnknownName."""
        if name not in SERVICES:
            raise UnknownName("service", name)
        return self.versions.get((environment, name), 1)

    def change(self, environment: str, name: str, key: str, expected: str) -> Applied:
        """Change an object once per key. Raises: Conflict, Unavailable."""
        place = environment, name
        if key in self.keys.setdefault(place, set()):
            return Applied(changed=False, detail="done before under this key")
        if expected != f"v{self.version(environment, name)}":
            raise Conflict(f"{name} was changed by somebody else")
        self.versions[place] = self.version(environment, name) + 1
        self.keys[place].add(key)
        self.applied.append(key)
        self.after()
        if self.dice.random() < self.lost_answers:
            raise Unavailable("simulation", "the answer was lost")
        return Applied(changed=True, detail=f"{name} changed")


def series(truth: str, moment: datetime, *, after: bool) -> Series:
    """Return the signal before, or after, acting at `moment`."""
    level = {"good": GOOD, "bad": BAD, "worse": WORSE}[truth]
    first = moment.timestamp() + (STEP_S if after else -POINTS * STEP_S)
    times = tuple(first + STEP_S * n for n in range(POINTS))
    values = tuple(level * (1.0 + 0.02 * (n % 3)) for n in range(POINTS))
    return Series(
        signal="latency_p99", service="s", times=times, values=values, unit="s", source=SOURCE
    )


SIGNAL = SignalRef(signal="latency_p99", service="s", unit="s", good=GOOD, bad=BAD)
LYING = {"good": "bad", "bad": "good", "worse": "good"}


def observed(state: str, metrics: Metrics, moment: datetime) -> Series | None:
    """Return what the metrics show of a state; nothing when they vanish."""
    if metrics is Metrics.VANISH:
        return None
    return series(LYING[state] if metrics is Metrics.LIE else state, moment, after=True)


def environments() -> dict[str, Environment]:
    """Return the three environments."""
    return {name: Environment(name=name, tier=tier, namespaces=()) for name, tier in TIERS.items()}


class Lever(Action[str]):
    """One action of the simulated catalogue, on a service by name."""

    world: ClassVar[SimulatedWorld]
    environment: str

    @classmethod
    def for_environment(cls, environment: Environment) -> Self | None:
        """Return the action there."""
        made = cls()
        made.environment = environment.name
        return made

    @classmethod
    def parse(cls, arguments: Any) -> str:
        """Return the service's name. Raises: Malformed."""
        if not isinstance(arguments, Mapping) or set(arguments) - {"back"} != {"name"}:
            raise Malformed("arguments: expected a name")
        return str(arguments["name"])

    async def target(self, args: str) -> Target:
        """Read the object."""
        version = self.world.version(self.environment, args)
        return Target(
            environment=self.environment, kind="Service", namespace="", name=args, uid=args,
            spec_hash=f"v{version}", service=args, replicas=10,
        )  # fmt: skip

    async def dry_run(self, args: str) -> DryRun:
        """Say what would change."""
        version = self.world.version(self.environment, args)
        blast = BlastRadius(pods=2, pods_total=10, workload_ratio=0.2, fleet_ratio=0.016)
        return DryRun(ok=True, command=f"change {args}", diff=f"v{version}", blast_radius=blast)

    async def inverse(self, args: str, target: Target) -> ActionCall | None:
        """Return the call that takes it back."""
        if not self.facts.reversible:
            return None
        arguments = {"name": args, "back": target.spec_hash}
        return ActionCall(
            action=self.facts.name, environment=self.environment, arguments=arguments
        )  # fmt: skip

    async def find(self, args: str, key: str) -> Applied | None:
        """Read back."""
        done = key in self.world.keys.get((self.environment, args), set())
        return Applied(changed=False, detail="done") if done else None

    async def apply(self, args: str, target: Target, key: str) -> Applied:
        """Act once. Raises: Conflict, Unavailable."""
        return self.world.change(self.environment, args, key, target.spec_hash)


def catalogue(world: SimulatedWorld) -> dict[str, type[Action[Any]]]:
    """Return the simulated actions on a world."""
    return {kind.name: type(kind.name, (Lever,), _bound(kind, world)) for kind in KINDS}


def _bound(kind: Kind, world: SimulatedWorld) -> dict[str, Any]:
    facts = ActionFacts(
        name=kind.name, summary=kind.name, effect=Effect.CONFIG, system="simulation",
        reversible=kind.reversible, highest_level=kind.highest, arguments={"name": "a service"},
    )  # fmt: skip
    return {"world": world, "facts": facts}
