"""Restart one pod: evict it, within its disruption budget; its controller makes another.

An Event of the pod carries the execution's key: a pod that is gone can carry nothing.
"""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from bot.domain.action import ActionCall, ActionFacts, Applied, DryRun, Effect, Level, Target
from bot.domain.environment import Environment
from bot.domain.errors import Conflict, Malformed, Refused
from tools.clients.arguments import Arguments
from tools.clients.blast import radius
from tools.clients.diffs import spec_hash
from tools.clients.evictions import evict
from tools.clients.names import service_of_object
from tools.clients.nodes import is_going
from tools.clients.vanishing import (
    controller_words,
    record,
    recorded_uid,
    siblings,
    uid_of,
)
from tools.clients.writing import Body, GuardedObjects
from tools.contract import Action

KIND = "Pod"


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartPodArguments:
    """Which pod."""

    namespace: str
    name: str


class RestartPod(Action[RestartPodArguments]):
    """Takes one pod away, so that its controller makes a new one."""

    facts: ClassVar[ActionFacts] = ActionFacts(
        name="restart_pod",
        summary="evict one pod, so that its controller makes a new one",
        effect=Effect.RESTART,
        system="kubernetes",
        reversible=True,  # the wanted state is the same after it; there is nothing to undo
        highest_level=Level.L4,
        arguments={"namespace": "namespace of the pod", "name": "name of the pod"},
    )

    def __init__(self, objects: GuardedObjects) -> None:
        self._objects = objects

    @classmethod
    def for_environment(cls, environment: Environment) -> "RestartPod | None":
        """Return the action, None when the environment has no cluster. Raises: NotConfigured."""
        objects = GuardedObjects.of(environment)
        return cls(objects) if objects else None

    @classmethod
    def parse(cls, arguments: Any) -> RestartPodArguments:
        """Return checked arguments. Raises: Malformed."""
        read = Arguments(cls.facts.name, arguments, "namespace", "name")
        return RestartPodArguments(namespace=read.name("namespace"), name=read.name("name"))

    async def target(self, args: RestartPodArguments) -> Target:
        """Read the live pod; `replicas` counts its siblings. Raises: UnknownName, Refused, …."""
        body = await self._live(args)
        return await self._objects.target(body, replicas=await siblings(self._objects, body))

    async def dry_run(self, args: RestartPodArguments) -> DryRun:
        """Ask the API server whether the eviction would be allowed."""
        body = await self._live(args)
        seen = DryRun(
            ok=True,
            command=f"kubectl delete pod {args.name} -n {args.namespace}",
            diff=f"- pod/{args.name} (uid {uid_of(body)})\n+ a new pod of {controller_words(body)}",
            blast_radius=radius(
                pods=1,
                total=await siblings(self._objects, body),
                fleet=await self._objects.fleet(),
                service=service_of_object(body),
            ),
        )
        if not controller_words(body):
            return replace(seen, ok=False, diff="", detail="nothing would make this pod again")
        try:
            await evict(self._objects.client, _place(args), uid_of(body), dry_run=True)
        except (Refused, Malformed, Conflict) as error:
            return replace(seen, ok=False, diff="", detail=str(error))
        return seen

    async def inverse(
        self,
        args: RestartPodArguments,  # noqa: ARG002 - nothing to undo
        target: Target,  # noqa: ARG002 - nothing to undo
    ) -> ActionCall | None:
        """Return None: the pod cannot come back, and what is wanted did not change."""
        return None

    async def find(self, args: RestartPodArguments, key: str) -> Applied | None:
        """Return what became of the pod whose eviction was recorded under this key."""
        uid = await recorded_uid(self._objects, args.namespace, key)
        body = await self._pod(args)
        if body is None or is_going(body):
            return Applied(changed=bool(uid), detail=f"pod/{args.name} is gone, or about to be")
        if uid in ("", uid_of(body)):
            return None  # never meant to be evicted, or still there
        return Applied(changed=True, detail=f"pod/{args.name} (uid {uid}) is gone")

    async def apply(self, args: RestartPodArguments, target: Target, key: str) -> Applied:
        """Evict the pod, if it still is the target.

        Raises: Conflict: it wants something else now; Refused: RBAC or the disruption budget
        forbids; Unavailable: not known whether it was evicted.
        """
        done = await self.find(args, key)
        if done is not None:
            return replace(done, changed=False)
        body = await self._pod(args)
        if body is None or uid_of(body) != target.uid or is_going(body):
            return Applied(
                changed=False, detail=f"pod/{args.name} (uid {target.uid}) is gone already"
            )
        if spec_hash(body) != target.spec_hash:
            raise Conflict(f"pod/{args.name} was changed since it was read")
        await record(self._objects, body, key, "evicted")
        await evict(self._objects.client, _place(args), target.uid, key=key)
        return Applied(changed=True, detail=f"pod/{args.name} (uid {target.uid}) is evicted")

    async def _live(self, args: RestartPodArguments) -> Body:
        return await self._objects.live(KIND, args.namespace, args.name)

    async def _pod(self, args: RestartPodArguments) -> Body | None:
        return await self._objects.maybe(KIND, args.namespace, args.name)


def _place(args: RestartPodArguments) -> tuple[str, str]:
    return args.namespace, args.name
