"""Make a volume claim larger, where its storage class can. It never gets smaller again."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from bot.domain.action import ActionCall, ActionFacts, Applied, DryRun, Effect, Level, Target
from bot.domain.environment import Environment
from bot.domain.errors import Malformed, Refused, UnknownName
from tools.clients.arguments import Arguments
from tools.clients.blast import radius
from tools.clients.kubernetes import Patch
from tools.clients.names import service_of_object
from tools.clients.quantities import quantity
from tools.clients.writing import Body, GuardedObjects, found_or_none
from tools.contract import Action

KIND = "PersistentVolumeClaim"
MOST_FACTOR = 4  # a claim at most so many times as large in one step: a slip costs money for good
SIZE = r"[1-9][0-9]{0,5}(?:Mi|Gi|Ti)"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpandArguments:
    """Which claim, and how large it should be ("20Gi")."""

    namespace: str
    name: str
    size: str


class ExpandPvc(Action[ExpandArguments]):
    """Asks for a larger volume behind a claim."""

    facts: ClassVar[ActionFacts] = ActionFacts(
        name="expand_pvc",
        summary="make a volume claim larger; it cannot be made smaller again",
        effect=Effect.STORAGE,
        system="kubernetes",
        reversible=False,
        highest_level=Level.L3,
        arguments={
            "namespace": "namespace of the claim",
            "name": "name of the claim",
            "size": f'new size, e.g. "20Gi", larger than now and at most {MOST_FACTOR} times',
        },
    )

    def __init__(self, objects: GuardedObjects) -> None:
        self._objects = objects

    @classmethod
    def for_environment(cls, environment: Environment) -> "ExpandPvc | None":
        """Return the action, None when the environment has no cluster. Raises: NotConfigured."""
        objects = GuardedObjects.of(environment)
        return cls(objects) if objects else None

    @classmethod
    def parse(cls, arguments: Any) -> ExpandArguments:
        """Return checked arguments. Raises: Malformed."""
        read = Arguments(cls.facts.name, arguments, "namespace", "name", "size")
        return ExpandArguments(
            namespace=read.name("namespace"),
            name=read.name("name"),
            size=read.matching("size", SIZE, 'a size such as "20Gi"'),
        )

    async def target(self, args: ExpandArguments) -> Target:
        """Read the live claim; `replicas` counts the pods that use it. It always keeps data."""
        body = await self._live(args)
        target = await self._objects.target(body, replicas=len(await self._users(args)))
        return replace(target, stateful=True)

    async def dry_run(self, args: ExpandArguments) -> DryRun:
        """Ask the API server for the claim of the new size, if its storage class can expand."""
        body = await self._live(args)
        seen = await self._objects.preview(
            body, lambda _: _patch(args.size), Patch.MERGE, command=_command(args), unavailable=0
        )
        users = await self._users(args)
        seen = replace(
            seen,
            blast_radius=radius(
                pods=0,
                total=len(users),
                fleet=await self._objects.fleet(),
                service=service_of_object(body),
            ),
        )
        why = _not_larger(body, args.size) or await self._cannot_expand(body)
        if why:
            return replace(seen, ok=False, diff="", detail=why)
        return replace(seen, detail=_promise(users)) if seen.ok else seen

    async def inverse(
        self,
        args: ExpandArguments,  # noqa: ARG002 - it cannot be taken back
        target: Target,  # noqa: ARG002 - it cannot be taken back
    ) -> ActionCall | None:
        """Return None: a claim cannot shrink."""
        return None

    async def find(self, args: ExpandArguments, key: str) -> Applied | None:
        """Return what the claim's annotation says of this key."""
        return await found_or_none(lambda: self._objects.done(KIND, args.namespace, args.name, key))

    async def apply(self, args: ExpandArguments, target: Target, key: str) -> Applied:
        """Write the size. Raises: Conflict, Refused, Malformed, Unavailable."""
        done = await self._objects.change(
            target, lambda body: _checked_patch(body, args.size), Patch.MERGE, key=key
        )
        if not done.changed:
            return done
        return replace(done, detail=f"pvc/{args.name} asks for {args.size}; its driver grows it")

    async def _live(self, args: ExpandArguments) -> Body:
        return await self._objects.live(KIND, args.namespace, args.name)

    async def _users(self, args: ExpandArguments) -> list[Body]:
        listing = await self._objects.client.list("Pod", args.namespace)
        return [pod for pod in listing.items if _uses(pod, args.name)]

    async def _cannot_expand(self, body: Body) -> str:
        """Return why the claim's storage class cannot do it, "" if it can."""
        name = str((body.get("spec") or {}).get("storageClassName") or "")
        if (body.get("status") or {}).get("phase") != "Bound":
            return "the claim is not bound to a volume yet"
        if not name:
            return "the claim has no storage class, so nothing can make its volume larger"
        return await self._rigid(name)

    async def _rigid(self, name: str) -> str:
        """Return why a storage class cannot make volumes larger, "" if it can."""
        try:
            found = await self._objects.client.get("StorageClass", "", name)
        except UnknownName:
            return f"the storage class {name} is not there any more"
        except Refused as error:
            return f"whether the storage class {name} can expand is not known: {error.reason}"
        if found.get("allowVolumeExpansion") is not True:
            return f"the storage class {name} cannot expand volumes (allowVolumeExpansion)"
        return ""


def _patch(size: str) -> dict[str, Any]:
    return {"spec": {"resources": {"requests": {"storage": size}}}}


def _checked_patch(body: Mapping[str, Any], size: str) -> dict[str, Any]:
    why = _not_larger(body, size)
    if why:
        raise Malformed(why)
    return _patch(size)


def _asked(body: Mapping[str, Any]) -> str:
    resources = (body.get("spec") or {}).get("resources") or {}
    return str((resources.get("requests") or {}).get("storage") or "0")


def _not_larger(body: Mapping[str, Any], size: str) -> str:
    """Return why the size is not one to grow to, "" if it is."""
    now = _asked(body)
    has = str(((body.get("status") or {}).get("capacity") or {}).get("storage") or now)
    held, wanted = [quantity(now), quantity(has)], quantity(size)
    if wanted is None or None in held or not any(held):
        return f"how large the claim is cannot be read: {now[:40]}, {has[:40]}"
    least = max(value for value in held if value is not None)
    if wanted <= least:
        return f"the claim has {has} and asks for {now}: it can only grow, and {size} is no more"
    if wanted > MOST_FACTOR * least:
        return (
            f"{size} is more than {MOST_FACTOR} times of {has}: a slip? It could not shrink again"
        )
    return ""


def _uses(pod: Mapping[str, Any], claim: str) -> bool:
    volumes = (pod.get("spec") or {}).get("volumes") or ()
    return any((v.get("persistentVolumeClaim") or {}).get("claimName") == claim for v in volumes)


def _promise(users: list[Body]) -> str:
    words = "it cannot be taken back: a claim never shrinks"
    return f"{words}; some drivers grow it only once its pods restart" if users else words


def _command(args: ExpandArguments) -> str:
    patch = f'{{"spec":{{"resources":{{"requests":{{"storage":"{args.size}"}}}}}}}}'
    return f"kubectl patch pvc {args.name} -n {args.namespace} --type merge -p '{patch}'"
