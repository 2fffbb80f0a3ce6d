"""Values that a change sets anew: key, old value and new value, in code or configuration."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.reasoning.diffs.parse import Hunk, Line
from bot.reasoning.diffs.values import Value, parse_value
from bot.reasoning.diffs.words import parts

_ASSIGNED = re.compile(
    r"""^(?:-\s+)?(?:(?:export|const|let|var|val|final|static|private|public|protected|readonly|ENV|ARG|set
    |SET|int|long|double|float|bool|boolean|[sS]tring|Duration|TimeSpan|Integer|Long)\s+)*
    ["'\[]{0,2}(?P<key>[A-Za-z_@$][\w.\-/\[\]$@]{0,80}?)["'\]]{0,2}(?:\s+[\w.\[\]<>*]+)?
    \s*(?P<how>:=|=>|\?=|[:=](?!=)|\s(?=["'\d/]|(?:on|off|true|false)\b|[a-z]+:|[\w.\-]+;?$))\s*
    (?P<value>\S.*?)[,;]?(?:\s*\{)?$""",
    re.X,
)
_CALLED = re.compile(r"(?P<key>[A-Za-z_]\w*)\((?P<value>[^()]*(?:\([^()]*\)[^()]*)*)\)")
_KEYWORD = re.compile(
    r"(?:^|[(,{\s-])(?:--?)?[\"']?(?P<key>[A-Za-z_][\w.\-]*)[\"']?\s*[=:]\s*"
    r"(?=(?P<value>[^,(){}\s=][^,(){}]*(?=[,)}]|$)|\w[\w.]*\([^()]*\)))"
)
_FLAG = re.compile(
    r"(?:^|[\s\"'])--?(?P<key>X(?:mx|ms|ss|X:[+\-]?\w+)|[A-Za-z][\w\-.]+)"
    r"(?:[= ]|(?<=Xm[xs])|(?<=Xss))(?P<value>[^\s\"',]+)"
)
_ENV_NAME = re.compile(r"^-?\s*[\"']?name[\"']?\s*[:=]\s*[\"']?([\w.\-]+)")
_PARENT = re.compile(
    r"^(?:-\s+)?(?:\w+ )?[\"']?([\w.\-/]+)[\"']?(?:\s+\"[\w.\-]+\")*\s*[:=]?\s*(?:[{\[(:|>&]|\w+:)$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One key's change; `old` None: the key is new; `new` None: it is gone."""

    key: str  # with parents: "resources.limits.memory"
    words: frozenset[str]  # of the key, split
    old: Value | None
    new: Value | None
    line: Line  # after, or before if it is gone


def settings(hunks: Sequence[Hunk], net: frozenset[int]) -> tuple[Setting, ...]:
    """Return the settings of a file that changed, came or went; `net` are ids of changed lines."""
    return tuple(s for hunk in hunks for s in _of_hunk(hunk, net))


def _of_hunk(hunk: Hunk, net: frozenset[int]) -> Iterator[Setting]:
    if not any(line.sign != " " and line.code for line in hunk.lines):
        return
    before = _pairs(hunk, "-", net)
    after = _pairs(hunk, "+", net)
    old: dict[str, list[tuple[Value, Line]]] = {}
    for key, value, line in before:
        old.setdefault(key, []).append((value, line))
    for key, value, line in after:
        was = old.get(key)
        previous = was.pop(0)[0] if was else None
        if previous is None or previous != value:
            yield _setting(key, previous, value, line)
    for key, rest in old.items():
        for value, line in rest:
            yield _setting(key, value, None, line)


def _setting(key: str, old: Value | None, new: Value | None, line: Line) -> Setting:
    return Setting(key=key, words=frozenset(parts(key)), old=old, new=new, line=line)


def _pairs(hunk: Hunk, sign: str, net: frozenset[int]) -> list[tuple[str, Value, Line]]:
    side = hunk.side(sign)
    found = []
    for at, line in enumerate(side):
        if line.sign == sign and id(line) in net:
            seen: dict[str, None] = {}
            for key, raw in _keys(line.code):
                if key not in seen and (value := parse_value(raw, key)) is not None:
                    seen[key] = None
                    found.append((_full(key, side, at), value, line))
    return found


def _keys(code: str) -> Iterator[tuple[str, str]]:
    assigned = _ASSIGNED.match(code)
    if assigned:
        yield assigned["key"], assigned["value"]
    for pattern in (_FLAG, _KEYWORD) if "=" in code or "-" in code or ":" in code else ():
        for found in pattern.finditer(code):
            yield found["key"], found["value"]
    if "(" in code:
        for found in _CALLED.finditer(code):
            for inner in _CALLED.finditer(found["value"]):
                yield inner["key"], _last_number(inner["value"])
            prefix = assigned["key"] + "." if assigned else ""
            yield prefix + found["key"], _last_number(found["value"])


def _last_number(arguments: str) -> str:
    """Return the argument of a call that is a number, the last if there are several."""
    if "=" in arguments:
        return ""
    found = [a.strip() for a in arguments.split(",") if re.search(r"\d|true|false|[\"']", a)]
    if len(found) > 1 and "TimeUnit" in found[-1]:
        return ", ".join(found[-2:])
    units = [a for a in arguments.split(",") if "TimeUnit" in a or "ChronoUnit" in a]
    return ", ".join([*found[-1:], *units]) if found else arguments


def _full(key: str, side: Sequence[Line], at: int) -> str:
    """Return a key with its parents by indentation, or the name of its environment variable."""
    line = side[at]
    if key in ("value", "default", "defaultValue", "Default"):
        for above in reversed(side[max(0, at - 3) : at]):
            if named := _ENV_NAME.match(above.code):
                return f"{named[1]}.{key}"
    parents, indent = [key], line.indent
    if not indent:
        return key
    for above in reversed(side[max(0, at - 40) : at]):
        if above.indent < indent and (found := _PARENT.match(above.code)):
            parents.append(found[1])
            indent = above.indent
        if indent == 0 or len(parents) > 3:
            break
    return ".".join(reversed(parents))
