"""Delete a pod that hangs: terminating beyond its grace, or on a node that is lost.

By force the API forgets the pod at once, whether or not its processes have ended: two may then
write the same data. An Event carries the execution's key, as for a pod that is evicted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

from bot.domain.action import ActionCall, ActionFacts, Applied, DryRun, Effect, Level, Target
from bot.domain.environment import Environment
from bot.domain.errors import Conflict, Malformed, Refused, UnknownName
from tools.clients.arguments import Arguments
from tools.clients.blast import radius
from tools.clients.diffs import spec_hash
from tools.clients.names import service_of_object
from tools.clients.nodes import is_going, is_ready, ready_condition
from tools.clients.targets import is_stateful
from tools.clients.vanishing import controller_of, controller_words, gone, record, siblings, uid_of
from tools.clients.writing import Body, GuardedObjects
from tools.contract import Action

KIND = "Pod"
SLACK = timedelta(seconds=60)  # beyond its grace: the kubelet's own last steps take a while
LOST = timedelta(minutes=5)  # a node that is not heard of for so long; Kubernetes evicts then too
NOT_STUCK = "is not stuck: it is neither terminating beyond its grace nor on a lost node"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteStuckPodArguments:
    """Which pod, and whether the API should forget it at once."""

    namespace: str
    name: str
    force: bool


class DeleteStuckPod(Action[DeleteStuckPodArguments]):
    """Takes a pod away that does not go by itself, so that its controller makes a new one."""

    facts: ClassVar[ActionFacts] = ActionFacts(
        name="delete_stuck_pod",
        summary="delete a pod that hangs in termination or on a lost node",
        effect=Effect.RESTART,
        system="kubernetes",
        reversible=False,
        highest_level=Level.L3,
        arguments={
            "namespace": "namespace of the pod",
            "name": "name of the pod",
            "force": "true: the API forgets it at once, whether or not its processes ended",
        },
    )

    def __init__(self, objects: GuardedObjects) -> None:
        self._objects = objects

    @classmethod
    def for_environment(cls, environment: Environment) -> "DeleteStuckPod | None":
        """Return the action, None when the environment has no cluster. Raises: NotConfigured."""
        objects = GuardedObjects.of(environment)
        return cls(objects) if objects else None

    @classmethod
    def parse(cls, arguments: Any) -> DeleteStuckPodArguments:
        """Return checked arguments. Raises: Malformed."""
        read = Arguments(cls.facts.name, arguments, "namespace", "name", "force")
        return DeleteStuckPodArguments(
            namespace=read.name("namespace"), name=read.name("name"), force=read.boolean("force")
        )

    async def target(self, args: DeleteStuckPodArguments) -> Target:
        """Read the live pod; `replicas` counts its siblings. Raises: UnknownName, Refused, …."""
        body = await self._live(args)
        return await self._objects.target(body, replicas=await siblings(self._objects, body))

    async def dry_run(self, args: DeleteStuckPodArguments) -> DryRun:
        """Ask the API server whether it could be deleted; a pod that is not stuck stays."""
        body = await self._live(args)
        stuck = await self._stuck(body)
        seen = DryRun(
            ok=True,
            command=_command(args),
            diff=_diff(args, body, stuck),
            blast_radius=radius(
                pods=1,
                total=await siblings(self._objects, body),
                fleet=await self._objects.fleet(),
                service=service_of_object(body),
            ),
            detail=_price(args, body),
        )
        why = "" if stuck else f"pod/{args.name} {NOT_STUCK}"
        why = why or _hopeless(args, body)
        if why:
            return replace(seen, ok=False, diff="", detail=why)
        try:
            await self._delete(args, uid_of(body), dry_run=True)
        except (Refused, Malformed, Conflict) as error:
            return replace(seen, ok=False, diff="", detail=str(error))
        return seen

    async def inverse(
        self,
        args: DeleteStuckPodArguments,  # noqa: ARG002 - it cannot be taken back
        target: Target,  # noqa: ARG002 - it cannot be taken back
    ) -> ActionCall | None:
        """Return None: the pod cannot come back."""
        return None

    async def find(self, args: DeleteStuckPodArguments, key: str) -> Applied | None:
        """Return what became of the pod whose deletion was recorded under this key."""
        found, body = await gone(self._objects, (KIND, args.namespace, args.name), key)
        if found is None and body is not None and is_going(body) and not args.force:
            return Applied(changed=True, detail=f"pod/{args.name} is to be deleted")
        return found

    async def apply(self, args: DeleteStuckPodArguments, target: Target, key: str) -> Applied:
        """Delete the pod, if it still is the target and still is stuck.

        Raises: Conflict: it is not; Refused; Unavailable: not known whether it was deleted.
        """
        done, body = await gone(self._objects, (KIND, args.namespace, args.name), key)
        if done is not None or body is None:
            return replace(done or _gone(args), changed=False)
        if uid_of(body) != target.uid:
            raise Conflict(f"pod/{args.name} was deleted and made again since it was read")
        if spec_hash(body) != target.spec_hash:
            raise Conflict(f"pod/{args.name} was changed since it was read")
        if not args.force and is_going(body):
            return Applied(changed=False, detail=f"pod/{args.name} is to be deleted already")
        if not await self._stuck(body):
            raise Conflict(f"pod/{args.name} {NOT_STUCK} any more")
        await record(self._objects, body, key, "deleted, it hung")
        await self._delete(args, target.uid)
        return Applied(changed=True, detail=f"pod/{args.name} (uid {target.uid}) is deleted")

    async def _live(self, args: DeleteStuckPodArguments) -> Body:
        return await self._objects.live(KIND, args.namespace, args.name)

    async def _stuck(self, body: Body) -> str:
        """Return why the pod counts as stuck by the API server's clock, "" if it does not."""
        now = await self._objects.client.now()
        due = _moment((body.get("metadata") or {}).get("deletionTimestamp"))
        if due is not None:
            return "terminating beyond its grace" if now > due + SLACK else ""
        name = str((body.get("spec") or {}).get("nodeName") or "")
        if not name:
            return ""
        try:
            node = await self._objects.client.get("Node", "", name)
        except UnknownName:
            return f"its node {name} is gone"
        since = _moment(ready_condition(node).get("lastTransitionTime"))
        lost = not is_ready(node) and since is not None and now > since + LOST
        return f"its node {name} is lost" if lost else ""

    async def _delete(
        self, args: DeleteStuckPodArguments, uid: str, *, dry_run: bool = False
    ) -> None:
        options: dict[str, Any] = {"preconditions": {"uid": uid}}
        if args.force:
            options["gracePeriodSeconds"] = 0
        client = self._objects.client
        await client.delete(KIND, args.namespace, args.name, options, dry_run=dry_run)


