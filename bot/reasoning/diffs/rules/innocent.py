"""What makes a change safer or cannot matter: guards, deadlines, closes, metrics, log texts."""

import re
from collections.abc import Iterator

from bot.reasoning.diffs.change import Change
from bot.reasoning.diffs.harmless import renamed
from bot.reasoning.diffs.languages import LOG
from bot.reasoning.diffs.parse import Line
from bot.reasoning.diffs.reading import Reading
from bot.reasoning.diffs.rule import HARMLESS, Pattern, Rule, reading

_METRIC = re.compile(
    r"(?i)(?:metrics?|counter|histogram|gauge|statsd|prometheus|span|tracer|meter|stats|timer)\w*(?:\.\w+)*\.(?:inc\w*|observe|record\w*|add|set\w*|start\w*|end|count\w*|timing|with\w*|labels|increment|gauge|add_event)\(|@timed|@counted|prometheus\.new|defer span\.end"
)
_PLAIN = re.compile(
    r"^(?:[)}\]]+[,;]?|import .*|from .* import .*|using (?:static )?[\w.]+(?: = [\w.<>]+)?;|#include .*"
    r"|require(?:_relative)?\b[ (]*[\"'].*|package .*)$"
)
_GO_IMPORT = re.compile(r"^\"[\w./-]+\"$")  # elsewhere a lone text is an element of a list
_ENDS = re.compile(r"(?i)\b(?:log\w*\.)?(?:fatal|panic)\w*\(")  # logs, then stops the program
_MANY_VALUED = re.compile(
    r"(?i)(?:label|with|tag)\w*\b.*(?:(?:user|request|session|trace|order|customer|account)_?id\b|e_?mail|uuid)"
)


def _plain(line: Line, change: Change) -> bool:
    """Say whether a line imports, or only closes brackets."""
    go = change.language in ("go", "") and _GO_IMPORT.match(line.code)
    return bool(go or _PLAIN.match(line.code))


def _logs(change: Change) -> Iterator[Reading]:
    lines = [*change.added, *change.removed]
    real = [line for line in lines if not _plain(line, change)]
    ends = [sum(1 for x in side if _ENDS.search(x.code)) for side in (change.added, change.removed)]
    if real and ends[0] == ends[1] and all(LOG.match(line.code) for line in real):
        yield reading(
            "log_text", "harmless", (), HARMLESS, "only log lines changed", change, real[0]
        )


def _metrics(change: Change) -> Iterator[Reading]:
    real = [x for x in change.added if not _plain(x, change) and not LOG.match(x.code)]
    if any(_MANY_VALUED.search(x.code) and "span" not in x.code.lower() for x in real):
        return
    if real and not change.removed and all(_METRIC.search(x.code) for x in real):
        yield reading(
            "metrics_added",
            "harmless",
            (),
            HARMLESS,
            "only metrics and traces were added",
            change,
            real[0],
        )


def _renames(change: Change) -> Iterator[Reading]:
    if change.added and renamed(change):
        yield reading(
            "renamed",
            "harmless",
            (),
            HARMLESS,
            "only names changed, everywhere alike",
            change,
            change.added[0],
        )


def _imports(change: Change) -> Iterator[Reading]:
    lines = [*change.added, *change.removed]
    if lines and all(_plain(line, change) for line in lines):
        yield reading("imports", "harmless", (), HARMLESS, "only imports changed", change, lines[0])


RULES = (
    Rule(name="log_text", read=_logs),
    Rule(name="metrics_added", read=_metrics),
    Rule(name="renamed", read=_renames),
    Rule(name="imports", read=_imports),
    *(
        rule.rule()
        for rule in (
            Pattern(
                name="guard_added", mechanism="harmless", effects=(), weight=HARMLESS,
                words="if unless nil null none undefined ok len length isempty blank present isnullorempty ispresent",
                came=r"(?i)^(?:if|unless|guard|elif)\b.*(?:(?:!==?|===?|\bis(?: not)?)\s*(?:nil|null|none|undefined)\b|\.nil\?|isnull|isempty|ispresent|!ok\b|blank\?)|^if not \w+:|\?\.\w|^if len\(",
                unless=r"\bthrow\b|\braise\b|panic", says="{line} guards against an absent value",
            ),
            Pattern(
                name="close_added", mechanism="harmless", effects=(), weight=HARMLESS,
                words="close release dispose rollback stop cancel unlock",
                came=r"(?i)(?:\bdefer\b.*|finally.*|\.)(?:close|release|dispose|rollback|stop|cancel|unlock)\w*\(",
                says="{line} gives back what was kept",
            ),
            Pattern(
                name="deadline_added", mechanism="harmless", effects=(), weight=HARMLESS,
                words="withtimeout timeout deadline wait_for settimeout withdeadline",
                came=r"(?i)with(?:timeout|deadline)\(|timeout\s*[=:]|settimeout\(|wait_for\(", unless_went=r"(?i)timeout",
                unless=r"(?i)millisecond|ms\b|millis", says="{line} bounds a call that had no deadline",
            ),
            Pattern(
                name="error_check_added", mechanism="harmless", effects=(), weight=HARMLESS,
                words="err catch except rescue recover", came=r"err != nil|^except\b|(?:^|\} )catch\b|^rescue\b|recover\(\)",
                unless=r"(?:^|:\s*)pass$|\bcatch\b.*\{\s*\}$",
                says="{line} handles a failure",
            ),
            Pattern(
                name="backoff_added", mechanism="harmless", effects=(), weight=HARMLESS,
                words="backoff jitter", came=r"(?i)backoff|jitter", says="{line} spreads attempts out",
            ),
            Pattern(
                name="index_added", mechanism="harmless", effects=(), weight=HARMLESS,
                words="index", came=r"(?i)create (?:unique )?index concurrently|add_index.*concurrently", says="{line} adds an index without a lock",
            ),
            Pattern(
                name="batching_added", mechanism="harmless", effects=(), weight=HARMLESS,
                words="select_related prefetch_related includes preload joinedload batchget bulk_create selectinload",
                came=r"select_related|prefetch_related|\.includes\(|\.Preload\(|joinedload|selectinload|[bB]atchGet|bulk_create", says="{line} reads together what was read one by one",
            ),
            Pattern(
                name="lock_narrowed", mechanism="harmless", effects=(), weight=HARMLESS,
                words="mu lock mutex rlock", came=r"(?i)\.r?lock\(\)|sync\.(?:rw)?mutex|atomic\.", unless=r"(?i)remote|client\.", says="{line} keeps threads apart",
            ),
        )
    ),
)  # fmt: skip
