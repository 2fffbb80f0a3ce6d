"""Rules on a request: Cedar's answer, lowered by the hard guard; no clean Allow is a deny."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cedarpy

from bot.domain.action import Level
from bot.domain.errors import SreBotError
from bot.domain.people import ActorKind, Role
from bot.domain.policy import (
    Approvals,
    PolicyRequest,
    Reason,
    Ruling,
    RulingEngine,
    Stage,
    Verdict,
)
from policies.guardrails import deny, guard
from policies.request import PRINCIPAL, RESOURCE, Facts, Known, approvals, facts, runner
from policies.rulebook import RULES, RuleBook, load

QUESTIONS = (  # from most to least freedom; each with the lowest level that makes it worth asking
    (Verdict.AUTONOMOUS, "autonomous", Level.L4),
    (Verdict.APPROVAL, "approval", Level.L3),
    (Verdict.ONE_CLICK, "oneClick", Level.L2),
    (Verdict.SUGGEST, "suggest", Level.L1),
)
LADDER = tuple((role, n) for n in (1, 2, 3) for role in (Role.RESPONDER, Role.APPROVER))
SLIPS = (
    SreBotError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)  # what a malformed request or a broken binding can raise; each of them is a deny


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What Cedar said to one question, and the rules that made it say so."""

    allowed: bool
    reasons: tuple[Reason, ...]


class CedarEngine(RulingEngine):
    """Rules by `rules/*.cedar`, parsed once. Raises (at construction only): Malformed."""

    def __init__(
        self,
        rules: Path = RULES,
        *,
        environments: Collection[str] | None = None,
        actions: Collection[str] | None = None,
    ) -> None:
        self._book: RuleBook = load(rules)
        self._known = Known(
            environments=None if environments is None else frozenset(environments),
            actions=None if actions is None else frozenset(actions),
        )

    def rule(self, request: PolicyRequest) -> Ruling:
        """Return the ruling; never raises, an internal error is a DENY that says so."""
        try:
            return guard(request, self._rule(request))
        except SLIPS as error:
            return deny("internal-error", f"the request could not be ruled on: {error}")

    def _rule(self, request: PolicyRequest) -> Ruling:
        known = facts(request, self._known)
        if request.stage is Stage.UNDO:
            return self._undo(request, known)
        held: list[Reason] = []
        for verdict, answer in self._answers(request, known):
            if answer.allowed:
                ruling = Ruling(verdict=verdict, reasons=_distinct((*answer.reasons, *held)))
                return self._gate(request, ruling, known)
            held.extend(answer.reasons)
        words = f"no rule allows this at L{request.conditions.level.value}"
        nothing = Reason(rule="default-deny", text=words)
        return Ruling(verdict=Verdict.DENY, reasons=_distinct(held) or (nothing,))

    def _answers(self, request: PolicyRequest, known: Facts) -> Iterator[tuple[Verdict, Answer]]:
        """Ask from the freest verdict that the level can reach, lazily."""
        level = min(request.conditions.level, request.action.highest_level)
        for verdict, question, lowest in QUESTIONS:
            if level >= lowest:
                yield verdict, self._ask(question, known)

    def _undo(self, request: PolicyRequest, known: Facts) -> Ruling:
        answer = self._ask("undo", known)
        alone = request.actor.kind is ActorKind.SELF
        allowed = Verdict.AUTONOMOUS if alone else Verdict.ONE_CLICK
        verdict = allowed if answer.allowed else Verdict.DENY
        nothing = Reason(rule="default-deny", text="no rule allows it")
        return Ruling(verdict=verdict, reasons=answer.reasons or (nothing,))

    def _gate(self, request: PolicyRequest, ruling: Ruling, known: Facts) -> Ruling:
        """Fill in who must decide, by asking the rules which approvals would do."""
        gated = ruling.verdict in (Verdict.ONE_CLICK, Verdict.APPROVAL)
        if not gated or request.stage is not Stage.PROPOSE:
            return ruling
        question = "approval" if ruling.verdict is Verdict.APPROVAL else "oneClick"
        for role, count in LADDER:
            if self._would_do(question, known, role, count, requester=False):
                alone = self._would_do(question, known, role, count, requester=True)
                return replace(
                    ruling, approvals_needed=count, approver_role=role, requester_may_approve=alone
                )
        nobody = Reason(rule="no-approver", text="no approval that the rules know would be enough")
        return Ruling(verdict=Verdict.DENY, reasons=(*ruling.reasons, nobody))

    def _would_do(
        self, question: str, known: Facts, role: Role, count: int, *, requester: bool
    ) -> bool:
        given = Approvals(count=count, roles=frozenset({role}), includes_requester=requester)
        context = known.context | {
            "stage": Stage.EXECUTE.value,
            "approvals": approvals(given),
            "targetLocked": False,
        }
        entities = [runner(), known.entities[1]]
        return self._ask(question, Facts(entities=entities, context=context)).allowed

    def _ask(self, question: str, known: Facts) -> Answer:
        result = cedarpy.is_authorized(
            _question(question, known), self._book.policies, known.entities, self._book.schema
        )
        if result.diagnostics.errors:
            return Answer(
                allowed=False,
                reasons=(
                    Reason(rule="rule-error", text="; ".join(map(str, result.diagnostics.errors))),
                ),
            )
        held = set(result.diagnostics.reasons)
        reasons = tuple(reason for key, reason in self._book.reasons.items() if key in held)
        return Answer(allowed=result.decision is cedarpy.Decision.Allow, reasons=reasons)


def _question(question: str, known: Facts) -> dict[str, Any]:
    return {
        "principal": PRINCIPAL,
        "action": {"type": "Action", "id": question},
        "resource": RESOURCE,
        "context": known.context,
    }


def _distinct(reasons: Collection[Reason]) -> tuple[Reason, ...]:
    return tuple(dict.fromkeys(reasons))
