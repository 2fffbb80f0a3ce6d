"""A subset of LogQL: stream selectors, line filters, and counts of them over ranges."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot.sandbox.world.promql.evaluator import Matcher
from bot.sandbox.world.promql.matching import compiled, predicate
from bot.sandbox.world.promql.values import BadQuery

STRING = r'"(?:[^"\\]|\\.)*"|`[^`]*`'
TOKEN = re.compile(
    rf"\s*(?:({STRING})|(\|=|\|~|!=|!~|=~|=|[{{}}(),\[\]|])|([A-Za-z_][\w:.]*|\d[\w.]*))"
)
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
MAX_TEXT = 6_000
RANGES = ("count_over_time", "rate")
AGGREGATIONS = ("sum",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One line filter."""

    op: str  # |= != |~ !~
    text: str

    def keeps(self, line: str) -> bool:
        """Return whether the line passes."""
        if self.op in ("|=", "!="):
            return (self.text in line) == (self.op == "|=")
        return (pattern(self.text).search(line) is not None) == (self.op == "|~")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """A selector with filters; `function` and `range_s` when it counts, `by` when it adds up."""

    matchers: tuple[Matcher, ...]
    filters: tuple[Filter, ...]
    function: str = ""
    range_s: float = 0.0
    aggregation: str = ""
    by: tuple[str, ...] = ()
    without: bool = False

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether a stream is selected."""
        return predicate(self.matchers)(labels)

    def keeps(self, line: str) -> bool:
        """Return whether a line passes all filters."""
        return all(f.keeps(line) for f in self.filters)


def pattern(text: str) -> "re.Pattern[str]":
    """Return a compiled filter. Raises: BadQuery."""
    return compiled(text)


def parse(text: str) -> LogQuery:
    """Return the query. Raises: BadQuery."""
    if len(text) > MAX_TEXT:
        raise BadQuery("the query is too long")
    return _Parser(text).query()


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens: list[str] = []
        at = 0
        text = text.strip()
        while at < len(text):
            found = TOKEN.match(text, at)
            if found is None:
                raise BadQuery(f"parse error : syntax error: unexpected {text[at : at + 20]!r}")
            self.tokens.append(found.group(0).strip())
            at = found.end()
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, wanted: str = "") -> str:
        token = self.peek()
        if not token or (wanted and token != wanted):
            raise BadQuery(f"parse error : syntax error: unexpected {token or 'end of query'!r}")
        self.at += 1
        return token

    def query(self) -> LogQuery:
        head = self.peek()
        if head in AGGREGATIONS:
            found = self.aggregated()
        elif head in RANGES:
            found = self.counted()
        else:
            matchers, filters = self.selected()
            found = LogQuery(matchers=matchers, filters=filters)
        if self.peek():
            raise BadQuery(f"parse error : syntax error: {self.peek()!r} is not supported")
        return found

    def aggregated(self) -> LogQuery:
        name = self.take()
        by, without = self.grouping()
        self.take("(")
        inner = self.counted()
        self.take(")")
        if not by and not without:
            by, without = self.grouping()
        return LogQuery(
            matchers=inner.matchers, filters=inner.filters, function=inner.function,
            range_s=inner.range_s, aggregation=name, by=by, without=without,
        )  # fmt: skip

    def grouping(self) -> tuple[tuple[str, ...], bool]:
        if self.peek() not in ("by", "without"):
            return (), False
        without = self.take() == "without"
        self.take("(")
        names = []
        while self.peek() != ")":
            names.append(self.take())
            if self.peek() == ",":
                self.take()
        self.take(")")
        return tuple(names), without

    def counted(self) -> LogQuery:
        name = self.take()
        if name not in RANGES:
            raise BadQuery(f"{name} is not supported")
        self.take("(")
        matchers, filters = self.selected()
        self.take("[")
        seconds = _duration(self.take())
        self.take("]")
        more = self.filters()
        self.take(")")
        return LogQuery(
            matchers=matchers, filters=(*filters, *more), function=name, range_s=seconds
        )

    def selected(self) -> tuple[tuple[Matcher, ...], tuple[Filter, ...]]:
        self.take("{")
        matchers = []
        while self.peek() != "}":
            name, op = self.take(), self.take()
            if op not in ("=", "!=", "=~", "!~"):
                raise BadQuery(f"parse error : syntax error: unexpected {op!r} in a selector")
            matchers.append(Matcher(name=name, op=op, value=_string(self.take())))
            if self.peek() == ",":
                self.take()
        self.take("}")
        if not any(not predicate([m])({}) for m in matchers):
            raise BadQuery(
                "queries require at least one regexp or equality matcher that does not have an "
                "empty-compatible value"
            )
        return tuple(matchers), self.filters()

    def filters(self) -> tuple[Filter, ...]:
        out = []
        while self.peek() in ("|=", "|~", "!=", "!~"):
            op, text = self.take(), _string(self.take())
            if op.endswith("~"):
                pattern(text)
            out.append(Filter(op=op, text=text))
        return tuple(out)


def _string(token: str) -> str:
    if token[:1] == "`":
        return token[1:-1]
    if token[:1] != '"':
        raise BadQuery(f"parse error : syntax error: expected a string, got {token!r}")
    escapes = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}
    return re.sub(r"\\(.)", lambda m: escapes.get(m[1], m[0]), token[1:-1])


def _duration(token: str) -> float:
    if not re.fullmatch(r"(\d{1,9}(ms|[smhdw]))+", token):
        raise BadQuery(f"parse error : not a valid duration string: {token!r}")
    seconds = sum(float(n) * UNITS[u] for n, u in re.findall(r"(\d+)(ms|[smhdw])", token))
    if not 0 < seconds <= 30 * 86400:
        raise BadQuery("the range is out of range")
    return seconds
