"""More work for each request: waiting, blocking, endless or quadratic loops, dear computation."""

import re
from collections.abc import Iterator

from bot.reasoning.diffs.change import Change
from bot.reasoning.diffs.knob import Knob
from bot.reasoning.diffs.parse import Line
from bot.reasoning.diffs.reading import Effect, Reading
from bot.reasoning.diffs.rule import PLAUSIBLE, Pattern, Rule, any_of, reading, shown
from bot.reasoning.diffs.scopes import DEFINITION, ancestors, functions_of, is_loop, is_remote

_CPU = (Effect.CPU, Effect.LATENCY, Effect.TIMEOUTS)
_SLOW = (Effect.LATENCY, Effect.TIMEOUTS, Effect.POOL)
_PURE = re.compile(
    r"(?i)log\w*\.|metrics?\.|span|^if err|^return|^\}|^package|^import|@|^func |^def |^public |^private "
)


def _nested(change: Change) -> Iterator[Reading]:
    """A new loop, or a linear search, inside a loop."""
    for hunk in change.hunks:
        after, before = hunk.side("+"), {old.code for old in hunk.removed}
        for at, line in enumerate(after):
            if line.sign != "+" or line.code in before:
                continue
            outer = next((o for o in ancestors(after, at) if is_loop(o)), None)
            loops = is_loop(line) and re.match(r"(?:for|foreach|while)\b", line.code)
            search = re.search(
                r"\.(?:indexOf|includes|contains|index|find|filter|some|Contains|remove|insert|list\.index|any)\(|\bin \w*(?:list|items|all\w*|ids|seen)\b|slices\.(?:Contains|Index)|\+=\s*[\"']|JSON\.parse|copy\.deepcopy|\.concat\(|sorted\(|\.sort\(|re\.compile|regexp\.(?:Must)?Compile|Pattern\.compile|new RegExp",
                line.code,
            )
            if outer and (loops or search):
                indexed = any_of(
                    r"(?i)map\[|\bset\(|hashset|new map|new set|dict|toset|\{.* for |hashmap|index_by|group_by|groupingby|tomap|lookup|sort",
                    hunk.removed,
                )
                weight = 2.8 if indexed else (1.6 if outer.sign == "+" or hunk.removed else 1.2)
                yield reading("work_in_loop", "quadratic_work", _CPU, weight,
                              f"{shown(line)} now runs for each turn of {shown(outer)}", change, line)  # fmt: skip
                return


def _on_request_path(change: Change) -> Iterator[Reading]:
    """A call to another service where there was none."""
    callees = re.compile(r"([\w.]+)\(")
    before = {
        c for hunk in change.hunks for line in hunk.side("-") for c in callees.findall(line.code)
    }
    for hunk in change.hunks:
        if change.created:
            return
        for line in hunk.added:
            if (
                not is_remote(line.code)
                or _PURE.search(line.code)
                or re.search(r"(?i)\bgo |async|background|\.append|context\.", line.code)
            ):
                continue
            names = set(callees.findall(line.code))
            if names and not names & before and not any(is_remote(x.code) for x in hunk.removed):
                yield reading("call_added", "added_synchronous_call",
                              (*_SLOW, Effect.TRAFFIC), 1.2,
                              f"{shown(line)} is one more call to wait for", change, line)  # fmt: skip
                return


_OWN = re.compile(r"(?<![.\w])(?:self\.|this\.|\w\.)?(\w+)\(")
_WORD = re.compile(r"\w+")


