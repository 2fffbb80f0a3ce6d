"""The engine as first written: every question put to Cedar. What the fast one is held to."""

from dataclasses import replace

from bot.domain.people import SELF, ActorKind
from bot.domain.policy import PolicyRequest, Reason, Ruling, Stage, Verdict
from policies.answering import LADDER
from policies.engine import QUESTIONS, ask
from policies.guardrails import RANK, guard
from policies.request import VOUCHED, facts
from policies.rulebook import RuleBook
from tests.unit.policies.requests import approved


class PlainEngine:
    """No compiled rules, no memory: Cedar answers all."""

    def __init__(self, book: RuleBook) -> None:
        self._book = book

    def rule(self, request: PolicyRequest) -> Ruling:
        said = self.rules_say(request)
        ruling = guard(request, said)
        if said.verdict is ruling.verdict or ruling.verdict is Verdict.DENY:
            return ruling
        again = self.rules_say(request, ruling.verdict)
        reasons = tuple(dict.fromkeys((*again.reasons, *ruling.reasons)))
        return guard(request, replace(again, reasons=reasons))

    def rules_say(self, request: PolicyRequest, at_most: Verdict = Verdict.AUTONOMOUS) -> Ruling:
        known = facts(request, VOUCHED)
        if request.stage is Stage.UNDO:
            answer = ask(self._book, "undo", known)
            alone = request.actor.kind is ActorKind.SELF
            verdict = Verdict.AUTONOMOUS if alone else Verdict.ONE_CLICK
            reasons = answer.reasons or (Reason(rule="default-deny", text="no rule allows it"),)
            return Ruling(verdict=verdict if answer.allowed else Verdict.DENY, reasons=reasons)
        held: list[Reason] = []
        level = min(request.conditions.level, request.action.highest_level)
        for verdict, question, lowest in QUESTIONS:
            if level < lowest or RANK[verdict] > RANK[at_most]:
                continue
            answer = ask(self._book, question, known)
            if answer.allowed:
                found = tuple(dict.fromkeys((*answer.reasons, *held)))
                return self._gate(request, question, Ruling(verdict=verdict, reasons=found))
            held.extend(answer.reasons)
        nothing = Reason(
            rule="default-deny", text=f"no rule allows this at L{int(request.conditions.level)}"
        )
        return Ruling(verdict=Verdict.DENY, reasons=tuple(dict.fromkeys(held)) or (nothing,))

    def _gate(self, request: PolicyRequest, question: str, ruling: Ruling) -> Ruling:
        gated = ruling.verdict in (Verdict.ONE_CLICK, Verdict.APPROVAL)
        if not gated or request.stage is not Stage.PROPOSE:
            return ruling
        for role, count in LADDER:
            if self._would_do(request, question, approved(count, role)):
                alone = self._would_do(request, question, approved(count, role, requester=True))
                return replace(
                    ruling, approvals_needed=count, approver_role=role, requester_may_approve=alone
                )
        nobody = Reason(rule="no-approver", text="no approval that the rules know would be enough")
        return Ruling(verdict=Verdict.DENY, reasons=(*ruling.reasons, nobody))

    def _would_do(self, request: PolicyRequest, question: str, given: object) -> bool:
        acting = replace(
            request,
            stage=Stage.EXECUTE,
            actor=SELF,
            approvals=given,  # type: ignore[arg-type]
            conditions=replace(request.conditions, target_locked=False),
        )
        return ask(self._book, question, facts(acting, VOUCHED)).allowed
