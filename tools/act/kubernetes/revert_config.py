"""Put keys of a ConfigMap back to given values, and restart the workload that reads them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from bot.domain.action import ActionCall, ActionFacts, Applied, DryRun, Effect, Level, Target
from bot.domain.environment import Environment
from bot.domain.errors import Malformed, Refused, UnknownName
from tools.clients.arguments import Arguments
from tools.clients.blast import desired_replicas, rollout_unavailable
from tools.clients.kubernetes import Patch
from tools.clients.names import service_of_object
from tools.clients.redaction import is_secret_name
from tools.clients.targets import is_stateful
from tools.clients.writing import (
    KEY_IN_DRY_RUN,
    RESTART_ANNOTATION,
    Body,
    GuardedObjects,
    found_or_none,
    patch_command,
    restart_patch,
    words,
)
from tools.contract import Action

KIND = "ConfigMap"
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
MASKS = ("[redacted", "[e-mail]")
MOST_KEYS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class RevertArguments:
    """Which ConfigMap, which keys get which values (None removes), and what is restarted after."""

    namespace: str
    name: str
    data: Mapping[str, str | None]
    restart: str


class RevertConfig(Action[RevertArguments]):
    """Writes values into a ConfigMap; pods see them after the restart."""

    facts: ClassVar[ActionFacts] = ActionFacts(
        name="revert_config",
        summary="put keys of a ConfigMap back to earlier values, and restart what reads them",
        effect=Effect.CONFIG,
        system="kubernetes",
        reversible=True,
        highest_level=Level.L4,
        arguments={
            "namespace": "namespace of the ConfigMap",
            "name": "name of the ConfigMap",
            "data": "key → value to write; null removes the key",
            "restart": "workload to restart after, or an empty text",
        },
    )

    def __init__(self, objects: GuardedObjects) -> None:
        self._objects = objects

    @classmethod
    def for_environment(cls, environment: Environment) -> "RevertConfig | None":
        """Return the action, None when the environment has no cluster. Raises: NotConfigured."""
        objects = GuardedObjects.of(environment)
        return cls(objects) if objects else None

    @classmethod
    def parse(cls, arguments: Any) -> RevertArguments:
        """Return checked arguments. Raises: Malformed; Refused: a key that holds a credential."""
        read = Arguments(cls.facts.name, arguments, "namespace", "name", "data", "restart")
        data = read.texts("data", most=MOST_KEYS)
        for key, value in data.items():
            if is_secret_name(key):
                raise Refused(f"{key} looks like a credential", rule="no-secrets")
            if value is not None and any(mask in value for mask in MASKS):
                raise Malformed(f"{cls.facts.name}: the value of {key} is masked, not the real one")
        return RevertArguments(
            namespace=read.name("namespace"),
            name=read.name("name"),
            data=data,
            restart=read.name("restart", empty=True),
        )

    async def target(self, args: RevertArguments) -> Target:
        """Read the live ConfigMap. What restarts counts too: its replicas, its state, its budget.

        Raises: UnknownName, Refused, Unavailable.
        """
        body = await self._live(args)
        workload = await self._workload(args)
        target = await self._objects.target(body, replicas=0)
        if workload is None:
            return target
        return replace(
            target,
            service=service_of_object(workload),
            replicas=desired_replicas(workload),
            stateful=is_stateful(workload),
            is_bot_itself=target.is_bot_itself
            or (await self._objects.target(workload)).is_bot_itself,
            pdb_allows=await self._objects.pdb_allows(workload),
        )

    async def dry_run(self, args: RevertArguments) -> DryRun:
        """Ask the API server for the ConfigMap, and the restarted workload, as they would be."""
        body = await self._live(args)
        workload = await self._workload(args)
        seen = await self._objects.preview(
            body,
            lambda _: _patch(args),
            Patch.MERGE,
            command=_command(args, workload),
            unavailable=0,
        )
        if workload is None or not seen.ok:
            return seen
        restarted = await self._objects.preview(
            workload,
            lambda _: restart_patch(KEY_IN_DRY_RUN),
            Patch.MERGE,
            command="",
            unavailable=rollout_unavailable(workload),
        )
        if not restarted.ok:
            return replace(restarted, command=seen.command, diff="")
        return replace(
            seen, diff=f"{seen.diff}\n{restarted.diff}", blast_radius=restarted.blast_radius
        )

    async def inverse(self, args: RevertArguments, target: Target) -> ActionCall | None:
        """Return the writing of the values of now, with the same restart."""
        now = (await self._live(args)).get("data") or {}
        return ActionCall(
            action=self.facts.name,
            environment=target.environment,
            arguments={
                "namespace": args.namespace,
                "name": args.name,
                "data": {key: now.get(key) for key in args.data},
                "restart": args.restart,
            },
        )

    async def find(self, args: RevertArguments, key: str) -> Applied | None:
        """Return whether both the ConfigMap and the restart carry this key."""
        written = await found_or_none(
            lambda: self._objects.done(KIND, args.namespace, args.name, key)
        )
        if written is None or not args.restart:
            return written
        workload = await self._workload(args)
        return written if workload is not None and _restarted_by(workload) == key else None

    async def begun(self, args: RevertArguments, key: str) -> bool:
        """Return whether the ConfigMap carries this key: the restart may be missing."""
        written = await found_or_none(
            lambda: self._objects.done(KIND, args.namespace, args.name, key)
        )
        return written is not None

    async def apply(self, args: RevertArguments, target: Target, key: str) -> Applied:
        """Write the values, then restart. A second call under the key does what is still missing.

        Raises: Conflict, Refused, Malformed, Unavailable.
        """
        workload = await self._workload(args)  # first: nothing is written if there is none
        written = await self._objects.change(target, lambda _: _patch(args), Patch.MERGE, key=key)
        if workload is None or _restarted_by(workload) == key:
            return written
        fresh = await self._objects.target(workload)
        restarted = await self._objects.change(
            fresh, lambda _: restart_patch(key), Patch.MERGE, key=key
        )
        return Applied(
            changed=written.changed or restarted.changed,
            detail=f"{written.detail}; {restarted.detail}",
        )

    async def _live(self, args: RevertArguments) -> Body:
        return await self._objects.live(KIND, args.namespace, args.name)

    async def _workload(self, args: RevertArguments) -> Body | None:
        """Return the workload to restart, None if none is wanted. Raises: UnknownName."""
        if not args.restart:
            return None
        for kind in WORKLOADS:
            found = await self._objects.maybe(kind, args.namespace, args.restart)
            if found is not None:
                return found
        raise UnknownName("workload", args.restart, place=args.namespace)


def _patch(args: RevertArguments) -> dict[str, Any]:
    return {"data": dict(args.data)}


def _restarted_by(workload: Body) -> str | None:
    template = (workload.get("spec") or {}).get("template") or {}
    annotations = (template.get("metadata") or {}).get("annotations") or {}
    value: str | None = annotations.get(RESTART_ANNOTATION)
    return value


def _command(args: RevertArguments, workload: Body | None) -> str:
    patch = patch_command(KIND, args.namespace, args.name, _patch(args))
    if workload is None:
        return patch
    return f"{patch} && kubectl rollout restart {words(workload)} -n {args.namespace}"
