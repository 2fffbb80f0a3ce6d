"""Pause a Deployment's rollout: no pod more is replaced until it is resumed."""

from dataclasses import dataclass
from typing import Any, ClassVar

from bot.domain.action import ActionFacts, Effect, Level
from tools.clients.arguments import Arguments
from tools.clients.changing import Change, ChangesOneObject
from tools.clients.writing import Body


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseArguments:
    """Which Deployment."""

    namespace: str
    name: str


class PauseRollout(ChangesOneObject[PauseArguments]):
    """Holds a rollout where it is. The pods of both versions serve on."""

    facts: ClassVar[ActionFacts] = ActionFacts(
        name="pause_rollout",
        summary="hold the rollout of a Deployment where it is",
        effect=Effect.ROLLOUT,
        system="kubernetes",
        reversible=True,
        highest_level=Level.L4,
        arguments={
            "namespace": "namespace of the Deployment",
            "name": "name of the Deployment",
        },
    )
    undone_by = "resume_rollout"

    @classmethod
    def parse(cls, arguments: Any) -> PauseArguments:
        """Return checked arguments. Raises: Malformed."""
        read = Arguments(cls.facts.name, arguments, "namespace", "name")
        return PauseArguments(namespace=read.name("namespace"), name=read.name("name"))

    def kind_of(self, args: PauseArguments) -> str:  # noqa: ARG002 - always the same
        """Return Deployment."""
        return "Deployment"

    async def change(self, args: PauseArguments, body: Body) -> Change:
        """Return the pausing."""
        paused = (body.get("spec") or {}).get("paused")
        return Change(
            build=lambda _: {"spec": {"paused": True}},
            command=f"kubectl rollout pause deployment/{args.name} -n {args.namespace}",
            why_not=f"deployment/{args.name} is paused already" if paused else "",
        )

    async def undo(self, args: PauseArguments, body: Body) -> dict[str, Any]:  # noqa: ARG002 - from running on
        """Return the resuming's arguments."""
        return {"namespace": args.namespace, "name": args.name}
