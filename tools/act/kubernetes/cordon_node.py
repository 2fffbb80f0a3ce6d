"""Cordon one node: no new pods are placed on it; those that run there stay."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from bot.domain.action import ActionCall, ActionFacts, Applied, DryRun, Effect, Level, Target
from bot.domain.environment import Environment
from tools.clients.arguments import Arguments
from tools.clients.kubernetes import Patch
from tools.clients.nodes import KIND, Nodes, cordon_patch, is_cordoned
from tools.clients.writing import found_or_none
from tools.contract import Action


@dataclass(frozen=True, slots=True, kw_only=True)
class CordonArguments:
    """Which node."""

    node: str


class CordonNode(Action[CordonArguments]):
    """Let no new pods onto one node."""

    facts: ClassVar[ActionFacts] = ActionFacts(
        name="cordon_node",
        summary="let no new pods onto one node",
        effect=Effect.NODE,
        system="kubernetes",
        reversible=True,
        highest_level=Level.L3,
        arguments={"node": "name of the node"},
    )

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes

    @classmethod
    def for_environment(cls, environment: Environment) -> "CordonNode | None":
        """Return the action, None when the environment has no cluster. Raises: NotConfigured."""
        nodes = Nodes.of(environment)
        return cls(nodes) if nodes else None

    @classmethod
    def parse(cls, arguments: Any) -> CordonArguments:
        """Return checked arguments. Raises: Malformed."""
        return CordonArguments(node=Arguments(cls.facts.name, arguments, "node").name("node"))

    async def target(self, args: CordonArguments) -> Target:
        """Read the live node. Raises: UnknownName, Refused, Unavailable."""
        return await self._nodes.target(args.node)

    async def dry_run(self, args: CordonArguments) -> DryRun:
        """Ask the API server for the node cordoned. The last node that takes pods is left alone."""
        body = await self._nodes.live(args.node)
        seen = await self._nodes.preview(body, cordon=True)
        if seen.ok and not await self._nodes.others(args.node):
            why = "no other node is ready and takes pods, so new pods would have no place at all"
            return replace(seen, ok=False, diff="", detail=why)
        return seen

    async def inverse(self, args: CordonArguments, target: Target) -> ActionCall | None:
        """Return the uncordoning; None when the node is cordoned already."""
        if is_cordoned(await self._nodes.live(args.node)):
            return None
        return ActionCall(
            action="uncordon_node", environment=target.environment, arguments={"node": args.node}
        )

    async def find(self, args: CordonArguments, key: str) -> Applied | None:
        """Return what the node's annotation says of this key."""
        return await found_or_none(lambda: self._nodes.objects.done(KIND, "", args.node, key))

    async def apply(self, args: CordonArguments, target: Target, key: str) -> Applied:
        """Cordon it. Raises: Conflict, Refused, Malformed, Unavailable."""
        done = await self._nodes.objects.change(
            target, lambda _: cordon_patch(cordon=True), Patch.MERGE, key=key
        )
        return replace(done, detail=f"node/{args.node} is cordoned") if done.changed else done