def _hopeless(args: DeleteStuckPodArguments, body: Mapping[str, Any]) -> str:
    """Return why deleting would not take the pod away, "" if it would."""
    finalizers = (body.get("metadata") or {}).get("finalizers") or ()
    if finalizers:
        kept = ", ".join(str(f) for f in finalizers[:3])
        return f"finalizers hold it ({kept}): their controllers have to let it go"
    if is_going(body) and not args.force:
        return "it is being deleted already: only force makes the API forget it"
    return ""


def _price(args: DeleteStuckPodArguments, body: Mapping[str, Any]) -> str:
    words = "it cannot be taken back"
    if args.force:
        words += "; its processes may still run on the node"
        words += " and write the same data as the next pod" if is_stateful(body) else ""
    return words if controller_of(body) else f"{words}; nothing makes this pod again"


def _diff(args: DeleteStuckPodArguments, body: Mapping[str, Any], stuck: str) -> str:
    how = "forgotten at once, by force" if args.force else "deleted, within its grace"
    owner = controller_words(body)
    made = f"\n+ a new pod of {owner}" if owner else ""
    return f"- pod/{args.name} (uid {uid_of(body)}), {stuck}: {how}{made}"


def _command(args: DeleteStuckPodArguments) -> str:
    flags = " --grace-period=0 --force" if args.force else ""
    return f"kubectl delete pod {args.name} -n {args.namespace}{flags}"


def _gone(args: DeleteStuckPodArguments) -> Applied:
    return Applied(changed=False, detail=f"pod/{args.name} is gone already")


def _moment(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment if moment.tzinfo else None
