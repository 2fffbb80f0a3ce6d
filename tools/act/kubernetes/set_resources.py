"""Set what a container asks for and may use at most: CPU, memory, ephemeral storage."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from bot.domain.action import ActionFacts, Effect, Level
from bot.domain.errors import Malformed
from tools.clients.arguments import Arguments
from tools.clients.blast import rollout_unavailable
from tools.clients.changing import Change, ChangesOneObject
from tools.clients.containers import WORKLOADS, container_at, hindrance, place_of
from tools.clients.kubernetes import Patch
from tools.clients.quantities import quantity
from tools.clients.writing import Body

NAMES = ("cpu", "memory", "ephemeral-storage")
Quantities = Mapping[str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourcesArguments:
    """Which workload's container; None removes a request or limit."""

    namespace: str
    kind: str
    name: str
    container: str
    requests: Quantities
    limits: Quantities


class SetResources(ChangesOneObject[ResourcesArguments]):
    """Changes requests and limits; the pods are replaced to get them."""

    facts: ClassVar[ActionFacts] = ActionFacts(
        name="set_resources",
        summary="set the CPU and memory that a container asks for and may use at most",
        effect=Effect.RESOURCES,
        system="kubernetes",
        reversible=True,
        highest_level=Level.L4,
        arguments={
            "namespace": "namespace of the workload",
            "kind": f"kind of the workload: {', '.join(WORKLOADS)}",
            "name": "name of the workload",
            "container": "name of the container",
            "requests": f"resource ({', '.join(NAMES)}) → quantity; null removes it",
            "limits": f"resource ({', '.join(NAMES)}) → quantity; null removes it",
        },
    )

    @classmethod
    def parse(cls, arguments: Any) -> ResourcesArguments:
        """Return checked arguments. Raises: Malformed."""
        read = Arguments(cls.facts.name, arguments, *cls.facts.arguments)
        found = ResourcesArguments(
            namespace=read.name("namespace"),
            kind=read.one_of("kind", *WORKLOADS),
            name=read.name("name"),
            container=read.name("container"),
            requests=read.quantities("requests", *NAMES),
            limits=read.quantities("limits", *NAMES),
        )
        if not found.requests and not found.limits:
            raise Malformed(f"{cls.facts.name}: neither requests nor limits are given")
        return found

    def kind_of(self, args: ResourcesArguments) -> str:
        """Return the kind that is named."""
        return args.kind

    async def change(self, args: ResourcesArguments, body: Body) -> Change:
        """Return the container's resources with those that are given."""
        place = place_of(body, args.container)
        after = _after(args, body)
        return Change(
            build=lambda _: [
                {
                    "op": "add",
                    "path": f"/spec/template/spec/containers/{place}/resources",
                    "value": after,
                }
            ],
            how=Patch.JSON,
            command=_command(args),
            unavailable=rollout_unavailable(body),
            why_not=hindrance(body, args.container) or _contradiction(after),
        )

    async def undo(self, args: ResourcesArguments, body: Body) -> dict[str, Any] | None:
        """Return the quantities of now for the same resources."""
        if place_of(body, args.container) is None:
            return None
        now = _resources(args, body)
        return {
            "namespace": args.namespace,
            "kind": args.kind,
            "name": args.name,
            "container": args.container,
            "requests": {name: _of(now, "requests").get(name) for name in args.requests},
            "limits": {name: _of(now, "limits").get(name) for name in args.limits},
        }


def _resources(args: ResourcesArguments, body: Body) -> Mapping[str, Any]:
    place = place_of(body, args.container)
    return {} if place is None else container_at(body, place).get("resources") or {}


def _of(resources: Mapping[str, Any], what: str) -> Mapping[str, str]:
    return {name: str(value) for name, value in (resources.get(what) or {}).items()}


def _after(args: ResourcesArguments, body: Body) -> dict[str, Any]:
    now = _resources(args, body)
    result = {k: v for k, v in now.items() if k not in ("requests", "limits")}
    for what, given in (("requests", args.requests), ("limits", args.limits)):
        whole = {**_of(now, what), **given}
        kept = {name: text for name, text in whole.items() if text is not None}
        if kept:
            result[what] = kept
    return result


def _contradiction(resources: Mapping[str, Any]) -> str:
    limits = _of(resources, "limits")
    for name, text in _of(resources, "requests").items():
        asked, most = quantity(text), quantity(limits.get(name))
        if asked is not None and most is not None and asked > most:
            return f"it would ask for {text} of {name} and be limited to {limits[name]}"
    return ""


def _command(args: ResourcesArguments) -> str:
    words = [f"kubectl set resources {args.kind.lower()}/{args.name} -c {args.container}"]
    for flag, given in (("--requests", args.requests), ("--limits", args.limits)):
        if given:
            pairs = ",".join(f"{name}={text or 0}" for name, text in sorted(given.items()))
            words.append(f"{flag}={pairs}")
    return " ".join([*words, f"-n {args.namespace}"])
