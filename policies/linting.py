"""What is odd about rules that load: never true, never needed, a permit outside its file."""

from collections.abc import Iterator
from dataclasses import dataclass

from policies.expressions import Expression, some
from policies.rulebook import RuleBook
from policies.solver import Search
from policies.translation import Rule

PERMITS = "levels.cedar"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something a reviewer should look at; nothing is refused for it."""

    rule: str
    place: str  # "stops.cedar:4"
    words: str


def lint(book: RuleBook) -> tuple[Remark, ...]:
    """Return remarks on a rule book, in the order of its rules."""
    search = Search()
    found = []
    for rule in book.rules:
        place = book.places.get(rule.reason.rule, "")
        for words in _remarks(rule, place, book, search):
            found.append(Remark(rule=rule.reason.rule, place=place, words=words))
    return tuple(found)


def _remarks(rule: Rule, place: str, book: RuleBook, search: Search) -> Iterator[str]:
    if rule.permits and not place.startswith(PERMITS):
        yield f"permits outside {PERMITS}: the other files only take away"
    if not search.possible(rule.when):
        yield "never applies: its condition cannot be true"
    elif not any(_matters(rule, question, book, search) for question in rule.questions):
        yield "changes nothing: other rules say the same already"


def _matters(rule: Rule, question: str, book: RuleBook, search: Search) -> bool:
    """Whether the question's answer differs for some request without this rule."""
    with_it, without = _allowed(book, question, None), _allowed(book, question, rule)
    return search.possible((with_it & ~without) | (without & ~with_it))


def _allowed(book: RuleBook, question: str, left_out: Rule | None) -> Expression:
    here = [r for r in book.rules if question in r.questions and r is not left_out]
    permits = some(*(r.when for r in here if r.permits))
    return permits & ~some(*(r.when for r in here if not r.permits))
