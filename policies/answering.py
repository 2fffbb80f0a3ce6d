"""The rules as functions: which question is allowed, by which rules, and which approvals would do.

This only finds the answer quickly. Cedar confirms what is allowed (`policies.engine`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.people import Role
from bot.domain.policy import Approvals, Reason, Stage
from policies.expressions import Expression, Test, Values, atoms, compiled, given
from policies.request import approvals, runner
from policies.rulebook import RuleBook
from policies.translation import allows

LADDER = tuple((role, n) for n in (1, 2, 3) for role in (Role.RESPONDER, Role.APPROVER))
GATED = ("approval", "oneClick")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the rules said to one question, and those that made it so."""

    allowed: bool
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compiled:
    permits: tuple[tuple[Test, Reason], ...]
    forbids: tuple[tuple[Test, Reason], ...]
    atoms: tuple[Test, ...]  # everything about a request that this question's rules can tell apart


class Answers:
    """All questions of a rule book, compiled once."""

    def __init__(self, book: RuleBook) -> None:
        self._questions = {question: _compile(book, question) for question in book.words.groups}
        self._enough = {
            (question, role, count, requester): compiled(would_do(book, question, given_approvals))
            for question in GATED
            for role, count in LADDER
            for requester in (False, True)
            for given_approvals in [enough(role, count, requester=requester)]
        }

    def answer(self, question: str, values: Values) -> Answer:
        """Return what Cedar would say: a permit without a forbid."""
        rules = self._questions[question]
        forbids = tuple(reason for test, reason in rules.forbids if test(values))
        if forbids:
            return Answer(allowed=False, reasons=forbids)
        permits = tuple(reason for test, reason in rules.permits if test(values))
        return Answer(allowed=bool(permits), reasons=permits)

    def profile(self, question: str, values: Values) -> tuple[bool, ...]:
        """Return the truth of every comparison in its rules: Cedar's answer depends on no more."""
        return tuple([test(values) for test in self._questions[question].atoms])

    def enough(
        self, question: str, values: Values, role: Role, count: int, *, requester: bool
    ) -> bool:
        """Return whether these approvals would do, once the target is free."""
        return self._enough[question, role, count, requester](values)


def enough(role: Role, count: int, *, requester: bool) -> dict[str, Any]:
    """Return `count` decisions in one role, by path."""
    made = Approvals(count=count, roles=frozenset({role}), includes_requester=requester)
    return {f"context.approvals.{name}": value for name, value in approvals(made).items()}


def would_do(book: RuleBook, question: str, approved: Mapping[str, Any]) -> Expression:
    """Return when a question is allowed at the moment of acting, given these approvals."""
    acting = {f"principal.{name}": value for name, value in runner()["attrs"].items()}
    moment = {"context.stage": Stage.EXECUTE.value, "context.targetLocked": False}
    return given(allows(book.rules, question), {**acting, **moment, **approved})


def _compile(book: RuleBook, question: str) -> _Compiled:
    here = [rule for rule in book.rules if question in rule.questions]
    found = dict.fromkeys(atom for rule in here for atom in atoms(rule.when))
    return _Compiled(
        permits=tuple((compiled(r.when), r.reason) for r in here if r.permits),
        forbids=tuple((compiled(r.when), r.reason) for r in here if not r.permits),
        atoms=tuple(compiled(atom) for atom in found),
    )
