"""Restart a Deployment: all its pods are replaced, a few at a time, as its strategy says."""

from dataclasses import dataclass
from typing import Any, ClassVar

from bot.domain.action import ActionCall, ActionFacts, Applied, DryRun, Effect, Level, Target
from bot.domain.environment import Environment
from tools.clients.arguments import Arguments
from tools.clients.blast import rollout_unavailable
from tools.clients.kubernetes import Patch
from tools.clients.writing import (
    KEY_IN_DRY_RUN,
    Body,
    GuardedObjects,
    found_or_none,
    restart_patch,
)
from tools.contract import Action

KIND = "Deployment"


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartArguments:
    """Which Deployment."""

    namespace: str
    name: str


class RestartDeployment(Action[RestartArguments]):
    """Makes new pods from the same template. What it wants stays as it is: nothing to take back."""

    facts: ClassVar[ActionFacts] = ActionFacts(
        name="restart_deployment",
        summary="replace all pods of a Deployment, a few at a time",
        effect=Effect.RESTART,
        system="kubernetes",
        reversible=True,  # the wanted state is the same after it; there is nothing to undo
        highest_level=Level.L4,
        arguments={
            "namespace": "namespace of the Deployment",
            "name": "name of the Deployment",
        },
    )

    def __init__(self, objects: GuardedObjects) -> None:
        self._objects = objects

    @classmethod
    def for_environment(cls, environment: Environment) -> "RestartDeployment | None":
        """Return the action, None when the environment has no cluster. Raises: NotConfigured."""
        objects = GuardedObjects.of(environment)
        return cls(objects) if objects else None

    @classmethod
    def parse(cls, arguments: Any) -> RestartArguments:
        """Return checked arguments. Raises: Malformed."""
        read = Arguments(cls.facts.name, arguments, "namespace", "name")
        return RestartArguments(namespace=read.name("namespace"), name=read.name("name"))

    async def target(self, args: RestartArguments) -> Target:
        """Read the live Deployment. Raises: UnknownName, Refused, Unavailable."""
        return await self._objects.target(await self._live(args))

    async def dry_run(self, args: RestartArguments) -> DryRun:
        """Ask the API server for the Deployment with the restart's annotation."""
        body = await self._live(args)
        return await self._objects.preview(
            body,
            lambda _: restart_patch(KEY_IN_DRY_RUN),
            Patch.MERGE,
            command=f"kubectl rollout restart deployment/{args.name} -n {args.namespace}",
            unavailable=rollout_unavailable(body),
        )

    async def inverse(
        self,
        args: RestartArguments,  # noqa: ARG002 - nothing to undo
        target: Target,  # noqa: ARG002 - nothing to undo
    ) -> ActionCall | None:
        """Return None: the old pods cannot come back, and what is wanted did not change."""
        return None

    async def find(self, args: RestartArguments, key: str) -> Applied | None:
        """Return what the Deployment's annotation says of this key."""
        return await found_or_none(lambda: self._objects.done(KIND, args.namespace, args.name, key))

    async def apply(
        self,
        args: RestartArguments,  # noqa: ARG002 - the target says it all
        target: Target,
        key: str,
    ) -> Applied:
        """Write the annotation. Raises: Conflict, Refused, Malformed, Unavailable."""
        return await self._objects.change(
            target, lambda _: restart_patch(key), Patch.MERGE, key=key
        )

    async def _live(self, args: RestartArguments) -> Body:
        return await self._objects.live(KIND, args.namespace, args.name)
