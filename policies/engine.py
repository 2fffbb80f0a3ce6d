"""Rules on a request: Cedar's answer, lowered by the hard guard; no clean Allow is a deny."""

import json
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cedarpy

from bot.domain.action import Level
from bot.domain.errors import SreBotError
from bot.domain.people import ActorKind
from bot.domain.policy import PolicyRequest, Reason, Ruling, RulingEngine, Stage, Verdict
from policies.answering import LADDER, Answer, Answers
from policies.guardrails import RANK, deny, guard
from policies.request import PRINCIPAL, RESOURCE, Facts, Known, facts
from policies.rulebook import RULES, RuleBook, load

QUESTIONS = (  # from most to least freedom; each with the lowest level that makes it worth asking
    (Verdict.AUTONOMOUS, "autonomous", Level.L4),
    (Verdict.APPROVAL, "approval", Level.L3),
    (Verdict.ONE_CLICK, "oneClick", Level.L2),
    (Verdict.SUGGEST, "suggest", Level.L1),
)
LOWERED = (Verdict.SUGGEST, Verdict.ONE_CLICK, Verdict.APPROVAL)
REMEMBERED = 10_000  # confirmations kept: about 5 MB
SLIPS = (
    SreBotError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)  # what a malformed request or a broken binding can raise; each of them is a deny


class CedarEngine(RulingEngine):
    """Rules by `rules/*.cedar`, parsed once. Raises (at construction only): Malformed.

    The compiled rules find the answer and its reasons; a permission stands only if Cedar itself
    says Allow without an error. Cedar is asked once for each combination of facts that the rules
    can tell apart: its answer is a function of those.
    """

    def __init__(
        self,
        rules: Path = RULES,
        *,
        environments: Collection[str] | None = None,
        actions: Collection[str] | None = None,
    ) -> None:
        self._book: RuleBook = load(rules)
        self._answers = Answers(self._book)
        self._confirmed: dict[tuple[str, tuple[bool, ...]], bool] = {}
        self._known = Known(
            environments=None if environments is None else frozenset(environments),
            actions=None if actions is None else frozenset(actions),
        )

    @property
    def book(self) -> RuleBook:
        """The rules in force."""
        return self._book

    def forget(self) -> None:
        """Ask Cedar again for every combination, as if just started; for measurements."""
        self._confirmed.clear()

    def rule(self, request: PolicyRequest) -> Ruling:
        """Return the ruling; never raises, an internal error is a DENY that says so."""
        try:
            said = self.rules_say(request)
            ruling = guard(request, said, self._known)
            if said.verdict is ruling.verdict or ruling.verdict not in LOWERED:
                return ruling
            return self._again(request, ruling)
        except SLIPS as error:
            return deny("internal-error", f"the request could not be ruled on: {error}")

    def _again(self, request: PolicyRequest, lowered: Ruling) -> Ruling:
        """Ask the rules for no more than the guard left: they may forbid that too."""
        said = self.rules_say(request, lowered.verdict)
        reasons = _distinct((*said.reasons, *lowered.reasons))
        return guard(request, replace(said, reasons=reasons), self._known)

    def rules_say(self, request: PolicyRequest, at_most: Verdict = Verdict.AUTONOMOUS) -> Ruling:
        """Return what the rules alone say. Raises: Malformed: names the odd attribute."""
        known = facts(request, self._known)
        if request.stage is Stage.UNDO:
            return self._undo(request, known)
        held: list[Reason] = []
        for verdict, question in _asked(request, at_most):
            answer = self._answers.answer(question, known.values)
            if answer.allowed:
                answer = self._confirm(question, known, answer)
            if answer.allowed:
                ruling = Ruling(verdict=verdict, reasons=_distinct((*answer.reasons, *held)))
                return self._gate(request, question, ruling, known)
            held.extend(answer.reasons)
        words = f"no rule allows this at L{request.conditions.level.value}"
        nothing = Reason(rule="default-deny", text=words)
        return Ruling(verdict=Verdict.DENY, reasons=_distinct(held) or (nothing,))

    def _undo(self, request: PolicyRequest, known: Facts) -> Ruling:
        answer = self._answers.answer("undo", known.values)
        if answer.allowed:
            answer = self._confirm("undo", known, answer)
        alone = request.actor.kind is ActorKind.SELF
        allowed = Verdict.AUTONOMOUS if alone else Verdict.ONE_CLICK
        verdict = allowed if answer.allowed else Verdict.DENY
        nothing = Reason(rule="default-deny", text="no rule allows it")
        return Ruling(verdict=verdict, reasons=answer.reasons or (nothing,))

    def _gate(self, request: PolicyRequest, question: str, ruling: Ruling, known: Facts) -> Ruling:
        """Fill in who must decide: the first approvals that the rules would be content with."""
        gated = ruling.verdict in (Verdict.ONE_CLICK, Verdict.APPROVAL)
        if not gated or request.stage is not Stage.PROPOSE:
            return ruling
        enough = self._answers.enough
        for role, count in LADDER:
            if enough(question, known.values, role, count, requester=False):
                alone = enough(question, known.values, role, count, requester=True)
                return replace(
                    ruling, approvals_needed=count, approver_role=role, requester_may_approve=alone
                )
        nobody = Reason(rule="no-approver", text="no approval that the rules know would be enough")
        return Ruling(verdict=Verdict.DENY, reasons=(*ruling.reasons, nobody))

    def _confirm(self, question: str, known: Facts, found: Answer) -> Answer:
        """Return the permission if Cedar gives it too, else its refusal."""
        key = (question, self._answers.profile(question, known.values))
        if self._confirmed.get(key):
            return found
        answer = ask(self._book, question, known)
        if answer.allowed and answer.reasons == found.reasons:
            if len(self._confirmed) >= REMEMBERED:
                self._confirmed.clear()
            self._confirmed[key] = True
            return found
        doubt = Reason(rule="rule-doubt", text="Cedar does not confirm what its rules were read as")
        return Answer(allowed=False, reasons=answer.reasons if not answer.allowed else (doubt,))


def ask(book: RuleBook, question: str, known: Facts) -> Answer:
    """Return what Cedar itself says to one question. An error is no permission."""
    entities = cedarpy.Entities.from_json_str(json.dumps(known.entities), book.schema)
    result = cedarpy.is_authorized(_question(question, known), book.policies, entities, book.schema)
    if result.diagnostics.errors:
        words = "; ".join(map(str, result.diagnostics.errors))
        return Answer(allowed=False, reasons=(Reason(rule="rule-error", text=words),))
    held = set(result.diagnostics.reasons)
    reasons = tuple(reason for key, reason in book.reasons.items() if key in held)
    return Answer(allowed=result.decision is cedarpy.Decision.Allow, reasons=reasons)


def _asked(request: PolicyRequest, at_most: Verdict) -> Iterator[tuple[Verdict, str]]:
    """Yield the questions from the freest verdict that the level can reach."""
    level = min(request.conditions.level, request.action.highest_level)
    for verdict, question, lowest in QUESTIONS:
        if level >= lowest and RANK[verdict] <= RANK[at_most]:
            yield verdict, question


def _question(question: str, known: Facts) -> dict[str, Any]:
    return {
        "principal": PRINCIPAL,
        "action": {"type": "Action", "id": question},
        "resource": RESOURCE,
        "context": known.context,
    }


def _distinct(reasons: Collection[Reason]) -> tuple[Reason, ...]:
    return tuple(dict.fromkeys(reasons))
