"""Uncordon one node: new pods may be placed on it again."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from bot.domain.action import ActionCall, ActionFacts, Applied, DryRun, Effect, Level, Target
from bot.domain.environment import Environment
from tools.clients.arguments import Arguments
from tools.clients.kubernetes import Patch
from tools.clients.nodes import KIND, Nodes, cordon_patch, is_cordoned, is_ready
from tools.clients.writing import found_or_none
from tools.contract import Action


@dataclass(frozen=True, slots=True, kw_only=True)
class UncordonArguments:
    """Which node."""

    node: str


class UncordonNode(Action[UncordonArguments]):
    """Let new pods onto one node again."""

    facts: ClassVar[ActionFacts] = ActionFacts(
        name="uncordon_node",
        summary="let new pods onto one node again",
        effect=Effect.NODE,
        system="kubernetes",
        reversible=True,
        highest_level=Level.L3,
        arguments={"node": "name of the node"},
    )

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes

    @classmethod
    def for_environment(cls, environment: Environment) -> "UncordonNode | None":
        """Return the action, None when the environment has no cluster. Raises: NotConfigured."""
        nodes = Nodes.of(environment)
        return cls(nodes) if nodes else None

    @classmethod
    def parse(cls, arguments: Any) -> UncordonArguments:
        """Return checked arguments. Raises: Malformed."""
        return UncordonArguments(node=Arguments(cls.facts.name, arguments, "node").name("node"))

    async def target(self, args: UncordonArguments) -> Target:
        """Read the live node. Raises: UnknownName, Refused, Unavailable."""
        return await self._nodes.target(args.node)

    async def dry_run(self, args: UncordonArguments) -> DryRun:
        """Ask the API server for the node uncordoned, and say if it is not ready to run pods."""
        body = await self._nodes.live(args.node)
        seen = await self._nodes.preview(body, cordon=False)
        if seen.ok and not is_ready(body):
            return replace(seen, detail="the node is not ready: pods placed on it may not start")
        return seen

    async def inverse(self, args: UncordonArguments, target: Target) -> ActionCall | None:
        """Return the cordoning; None when the node is uncordoned already."""
        if not is_cordoned(await self._nodes.live(args.node)):
            return None
        return ActionCall(
            action="cordon_node", environment=target.environment, arguments={"node": args.node}
        )

    async def find(self, args: UncordonArguments, key: str) -> Applied | None:
        """Return what the node's annotation says of this key."""
        return await found_or_none(lambda: self._nodes.objects.done(KIND, "", args.node, key))

    async def apply(self, args: UncordonArguments, target: Target, key: str) -> Applied:
        """Uncordon it. Raises: Conflict, Refused, Malformed, Unavailable."""
        done = await self._nodes.objects.change(
            target, lambda _: cordon_patch(cordon=False), Patch.MERGE, key=key
        )
        return replace(done, detail=f"node/{args.node} is uncordoned") if done.changed else done
