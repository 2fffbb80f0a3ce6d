"""Rolling a StatefulSet or DaemonSet back to an earlier of its ControllerRevisions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from bot.domain.action import ActionFacts, Effect, Level
from tools.clients.arguments import Arguments
from tools.clients.blast import rollout_unavailable
from tools.clients.changing import Change, ChangesOneObject
from tools.clients.containers import templates_of
from tools.clients.kubernetes import Patch
from tools.clients.restarting import waits_for_hands
from tools.clients.settling import seen_by_its_controller
from tools.clients.writing import Body, words


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackArguments:
    """Which workload, and to which of its revisions."""

    namespace: str
    name: str
    to_revision: int


def rollback_facts(kind: str) -> ActionFacts:
    """Return what is to be known of the rollback of a kind of workload."""
    return ActionFacts(
        name=f"rollback_{kind.lower()}",
        summary=f"roll a {kind} back to an earlier revision",
        effect=Effect.ROLLBACK,
        system="kubernetes",
        reversible=True,  # by rolling forward to the revision it came from
        highest_level=Level.L4,
        arguments={
            "namespace": f"namespace of the {kind}",
            "name": f"name of the {kind}",
            "to_revision": "revision number to go back to",
        },
    )


class RollsBackWorkload(ChangesOneObject[RollbackArguments]):
    """Makes an earlier pod template the wanted one again; Kubernetes rolls it out."""

    kind: ClassVar[str]

    @classmethod
    def parse(cls, arguments: Any) -> RollbackArguments:
        """Return checked arguments. Raises: Malformed."""
        read = Arguments(cls.facts.name, arguments, "namespace", "name", "to_revision")
        return RollbackArguments(
            namespace=read.name("namespace"),
            name=read.name("name"),
            to_revision=read.integer("to_revision", least=1, most=10**9),
        )

    def kind_of(self, args: RollbackArguments) -> str:  # noqa: ARG002 - always the same
        """Return the kind of the workload."""
        return self.kind

    async def change(self, args: RollbackArguments, body: Body) -> Change:
        """Return the template of the revision, if it is kept."""
        body = await seen_by_its_controller(self._objects, body)
        kept = await templates_of(self._objects, body)
        template = dict(kept.get(args.to_revision) or {})
        place = f"{self.kind.lower()}/{args.name}"
        return Change(
            build=lambda _: [{"op": "replace", "path": "/spec/template", "value": template}],
            how=Patch.JSON,
            command=(
                f"kubectl rollout undo {place} --to-revision={args.to_revision} -n {args.namespace}"
            ),
            unavailable=rollout_unavailable(body),
            why_not=_why_not(body, kept, args.to_revision),
        )

    async def undo(self, args: RollbackArguments, body: Body) -> dict[str, Any] | None:
        """Return the roll forward to the revision of now."""
        body = await seen_by_its_controller(self._objects, body)
        kept = await templates_of(self._objects, body)
        if not kept:
            return None
        now = _current(body, kept)
        return {"namespace": args.namespace, "name": args.name, "to_revision": now}


def _current(body: Body, kept: Mapping[int, Mapping[str, Any]]) -> int:
    """Return the newest revision of the template of now, else the newest."""
    template = (body.get("spec") or {}).get("template")
    return max((n for n, t in kept.items() if t == template), default=max(kept))


def _why_not(body: Body, kept: Mapping[int, Mapping[str, Any]], wanted: int) -> str:
    if not kept.get(wanted):
        there = ", ".join(str(n) for n in sorted(kept)) or "none"
        return f"{words(body)} keeps no revision {wanted}; there are: {there}"
    if wanted == _current(body, kept):
        return f"{words(body)} is at revision {wanted} already"
    if waits_for_hands(body):
        return f"{words(body)} replaces pods only once they are deleted"
    return ""
