"""Let a Service select a workload's pods, or reach their port, as the workload itself says."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from bot.domain.action import ActionFacts, Effect, Level, Target
from tools.clients.arguments import Arguments
from tools.clients.blast import desired_replicas
from tools.clients.changing import Change, ChangesOneObject
from tools.clients.containers import WORKLOADS
from tools.clients.services import (
    BEFORE_ANNOTATION,
    NotTold,
    Ports,
    before_fix,
    losing,
    patch_of,
    ports_of,
    remembered,
    selected,
    selector_of,
    target_ports,
)
from tools.clients.targets import is_bot_itself, is_stateful
from tools.clients.writing import Body, patch_command

KIND = "Service"
SELECTOR, TARGET_PORT, BEFORE = "selector", "target_port", "before"


@dataclass(frozen=True, slots=True, kw_only=True)
class FixArguments:
    """Which Service, which workload it is for, and which part of it is wrong."""

    namespace: str
    name: str
    kind: str
    workload: str
    part: str


class FixService(ChangesOneObject[FixArguments]):
    """Takes no selector and no port from its caller: the workload tells them."""

    facts: ClassVar[ActionFacts] = ActionFacts(
        name="fix_service",
        summary="let a Service select a workload's pods, or reach the port that they have",
        effect=Effect.ROUTING,
        system="kubernetes",
        reversible=True,
        highest_level=Level.L4,
        arguments={
            "namespace": "namespace of the Service",
            "name": "name of the Service",
            "kind": f"kind of the workload behind it: {', '.join(WORKLOADS)}",
            "workload": "name of the workload behind it",
            "part": "selector, target_port, or before: what the last fix replaced",
        },
    )

    @classmethod
    def parse(cls, arguments: Any) -> FixArguments:
        """Return checked arguments. Raises: Malformed."""
        read = Arguments(cls.facts.name, arguments, *cls.facts.arguments)
        return FixArguments(
            namespace=read.name("namespace"),
            name=read.name("name"),
            kind=read.one_of("kind", *WORKLOADS),
            workload=read.name("workload"),
            part=read.one_of("part", SELECTOR, TARGET_PORT, BEFORE),
        )

    async def target(self, args: FixArguments) -> Target:
        """Read the live Service. The workload counts: its pods, its state, whether it is the bot.

        Raises: UnknownName, Refused, Unavailable.
        """
        body = await self.live(args)
        workload = await self._workload(args)
        pods = await self._pods(args)
        now = (body.get("spec") or {}).get("selector") or {}
        own = any(is_bot_itself(p) and selected(body, [p]) for p in pods) if now else False
        target = await self._objects.target(body, replicas=desired_replicas(workload))
        return replace(
            target,
            stateful=is_stateful(workload),
            is_bot_itself=target.is_bot_itself or is_bot_itself(workload) or own,
        )

    def kind_of(self, args: FixArguments) -> str:  # noqa: ARG002 - always the same
        """Return Service."""
        return KIND

    async def change(self, args: FixArguments, body: Body) -> Change:
        """Return the selector or the target ports that the workload tells."""
        workload = await self._workload(args)
        pods = await self._pods(args)
        total = max(desired_replicas(workload), selected(body, pods))
        try:
            selector, ports = _wanted(args, body, workload)
        except NotTold as error:
            words = f"{args.kind.lower()}/{args.workload}: {error}"
            return Change(build=lambda _: {}, command="", total=total, why_not=words)
        patch = patch_of(body, selector, ports)
        undoing = args.part == BEFORE
        note = {BEFORE_ANNOTATION: None if undoing else remembered(body)}
        already = f"service/{args.name} has the {args.part.replace('_', ' ')} of it already"
        return Change(
            build=lambda _: {**patch, "metadata": {"annotations": note}},
            command=patch_command(KIND, args.namespace, args.name, patch),
            unavailable=losing(body, (selector, ports), pods),
            total=total,
            why_not="" if patch["spec"] else already,
        )

    async def undo(self, args: FixArguments, body: Body) -> dict[str, Any]:  # noqa: ARG002 - it is recorded in the object
        """Return the call that puts back what this one replaces."""
        return {
            "namespace": args.namespace,
            "name": args.name,
            "kind": args.kind,
            "workload": args.workload,
            "part": BEFORE,
        }

    async def _workload(self, args: FixArguments) -> Body:
        return await self._objects.live(args.kind, args.namespace, args.workload)

    async def _pods(self, args: FixArguments) -> tuple[Body, ...]:
        return (await self._objects.client.list("Pod", args.namespace)).items


def _wanted(args: FixArguments, body: Body, workload: Body) -> tuple[Mapping[str, str], Ports]:
    """Return the selector and the target ports to have. Raises: NotTold."""
    if args.part == BEFORE:
        return before_fix(body)
    now = (body.get("spec") or {}).get("selector") or {}
    if not now:
        raise NotTold(f"service/{args.name} has no selector: its endpoints are kept by somebody")
    if args.part == SELECTOR:
        return selector_of(workload), ports_of(body)
    return now, target_ports(body, workload)
