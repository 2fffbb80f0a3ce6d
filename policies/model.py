"""The whole ruling as conditions: rules, level, approvals and guard, as the engine applies them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bot.domain.people import Role
from bot.domain.policy import Verdict
from policies.answering import LADDER, enough, would_do
from policies.expressions import (
    Attribute,
    Expression,
    Shared,
    Truth,
    every,
    given,
    number,
    some,
)
from policies.limits import (
    BROKE_GLASS,
    EXECUTING,
    HIGHEST,
    ITSELF,
    LEVEL,
    LIMITS,
    PROPOSING,
    STANDS,
    UNDOING,
    Limit,
)
from policies.rulebook import RuleBook
from policies.translation import allows

RANKS = {verdict: rank for rank, verdict in enumerate(Verdict)}
ACTING = (Verdict.ONE_CLICK, Verdict.APPROVAL, Verdict.AUTONOMOUS)
ANSWER = number("rules.answer")  # rank of any answer that any rules might give
Stands = Mapping[Verdict, Expression]
COUNTED = "context.approvals.count"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """When each verdict is the ruling.

    `promised`: the approvals would do that a card asks for. `noted`: the ruling names break-glass.
    """

    verdicts: Mapping[Verdict, Expression]
    promised: Expression
    noted: Expression = BROKE_GLASS

    def ruled(self, *verdicts: Verdict) -> Expression:
        """Return when the ruling is one of these."""
        return some(*(self.verdicts[verdict] for verdict in verdicts))

    def freer_than(self, verdict: Verdict) -> Expression:
        """Return when the ruling leaves more freedom than this."""
        return self.ruled(*(v for v in Verdict if RANKS[v] > RANKS[verdict]))

    @property
    def runs(self) -> Expression:
        """The action is carried out."""
        return EXECUTING & self.ruled(*ACTING)

    @property
    def decided(self) -> Expression:
        """The action is carried out on a person's decision."""
        return EXECUTING & self.ruled(Verdict.ONE_CLICK, Verdict.APPROVAL)

    @property
    def alone(self) -> Expression:
        """The bot acts, or would act, by itself; taking back aside."""
        return ~UNDOING & self.verdicts[Verdict.AUTONOMOUS]

    @property
    def taken_back(self) -> Expression:
        """An action is taken back."""
        return UNDOING & self.ruled(*ACTING)

    def renamed(self, names: Mapping[str, Attribute]) -> "Model":
        """Return the same rulings on another request, which differs in these attributes."""
        shared: Shared = {}
        verdicts = {v: given(when, names, shared) for v, when in self.verdicts.items()}
        return replace(self, verdicts=verdicts, promised=given(self.promised, names, shared))


def rules_model(book: RuleBook) -> Model:
    """Return the rulings of these rules alone: no guard, and asked whatever the level is."""
    verdicts = _rules(book, guarded=False)
    verdicts[Verdict.DENY] = ~some(*verdicts.values())
    return Model(verdicts=verdicts, promised=_promised(book))


def policy_model(book: RuleBook) -> Model:
    """Return the rulings of these rules behind the guard."""
    return Model(verdicts=_guarded(_rules(book, guarded=True)), promised=_promised(book))


def guard_model(limits: Sequence[Limit] = LIMITS, stands: Stands = STANDS) -> Model:
    """Return the rulings of the guard behind rules that may answer anything."""
    anything = {verdict: ANSWER.equals(rank) for verdict, rank in RANKS.items()}
    return Model(verdicts=_guarded(anything, limits, stands), promised=Truth(True))


def _rules(book: RuleBook, *, guarded: bool) -> dict[Verdict, Expression]:
    """Return when the rules say each verdict: the freest question that they allow.

    `guarded`: as the engine asks them, for no more than the level and the guard's limits leave.
    """
    verdicts: dict[Verdict, Expression] = {}
    refused: Expression = ~UNDOING
    for verdict, question, lowest in (
        (Verdict.AUTONOMOUS, "autonomous", 4),
        (Verdict.APPROVAL, "approval", 3),
        (Verdict.ONE_CLICK, "oneClick", 2),
        (Verdict.SUGGEST, "suggest", 1),
    ):
        reached = LEVEL.at_least(lowest) & HIGHEST.at_least(lowest) if guarded else Truth(True)
        barred = _barred(verdict) if guarded else Truth(False)
        allowed = every(reached, allows(book.rules, question), ~barred)
        gated = verdict in (Verdict.APPROVAL, Verdict.ONE_CLICK)
        offered = ~PROPOSING | _some_would_do(book, question) if gated else Truth(True)
        verdicts[verdict] = refused & allowed & offered
        refused = refused & ~allowed
    undo = UNDOING & allows(book.rules, "undo")
    verdicts[Verdict.AUTONOMOUS] |= undo & ITSELF
    verdicts[Verdict.ONE_CLICK] |= undo & ~ITSELF
    return verdicts


def _barred(verdict: Verdict, limits: Sequence[Limit] = LIMITS) -> Expression:
    """Return when a limit of the guard allows less than this."""
    rank = RANKS[verdict]
    return some(*(limit.when for limit in limits if RANKS[limit.verdict] < rank))


def _some_would_do(book: RuleBook, question: str) -> Expression:
    found = (would_do(book, question, enough(r, n, requester=False)) for r, n in LADDER)
    return some(*found)


def _promised(book: RuleBook) -> Expression:
    """Return when the number of approvals that were given would do for one role by itself."""
    parts = []
    for question in ("approval", "oneClick"):
        for role in (Role.RESPONDER, Role.APPROVER):
            made = enough(role, 1, requester=False)
            del made[COUNTED]  # as many as there are
            parts.append(would_do(book, question, made))
    return some(*parts)


def _guarded(
    answers: Mapping[Verdict, Expression],
    limits: Sequence[Limit] = LIMITS,
    stands: Stands = STANDS,
) -> dict[Verdict, Expression]:
    """Return the rulings after `policies.guardrails.guard`: lowered by each limit, and standing."""
    verdicts: dict[Verdict, Expression] = {}
    freer: Expression = Truth(False)
    for verdict in reversed(Verdict):
        rank = RANKS[verdict]
        if rank == 0:
            continue
        said = some(*(when for v, when in answers.items() if RANKS[v] >= rank))
        left = said & ~_barred(verdict, limits)
        verdicts[verdict] = left & ~freer & stands[verdict]
        freer = left
    verdicts[Verdict.DENY] = ~some(*verdicts.values())
    return verdicts
