"""What is computed or sent differs: messages, dates, units, signs, comparisons, conditions."""

import re
from collections.abc import Iterator, Sequence

from bot.reasoning.diffs.change import Change
from bot.reasoning.diffs.knob import Knob
from bot.reasoning.diffs.parse import Line
from bot.reasoning.diffs.reading import Effect, Reading
from bot.reasoning.diffs.rule import PLAUSIBLE, Pattern, Rule, any_of, reading, shown

_WRONG = (Effect.WRONG_RESULT, Effect.ERRORS)
_FIELD = re.compile(r"^(?:optional |repeated |required )?([\w.<>, ]+) (\w+) = (\d+)(?: \[.*\])?;")
_TAG = re.compile(r"json:\"([\w-]+)|@JsonProperty\(\"?([\w-]+)|\[JsonProperty(?:Name)?\(\"([\w-]+)|alias=\"([\w-]+)\"|serde\(rename = \"([\w-]+)|@SerializedName\(\"([\w-]+)|db:\"([\w-]+)|bson:\"([\w-]+)|xml:\"([\w-]+)")  # fmt: skip
_TOKEN = re.compile(r"\w+|[^\w\s]+")
_OPERATORS = ("<=", ">=", "==", "!=", "&&", "||", "<", ">", "+", "-", "*", "/", "%", "!")


def _protobuf(change: Change) -> Iterator[Reading]:
    if change.language != "proto":
        return
    old = {
        m[3]: (m[2], m[1].strip(), line)
        for line in change.removed
        if (m := _FIELD.match(line.code))
    }
    new = {
        m[3]: (m[2], m[1].strip(), line) for line in change.added if (m := _FIELD.match(line.code))
    }
    for tag, (name, kind, line) in new.items():
        if tag in old and (old[tag][0] != name or old[tag][1] != kind):
            weight = 3.0 if old[tag][1] != kind else 1.6
            yield reading("tag_reused", "message_schema", (Effect.SCHEMA, *_WRONG), weight,
                          f"tag {tag} was {old[tag][1]} {old[tag][0]} and is now {kind} {name}", change, line)  # fmt: skip
    names = {name: tag for tag, (name, _, _) in old.items()}
    for tag, (name, _, line) in new.items():
        if names.get(name, tag) != tag:
            yield reading("tag_moved", "message_schema", (Effect.SCHEMA, *_WRONG), 3.0,
                          f"{name} moved from tag {names[name]} to {tag}", change, line)  # fmt: skip
    gone = set(names) - {name for name, _, _ in new.values()} - {old[t][0] for t in old if t in new}
    if gone:
        first = next(v[2] for v in old.values() if v[0] in gone)
        yield reading("message_field_removed", "message_schema", (Effect.SCHEMA, *_WRONG), 2.6,
                      f"{shown(first)} is gone from the message", change, first)  # fmt: skip


def _wire_name(change: Change) -> Iterator[Reading]:
    went = {name: line for line in change.removed for name in _wire(line)}
    came = {name: line for line in change.added for name in _wire(line)}
    lost, new = went.keys() - came.keys(), came.keys() - went.keys()
    if lost:
        name = sorted(lost)[0]
        line = came[sorted(new)[0]] if new else went[name]
        said = f"{shown(line)}: the field {name} is " + ("renamed" if new else "gone")
        yield reading("wire_field_renamed", "message_schema", (Effect.SCHEMA, *_WRONG),
                      3.0 if new else 2.4, said, change, line)  # fmt: skip


def _wire(line: Line) -> list[str]:
    return [g for groups in _TAG.findall(line.code) for g in groups if g and g != "-"]


def _literal_key(change: Change) -> Iterator[Reading]:
    """A quoted key of a payload became another, all else alike."""
    if change.language not in ("go", "python", "js", "ruby", "java", "csharp", "php"):
        return
    for old, new in _twins(change):
        a, b = (re.findall(r"[\"']([A-Za-z_][\w.-]*)[\"']", x.code) for x in (old, new))
        rest = [re.sub(r"[\"'][^\"']*[\"']", "''", x.code) for x in (old, new)]
        if len(a) == len(b) and a != b and rest[0] == rest[1] and not _LOGGED.search(new.code):
            pair = next((x, y) for x, y in zip(a, b, strict=True) if x != y)
            yield reading("key_renamed", "message_schema", (Effect.SCHEMA, *_WRONG), 2.2,
                          f"{shown(new)} uses {pair[1]} where it used {pair[0]}", change, new)  # fmt: skip
            return


_LOGGED = re.compile(
    r"(?i)\blog\w*[.(]|logger|print|console\.|slog|zap\.|raise |throw |errors\.new|errorf|metrics?\.|puts |message|\bmsg\b|title|label|description|help="
)


