"""Raise what a namespace may use in all: a ResourceQuota's limits, up to a few times of now."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from bot.domain.action import ActionFacts, Effect, Level
from bot.domain.errors import Malformed
from tools.clients.arguments import Arguments
from tools.clients.changing import Change, ChangesOneObject
from tools.clients.quantities import quantity
from tools.clients.writing import Body, patch_command

KIND = "ResourceQuota"
MOST_TIMES = 4
BEFORE_ANNOTATION = "sre-bot/before-raise"
Hard = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaArguments:
    """Which ResourceQuota, and how much of which resource."""

    namespace: str
    name: str
    hard: Hard


class RaiseQuota(ChangesOneObject[QuotaArguments]):
    """Only upwards, or back to what the last raise replaced. Never without a person."""

    facts: ClassVar[ActionFacts] = ActionFacts(
        name="raise_quota",
        summary="raise what a namespace may use in all",
        effect=Effect.RESOURCES,
        system="kubernetes",
        reversible=True,  # what is used by then stays
        highest_level=Level.L3,
        arguments={
            "namespace": "namespace of the ResourceQuota",
            "name": "name of the ResourceQuota",
            "hard": f"resource → quantity, above the one of now and at most {MOST_TIMES} times it",
        },
    )

    @classmethod
    def parse(cls, arguments: Any) -> QuotaArguments:
        """Return checked arguments. Raises: Malformed."""
        read = Arguments(cls.facts.name, arguments, "namespace", "name", "hard")
        hard = {k: v for k, v in read.quantities("hard").items() if v is not None}
        if not hard or len(hard) != len(read.quantities("hard")):
            raise Malformed(f"{cls.facts.name}: hard must name resources, each with a quantity")
        return QuotaArguments(namespace=read.name("namespace"), name=read.name("name"), hard=hard)

    def kind_of(self, args: QuotaArguments) -> str:  # noqa: ARG002 - always the same
        """Return ResourceQuota."""
        return KIND

    async def change(self, args: QuotaArguments, body: Body) -> Change:
        """Return the other limits. No pod goes away because of them."""
        patch = {"spec": {"hard": dict(args.hard)}}
        kept = {k: v for k, v in _hard(body).items() if k in args.hard}
        back = _before(body) == dict(args.hard)
        note = {BEFORE_ANNOTATION: None if back else json.dumps(kept, sort_keys=True)}
        return Change(
            build=lambda _: {**patch, "metadata": {"annotations": note}},
            command=patch_command(KIND, args.namespace, args.name, patch),
            total=0,
            why_not="" if back else _why_not(args, body),
        )

    async def undo(self, args: QuotaArguments, body: Body) -> dict[str, Any] | None:
        """Return the limits of now."""
        now = {k: v for k, v in _hard(body).items() if k in args.hard}
        if set(now) != set(args.hard):
            return None
        return {"namespace": args.namespace, "name": args.name, "hard": now}


def _hard(body: Body) -> dict[str, str]:
    return {k: str(v) for k, v in ((body.get("spec") or {}).get("hard") or {}).items()}


def _before(body: Body) -> Any:
    notes = (body.get("metadata") or {}).get("annotations") or {}
    try:
        return json.loads(str(notes.get(BEFORE_ANNOTATION) or ""))
    except ValueError:
        return None


def _why_not(args: QuotaArguments, body: Body) -> str:
    now = _hard(body)
    for name, text in sorted(args.hard.items()):
        wanted, there = quantity(text), quantity(now.get(name))
        if wanted is None or there is None:
            held = ", ".join(sorted(now)) or "nothing"
            return f"resourcequota/{args.name} does not limit {name}; it limits {held}"
        if wanted <= there:
            return f"{name} is at {now[name]} already: a quota is only raised"
        if wanted > there * MOST_TIMES:
            return f"{text} of {name} is more than {MOST_TIMES} times the {now[name]} of now"
    return ""
