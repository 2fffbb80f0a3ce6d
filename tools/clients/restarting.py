"""Restarting a workload: all its pods are replaced, a few at a time, as its strategy says."""

from dataclasses import dataclass
from typing import Any, ClassVar

from bot.domain.action import ActionFacts, Effect, Level
from tools.clients.arguments import Arguments
from tools.clients.blast import rollout_unavailable
from tools.clients.changing import Change, ChangesOneObject
from tools.clients.writing import KEY_IN_DRY_RUN, Body, restart_patch


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartArguments:
    """Which workload."""

    namespace: str
    name: str


def restart_facts(kind: str) -> ActionFacts:
    """Return what is to be known of the restart of a kind of workload."""
    return ActionFacts(
        name=f"restart_{kind.lower()}",
        summary=f"replace all pods of a {kind}, a few at a time",
        effect=Effect.RESTART,
        system="kubernetes",
        reversible=True,  # the wanted state is the same after it; there is nothing to undo
        highest_level=Level.L4,
        arguments={"namespace": f"namespace of the {kind}", "name": f"name of the {kind}"},
    )


class RestartsWorkload(ChangesOneObject[RestartArguments]):
    """Makes new pods from the same template. What it wants stays as it is: nothing to take back."""

    kind: ClassVar[str]

    @classmethod
    def parse(cls, arguments: Any) -> RestartArguments:
        """Return checked arguments. Raises: Malformed."""
        read = Arguments(cls.facts.name, arguments, "namespace", "name")
        return RestartArguments(namespace=read.name("namespace"), name=read.name("name"))

    def kind_of(self, args: RestartArguments) -> str:  # noqa: ARG002 - always the same
        """Return the kind of the workload."""
        return self.kind

    async def change(self, args: RestartArguments, body: Body) -> Change:
        """Return the restart's annotation."""
        return await self.change_under(KEY_IN_DRY_RUN, args, body)

    async def change_under(self, key: str, args: RestartArguments, body: Body) -> Change:
        """Return the restart's annotation under a key: the same key restarts once."""
        place = f"{self.kind.lower()}/{args.name}"
        by_hand = f"{place} replaces pods only once they are deleted"
        return Change(
            build=lambda _: restart_patch(key),
            command=f"kubectl rollout restart {place} -n {args.namespace}",
            unavailable=rollout_unavailable(body),
            why_not=by_hand if waits_for_hands(body) else "",
        )

    async def undo(
        self,
        args: RestartArguments,  # noqa: ARG002 - nothing to undo
        body: Body,  # noqa: ARG002 - nothing to undo
    ) -> None:
        """Return None: the old pods cannot come back, and what is wanted did not change."""
        return


def waits_for_hands(body: Body) -> bool:
    """Whether the workload replaces a pod only after somebody deletes it."""
    strategy = (body.get("spec") or {}).get("updateStrategy") or {}
    return strategy.get("type") == "OnDelete"