def _twins(change: Change) -> Iterator[tuple[Line, Line]]:
    """Yield a line that went with the one that took its place, where runs are of equal length."""
    for hunk in change.hunks:
        net = {id(line) for line in (*change.added, *change.removed)}
        minus: list[Line] = []
        plus: list[Line] = []
        for line in (*hunk.lines, None):
            if line is not None and line.sign == "-" and not plus:
                minus.append(line)
            elif line is not None and line.sign == "+" and minus:
                plus.append(line)
            else:
                if len(minus) == len(plus):
                    yield from (
                        (a, b)
                        for a, b in zip(minus, plus, strict=True)
                        if id(a) in net and id(b) in net
                    )
                minus, plus = ([line] if line is not None and line.sign == "-" else []), []


def _operator(change: Change) -> Iterator[Reading]:
    """Two lines that differ in one operator, one literal of logic, or an off-by-one."""
    if change.language in (
        "yaml",
        "toml",
        "properties",
        "json",
        "nginx",
        "dockerfile",
        "requirements",
        "gomod",
        "lock",
        "docs",
        "style",
    ):
        return
    set_anew = {id(one.line) for one in change.settings if one.old and one.old.number is not None}
    for old, new in _twins(change):
        if id(new) in set_anew:
            continue
        a, b = _TOKEN.findall(old.code), _TOKEN.findall(new.code)
        if found := _difference(a, b):
            name, mechanism, weight = found
            yield reading(
                name, mechanism, _WRONG, weight, f"{shown(new)} was {shown(old)}", change, new
            )
            return


def _difference(a: list[str], b: list[str]) -> tuple[str, str, float] | None:
    at = 0
    while at < min(len(a), len(b)) and a[at] == b[at]:
        at += 1
    end = 0
    while end < min(len(a), len(b)) - at and a[-1 - end] == b[-1 - end]:
        end += 1
    old, new = a[at : len(a) - end], b[at : len(b) - end]
    text, other = "".join(old), "".join(new)
    if len(old) > 3 or len(new) > 3 or text == other:
        return None
    return _kind(text, other)


_OPPOSITES = {
    frozenset(pair.split()): ("opposite_taken", "flipped_comparison", 2.6)
    for pair in (
        "min max", "math.min math.max", "asc desc", "floor ceil", "round floor", "round ceil",
        "before after", "first last", "round int", "start end", "every some",
    )
} | {
    frozenset(pair.split()): ("condition_inverted", "inverted_condition", 2.6)
    for pair in ("and or", "true false", "in notin", "is isnot", "any all", "if unless")
}  # fmt: skip
_FACTOR = re.compile(r"[*/]\d+(?:\.\d+)?")


def _kind(old: str, new: str) -> tuple[str, str, float] | None:
    both = frozenset((old.lower(), new.lower()))
    one_sided = not old or not new
    found = _OPPOSITES.get(both)
    if one_sided and both & {"!", "not", "!(", "(!", "!!"}:
        found = ("condition_inverted", "inverted_condition", 2.8)
    elif _is_operator(old) and _is_operator(new):
        found = ("comparison_flipped", "flipped_comparison", 2.8)
    elif both == {"0", "1"} or (one_sided and both & {"+1", "-1"}):
        found = ("off_by_one", "off_by_one", 2.4)
    elif one_sided and _FACTOR.fullmatch(old + new):
        found = ("factor_changed", "unit_mistake", 2.8)
    return found


def _is_operator(text: str) -> bool:
    return text in _OPERATORS or text in ("===", "!==", "<", "//", "<<", ">>")


_LEAVES = re.compile(
    r"^(?:(?:if|unless)\b(?P<test>.*?)[\s){:])?\s*(?:return|continue)\b\s*"
    r"(?:nil|null|None|false|False|true|True|\[\]|\{\}|undefined|0)?;?\s*\}?$"
    r"|^(?:return|next)\b.*?\b(?:if|unless)\b(?P<after>.*)$"
)
_TEST = re.compile(r"^(?:\}?\s*else )?(?:if|elif|unless)\b(.*)")
# What a test asks about that leaving early is right for: nothing to do, or no longer wanted.
_IDLE = re.compile(
    r"(?i)\b(?:nil|null|none|undefined|err|error|ok|cancel\w*|done|deadline|blank|valid|closed|stopped)\b"
    r"|empty|len\(|\.length|\.size|\.count|== ?0\b|<= ?0\b|is_?null|is_?valid|is_?cancel\w*|ctx\."
    r"|^[\s(]*(?:not |!)\s*\w+\W*$"
)


