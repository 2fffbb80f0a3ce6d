"""A make-believe cluster of numbered objects, and three actions on it: tests look at `writes`."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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
from bot.domain.environment import Environment
from bot.domain.errors import Conflict, Malformed, SreBotError, Unavailable, UnknownName
from tools.contract import Action


@dataclass
class FakeObject:
    """One object: a number that can be set, and who set it last."""

    name: str
    value: int = 1
    uid: str = "uid-1"
    stateful: bool = False
    is_bot_itself: bool = False
    service: str = ""  # "": its own name
    keys: set[str] = field(default_factory=set)

    @property
    def spec_hash(self) -> str:
        return hashlib.sha256(f"{self.name}={self.value}".encode()).hexdigest()


@dataclass
class FakeCluster:
    """Objects by name. `writes` lists every change that really happened: (key, name, value)."""

    objects: dict[str, FakeObject] = field(default_factory=dict)
    writes: list[tuple[str, str, int]] = field(default_factory=list)
    environment: str = "prod"
    pods: int = 1
    total: int = 10
    dry_run_ok: bool = True
    down: bool = False
    lost_answer: bool = False  # the write happens, the answer does not come
    lost_call: bool = False  # the write does not happen, and no answer comes
    blind_after: bool = False  # after a lost answer the cluster cannot be read either
    refuses: SreBotError | None = None
    refused: str = ""  # the one object whose changes `refuses` is for; "": all
    after_call: Callable[[str], None] = lambda _: None

    def get(self, name: str) -> FakeObject:
        if self.down:
            raise Unavailable("cluster", "no answer")
        if name not in self.objects:
            raise UnknownName("object", name, near=sorted(self.objects))
        return self.objects[name]

    def write(self, name: str, value: int, key: str, target: Target) -> Applied:
        found = self.get(name)
        if self.refuses is not None and self.refused in ("", name):
            raise self.refuses
        if key in found.keys:
            return Applied(changed=False, detail=f"{name} is at {found.value}")
        if (found.uid, found.spec_hash) != (target.uid, target.spec_hash):
            raise Conflict(f"{name} was changed by somebody else")
        if self.lost_call:
            self.down = self.blind_after
            raise Unavailable("cluster", "timed out")
        found.value = value
        found.keys.add(key)
        self.writes.append((key, name, value))
        if self.lost_answer:
            self.down = self.blind_after
            raise Unavailable("cluster", "timed out")
        return Applied(changed=True, detail=f"{name} is at {value}")


@dataclass(frozen=True)
class Arguments:
    name: str
    value: int


class SetNumber(Action[Arguments]):
    """Reversible; `family` binds it to a cluster."""

    cluster: ClassVar[FakeCluster]
    facts: ClassVar[ActionFacts] = ActionFacts(
        name="set_number",
        summary="Set a number",
        effect=Effect.CONFIG,
        system="numbers",
        reversible=True,
        highest_level=Level.L4,
        arguments={"name": "the object", "value": "the number"},
    )

    @classmethod
    def for_environment(cls, environment: Environment) -> Self | None:
        return cls() if "numbers" in environment.connections else None

    @classmethod
    def parse(cls, arguments: Any) -> Arguments:
        if not isinstance(arguments, Mapping) or set(arguments) != {"name", "value"}:
            raise Malformed("arguments: expected name and value")
        name, value = arguments["name"], arguments["value"]
        if not isinstance(name, str) or type(value) is not int:
            raise Malformed("arguments: expected a text and a whole number")
        return Arguments(name=name, value=value)

    async def target(self, args: Arguments) -> Target:
        found = self.cluster.get(args.name)
        self.cluster.after_call("target")
        return Target(
            environment=self.cluster.environment,
            kind="Number",
            namespace="shop",
            name=found.name,
            uid=found.uid,
            spec_hash=found.spec_hash,
            service=found.service or found.name,
            replicas=self.cluster.total,
            stateful=found.stateful,
            is_bot_itself=found.is_bot_itself,
        )

    async def dry_run(self, args: Arguments) -> DryRun:
        found = self.cluster.get(args.name)
        self.cluster.after_call("dry_run")
        return DryRun(
            ok=self.cluster.dry_run_ok,
            command=f"set {args.name} {args.value}",
            diff=f"-{found.value}\n+{args.value}\n",
            blast_radius=BlastRadius(
                pods=self.cluster.pods,
                pods_total=self.cluster.total,
                workload_ratio=self.cluster.pods / self.cluster.total,
                fleet_ratio=self.cluster.pods / self.cluster.total / 10,
            ),
        )

    async def inverse(self, args: Arguments, target: Target) -> ActionCall | None:
        if not self.facts.reversible:
            return None
        return ActionCall(
            action="set_number",
            environment=target.environment,
            arguments={"name": args.name, "value": self.cluster.get(args.name).value},
        )

    async def find(self, args: Arguments, key: str) -> Applied | None:
        found = self.cluster.get(args.name)
        self.cluster.after_call("find")
        if key not in found.keys:
            return None
        return Applied(changed=False, detail=f"{args.name} is at {found.value}")

    async def apply(self, args: Arguments, target: Target, key: str) -> Applied:
        applied = self.cluster.write(args.name, args.value, key, target)
        self.cluster.after_call("apply")
        return applied


class Burn(SetNumber):
    """The same, but it cannot be taken back."""

    facts: ClassVar[ActionFacts] = ActionFacts(
        name="burn",
        summary="Cannot be taken back",
        effect=Effect.STORAGE,
        system="numbers",
        reversible=False,
        highest_level=Level.L3,
        arguments={"name": "the object", "value": "the number"},
    )


class AnswerPage(SetNumber):
    """The same to a page: who was called was called."""

    facts: ClassVar[ActionFacts] = ActionFacts(
        name="answer_page",
        summary="Answer a page",
        effect=Effect.PAGE,
        system="pagerduty",
        reversible=False,
        highest_level=Level.L2,
        arguments={"name": "the object", "value": "the number"},
    )


def family(cluster: FakeCluster) -> Mapping[str, type[Action[Any]]]:
    """Return the actions on one cluster: `set_number` (reversible), `burn` and `answer_page`."""
    bound = {"cluster": cluster}
    return {
        "set_number": type("SetNumberHere", (SetNumber,), bound),
        "burn": type("BurnHere", (Burn,), bound),
        "answer_page": type("AnswerPageHere", (AnswerPage,), bound),
    }
