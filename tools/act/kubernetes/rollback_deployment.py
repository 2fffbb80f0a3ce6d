"""Roll a Deployment back to an earlier revision, as `kubectl rollout undo` does."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from bot.domain.action import ActionCall, ActionFacts, Applied, DryRun, Effect, Level, Target
from bot.domain.environment import Environment
from bot.domain.errors import Conflict
from tools.clients.arguments import Arguments
from tools.clients.blast import desired_replicas, radius, rollout_unavailable
from tools.clients.kubernetes import Patch
from tools.clients.names import service_of_object
from tools.clients.rollouts import REVISION, Revision, revisions_of
from tools.clients.settling import seen_by_its_controller
from tools.clients.writing import Body, GuardedObjects, found_or_none
from tools.contract import Action

KIND = "Deployment"


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackArguments:
    """Which Deployment, and to which of its revisions."""

    namespace: str
    name: str
    to_revision: int


class RollbackDeployment(Action[RollbackArguments]):
    """Makes an earlier pod template the wanted one again; Kubernetes rolls it out."""

    facts: ClassVar[ActionFacts] = ActionFacts(
        name="rollback_deployment",
        summary="roll a Deployment back to an earlier revision",
        effect=Effect.ROLLBACK,
        system="kubernetes",
        reversible=True,  # by rolling forward to the revision it came from
        highest_level=Level.L4,
        arguments={
            "namespace": "namespace of the Deployment",
            "name": "name of the Deployment",
            "to_revision": "revision number to go back to",
        },
    )

    def __init__(self, objects: GuardedObjects) -> None:
        self._objects = objects

    @classmethod
    def for_environment(cls, environment: Environment) -> "RollbackDeployment | None":
        """Return the action, None when the environment has no cluster. Raises: NotConfigured."""
        objects = GuardedObjects.of(environment)
        return cls(objects) if objects else None

    @classmethod
    def parse(cls, arguments: Any) -> RollbackArguments:
        """Return checked arguments. Raises: Malformed."""
        read = Arguments(cls.facts.name, arguments, "namespace", "name", "to_revision")
        return RollbackArguments(
            namespace=read.name("namespace"),
            name=read.name("name"),
            to_revision=read.integer("to_revision", least=1, most=10**9),
        )

    async def target(self, args: RollbackArguments) -> Target:
        """Read the live Deployment. Raises: UnknownName, Refused, Unavailable."""
        return await self._objects.target(await self._live(args))

    async def dry_run(self, args: RollbackArguments) -> DryRun:
        """Ask the API server for the Deployment as it would be with the earlier template."""
        body = await seen_by_its_controller(self._objects, await self._live(args))
        revisions = await self._revisions(body)
        wanted = revisions.get(args.to_revision)
        why_not = _why_not(body, revisions, args.to_revision)
        if wanted is None or why_not:
            blast = radius(
                pods=0,
                total=desired_replicas(body),
                fleet=await self._objects.fleet(),
                service=service_of_object(body),
            )
            return DryRun(
                ok=False, command=_command(args), diff="", blast_radius=blast, detail=why_not
            )
        return await self._objects.preview(
            body,
            lambda _: _patch(wanted),
            Patch.JSON,
            command=_command(args),
            unavailable=rollout_unavailable(body),
        )

    async def inverse(self, args: RollbackArguments, target: Target) -> ActionCall | None:
        """Return the roll forward to the revision that is live now."""
        current = _current(await seen_by_its_controller(self._objects, await self._live(args)))
        if current is None:
            return None
        return ActionCall(
            action=self.facts.name,
            environment=target.environment,
            arguments={"namespace": args.namespace, "name": args.name, "to_revision": current},
        )

    async def find(self, args: RollbackArguments, key: str) -> Applied | None:
        """Return what the Deployment's annotation says of this key."""
        return await found_or_none(lambda: self._objects.done(KIND, args.namespace, args.name, key))

    async def apply(self, args: RollbackArguments, target: Target, key: str) -> Applied:
        """Write the earlier template. Raises: Conflict, Refused, Malformed, Unavailable."""
        done = await self.find(args, key)
        if done is not None:  # the rollout gave the revision a new number: it cannot be looked up
            return Applied(changed=False, detail=done.detail)
        body = await self._live(args)
        wanted = (await self._revisions(body)).get(args.to_revision)
        if wanted is None:
            raise Conflict(f"deployment/{args.name} has no revision {args.to_revision} any more")
        return await self._objects.change(target, lambda _: _patch(wanted), Patch.JSON, key=key)

    async def _live(self, args: RollbackArguments) -> Body:
        return await self._objects.live(KIND, args.namespace, args.name)

    async def _revisions(self, body: Body) -> dict[int, Revision]:
        metadata = body["metadata"]
        listing = await self._objects.client.list("ReplicaSet", str(metadata["namespace"]))
        own = (r for r in revisions_of(listing.items) if r.owner_uid == metadata.get("uid"))
        return {revision.number: revision for revision in own}


def _why_not(body: Body, revisions: Mapping[int, Revision], wanted: int) -> str:
    name = body["metadata"]["name"]
    if (body.get("spec") or {}).get("paused"):
        return f"deployment/{name} is paused: resume it first"
    if wanted == _current(body):
        return f"deployment/{name} is at revision {wanted} already"
    if wanted not in revisions:
        there = ", ".join(str(n) for n in sorted(revisions)) or "none"
        return f"deployment/{name} keeps no revision {wanted}; there are: {there}"
    return ""


def _current(body: Body) -> int | None:
    number = str(((body.get("metadata") or {}).get("annotations") or {}).get(REVISION, ""))
    return int(number) if number.isdigit() else None


def _patch(revision: Revision) -> list[dict[str, Any]]:
    return [{"op": "replace", "path": "/spec/template", "value": dict(revision.template)}]


def _command(args: RollbackArguments) -> str:
    return (
        f"kubectl rollout undo deployment/{args.name} "
        f"--to-revision={args.to_revision} -n {args.namespace}"
    )
