"""Delete a Job that has failed, with its pods, so that it can be run again. It does not come back.

An Event carries the execution's key: a Job that is gone can carry nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from bot.domain.action import ActionCall, ActionFacts, Applied, DryRun, Effect, Level, Target
from bot.domain.environment import Environment
from bot.domain.errors import Conflict, Malformed, Refused
from tools.clients.arguments import Arguments
from tools.clients.blast import radius
from tools.clients.diffs import spec_hash
from tools.clients.names import service_of_object
from tools.clients.targets import is_stateful
from tools.clients.vanishing import controller_words, gone, record, uid_of
from tools.clients.writing import Body, GuardedObjects
from tools.contract import Action

KIND = "Job"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteFailedJobArguments:
    """Which Job."""

    namespace: str
    name: str


class DeleteFailedJob(Action[DeleteFailedJobArguments]):
    """Takes a Job away that has failed for good."""

    facts: ClassVar[ActionFacts] = ActionFacts(
        name="delete_failed_job",
        summary="delete a Job that has failed, with its pods and their logs",
        effect=Effect.CLEANUP,
        system="kubernetes",
        reversible=False,
        highest_level=Level.L3,
        arguments={"namespace": "namespace of the Job", "name": "name of the Job"},
    )

    def __init__(self, objects: GuardedObjects) -> None:
        self._objects = objects

    @classmethod
    def for_environment(cls, environment: Environment) -> "DeleteFailedJob | None":
        """Return the action, None when the environment has no cluster. Raises: NotConfigured."""
        objects = GuardedObjects.of(environment)
        return cls(objects) if objects else None

    @classmethod
    def parse(cls, arguments: Any) -> DeleteFailedJobArguments:
        """Return checked arguments. Raises: Malformed."""
        read = Arguments(cls.facts.name, arguments, "namespace", "name")
        return DeleteFailedJobArguments(namespace=read.name("namespace"), name=read.name("name"))

    async def target(self, args: DeleteFailedJobArguments) -> Target:
        """Read the live Job. Raises: UnknownName, Refused, Unavailable."""
        body = await self._live(args)
        target = await self._objects.target(body, replicas=_active(body))
        return replace(target, stateful=target.stateful or is_stateful(body))

    async def dry_run(self, args: DeleteFailedJobArguments) -> DryRun:
        """Ask the API server whether the Job could be deleted; one that has not failed stays."""
        body = await self._live(args)
        failed = _failed(body)
        counted = int((body.get("status") or {}).get("failed") or 0)
        owner = controller_words(body)
        again = f"\n+ {owner} makes the next one at its time" if owner else ""
        seen = DryRun(
            ok=True,
            command=f"kubectl delete job {args.name} -n {args.namespace}",
            diff=f"- job/{args.name} (uid {uid_of(body)}): {_words(failed)}, "
            f"{counted} failed pods with their logs{again}",
            blast_radius=radius(
                pods=_active(body),
                total=max(1, _active(body)),
                fleet=await self._objects.fleet(),
                service=service_of_object(body),
            ),
            detail="it cannot be taken back: the Job, its pods and their logs are gone",
        )
        if not failed:
            return replace(seen, ok=False, diff="", detail=f"job/{args.name} has not failed")
        try:
            await self._delete(args, uid_of(body), dry_run=True)
        except (Refused, Malformed, Conflict) as error:
            return replace(seen, ok=False, diff="", detail=str(error))
        return seen

    async def inverse(
        self,
        args: DeleteFailedJobArguments,  # noqa: ARG002 - it cannot be taken back
        target: Target,  # noqa: ARG002 - it cannot be taken back
    ) -> ActionCall | None:
        """Return None: the Job's pods and logs cannot come back."""
        return None

    async def find(self, args: DeleteFailedJobArguments, key: str) -> Applied | None:
        """Return that the Job whose deletion was recorded under this key is gone."""
        found, _ = await gone(self._objects, (KIND, args.namespace, args.name), key)
        return found

    async def apply(self, args: DeleteFailedJobArguments, target: Target, key: str) -> Applied:
        """Delete the Job, if it still is the target and still has failed.

        Raises: Conflict: it was changed, or made again; Refused; Unavailable: not known whether it
        was deleted.
        """
        done, body = await gone(self._objects, (KIND, args.namespace, args.name), key)
        if done is not None or body is None:
            return replace(done or _gone(args), changed=False)
        if uid_of(body) != target.uid:
            raise Conflict(f"job/{args.name} was deleted and made again since it was read")
        if spec_hash(body) != target.spec_hash or not _failed(body):
            raise Conflict(f"job/{args.name} was changed since it was read")
        await record(self._objects, body, key, "deleted, it had failed")
        await self._delete(args, target.uid)
        return Applied(changed=True, detail=f"job/{args.name} (uid {target.uid}) is deleted")

    async def _live(self, args: DeleteFailedJobArguments) -> Body:
        return await self._objects.live(KIND, args.namespace, args.name)

    async def _delete(
        self, args: DeleteFailedJobArguments, uid: str, *, dry_run: bool = False
    ) -> None:
        options = {"preconditions": {"uid": uid}, "propagationPolicy": "Background"}
        client = self._objects.client
        await client.delete(KIND, args.namespace, args.name, options, dry_run=dry_run)


def _failed(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the condition that says that the Job failed for good, empty if there is none."""
    conditions = (body.get("status") or {}).get("conditions") or ()
    return next((c for c in conditions if (c.get("type"), c.get("status")) == ("Failed", "True")),
                {})  # fmt: skip


def _words(condition: Mapping[str, Any]) -> str:
    return f"failed ({condition.get('reason') or 'no reason given'})"


def _active(body: Mapping[str, Any]) -> int:
    return int((body.get("status") or {}).get("active") or 0)


def _gone(args: DeleteFailedJobArguments) -> Applied:
    return Applied(changed=False, detail=f"job/{args.name} is gone already")
