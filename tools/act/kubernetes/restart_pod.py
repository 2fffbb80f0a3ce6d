"""Restart one pod: evict it, within its disruption budget; its controller makes another.

An Event of the pod carries the execution's key: a pod that is gone can carry nothing.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from bot.domain.action import ActionCall, ActionFacts, Applied, DryRun, Effect, Level, Target
from bot.domain.environment import Environment
from bot.domain.errors import Conflict, Malformed, Refused, Unavailable, UnknownName
from tools.clients.arguments import Arguments
from tools.clients.blast import radius
from tools.clients.diffs import KEY_ANNOTATION, spec_hash
from tools.clients.names import service_of_object
from tools.clients.writing import Body, GuardedObjects
from tools.contract import Action

KIND = "Pod"
BUDGET_RULE = "pod-disruption-budget"


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
        return await self._objects.target(body, replicas=await self._siblings(body))

    async def dry_run(self, args: RestartPodArguments) -> DryRun:
        """Ask the API server whether the eviction would be allowed."""
        body = await self._live(args)
        seen = DryRun(
            ok=True,
            command=f"kubectl delete pod {args.name} -n {args.namespace}",
            diff=f"- pod/{args.name} (uid {_uid(body)})\n+ a new pod of {_controller(body)}",
            blast_radius=radius(
                pods=1,
                total=await self._siblings(body),
                fleet=await self._objects.fleet(),
                service=service_of_object(body),
            ),
        )
        if not _controller(body):
            return replace(seen, ok=False, diff="", detail="nothing would make this pod again")
        try:
            await self._evict(args, _uid(body), key="", dry_run=True)
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
        uid = await self._recorded_uid(args, key)
        body = await self._pod(args)
        if body is None or _going(body):
            return Applied(changed=bool(uid), detail=f"pod/{args.name} is gone, or about to be")
        if uid in ("", _uid(body)):
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
        if body is None or _uid(body) != target.uid or _going(body):
            return Applied(
                changed=False, detail=f"pod/{args.name} (uid {target.uid}) is gone already"
            )
        if spec_hash(body) != target.spec_hash:
            raise Conflict(f"pod/{args.name} was changed since it was read")
        await self._record(body, key)
        await self._evict(args, target.uid, key=key)
        return Applied(changed=True, detail=f"pod/{args.name} (uid {target.uid}) is evicted")

    async def _live(self, args: RestartPodArguments) -> Body:
        return await self._objects.live(KIND, args.namespace, args.name)

    async def _pod(self, args: RestartPodArguments) -> Body | None:
        return await self._objects.maybe(KIND, args.namespace, args.name)

    async def _siblings(self, body: Body) -> int:
        owner = _owner(body).get("uid")
        listing = await self._objects.client.list(KIND, str(body["metadata"]["namespace"]))
        own = [p for p in listing.items if owner and _owner(p).get("uid") == owner]
        return max(1, len(own))

    async def _evict(
        self, args: RestartPodArguments, uid: str, *, key: str, dry_run: bool = False
    ) -> None:
        client = self._objects.client
        options: dict[str, Any] = {"preconditions": {"uid": uid}}
        metadata: dict[str, Any] = {"name": args.name, "namespace": args.namespace}
        if key:
            metadata["annotations"] = {KEY_ANNOTATION: key}
        if dry_run:
            options["dryRun"] = ["All"]
        body = {
            "apiVersion": await client.api_version("PodDisruptionBudget"),
            "kind": "Eviction",
            "metadata": metadata,
            "deleteOptions": options,
        }
        try:
            await client.create(
                KIND, args.namespace, body, below=f"{args.name}/eviction", dry_run=dry_run
            )
        except Unavailable as error:
            if "disruption budget" in str(error):
                raise Refused(
                    f"the disruption budget of pod {args.name} lets no pod go now",
                    rule=BUDGET_RULE,
                ) from None
            raise

    async def _recorded_uid(self, args: RestartPodArguments, key: str) -> str:
        """Return the uid of the pod that was to go under this key, "" if there is no record."""
        try:
            event = await self._objects.client.get("Event", args.namespace, _event_name(key))
        except (UnknownName, Refused):
            return ""
        return str((event.get("involvedObject") or {}).get("uid") or "")

    async def _record(self, pod: Body, key: str) -> None:
        """Record the intent as an Event; where events may not be written, do without."""
        metadata = pod["metadata"]
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": _event_name(key),
                "namespace": metadata["namespace"],
                "annotations": {KEY_ANNOTATION: key},
            },
            "involvedObject": {
                "apiVersion": "v1",
                "kind": KIND,
                "name": metadata["name"],
                "namespace": metadata["namespace"],
                "uid": _uid(pod),
            },
            "type": "Normal",
            "reason": "RestartedBySreBot",
            "message": "Evicted by sre-bot",
            "source": {"component": "sre-bot"},
        }
        try:
            await self._objects.client.create("Event", str(metadata["namespace"]), event)
        except (Conflict, Refused, UnknownName, Malformed):
            return  # there already, or not to be had: the pod's uid still guards the eviction


def _event_name(key: str) -> str:
    return f"sre-bot.{hashlib.sha256(key.encode()).hexdigest()[:16]}"


def _uid(body: Mapping[str, Any]) -> str:
    return str((body.get("metadata") or {}).get("uid") or "")


def _going(body: Mapping[str, Any]) -> bool:
    return bool((body.get("metadata") or {}).get("deletionTimestamp"))


def _owner(body: Mapping[str, Any]) -> Mapping[str, Any]:
    owners = (body.get("metadata") or {}).get("ownerReferences") or ()
    return next((o for o in owners if o.get("controller")), {})


def _controller(body: Mapping[str, Any]) -> str:
    owner = _owner(body)
    return f"{str(owner['kind']).lower()}/{owner.get('name')}" if owner.get("kind") else ""
