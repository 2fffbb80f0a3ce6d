"""What a line stands in, by indentation: loops, locks, transactions."""

import re
from collections.abc import Sequence
from functools import lru_cache

from bot.reasoning.diffs.parse import Line

LOOP = re.compile(
    r"^(?:\}?\s*)?(?:async )?(?:for|foreach|while|until)\b(?!.*(?:\breturn\b.*\}$))"
    r"|\.(?:forEach|map|flatMap|each|each_with_index|filter|collect|mapNotNull|Select|ForEach|reduce"
    r"|stream\(\)|parallelStream\(\)|find_each|times|mapToObj|inject|select|iter\(\))"
    r"\s*(?:\(|\bdo\b|\{|&|$)|^loop\b"
)
_NO_LOOP = re.compile(
    r"^while\s*\(?\s*(?:true|True|!|1\b)|^for\s*\{|^for\s*\(;;\)|attempt|retr(?:y|ies)|rows\.Next"
    r"|\.Map\(\w+ =>.*;\s*$"
)
LOCK = re.compile(
    r"(?i)\.lock\(\)|\.rlock\(\)|^(?:async )?with .*lock|\bsynchronized\b|^lock\s*\(|\.acquire\(\)"
    r"|\.synchronize\b|\.writelock\(\)|entersemaphore|mutex\.(?:lock|runexclusive)|monitor\.enter"
)
UNLOCK = re.compile(r"(?i)(?<!defer )\b\w*(?:\.\w+)*\.r?unlock\(\)|\.release\(\)|monitor\.exit")
TRANSACTION = re.compile(
    r"(?i)@transactional|\.begin(?:tx|transaction)?\(|transaction\.atomic|^begin\b|transaction do"
    r"|\$transaction\(|withtransaction|\.transaction\(|intransaction|begintransaction|runintx|start_transaction"
)
REMOTE = re.compile(
    r"(?:\bctx,|\(ctx\))|\b(?:requests|httpx|axios|http|fetch|urllib)\.?(?:get|post|put|request|Get|Post|Do|urlopen)?\("
    r"|(?i:(?:client|stub|gateway|api|remote|svc|service|resttemplate|webclient|http|rpc|feign)\w*(?:\(\))?\.\w+\()"
    r"|\bawait \w[\w.]*\(|@feign|\.exchange\(|\.publish\(|\.send\("
)
QUERY = re.compile(
    r"(?i)(?:\b|_)(?:db|conn|connection|tx|cursor|cur|session|pool|stmt|jdbc\w*|entitymanager|em|dbcontext|_?context|knex|prisma|mongo|collection|coll|sql)(?:\.\w+)*\.(?:query\w*|exec\w*|get\w*|select\w*|find\w*|one\w*|first\w*|load|fetch\w*|scan|save|insert\w*|update\w*|delete\w*|raw|where|run|prepare\w*)\("
    r"|\w*(?:repo|repository|dao|mapper|store|querier|queries)\w*(?:\(\))?\.\w+\("
    r"|\.objects\.(?:get|filter|create|all|exclude)\(|\.(?:findone|findby\w*|findbyid|find_by|findunique|findfirst|findbypk|find_or_create_by)\b"
    r"|(?-i:\b[A-Z]\w+\.(?:find|where|find_by|exists\?|create|update)\b[!(]?)"
    r"|\b(?:redis|rdb|cache|memcache)\w*\.(?:get|set|hget|hset|del|incr)\w*\("
    r"|(?:select\b.*\bfrom|insert into|update \w+ set|delete from)\b"
    r"|\.(?:getreference|\w+_set\.(?:all|filter|count|first))\("
)
DEFINITION = re.compile(
    r"(?:.*\bfunc (?:\([^)]*\) )?|(?:async )?def |.*\bfunction "
    r"|(?:(?:public|private|protected|static) )+[\w<>\[\]]+ )(\w{3,})\s*\("
)


@lru_cache(maxsize=8192)
def is_remote(code: str) -> bool:
    """Say whether a line of code calls another service."""
    return bool(REMOTE.search(code))


@lru_cache(maxsize=8192)
def is_query(code: str) -> bool:
    """Say whether a line of code asks a database or a cache."""
    return bool(QUERY.search(code))


def ancestors(side: Sequence[Line], at: int) -> list[Line]:
    """Return the lines that enclose line `at`, innermost first."""
    found, indent = [], side[at].indent
    for above in reversed(side[max(0, at - 80) : at]):
        if above.indent < indent and above.code not in ("}", "{", ")", "});"):
            found.append(above)
            indent = above.indent
        if indent == 0:
            break
    return found


def loop_of(side: Sequence[Line], at: int) -> Line | None:
    """Return the loop in which line `at` stands, within its function; itself if it is one."""
    line = side[at]
    if one_liner(line):
        return line
    for outer in ancestors(side, at):
        if re.match(
            r"(?:func |def |(?:async )?function |(?:public|private|protected) )", outer.code
        ):
            return None
        if is_loop(outer):
            return outer
    return None


def functions_of(side: Sequence[Line], header: str) -> list[str]:
    """Return, for each line, the name of the function in which it stands, or "".

    `header` is the hunk's, for a function that begins above what is shown.
    """
    above = DEFINITION.match(header)
    names, open_, outside = [], list[tuple[int, str]](), above[1] if above else ""
    for line in side:
        while open_ and line.indent <= open_[-1][0] and line.code[:1] not in ("}", ")"):
            open_.pop()
        names.append(open_[-1][1] if open_ else outside)
        if found := DEFINITION.match(line.code):
            open_.append((line.indent, found[1]))
            outside = ""
    return names


def is_loop(line: Line) -> bool:
    """Say whether a line begins a loop over things (not a retry, not a pump)."""
    return bool(LOOP.search(line.code)) and not _NO_LOOP.search(line.code)


def one_liner(line: Line) -> bool:
    """Say whether a line loops and calls within itself: `ids.map(id => repo.find(id))`."""
    found = re.search(
        r"\.(?:forEach|map|flatMap|each|collect|Select|ForEach)\s*[({]\s*(.*)"
        r"|\[(?:await )?(.*) for \w+ in .*\]|\((.*) for \w+ in .*\)",
        line.code,
    )
    if not found or "=" not in line.code + "=":
        return False
    body = next((g for g in found.groups() if g), "")
    return bool(REMOTE.search(body) or is_query(body))
