"""Change the bounds between which an autoscaler keeps a workload's pods."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from bot.domain.action import ActionFacts, Effect, Level, Target
from bot.domain.errors import Malformed
from tools.clients.arguments import Arguments
from tools.clients.blast import desired_replicas
from tools.clients.changing import Change, ChangesOneObject
from tools.clients.names import service_of_object
from tools.clients.targets import is_bot_itself, is_stateful
from tools.clients.writing import Body, patch_command

KIND = "HorizontalPodAutoscaler"
SCALED = ("Deployment", "StatefulSet")
MOST = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundsArguments:
    """Which autoscaler, and between how many pods it may choose."""

    namespace: str
    name: str
    min_replicas: int
    max_replicas: int


class ScaleAutoscaler(ChangesOneObject[BoundsArguments]):
    """Sets the least and the most pods. Both fields are the same in all versions of the API."""

    facts: ClassVar[ActionFacts] = ActionFacts(
        name="scale_autoscaler",
        summary="change the least and the most pods of an autoscaler",
        effect=Effect.SCALE,
        system="kubernetes",
        reversible=True,
        highest_level=Level.L4,
        arguments={
            "namespace": "namespace of the HorizontalPodAutoscaler",
            "name": "name of the HorizontalPodAutoscaler",
            "min_replicas": f"least pods, 1 to {MOST}",
            "max_replicas": f"most pods, 1 to {MOST}, not below the least",
        },
    )

    @classmethod
    def parse(cls, arguments: Any) -> BoundsArguments:
        """Return checked arguments. Raises: Malformed."""
        read = Arguments(
            cls.facts.name, arguments, "namespace", "name", "min_replicas", "max_replicas"
        )
        found = BoundsArguments(
            namespace=read.name("namespace"),
            name=read.name("name"),
            min_replicas=read.integer("min_replicas", least=1, most=MOST),
            max_replicas=read.integer("max_replicas", least=1, most=MOST),
        )
        if found.min_replicas > found.max_replicas:
            raise Malformed(f"{cls.facts.name}: min_replicas is above max_replicas")
        return found

    async def target(self, args: BoundsArguments) -> Target:
        """Read the live autoscaler. The workload that it scales counts: its pods, its state.

        Raises: UnknownName, Refused, Unavailable.
        """
        body = await self.live(args)
        target = await self._objects.target(body, replicas=_current(body))
        workload = await self._workload(body)
        if workload is None:  # not known what it scales: then it may keep data
            return replace(target, stateful=True)
        return replace(
            target,
            service=service_of_object(workload),
            replicas=desired_replicas(workload),
            stateful=is_stateful(workload),
            is_bot_itself=target.is_bot_itself or is_bot_itself(workload),
            pdb_allows=await self._objects.pdb_allows(workload),
        )

    def kind_of(self, args: BoundsArguments) -> str:  # noqa: ARG002 - always the same
        """Return HorizontalPodAutoscaler."""
        return KIND

    async def change(self, args: BoundsArguments, body: Body) -> Change:
        """Return the new bounds; pods above the new most are taken away."""
        workload = await self._workload(body)
        now = desired_replicas(workload) if workload else _current(body)
        patch = {"spec": {"minReplicas": args.min_replicas, "maxReplicas": args.max_replicas}}
        aim = _aim(body)
        return Change(
            build=lambda _: patch,
            command=patch_command(KIND, args.namespace, args.name, patch),
            unavailable=max(0, now - args.max_replicas),
            total=now,
            warning="" if workload else f"what it scales ({aim[0]} {aim[1]}) is not there",
        )

    async def undo(self, args: BoundsArguments, body: Body) -> dict[str, Any]:
        """Return the bounds of now; without a least, Kubernetes takes 1."""
        spec = body.get("spec") or {}
        return {
            "namespace": args.namespace,
            "name": args.name,
            "min_replicas": int(spec.get("minReplicas") or 1),
            "max_replicas": int(spec.get("maxReplicas") or 1),
        }

    async def _workload(self, body: Body) -> Body | None:
        kind, name = _aim(body)
        if kind not in SCALED:
            return None
        return await self._objects.maybe(kind, str(body["metadata"]["namespace"]), name)


def _aim(body: Body) -> tuple[str, str]:
    aim = (body.get("spec") or {}).get("scaleTargetRef") or {}
    return str(aim.get("kind") or ""), str(aim.get("name") or "")


def _current(body: Body) -> int:
    return int((body.get("status") or {}).get("currentReplicas") or 0)
