"""Proves the invariants for all requests with Z3, or finds a request that breaks one."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.domain.errors import Malformed
from bot.domain.policy import Verdict
from policies.expressions import Values, compiled
from policies.invariants import Invariant, invariants, of_both, of_the_guard
from policies.model import Model, guard_model, policy_model, rules_model
from policies.ordinary import ordinary, values
from policies.rulebook import RULES, RuleBook, load
from policies.solver import Search
from policies.wording import VERDICTS, differences


class PolicyBroken(Malformed):
    """The rules allow what no rules may: the text holds the counter-examples."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One invariant: proved, or broken by a request. `vacuous`: what it guards can never be."""

    name: str
    says: str
    proved: bool
    vacuous: bool = False
    words: str = ""  # the counter-example
    request: Mapping[str, Any] = field(default_factory=dict)  # its attributes by path
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """All invariants over one rule book."""

    checked: tuple[Checked, ...]
    seconds: float

    @property
    def broken(self) -> tuple[Checked, ...]:
        """Those that do not hold, or say nothing."""
        return tuple(c for c in self.checked if not c.proved or c.vacuous)

    @property
    def words(self) -> str:
        """What is broken, for a person; empty if nothing is."""
        return "\n".join(f"⛔ {c.says} (invariant {c.name}): {c.words}" for c in self.broken)


def prove(book: RuleBook) -> Proof:
    """Return the proof of these rules alone, of the guard alone, and of both together."""
    started = time.perf_counter()
    usual = values(ordinary())
    rules, both, guard = rules_model(book), policy_model(book), guard_model()
    search = Search()
    found = [
        *_proved(search, invariants(rules), _Place(model=rules, book=book, usual=usual)),
        *_proved(search, of_both(both), _Place(model=both, book=book, usual=usual)),
        *_proved(search, of_the_guard(guard), _Place(model=guard, book=None, usual=usual)),
    ]
    return Proof(checked=tuple(found), seconds=time.perf_counter() - started)


def require(rules: Path = RULES) -> Proof:
    """Return the proof of a folder of rules. Raises: PolicyBroken: with its counter-examples."""
    proof = prove(load(rules))
    if proof.broken:
        raise PolicyBroken(f"The policy is broken, so nothing starts.\n{proof.words}")
    return proof


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """What an invariant is proved about, and what an ordinary request is there."""

    model: Model
    book: RuleBook | None
    usual: Values


def _proved(search: Search, listed: Iterable[Invariant], place: _Place) -> list[Checked]:
    return [_check(invariant, search, place) for invariant in listed]


def _check(invariant: Invariant, search: Search, place: _Place) -> Checked:
    started = time.perf_counter()
    counter = search.find(invariant.broken, place.usual)
    vacuous = counter is None and not search.possible(invariant.possible)
    words = _words(counter, place) if counter is not None else ""
    if vacuous:
        words = "it says nothing: what it guards is not possible at all any more"
    return Checked(
        name=invariant.name,
        says=invariant.says,
        proved=counter is None,
        vacuous=vacuous,
        words=words,
        request=counter or {},
        seconds=time.perf_counter() - started,
    )


def _words(counter: Values, place: _Place) -> str:
    """Return a counter-example in words: what is ruled, for which request, by which rules."""
    whole = {**place.usual, **counter}
    told = "; ".join(differences(counter, place.usual))
    allowed = [*_permits(place.book, whole)] if place.book is not None else []
    by = f" (allowed by rule {', '.join(allowed)})" if allowed else ""
    return f"it is {VERDICTS[verdict(place.model, whole)]}{by} with: {told}"


def verdict(model: Model, whole: Values) -> Verdict:
    """Return the ruling that a model gives to a request by path."""
    return next(v for v in Verdict if compiled(model.verdicts[v])(whole))


def _permits(book: RuleBook, whole: Values) -> list[str]:
    """Return the @ids of the permits that apply to the freest question that is allowed."""
    from policies.answering import Answers

    answers = Answers(book)
    for question in ("undo",) if whole["context.stage"] == "undo" else (
        "autonomous", "approval", "oneClick", "suggest"
    ):  # fmt: skip
        answer = answers.answer(question, whole)
        if answer.allowed:
            return [reason.rule for reason in answer.reasons]
    return []