def _recursion(change: Change) -> Iterator[Reading]:
    """A function that now calls itself, or lost the test that ended its recursion."""
    for hunk in change.hunks:
        after = hunk.side("+")
        inside = [
            (x, name)
            for x, name in zip(after, functions_of(after, hunk.header), strict=True)
            if name in _called(x)
        ]
        before = {name for line in hunk.removed for name in _called(line)}
        kept = [*(line.code for line in after if line.sign == " "), hunk.header]
        known = {word for text in kept for word in _WORD.findall(text)} - before
        gone = [
            x
            for x in hunk.removed
            if re.search(
                r"(?i)^if .*(?:depth|level|visited|seen|max|== ?0|<= ?[01]\b|len\(|not \w)", x.code
            )
        ]
        bounded = any_of(r"(?i)^if .*(?:depth|level|visited|seen|max)", hunk.added)
        if inside and gone and not bounded:
            yield reading("recursion_unbounded", "infinite_recursion", (Effect.CRASH, Effect.CPU, Effect.MEMORY_GROWTH), 3.0,
                          f"{shown(gone[0])}, which ended the recursion of {inside[0][1]}, is gone", change, gone[0])  # fmt: skip
            return
        for line, name in inside:
            if line.sign == "+" and name in known:
                yield reading("recursion_added", "infinite_recursion", (Effect.CRASH, Effect.CPU), 1.6,
                              f"{name} now calls itself: {shown(line)}", change, line)  # fmt: skip
                return


def _called(line: Line) -> set[str]:
    """Return the functions that a line calls, of its own module or object."""
    if DEFINITION.match(line.code) or "super" in line.code:
        return set()
    return set(_OWN.findall(line.code))


