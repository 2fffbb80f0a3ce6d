"""Scaling a workload to a number of pods."""

from dataclasses import dataclass
from typing import Any, ClassVar

from bot.domain.action import ActionFacts, Effect, Level
from bot.domain.errors import Refused, UnknownName
from tools.clients.arguments import Arguments
from tools.clients.blast import desired_replicas
from tools.clients.changing import Change, ChangesOneObject
from tools.clients.writing import Body

MOST = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleArguments:
    """Which workload, and how many pods."""

    namespace: str
    name: str
    replicas: int


def scale_facts(kind: str) -> ActionFacts:
    """Return what is to be known of the scaling of a kind of workload."""
    return ActionFacts(
        name=f"scale_{kind.lower()}",
        summary=f"change how many pods a {kind} runs",
        effect=Effect.SCALE,
        system="kubernetes",
        reversible=True,
        highest_level=Level.L4,
        arguments={
            "namespace": f"namespace of the {kind}",
            "name": f"name of the {kind}",
            "replicas": f"number of pods, 0 to {MOST}",
        },
    )


class ScalesWorkload(ChangesOneObject[ScaleArguments]):
    """Changes how many pods a workload wants."""

    kind: ClassVar[str]

    @classmethod
    def parse(cls, arguments: Any) -> ScaleArguments:
        """Return checked arguments. Raises: Malformed."""
        read = Arguments(cls.facts.name, arguments, "namespace", "name", "replicas")
        return ScaleArguments(
            namespace=read.name("namespace"),
            name=read.name("name"),
            replicas=read.integer("replicas", least=0, most=MOST),
        )

    def kind_of(self, args: ScaleArguments) -> str:  # noqa: ARG002 - always the same
        """Return the kind of the workload."""
        return self.kind

    async def change(self, args: ScaleArguments, body: Body) -> Change:
        """Return the other number; the pods that it takes away count."""
        return Change(
            build=lambda _: {"spec": {"replicas": args.replicas}},
            command=(
                f"kubectl scale {self.kind.lower()}/{args.name} "
                f"--replicas={args.replicas} -n {args.namespace}"
            ),
            unavailable=max(0, desired_replicas(body) - args.replicas),
            warning=await self._autoscaler(args),
        )

    async def undo(self, args: ScaleArguments, body: Body) -> dict[str, Any]:
        """Return the number of now."""
        now = desired_replicas(body)
        return {"namespace": args.namespace, "name": args.name, "replicas": now}

    async def _autoscaler(self, args: ScaleArguments) -> str:
        """Return a warning if an autoscaler will overrule the number."""
        try:
            found = await self._objects.client.list("HorizontalPodAutoscaler", args.namespace)
        except (UnknownName, Refused):
            return ""
        for item in found.items:
            spec = item.get("spec") or {}
            aim = spec.get("scaleTargetRef") or {}
            if (aim.get("kind"), aim.get("name")) == (self.kind, args.name):
                low, high = spec.get("minReplicas", 1), spec.get("maxReplicas")
                return f"an autoscaler holds it between {low} and {high} and may overrule this"
        return ""
