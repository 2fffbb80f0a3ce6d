"""Scale a Deployment to a number of replicas."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from bot.domain.action import ActionCall, ActionFacts, Applied, DryRun, Effect, Level, Target
from bot.domain.environment import Environment
from bot.domain.errors import Refused, UnknownName
from tools.clients.arguments import Arguments
from tools.clients.blast import desired_replicas
from tools.clients.kubernetes import Patch
from tools.clients.writing import Body, GuardedObjects, found_or_none
from tools.contract import Action

KIND = "Deployment"
MOST = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleArguments:
    """Which Deployment, and how many pods."""

    namespace: str
    name: str
    replicas: int


class ScaleDeployment(Action[ScaleArguments]):
    """Changes how many pods a Deployment wants."""

    facts: ClassVar[ActionFacts] = ActionFacts(
        name="scale_deployment",
        summary="change how many pods a Deployment runs",
        effect=Effect.SCALE,
        system="kubernetes",
        reversible=True,
        highest_level=Level.L4,
        arguments={
            "namespace": "namespace of the Deployment",
            "name": "name of the Deployment",
            "replicas": f"number of pods, 0 to {MOST}",
        },
    )

    def __init__(self, objects: GuardedObjects) -> None:
        self._objects = objects

    @classmethod
    def for_environment(cls, environment: Environment) -> "ScaleDeployment | None":
        """Return the action, None when the environment has no cluster. Raises: NotConfigured."""
        objects = GuardedObjects.of(environment)
        return cls(objects) if objects else None

    @classmethod
    def parse(cls, arguments: Any) -> ScaleArguments:
        """Return checked arguments. Raises: Malformed."""
        read = Arguments(cls.facts.name, arguments, "namespace", "name", "replicas")
        return ScaleArguments(
            namespace=read.name("namespace"),
            name=read.name("name"),
            replicas=read.integer("replicas", least=0, most=MOST),
        )

    async def target(self, args: ScaleArguments) -> Target:
        """Read the live Deployment. Raises: UnknownName, Refused, Unavailable."""
        return await self._objects.target(await self._live(args))

    async def dry_run(self, args: ScaleArguments) -> DryRun:
        """Ask the API server for the Deployment with the other number; pods taken away count."""
        body = await self._live(args)
        seen = await self._objects.preview(
            body,
            lambda _: _patch(args.replicas),
            Patch.MERGE,
            command=(
                f"kubectl scale deployment/{args.name} "
                f"--replicas={args.replicas} -n {args.namespace}"
            ),
            unavailable=max(0, desired_replicas(body) - args.replicas),
        )
        scaler = await self._autoscaler(args)
        return replace(seen, detail=scaler) if seen.ok and scaler else seen

    async def inverse(self, args: ScaleArguments, target: Target) -> ActionCall | None:
        """Return the scaling back to the number of now."""
        arguments = {"namespace": args.namespace, "name": args.name, "replicas": target.replicas}
        return ActionCall(
            action=self.facts.name, environment=target.environment, arguments=arguments
        )

    async def find(self, args: ScaleArguments, key: str) -> Applied | None:
        """Return what the Deployment's annotation says of this key."""
        return await found_or_none(lambda: self._objects.done(KIND, args.namespace, args.name, key))

    async def apply(self, args: ScaleArguments, target: Target, key: str) -> Applied:
        """Write the number. Raises: Conflict, Refused, Malformed, Unavailable."""
        return await self._objects.change(
            target, lambda _: _patch(args.replicas), Patch.MERGE, key=key
        )

    async def _live(self, args: ScaleArguments) -> Body:
        return await self._objects.live(KIND, args.namespace, args.name)

    async def _autoscaler(self, args: ScaleArguments) -> str:
        """Return a warning if an autoscaler will overrule the number."""
        try:
            found = await self._objects.client.list("HorizontalPodAutoscaler", args.namespace)
        except (UnknownName, Refused):
            return ""
        for item in found.items:
            spec = item.get("spec") or {}
            aim = spec.get("scaleTargetRef") or {}
            if (aim.get("kind"), aim.get("name")) == (KIND, args.name):
                low, high = spec.get("minReplicas", 1), spec.get("maxReplicas")
                return f"an autoscaler holds it between {low} and {high} and may overrule this"
        return ""


def _patch(replicas: int) -> dict[str, Any]:
    return {"spec": {"replicas": replicas}}