def _early_exit(change: Change) -> Iterator[Reading]:
    """A test came that leaves with nothing, though there is something to do, before the rest."""
    if any_of(r"\breturn\b|\bcontinue\b", change.removed):
        return
    for hunk in change.hunks:
        after = hunk.side("+")
        for at, line in enumerate(after):
            found = _LEAVES.match(line.code) if line.sign == "+" else None
            test = _asked(after, at, found) if found else ""
            if test and not _IDLE.search(test) and _goes_on(after, at):
                yield reading("early_exit_added", "skipped_work", (Effect.WRONG_RESULT,), 1.0,
                              f"{shown(line)} leaves before the rest", change, line)  # fmt: skip
                return


def _asked(side: Sequence[Line], at: int, found: re.Match[str]) -> str:
    """Return what the new test asks on which line `at` leaves, or ""."""
    if test := found["test"] or found["after"]:
        return test
    above = side[at - 1] if at else None
    asked = _TEST.match(above.code) if above and above.sign == "+" else None
    return asked[1] if asked and above and above.indent < side[at].indent else ""


def _goes_on(side: Sequence[Line], at: int) -> bool:
    """Say whether what stood there before follows, within what line `at` leaves."""
    below = (line for line in side[at + 1 : at + 12] if line.code not in ("}", "end", ");"))
    follows = next((line for line in below if line.sign == " "), None)
    return follows is not None and follows.indent <= side[at].indent and follows.indent > 0


