"""Actions that are one guarded patch of one object: what all of them do in the same way."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, Self, TypeVar

from bot.domain.action import ActionCall, Applied, DryRun, Target
from bot.domain.environment import Environment
from bot.domain.errors import Conflict
from tools.clients.blast import desired_replicas, radius
from tools.clients.kubernetes import Patch
from tools.clients.names import service_of_object
from tools.clients.targets import pod_labels
from tools.clients.writing import (
    Body,
    Build,
    GuardedObjects,
    check_same,
    found_or_none,
    key_of,
    words,
)
from tools.contract import Action


class Placed(Protocol):
    """Arguments that name one object of a namespace."""

    @property
    def namespace(self) -> str:
        """Its namespace."""
        ...

    @property
    def name(self) -> str:
        """Its name."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one call would do to the object as it is now."""

    build: Build
    command: str  # what a person would type
    how: Patch = Patch.MERGE
    unavailable: int = 0  # pods that can be away at one time because of it
    total: int | None = None  # pods of the workload behind it, None: the object's own
    why_not: str = ""  # it makes no sense, or may not be: in words
    warning: str = ""


PlacedT = TypeVar("PlacedT", bound=Placed)


class ChangesOneObject(Action[PlacedT], Generic[PlacedT]):
    """One patch, previewed by the server, bound to what was read, once per key."""

    def __init__(self, objects: GuardedObjects) -> None:
        self._objects = objects

    @classmethod
    def for_environment(cls, environment: Environment) -> Self | None:
        """Return the action, None when the environment has no cluster. Raises: NotConfigured."""
        objects = GuardedObjects.of(environment)
        return cls(objects) if objects else None

    @abstractmethod
    def kind_of(self, args: PlacedT) -> str:
        """Return the kind of the object that is changed."""

    @abstractmethod
    async def change(self, args: PlacedT, body: Body) -> Change:
        """Return what to do to the live object. Raises: Refused, Unavailable."""

    async def change_under(
        self,
        key: str,  # noqa: ARG002 - for what writes its key into the object
        args: PlacedT,
        body: Body,
    ) -> Change:
        """Return what to do under a key: the same, unless a subclass says otherwise."""
        return await self.change(args, body)

    @abstractmethod
    async def undo(self, args: PlacedT, body: Body) -> Mapping[str, Any] | None:
        """Return the arguments that lead back to the live object, None: none do."""

    @property
    def undone_by(self) -> str:
        """Name of the action that takes it back: the same, unless a subclass names another."""
        return self.facts.name

    async def target(self, args: PlacedT) -> Target:
        """Read the live object. Raises: UnknownName, Refused, Unavailable."""
        return await self._objects.target(await self.live(args))

    async def dry_run(self, args: PlacedT) -> DryRun:
        """Ask the API server for the object as it would be."""
        body = await self.live(args)
        change = await self.change(args, body)
        total = desired_replicas(body) if pod_labels(body) else 0
        blast = radius(
            pods=0 if change.why_not else change.unavailable,
            total=total if change.total is None else change.total,
            fleet=await self._objects.fleet(),
            service=service_of_object(body),
        )
        if change.why_not:
            return DryRun(
                ok=False, command=change.command, diff="", blast_radius=blast, detail=change.why_not
            )
        seen = await self._objects.preview(
            body, change.build, change.how, command=change.command, unavailable=0
        )
        return DryRun(
            ok=seen.ok,
            command=seen.command,
            diff=seen.diff,
            blast_radius=blast,
            detail=seen.detail or change.warning,
        )

    async def inverse(self, args: PlacedT, target: Target) -> ActionCall | None:
        """Return the call that leads back to the object of now."""
        arguments = await self.undo(args, await self.live(args))
        if arguments is None:
            return None
        return ActionCall(
            action=self.undone_by, environment=target.environment, arguments=arguments
        )

    async def find(self, args: PlacedT, key: str) -> Applied | None:
        """Return what the object's annotation says of this key."""
        return await found_or_none(
            lambda: self._objects.done(self.kind_of(args), args.namespace, args.name, key)
        )

    async def apply(self, args: PlacedT, target: Target, key: str) -> Applied:
        """Write the patch. Raises: Conflict, Refused, Malformed, Unavailable."""
        body = await self.live(args)
        if key_of(body) == key:
            return Applied(changed=False, detail=f"{words(body)}: done before under this key")
        check_same(target, body)
        change = await self.change_under(key, args, body)
        if change.why_not:
            raise Conflict(change.why_not)
        return await self._objects.change(target, change.build, change.how, key=key)

    async def live(self, args: PlacedT) -> Body:
        """Return the object as it is now. Raises: UnknownName, Refused, Unavailable."""
        return await self._objects.live(self.kind_of(args), args.namespace, args.name)
