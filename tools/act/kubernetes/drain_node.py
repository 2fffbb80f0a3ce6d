"""Drain one node: cordon it, and evict the environment's pods from it within their budgets.

Pods of a DaemonSet and mirrors of static pods stay. A drain takes as long as its pods do: when it
is not over in time, the same key goes on where it stopped.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from bot.domain.action import (
    ActionCall,
    ActionFacts,
    Applied,
    BlastRadius,
    DryRun,
    Effect,
    Level,
    Target,
)
from bot.domain.environment import Environment
from bot.domain.errors import Conflict, Malformed, Refused, Unavailable, UnknownName
from tools.clients.arguments import Arguments
from tools.clients.evictions import BUDGET_RULE, evict
from tools.clients.kubernetes import SYSTEM, Patch
from tools.clients.names import service_of_object
from tools.clients.nodes import (
    Nodes,
    Pods,
    cordon_patch,
    is_cordoned,
    is_going,
    names,
    pod_name,
)
from tools.clients.targets import is_bot_itself, is_stateful
from tools.clients.vanishing import controller_of, controller_words, uid_of
from tools.clients.writing import Body, found_or_none, key_of
from tools.contract import Action

NOTHING = "nothing would change"


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainArguments:
    """Which node, and which pods may be lost for good."""

    node: str
    delete_empty_dir_data: bool
    evict_unmanaged: bool


class DrainNode(Action[DrainArguments]):
    """Empties a node of the environment's pods; their controllers make them elsewhere."""

    facts: ClassVar[ActionFacts] = ActionFacts(
        name="drain_node",
        summary="cordon one node and evict its pods within their disruption budgets",
        effect=Effect.NODE,
        system="kubernetes",
        reversible=True,  # it takes pods again after; those that left do not come back by it
        highest_level=Level.L3,
        arguments={
            "node": "name of the node",
            "delete_empty_dir_data": "true: pods may lose what is in their emptyDir volumes",
            "evict_unmanaged": "true: pods that nothing would make again go too",
        },
    )
    patience_s: ClassVar[float] = 20.0  # of one attempt; the next one, by the same key, goes on
    pause_s: ClassVar[float] = 1.0

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes

    @classmethod
    def for_environment(cls, environment: Environment) -> "DrainNode | None":
        """Return the action, None when the environment has no cluster. Raises: NotConfigured."""
        nodes = Nodes.of(environment)
        return cls(nodes) if nodes else None

    @classmethod
    def parse(cls, arguments: Any) -> DrainArguments:
        """Return checked arguments. Raises: Malformed."""
        fields = ("node", "delete_empty_dir_data", "evict_unmanaged")
        read = Arguments(cls.facts.name, arguments, *fields)
        return DrainArguments(
            node=read.name("node"),
            delete_empty_dir_data=read.boolean("delete_empty_dir_data"),
            evict_unmanaged=read.boolean("evict_unmanaged"),
        )

    async def target(self, args: DrainArguments) -> Target:
        """Read the live node; it is stateful, or the bot itself, if one of its pods is."""
        body = await self._nodes.live(args.node)
        pods = _chosen(args, await self._nodes.pods(args.node))
        target = await self._nodes.objects.target(body, replicas=len(pods))
        return replace(
            target,
            stateful=any(map(is_stateful, pods)),
            is_bot_itself=any(map(is_bot_itself, pods)),
        )

    async def dry_run(self, args: DrainArguments) -> DryRun:
        """Ask the API server for the node cordoned, and whether each eviction would be allowed."""
        body = await self._nodes.live(args.node)
        pods = await self._nodes.pods(args.node)
        chosen = _chosen(args, pods)
        cordoned = await self._nodes.preview(body, cordon=True)
        diff = "\n".join([d for d in (cordoned.diff,) if d] + [_line(p) for p in chosen])
        seen = DryRun(
            ok=bool(diff),
            command=_command(args),
            diff=diff,
            blast_radius=await self._radius(chosen),
            detail=self._stays() if diff else NOTHING,
        )
        why = "" if cordoned.ok or cordoned.detail == NOTHING else cordoned.detail
        why = why or _blocked(args, pods) or await self._obstacle(args, chosen)
        return replace(seen, ok=False, diff="", detail=why) if why else seen

    async def inverse(self, args: DrainArguments, target: Target) -> ActionCall | None:
        """Return the uncordoning: pods that left stay where they are. None if it was cordoned."""
        if is_cordoned(await self._nodes.live(args.node)):
            return None
        return ActionCall(
            action="uncordon_node", environment=target.environment, arguments={"node": args.node}
        )

    async def find(self, args: DrainArguments, key: str) -> Applied | None:
        """Return that it is done: the node carries the key, and no pod is left to go."""
        return await found_or_none(lambda: self._found(args, key))

    async def begun(self, args: DrainArguments, key: str) -> bool:
        """Whether the node was cordoned under this key: the evictions follow."""
        return key_of(await self._nodes.live(args.node)) == key

    async def apply(self, args: DrainArguments, target: Target, key: str) -> Applied:
        """Cordon, then evict until no pod is left.

        Raises: Conflict: the node changed; Refused: RBAC forbids; Unavailable: not over in time,
        the same key goes on.
        """
        done = await self.find(args, key)
        if done is not None:
            return replace(done, changed=False)
        await self._nodes.objects.change(
            target, lambda _: cordon_patch(cordon=True), Patch.MERGE, key=key
        )
        before = left = _chosen(args, await self._nodes.pods(args.node))
        for _ in range(max(1, round(self.patience_s / self.pause_s))):
            await self._evict(args, left, key)
            left = _chosen(args, await self._nodes.pods(args.node))
            if not left:
                words = f"node/{args.node} is cordoned, {len(before)} pods left it"
                return Applied(changed=True, detail=words)
            await asyncio.sleep(self.pause_s)
        said = f"node/{args.node} is cordoned, still there: {names(left)}; the same key goes on"
        raise Unavailable(SYSTEM, said, retry_after_s=10.0)

    async def _found(self, args: DrainArguments, key: str) -> Applied | None:
        if not await self.begun(args, key) or _chosen(args, await self._nodes.pods(args.node)):
            return None
        return Applied(changed=True, detail=f"node/{args.node} is cordoned and empty of its pods")

    async def _evict(self, args: DrainArguments, pods: Sequence[Body], key: str) -> None:
        """Evict what may go now. Raises: Refused: by RBAC; what is done so far is in the text."""
        for pod in pods:
            if is_going(pod):
                continue
            try:
                await evict(self._nodes.objects.client, _place(pod), uid_of(pod), key=key)
            except (UnknownName, Conflict):
                continue  # gone meanwhile
            except Refused as error:
                if error.rule != BUDGET_RULE:
                    said = f"node/{args.node} is cordoned, {pod_name(pod)} stays: {error.reason}"
                    raise Refused(said, rule=error.rule) from error

    async def _obstacle(self, args: DrainArguments, pods: Sequence[Body]) -> str:
        """Return why it cannot be done now: the last node, or an eviction that is refused."""
        if pods and not await self._nodes.others(args.node):
            return "no other node is ready and takes pods, so its pods would have no place"
        for pod in pods:
            if is_going(pod):
                continue
            try:
                place = _place(pod)
                await evict(self._nodes.objects.client, place, uid_of(pod), dry_run=True)
            except (Refused, Malformed, Conflict, UnknownName) as error:
                return str(error)
        return ""

    async def _radius(self, pods: Sequence[Body]) -> BlastRadius:
        """Return what is unavailable if all go at one time: the worst workload's share counts."""
        totals, lost = await self._siblings(pods), _by_owner(pods)
        fleet = await self._nodes.objects.fleet()
        return BlastRadius(
            pods=len(pods),
            pods_total=sum(totals.values()),
            workload_ratio=max((min(1.0, lost[o] / totals[o]) for o in lost), default=0.0),
            fleet_ratio=min(1.0, len(pods) / fleet) if fleet else 0.0,
            namespaces=len({_place(p)[0] for p in pods}),
            nodes=1,
            services=tuple(sorted({service_of_object(p) for p in pods} - {""})),
        )

    async def _siblings(self, pods: Sequence[Body]) -> dict[str, int]:
        """Return how many pods the workloads of these pods have, by owner."""
        there: list[Body] = []
        for namespace in sorted({_place(p)[0] for p in pods}):
            there += (await self._nodes.objects.client.list("Pod", namespace)).items
        counts = _by_owner(there)
        return {owner: max(1, counts.get(owner, 0)) for owner in _by_owner(pods)}

    def _stays(self) -> str:
        places = ", ".join(self._nodes.objects.environment.namespaces)
        return f"only pods of {places} leave it; those of other namespaces and of DaemonSets stay"


