"""Resume a Deployment's rollout that was paused."""

from dataclasses import dataclass
from typing import Any, ClassVar

from bot.domain.action import ActionFacts, Effect, Level
from tools.clients.arguments import Arguments
from tools.clients.blast import rollout_unavailable
from tools.clients.changing import Change, ChangesOneObject
from tools.clients.writing import Body


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeArguments:
    """Which Deployment."""

    namespace: str
    name: str


class ResumeRollout(ChangesOneObject[ResumeArguments]):
    """Lets a paused rollout go on: what was changed meanwhile reaches the pods."""

    facts: ClassVar[ActionFacts] = ActionFacts(
        name="resume_rollout",
        summary="let the paused rollout of a Deployment go on",
        effect=Effect.ROLLOUT,
        system="kubernetes",
        reversible=True,  # it can be paused again; pods that were replaced by then stay so
        highest_level=Level.L4,
        arguments={
            "namespace": "namespace of the Deployment",
            "name": "name of the Deployment",
        },
    )
    undone_by = "pause_rollout"

    @classmethod
    def parse(cls, arguments: Any) -> ResumeArguments:
        """Return checked arguments. Raises: Malformed."""
        read = Arguments(cls.facts.name, arguments, "namespace", "name")
        return ResumeArguments(namespace=read.name("namespace"), name=read.name("name"))

    def kind_of(self, args: ResumeArguments) -> str:  # noqa: ARG002 - always the same
        """Return Deployment."""
        return "Deployment"

    async def change(self, args: ResumeArguments, body: Body) -> Change:
        """Return the resuming: the rollout that goes on replaces pods as its strategy says."""
        paused = (body.get("spec") or {}).get("paused")
        return Change(
            build=lambda _: {"spec": {"paused": None}},
            command=f"kubectl rollout resume deployment/{args.name} -n {args.namespace}",
            unavailable=rollout_unavailable(body),
            why_not="" if paused else f"deployment/{args.name} is not paused",
        )

    async def undo(self, args: ResumeArguments, body: Body) -> dict[str, Any]:  # noqa: ARG002 - from being paused
        """Return the pausing's arguments."""
        return {"namespace": args.namespace, "name": args.name}