RULES = (
    Rule(name="protobuf", read=_protobuf),
    Rule(name="wire_field_renamed", read=_wire_name),
    Rule(name="key_renamed", read=_literal_key),
    Rule(name="operator", read=_operator),
    Rule(name="early_exit_added", read=_early_exit, words=frozenset(("return", "continue"))),
    *(
        rule.rule()
        for rule in (
            Pattern(
                name="unit_of_money",
                mechanism="unit_mistake",
                effects=_WRONG,
                words="100 cents amount price dollars total minor units 100m amount_cents",
                went=r"(?:[*/]\s*100(?:\.0)?\b|\b100(?:\.0)?\s*\*|(?i:cents|minor_?units?|unit_amount))",
                came=r"(?i)amount|price|total|cost|fee|charge|cents|balance|tax",
                unless=r"[*/]\s*100(?:\.0)?\b|\b100\s*\*",
                says="{line} counts in another unit of money",
                weight=2.8,
            ),
            Pattern(
                name="rounding_changed",
                mechanism="rounding",
                effects=_WRONG,
                words="round floor ceil bigdecimal decimal roundingmode float tofixed scale setscale truncate halfup half_up half_even math int parseint",
                went=r"(?i)\bround\w*\(|floor\(|ceil\(|bigdecimal|\bdecimal\b|roundingmode|setscale|tofixed|half_(?:up|even)|quantize",
                came=r"(?i)\bround\w*\(|floor\(|ceil\(|roundingmode|float|double|\bint\(|parseint|tofixed|half_(?:up|even|down)|truncate|setscale|quantize|intvalue",
                says="{line} rounds differently",
                weight=2.2,
            ),
            Pattern(
                name="date_format_changed",
                mechanism="date_format",
                effects=_WRONG,
                words="format parse strftime strptime rfc3339 iso8601 timezone utc datetimeformatter simpledateformat tz isoformat toisostring layout pattern location now utcnow timestamp unix epoch local zoneid loadlocation fromtimestamp yyyy",
                went=r"(?i)strftime|strptime|rfc3339|iso_?8601|datetimeformatter|simpledateformat|isoformat|toisostring|\b2006-01|yyyy|%Y|unix(?:milli|nano)?\(|epoch|\.utc\b|utcnow|zoneid|timezone|tz=|toInstant|getTime\(|UTC",
                came=r"(?i)strftime|strptime|rfc\d+|iso_?8601|datetimeformatter|simpledateformat|isoformat|toisostring|\b0?1[-/]02|2006|yyyy|%[YmdbB]|unix(?:milli|nano)?\(|epoch|\blocal\b|\.now\(\)|zoneid|timezone|tz=|tolocale|\.local\(\)|getTime",
                unless_went=r"(?i)time\.since|start\s*:?=|log|version|yyyymmdd",
                says="{line} writes or reads times differently",
                weight=2.4,
            ),
            Pattern(
                name="encoding_changed",
                mechanism="encoding",
                effects=_WRONG,
                words="utf utf8 encode decode charset encoding base64 ascii latin1 urlencode escape unescape content type hex stdencoding urlencoding contenttype",
                went=r"(?i)utf-?_?8|\.(?:en|de)code\(\s*[\"']|charset|base64\.\w+|encodeuri\w*|urlencode|queryescape|escape\w*\(|content-?type|accept[\"']",
                came=r"(?i)utf-?_?(?:8|16)|latin|ascii|iso-?8859|\.(?:en|de)code\(\s*[\"']|charset|base64\.\w+|encodeuri\w*|urlencode|pathescape|escape\w*\(|content-?type|hex|accept[\"']|cp1252",
                unless_went=r"(?i)json\.(?:de|en)code",
                says="{line} encodes differently",
                weight=2.4,
            ),
            Pattern(
                name="response_shape_changed",
                mechanism="message_schema",
                effects=(Effect.SCHEMA, *_WRONG),
                words="jsonnaming propertynamingpolicy camelcase snakecase property_naming_strategy jsoninclude omitempty serializer fields exclude kebab namingstrategy omit use_enum_values alias_generator as_json",
                came=r"(?i)jsonnaming|propertynaming\w*|property_naming\w*|jsoninclude|json:\"-\"|jsonignore\b|namingstrategy|alias_generator|exclude\s*=|fields\s*=\s*[\[(]|camelcase|snake_?case|preservingprotofieldnames|emitunpopulated|useprotonames|emitdefault",
                unless_near=r"(?i)class meta.*form",
                says="{line} changes the names or presence of fields in messages",
                weight=2.0,
            ),
            Pattern(
                name="payload_field_removed",
                mechanism="message_schema",
                effects=(Effect.SCHEMA, *_WRONG),
                words="",
                went=r"^[\"']\w+[\"']\s*:\s*[A-Za-z_(\[][^{]*,?$|^\w+: [A-Za-z_][\w.]*[.(]\w[\w.()]*,$|^attributes? :\w|^field :\w|^expose :\w",
                unless=r"^[\"']?\w+[\"']?\s*:|^(?:attributes?|field|expose) :",
                languages="python js ruby go",
                near=r"(?i)\breturn [{(\[]|json|render|response|payload|serializ|body|\bdict\(|attributes|\bevent|message|publish|gin\.h\b",
                unless_near=r"(?i)map_of|headers?\s*[:=]|test|settings|config|defaults|routes",
                says="{line} is gone from the message",
                weight=2.2,
            ),
            Pattern(
                name="enum_member_removed",
                mechanism="enum_value_removed",
                effects=(Effect.SCHEMA, Effect.ERRORS, Effect.CRASH),
                words="",
                went=r"^(?:[A-Z][A-Z0-9_]{2,}(?:\s*=\s*[\w\"']+|\([^)]*\))?[,;]|case [\w.\"']+:|when [\w:\"']+)",
                unless=r"^(?:[A-Z][A-Z0-9_]{2,}(?:\s*=\s*[\w\"']+|\([^)]*\))?[,;]|case |when |default|else)|\bif\b|map\[",
                languages="java go js csharp ruby proto rust python",
                says="{line}, a value others may still send, is gone",
                weight=2.2,
            ),
            Pattern(
                name="signature_of_api_changed",
                mechanism="api_contract",
                effects=(Effect.SCHEMA, Effect.ERRORS),
                words="rpc returns package service api version apiversion v1 v2 required query mutation type",
                went=r"^rpc \w+|^package [\w.]+v\d|apiVersion|/v\d+/|[\"']v\d+[\"']|^required:|\w+: \w+!$",
                came=r"^rpc \w+|^package [\w.]+v\d|apiVersion|/v\d+/|[\"']v\d+[\"']|^required:|\w+: \w+!?$",
                says="{line} speaks another version of the interface",
                weight=2.2,
            ),
            Knob(
                name="number_scale_changed",
                mechanism="wrong_constant",
                effects=_WRONG,
                key=r"price\w*|tax\w*|discount\w*|fee\w*|(?:exchange|conversion|interest)_?rate\w*|multiplier|factor|cents|currency\w*|vat|commission|min_order\w*|free_shipping\w*|threshold$|quantity|max_quantity|margin|tolerance|scale$",
                unless=r"failure|success|error|cpu|memory|probe|cost_factor|replic|work_factor|load_factor|replication|utili|compress|slow|gc|circuit|burn|alert|healthy",
                way="text",
                weight=2.2,
            ),
            Pattern(
                name="string_compare_changed",
                mechanism="flipped_comparison",
                effects=_WRONG,
                words="lower upper ignorecase ordinalignorecase equalfold equalsignorecase tolower lowercase casefold startswith contains hasprefix upcase downcase strip trim trimspace touppercase",
                went=r"(?i)^(?!.*\blog\w*[.(])(?:.*(?:equalfold|equalsignorecase|to(?:lower|upper)\w*\(|\.(?:lower|upper)\(\)|casefold|downcase|upcase|trim\w*\(|\.strip\(|ignorecase))",
                unless=r"(?i)equalfold|ignorecase|lower|upper|casefold|downcase|upcase|trim|strip|normali[sz]e|clean|collat",
                says="{line}, which evened out case or blanks, is gone",
                weight=PLAUSIBLE,
            ),
        )
    ),
)