def _chosen(args: DrainArguments, pods: Pods) -> tuple[Body, ...]:
    return (*pods.leaving, *(pods.alone if args.evict_unmanaged else ()))


def _blocked(args: DrainArguments, pods: Pods) -> str:
    """Return which pods would be lost without it having been said, "" if none would."""
    if pods.alone and not args.evict_unmanaged:
        return f"nothing would make these pods again: {names(pods.alone)}"
    if pods.with_scratch and not args.delete_empty_dir_data:
        return f"these pods would lose their emptyDir data: {names(pods.with_scratch)}"
    return ""


def _by_owner(pods: Sequence[Body]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for pod in pods:
        owner = str(controller_of(pod).get("uid") or uid_of(pod))
        counts[owner] = counts.get(owner, 0) + 1
    return counts


def _place(pod: Body) -> tuple[str, str]:
    metadata = pod["metadata"]
    return str(metadata.get("namespace") or ""), str(metadata["name"])


def _line(pod: Body) -> str:
    return f"-pod/{pod_name(pod)} (of {controller_words(pod) or 'nothing'}, uid {uid_of(pod)})"


def _command(args: DrainArguments) -> str:
    flags = "--ignore-daemonsets"
    flags += " --delete-emptydir-data" if args.delete_empty_dir_data else ""
    flags += " --force" if args.evict_unmanaged else ""
    return f"kubectl drain {args.node} {flags}"
