"""Label matchers as predicates."""

import re
from collections.abc import Callable, Mapping, Sequence

from bot.sandbox.world.promql.evaluator import Matcher
from bot.sandbox.world.promql.values import BadQuery

MAX_REGEX = 400


def predicate(matchers: Sequence[Matcher]) -> Callable[[Mapping[str, str]], bool]:
    """Return whether a label set passes all matchers. Raises: BadQuery: a regex we can't run."""
    tests = [(m.name, test(m)) for m in matchers]

    def keep(labels: Mapping[str, str]) -> bool:
        return all(check(labels.get(name, "")) for name, check in tests)

    return keep


def test(matcher: Matcher) -> Callable[[str], bool]:
    """Return one matcher as a predicate on the label's value."""
    if matcher.op == "=":
        return lambda value: value == matcher.value
    if matcher.op == "!=":
        return lambda value: value != matcher.value
    pattern = compiled(matcher.value)
    if matcher.op == "=~":
        return lambda value: pattern.fullmatch(value) is not None
    return lambda value: pattern.fullmatch(value) is None


def compiled(text: str) -> "re.Pattern[str]":
    """Return a pattern without nested repetition, so that no input can take for ever."""
    if len(text) > MAX_REGEX or re.search(r"[+*}]\)*[+*{]", text) or text.count("*") > 12:
        raise BadQuery("regular expression is too long or too repetitive for the sandbox")
    try:
        return re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise BadQuery(f"error parsing regexp: {error}") from error