RULES = (
    Rule(name="work_in_loop", read=_nested),
    Rule(name="call_added", read=_on_request_path),
    Rule(name="recursion", read=_recursion),
    *(
        rule.rule()
        for rule in (
            Pattern(
                name="set_made_list",
                mechanism="quadratic_work",
                effects=_CPU,
                words="set hashset treeset linkedhashset hashmap dict defaultdict frozenset list arraylist append array slice vector",
                went=r"= set\(|new (?:Hash|Linked|Tree)?(?:Set|Map)|= \{\}|make\(map|map\[|HashSet|defaultdict|Set\.new|frozenset\(|dict\(",
                came=r"= \[\]|list\(|new (?:Array|Linked)?List|= \[\]\w|\.append\(|Array\.new|append\(|vec!",
                says="{line}: each look-up now walks the list",
                weight=2.4,
            ),
            Pattern(
                name="sleep_added",
                mechanism="added_delay",
                effects=_SLOW,
                words="sleep delay settimeout usleep after wait",
                came=r"(?i)\btime\.sleep\(|thread\.sleep\(|\bsleep\(|asyncio\.sleep\(|task\.delay\(|<-\s*time\.after\(|\.usleep\(|pg_sleep|^sleep \d|new promise\(.*settimeout|timeunit\.\w+\.sleep",
                unless_near=r"(?i)retr|attempt|back_?off|tries|poll",
                says="{line} waits on the way",
                weight=2.4,
            ),
            Knob(
                name="sleep_lengthened",
                mechanism="added_delay",
                effects=_SLOW,
                key=r"(?:^|_)sleep$|thread_sleep|task_delay|usleep|delay(?:_ms)?$",
                unless=r"retry|back_?off|initial",
                way="up",
                least=2.0,
                strong=5.0,
                weight=2.4,
            ),
            Pattern(
                name="pause_removed",
                mechanism="busy_loop",
                effects=(Effect.CPU, Effect.TRAFFIC),
                words="sleep delay await after wait yield gosched select ticker block poll",
                went=r"(?i)\bsleep\w*\(|task\.delay\(|time\.after\(|ticker\.c|\.wait\(|asyncio\.sleep|gosched|thread\.yield|cond\.wait|\.take\(\)|blpop|block=",
                unless=r"(?i)sleep|delay\(|time\.after|ticker|\.wait\(|gosched|\.take\(|blpop|block|select \{",
                near=r"^(?:for\s*\{|while\b|loop\b|for\s*\(;;\)|for .*)|True",
                says="{line}, the pause of the loop, is gone",
                weight=2.6,
            ),
            Knob(
                name="interval_cut",
                mechanism="polling_too_often",
                effects=(Effect.TRAFFIC, Effect.CPU),
                key=r"(?:poll|refresh|scan|check|tick|sync|heartbeat|flush|scrape|reload|cron|schedule|fixed)\w*_?(?:interval|period|rate|every|delay|seconds|ms)|interval(?:_ms|_seconds)?$|new_ticker|set_interval|time_tick|^ticker|fixed_rate|fixed_delay|frequency",
                unless=r"retry|back_?off|timeout|min_read|keep",
                way="down",
                least=3.0,
                strong=10.0,
                weight=2.6,
            ),
            Knob(
                name="interval_lengthened",
                mechanism="stale_data",
                effects=(Effect.WRONG_RESULT, Effect.QUEUE),
                key=r"(?:poll|refresh|sync|reload|heartbeat|flush)\w*_?(?:interval|period|rate|every|delay)",
                unless=r"retry|back_?off",
                way="up",
                least=5.0,
                strong=20.0,
                weight=PLAUSIBLE,
            ),
            Knob(
                name="schedule_changed",
                mechanism="schedule_changed",
                effects=(Effect.TRAFFIC, Effect.CPU, Effect.QUEUE),
                key=r"cron|schedule$|schedule_expression",
                way="text",
                weight=PLAUSIBLE,
            ),
            Pattern(
                name="loop_end_removed",
                mechanism="infinite_loop",
                effects=_CPU,
                words="break return i continue next increment offset cursor page token pagetoken nexttoken",
                went=r"^(?:break\b|if .*\bbreak\b|if .*return\b.*|\w+\s*(?:\+\+|--|\+=\s*\w+|-=\s*\w+);?|(?:page|offset|cursor|token|next\w*|req\.\w*[tT]oken)\w*\s*:?=\s*.*(?:next|cursor|offset|\+|token).*)$",
                unless=r"\bbreak\b|return|\+\+|\+=|next|cursor|token|offset",
                near=r"^(?:for\b|while\b|loop\b|do \{)",
                says="{line}, which moved the loop to its end, is gone",
                weight=2.4,
            ),
            Pattern(
                name="loop_without_condition",
                mechanism="infinite_loop",
                effects=_CPU,
                words="while for loop true",
                went=r"^(?:while|for|until)\b.*(?:<|>|!=|range|\bin\b|has_?next|len|attempt|max)",
                came=r"^(?:while\s*\(?\s*(?:true|True|1)\b|for\s*\{|for\s*\(;;\)|loop do|loop \{)",
                says="{line} has no end of its own",
                weight=2.6,
            ),
            Pattern(
                name="regex_catastrophic",
                mechanism="regex_backtracking",
                effects=_CPU,
                words="",
                came=r"(?:[\"'/`(r].*)\((?:\?:)?(?:[^()]*[+*](?:\\?[^()\s][?*])*)\)[+*](?!\?)|\((?:\?:)?\.\*[^()]*\)[*+{]|(?:\.\*.*){3,}|\((?:\?:)?[^()|]+\|[^()]*\)[+*]\$|\(\\s\*[^)]*\)\+",
                says="{line} can backtrack exponentially",
                languages="java python js csharp ruby php nginx yaml lua json",
                weight=3.0,
            ),
            Pattern(
                name="regex_compiled_per_call",
                mechanism="repeated_compilation",
                effects=_CPU,
                words="compile mustcompile regexp pattern regex template parse re objectmapper gson xmlmapper jsonserializeroptions documentbuilderfactory matches",
                came=r"regexp\.(?:Must)?Compile\(|Pattern\.compile\(|re\.compile\(|new Regex\(|new RegExp\(|template\.(?:Must|New)\(|String\.matches\(|new ObjectMapper\(\)|new Gson\(\)|new XmlMapper|JsonSerializerOptions\s*\{|DocumentBuilderFactory\.new",
                unless_near=r"^(?:var|const|static|private static|public static|_?[A-Z][A-Z_]+ =)|static final|func init\(|@Bean|readonly",
                went=r"(?i)pattern\w*|regex\w*|\b\w*re\b\.|mapper\.|template\w*\.|gson\.|\w+re\.",
                says="{line} is built anew on each call",
                weight=2.4,
            ),
            Pattern(
                name="blocking_in_event_loop",
                mechanism="event_loop_blocked",
                effects=(*_SLOW, Effect.CPU),
                words="sync readfilesync execsync requests time sleep result wait block pbkdf2sync get writefilesync randombytessync gzipsync scryptsync hashsync subprocess open toblocking getawaiter run_sync deflatesync comparesync statsync existssync runblocking block_on",
                came=r"\b\w+Sync\(|(?:^|\s)requests\.(?:get|post|put|request)\(|(?:^|\s)time\.sleep\(|\.Result\b|\.GetAwaiter\(\)\.GetResult|\.Wait\(\)|\.block\(\)|subprocess\.(?:run|call|check_output)\(|psycopg2\.|toBlocking|\brunBlocking\b|\bblock_on\(",
                unless=r"to_thread|run_in_executor|subscribeOn|boundedElastic|run_sync\(",
                near=r"async |await |suspend |app\.(?:get|post|use)|=> |Mono|Flux|router\.|Task|\bhandler|Sync",
                unless_near=r"wg\.Wait|cmd\.Wait|^def main|startup",
                languages="python js java csharp rust",
                says="{line} blocks the event loop or its thread",
                weight=2.4,
            ),
            Pattern(
                name="async_made_sync",
                mechanism="added_synchronous_call",
                effects=_SLOW,
                words="go async enqueue delay perform_later submit background queue publish celery createtask runasync send setimmediate fire create_task perform_async deliver_later apply_async workqueue supplyasync",
                went=r"^go (?:func|\w)|@Async\b|perform_(?:later|async)|deliver_later|\.delay\(|apply_async|create_task\(|runAsync|supplyAsync|setImmediate|enqueue\w*\(|Task\.Run|executor\w*\.(?:submit|execute)\(|background_?tasks?\.add|\.publish\(|BackgroundJob",
                unless=r"^go (?:func|\w)|@Async|perform_|deliver_later|\.delay\(|apply_async|create_task|runAsync|supplyAsync|setImmediate|enqueue|Task\.Run|\.submit\(|add_task|\.publish\(|\.execute\(|\.send\(|BackgroundJob|\.Go\(",
                says="{line}: what ran in the background is now waited for, or gone",
                weight=2.4,
            ),
            Knob(
                name="compression_raised",
                mechanism="compression_cpu",
                effects=_CPU,
                key=r"compress\w*|gzip\w*|brotli\w*|zstd\w*|zlib\w*|deflate\w*",
                unless=r"min|type|length|threshold",
                way="up",
                least=1.2,
                strong=1.5,
                weight=2.6,
            ),
            Pattern(
                name="compression_added",
                mechanism="compression_cpu",
                effects=_CPU,
                words="gzip brotli zstd compress bestcompression deflate zlib compression",
                came=r"(?i)bestcompression|gzip\.(?:newwriter|compress)|brotli|zlib\.(?:deflate|compress)|zstd|gzip on;|compress(?:ion)?\w*\s*[:=(]\s*(?:true|['\"]?(?:gzip|zstd|br|lz4|snappy))",
                unless_went=r"(?i)gzip|brotli|zstd|compress|zlib",
                says="{line} compresses on the way",
                weight=1.4,
            ),
            Pattern(
                name="compression_removed",
                mechanism="bigger_payloads",
                effects=(Effect.LATENCY, Effect.TRAFFIC),
                words="gzip brotli zstd compress compression snappy lz4",
                went=r"(?i)gzip|brotli|zstd|compress(?:ion)?\b|snappy|lz4",
                unless=r"(?i)gzip|brotli|zstd|compress|snappy|lz4",
                says="{line} is gone: payloads are no longer compressed",
                weight=PLAUSIBLE,
            ),
            Knob(
                name="hash_cost_raised",
                mechanism="password_hash_cost",
                effects=_CPU,
                key=r"bcrypt\w*|cost(?:_factor)?$|salt_rounds|hash_rounds|(?:pbkdf2|kdf|hash)\w*_?iterations?|iterations?$|rounds|argon\w*|scrypt\w*|generate_from_password|gen_salt|work_factor|memory_cost|time_cost|stretches",
                unless=r"price|shipping|cpu|order|test",
                way="up",
                least=1.05,
                strong=1.1,
            ),
            Knob(
                name="precision_raised",
                mechanism="work_multiplied",
                effects=_CPU,
                key=r"iterations|depth|max_(?:depth|candidates|iterations|permutations)|num_(?:candidates|probes|trees)|beam|ef_search|resolution|candidates|top_k|sample_size|lookback\w*|window_days|days$|history_days",
                unless=r"retention|hash|bcrypt|kdf|ttl|expiry",
                way="up",
                least=3.0,
                strong=10.0,
                weight=2.2,
            ),
            Knob(
                name="log_level_lowered",
                mechanism="debug_logging",
                effects=(Effect.CPU, Effect.DISK, Effect.LATENCY),
                key=r"log\w*level|level_?log|loglevel|log_level|level$|root_?logger|verbosity|logging_level\w*|log_?(?:min|mode)|logger|set_level",
                way="text",
                value=r"(?i)debug|trace|all\b|verbose",
                weight=2.2,
            ),
            Knob(
                name="debug_on",
                mechanism="debug_logging",
                effects=(Effect.CPU, Effect.DISK, Effect.LATENCY),
                key=r"(?:^|_)debug|verbose|show_?sql|profil(?:er|ing)|log_?(?:sql|queries|body|requests|statements|parameters|all)|trace_?(?:all|enabled)|pprof|echo$",
                way="on",
                fresh=True,
                weight=2.0,
            ),
            Knob(
                name="sampling_raised",
                mechanism="telemetry_overhead",
                effects=(Effect.CPU, Effect.TRAFFIC, Effect.LATENCY),
                key=r"sampl\w*|trace_?(?:ratio|rate|probability)|profile_?rate|ratio_based",
                unless=r"window|size|down",
                way="up",
                least=2.0,
                strong=10.0,
                weight=2.2,
            ),
            Pattern(
                name="sampler_always_on",
                mechanism="telemetry_overhead",
                effects=(Effect.CPU, Effect.TRAFFIC),
                words="alwayssample alwayson always_on sampler always alwaysonsampler",
                came=r"(?i)always_?(?:sample|on)\w*",
                unless_went=r"(?i)always_?(?:sample|on)",
                says="{line} records every request",
                weight=2.0,
            ),
            Pattern(
                name="log_in_hot_path",
                mechanism="log_volume",
                effects=(Effect.CPU, Effect.DISK),
                words="log logger console print println printf dump tojson stringify marshal",
                came=r"(?i)(?:log(?:ger)?|console|slog|zap|logrus)\.\w+\(.*(?:body|payload|json\.(?:dumps|stringify|marshal)|tojson|dump\w*|serialize|%\+v|request\b|response\b|objectmapper|inspect)",
                says="{line} writes whole payloads to the log",
                weight=PLAUSIBLE,
            ),
            Pattern(
                name="metric_label_unbounded",
                mechanism="metric_cardinality",
                effects=(Effect.MEMORY_GROWTH, Effect.CPU),
                words="withlabelvalues labels tag tags attributes labelnames label counter histogram",
                came=r"(?i)(?:withlabelvalues|\.labels|\.tags?|attributes?|labelnames|with_attributes|labels\s*[:=]|\.with\()\W.*(?:user_?id|request_?id|email|trace_?id|session_?id|order_?id|customer_?id|url\.path|req\.(?:url|path)|request\.path|remote_?addr|\bip\b|uuid|token)",
                unless=r"(?i)span\.|(?:^|_)logs?(?:_|$)",
                says="{line} makes a series for each value of an unbounded label",
                weight=2.6,
            ),
            Pattern(
                name="text_format_replaces_binary",
                mechanism="costlier_serialisation",
                effects=_CPU,
                words="proto protobuf msgpack avro marshal json xml yaml protojson indent marshalindent",
                went=r"(?i)proto\.marshal|protobuf|msgpack|avro|\.serialize\(|kryo|flatbuffers|jsoniter|orjson|sonic",
                came=r"(?i)json|xml|yaml|pickle",
                says="{line} serialises to text where it was binary",
                weight=2.0,
            ),
            Pattern(
                name="reflection_or_copy_added",
                mechanism="work_multiplied",
                effects=_CPU,
                words="deepcopy clone marshalindent clonedeep reflect serialize structuredclone",
                came=r"copy\.deepcopy\(|cloneDeep\(|structuredClone\(|JSON\.parse\(JSON\.stringify|MarshalIndent\(|reflect\.DeepEqual|SerializationUtils\.clone",
                says="{line} copies the whole value",
                weight=1.3,
            ),
        )
    ),
)
