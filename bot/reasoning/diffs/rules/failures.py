"""Failures that are no longer caught, are made fatal, or are swallowed."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from bot.reasoning.diffs.change import Change
from bot.reasoning.diffs.parse import Line
from bot.reasoning.diffs.reading import Effect, Reading
from bot.reasoning.diffs.rule import PLAUSIBLE, Pattern, Rule

_CRASH = (Effect.CRASH, Effect.ERRORS)
_CAUGHT = re.compile(r"\b(?:catch|except|rescue)\b(.*)")
_FAILURE = re.compile(r"\b\w*(?:Exception|Error|Timeout|Throwable|Missing|NotFound)\b")
_ANSWERED = re.compile(r"\b[1-5]\d\d\b|\bStatus[A-Z]\w+|HttpStatus\.\w+|codes\.\w+")
_EXITS = r"panic\(|log\.Fatal|os\.Exit|System\.exit|process\.exit|sys\.exit"
_TESTED = r"#\[(?:\w+::)?test\b|#\[cfg\(test\)\]|\bmod tests\b|func Test[A-Z]|def test_|@Test\b"


def _handlers(lines: Iterable[Line]) -> set[str]:
    """Return the failures that some lines catch."""
    heads = (found[1] for line in lines if (found := _CAUGHT.search(line.code)))
    return {name for head in heads for name in _FAILURE.findall(head)}


def _answers(lines: Iterable[Line]) -> set[str]:
    return {code for line in lines for code in _ANSWERED.findall(line.code)}


def _refined(rule: Rule) -> Rule:
    """Return a rule that takes a wider handler, or the same status said otherwise, for no change."""

    def read(change: Change) -> Iterator[Reading]:
        caught = _handlers(change.removed)
        if rule.name == "handler_narrowed" and caught and caught <= _handlers(change.added):
            return
        if rule.name == "status_code_changed" and _answers(change.added) <= _answers(
            change.removed
        ):
            return
        yield from rule.read(change)

    return replace(rule, read=read) if rule.name in _REFINED else rule


_REFINED = ("handler_narrowed", "status_code_changed")

RULES = tuple(
    _refined(rule.rule())
    for rule in (
        Pattern(
            name="handler_removed",
            mechanism="unhandled_exception",
            effects=_CRASH,
            words="catch except rescue recover onerror onerrorresume catcherror exceptionhandler fallback onerrorreturn exceptionally suppress handleerror",
            went=r"(?:^|\}\s*)catch\b|^except\b|^rescue\b|\brecover\(\)|\.catch\(|onErrorResume|onErrorReturn|@ExceptionHandler|\.exceptionally\(|(?i:fallback\w*\()|\.rescue\b|contextlib\.suppress|catchError|@Recover",
            unless=r"(?:^|\}\s*)catch\b|^except\b|^rescue\b|recover\(\)|\.catch\(|onError|ExceptionHandler|exceptionally|fallback|suppress|err != nil|allSettled|try:|try \{",
            unless_near=r"^(?:throw|raise)(?: (?:e|ex|err|exc|error|exception))?;?$",
            says="{line} is gone: the failure now reaches the caller",
            weight=2.6,
        ),
        Pattern(
            name="handler_narrowed",
            mechanism="unhandled_exception",
            effects=_CRASH,
            words="catch except rescue exception throwable standarderror baseexception",
            went=r"\b(?:catch|except|rescue)\b.*\b(?:Exception|Throwable|StandardError|BaseException|Error)\b|^except:|^rescue$|^rescue => \w+$|^except \(.*,.*\)",
            came=r"\b(?:catch|except|rescue)\b.*\b\w+(?:Exception|Error|Timeout)\b",
            unless=r"\b(?:catch|except|rescue)\b.*\b(?:Throwable|StandardError)\b|(?:catch \((?:final )?|except |rescue )Exception\b",
            says="{line} catches less than before",
            weight=2.4,
        ),
        Pattern(
            name="panic_added",
            mechanism="panic",
            effects=_CRASH,
            words="panic fatal fatalf exit abort must unwrap log mustcompile system environment raise systemexit unreachable",
            came=r"\bpanic\(|log\.(?:Fatal|Panic)\w*\(|os\.Exit\(|System\.exit\(|process\.exit\(|sys\.exit\(|Environment\.(?:Exit|FailFast)\(|\babort\(|\.unwrap\(\)|unreachable!|Runtime\.getRuntime\(\)\.halt|logger\.Fatal\w*\(|\bmust[A-Z]\w*\(|exit!",
            unless_near=r"func main\(|def main\(|static void main|fn main|if __name__|" + _TESTED,
            unless_went=_EXITS,
            says="{line} ends the process",
            weight=2.6,
        ),
        Pattern(
            name="error_made_fatal",
            mechanism="panic",
            effects=_CRASH,
            words="panic fatal fatalf exit raise throw",
            went=r"(?i)log\w*\.(?:warn|error|info|print)|return .*err|console\.\w+\(|logger\.|continue|\breturn\b|Default",
            unless_went=_EXITS,
            came=r"\bpanic\(|log\.(?:Fatal|Panic)\w*\(|os\.Exit\(|process\.exit\(|sys\.exit\(|System\.exit\(|raise SystemExit",
            says="{line} ends the process where it went on before",
        ),
        Pattern(
            name="throw_added",
            mechanism="new_exception",
            effects=(Effect.ERRORS,),
            words="throw raise errors errorf",
            went=r"(?i)^(?:continue|return\b|log\w*\.|logger\.|warn|pass$|console\.(?:warn|error|log))",
            unless=r"%w|from e\b|cause",
            unless_went=r"errors\.New|Errorf|^raise|^throw|status\.Error",
            came=r"^(?:throw\b|raise\b|return .*(?:errors\.New|fmt\.Errorf|status\.Error)|.*=> throw)",
            says="{line}: what was tolerated is now an error",
            weight=2.2,
        ),
        Pattern(
            name="strict_validation_added",
            mechanism="stricter_validation",
            effects=(Effect.ERRORS,),
            words="strict disallowunknownfields additionalproperties extra forbid fail_on_unknown_properties required validate schema failonunknownproperties ignoreunknown",
            came=r"DisallowUnknownFields|(?i:FAIL_ON_UNKNOWN_PROPERTIES(?!.*false))|extra\s*=\s*[\"']?(?:forbid|Extra\.forbid)|additionalProperties[\"']?\s*:\s*false|\.strict\(\)|ignoreUnknown\s*=\s*false|unknown\s*=\s*RAISE|strict_?mode[\"']?\s*[:=]\s*true",
            says="{line} refuses messages that were accepted",
            weight=2.2,
        ),
        Pattern(
            name="lenient_parsing_removed",
            mechanism="stricter_validation",
            effects=(Effect.ERRORS, Effect.CRASH),
            words="jsonignoreproperties omitempty ignoreunknown fail_on_unknown_properties exclude ignore ignoreextra passthrough",
            went=r"JsonIgnoreProperties|ignoreUnknown\s*=\s*true|FAIL_ON_UNKNOWN_PROPERTIES.*false|extra\s*=\s*[\"']?(?:ignore|allow)|unknown\s*=\s*EXCLUDE|\.passthrough\(\)",
            unless=r"JsonIgnoreProperties|ignoreUnknown|FAIL_ON_UNKNOWN|extra\s*=|unknown\s*=|passthrough",
            says="{line} is gone: unknown fields are now an error",
            weight=2.4,
        ),
        Pattern(
            name="error_swallowed",
            mechanism="swallowed_error",
            effects=(Effect.WRONG_RESULT,),
            words="pass catch except rescue nil none null return",
            went=r"^(?:throw|raise|return .*\berr\b|panic)",
            unless_went=r"(?i)not_?implemented|unsupported_?operation|\btodo\b",
            came=r"^(?:pass|return (?:nil|null|None|false|False|\[\]|\{\}|0)(?:, nil)?;?|continue;?|\}? ?catch .*\{\s*\})$",
            says="{line}: a failure now looks like an answer",
            weight=2.0,
        ),
        Pattern(
            name="fallback_removed",
            mechanism="fallback_removed",
            effects=(Effect.ERRORS,),
            words="fallback default degrade degraded backup secondary stale getordefault recover fallbackmethod",
            went=r"(?i)^(?!(?:this\.|self\.)?_?(?:log\w*|slog|console|print\w*|puts)\b[.( ]).*(?:fallback|degrad(?:e|ed)\b|backup_?(?:client|host|service|url)|stale_?(?:value|copy|if)|serve_?stale|use_?stale|secondary(?![\"']))",
            unless=r"(?i)fallback|degrad|backup|stale|secondary",
            says="{line}, the way out when a dependency fails, is gone",
            weight=2.2,
        ),
        Pattern(
            name="status_code_changed",
            mechanism="status_code_changed",
            effects=(Effect.ERRORS, Effect.WRONG_RESULT),
            words="status statuscode writeheader httpstatus code 500 404 503 400 401 403 200 204 429 sendstatus",
            went=r"(?i)(?:status|writeheader|code|http\.error|abort)\w*\W.*(?:\b[245]\d\d\b|Status[A-Z]\w+|HttpStatus\.\w+)|codes\.\w+",
            came=r"(?i)(?:status|writeheader|code|http\.error|abort)\w*\W.*(?:\b[45]\d\d\b|StatusInternal|StatusService|StatusBad|StatusUn|StatusFor|HttpStatus\.(?:INTERNAL|BAD|SERVICE|UN|FOR))|codes\.(?:Internal|Unavailable|InvalidArgument|Unauth)",
            says="{line} answers with another status",
            weight=PLAUSIBLE,
        ),
        Pattern(
            name="init_order_changed",
            mechanism="initialisation_order",
            effects=_CRASH,
            words="init initialize setup connect start postconstruct once depends_on dependson initcontainers migrate",
            went=r"(?i)depends_?on|@postconstruct|wait_?for|once\.do\(|\binit\w*\(\)|initcontainers|await \w*(?:connect|init|ready)\w*\(|readiness_?gate|\.ready\(\)",
            unless=r"(?i)depends_?on|@postconstruct|wait_?for|once\.do|\binit\w*\(|initcontainers|connect\w*\(|ready|initiali",
            says="{line} is gone: something may be used before it is ready",
            weight=PLAUSIBLE,
        ),
        Pattern(
            name="await_removed",
            mechanism="missing_await",
            effects=(Effect.ERRORS, Effect.WRONG_RESULT, Effect.CRASH),
            words="await wait join get result",
            went=r"^(?!return await .*;$).*\bawait \w|\bwg\.Wait\(\)|\.join\(\);?$|g\.Wait\(\)",
            unless=r"\bawait\b|\.then\(|wg\.Wait|\.join\(|g\.Wait|asyncio\.run|\bgather|yield|Promise\.all|\w+Sync\(",
            unless_went=r"asyncio\.sleep|setTimeout",
            says="{line}: nothing waits for the result any more",
            weight=2.4,
        ),
    )
)
