"""Timeouts and deadlines: cut below what calls take, gone, or far too long."""

from bot.reasoning.diffs.knob import Knob
from bot.reasoning.diffs.reading import Effect
from bot.reasoning.diffs.rule import PLAUSIBLE, STRONG, WEAK, Pattern

_CUT = (Effect.TIMEOUTS, Effect.ERRORS)
_HANG = (Effect.LATENCY, Effect.POOL)
_KEY = r"time_?outs?|deadline|max_wait|_wait_time|with_timeout|grace_period|(?:read|write|connect)_tmo|max_time|max_duration"
_OTHER = r"session|token|cache|ttl|idle|keep_?alive|visibility|shutdown|life_?time|graceful|probe|retention|dial_keep|login|cookie"

RULES = tuple(
    rule.rule()
    for rule in (
        Knob(
            name="timeout_cut",
            mechanism="timeout_too_short",
            effects=_CUT,
            key=_KEY,
            unless=_OTHER,
            way="down",
            least=1.3,
            strong=2.0,
            above=1e-12,
        ),
        Knob(
            name="timeout_zero",
            mechanism="timeout_removed",
            effects=_HANG,
            key=_KEY,
            unless=_OTHER,
            way="zero",
            weight=2.0,
        ),
        Knob(
            name="timeout_set_very_short",
            mechanism="timeout_too_short",
            effects=_CUT,
            key=_KEY,
            unless=_OTHER,
            way="new",
            above=1e-9,
            below=0.25,
            weight=PLAUSIBLE,
            says="{key} is now set, to {new}",
        ),
        Knob(
            name="timeout_lengthened",
            mechanism="timeout_too_long",
            effects=_HANG,
            key=_KEY,
            unless=_OTHER,
            way="up",
            least=3.0,
            strong=10.0,
            weight=PLAUSIBLE,
        ),
        Knob(
            name="shutdown_grace_cut",
            mechanism="ungraceful_shutdown",
            effects=(Effect.ERRORS,),
            key=r"(?:shutdown|graceful|termination_grace|drain|pre_?stop|deregistration)\w*",
            way="down",
            strong=3.0,
            weight=2.0,
        ),
        Knob(
            name="idle_timeout_cut",
            mechanism="idle_timeout_mismatch",
            effects=(Effect.ERRORS, Effect.POOL),
            key=r"idle_?timeout|keep_?alive_?(?:timeout|time)|idle_conn_timeout",
            way="down",
            strong=2.0,
            weight=2.0,
        ),
        Pattern(
            name="deadline_removed",
            mechanism="timeout_removed",
            effects=_HANG,
            words="withtimeout withdeadline timeout settimeout deadline setdeadline wait_for abortsignal timelimiter waitfor",
            went=r"(?i)context\.with(?:timeout|deadline)\(|\btimeout\s*[=:]\s*\(?[\w.({]|settimeout\(|\.timeout\(|set(?:read|write)?deadline|wait_for\(|abortsignal\.timeout|@timelimiter|withtimeout|timeout_sec|waitfor\(|read_timeout",
            unless=r"(?i)timeout|deadline|wait_?for|timelimit",
            unless_went=r"(?i)cleartimeout|session",
            says="{line}, a deadline, is gone",
            weight=2.4,
        ),
        Pattern(
            name="deadline_detached",
            mechanism="timeout_removed",
            effects=_HANG,
            words="background todo withoutcancel",
            came=r"context\.(?:Background|T[O]DO|WithoutCancel)\(",
            went=r"\bctx\b|\.Context\(\)",
            unless=r"context\.WithTimeout|context\.WithDeadline|func main",
            says="{line} no longer carries the caller's deadline and cancellation",
            weight=PLAUSIBLE,
        ),
        Pattern(
            name="call_without_timeout",
            mechanism="timeout_missing",
            effects=_HANG,
            words="get post client request urlopen fetch",
            came=r"http\.(?:Get|Post|DefaultClient)\b|&?http\.Client\{\s*\}|requests\.(?:get|post|put|request)\((?!.*timeout)|urlopen\((?!.*timeout)|new HttpClient\(\)|new RestTemplate\(\)",
            unless=r"(?i)timeout",
            says="{line} calls without a timeout",
            weight=WEAK,
        ),
        Pattern(
            name="unit_of_duration_changed",
            mechanism="unit_mistake",
            effects=(Effect.TIMEOUTS, Effect.ERRORS, Effect.LATENCY),
            words="millisecond microsecond nanosecond milliseconds microseconds millis ofmillis ms frommilliseconds ofnanos nanos",
            went=r"(?i)\b(?:time\.(?:second|minute|hour)\b|TimeUnit\.(?:SECONDS|MINUTES)|of(?:Seconds|Minutes)|From(?:Seconds|Minutes))",
            came=r"(?<!\d{4} \* )\btime\.Millisecond\b(?!\s*\*\s*\d{4})|\btime\.(?:Microsecond|Nanosecond)\b|(?<!\d{4}, )(?<!\d{3}L, )TimeUnit\.MILLISECONDS|TimeUnit\.(?:MICROSECONDS|NANOSECONDS)|(?:ofMillis|FromMilliseconds)(?!\(\d_?\d{3})|ofNanos",
            says="{line} counts in a smaller unit than before",
            weight=2.0,
        ),
        Pattern(
            name="duration_without_unit",
            mechanism="unit_mistake",
            effects=(Effect.TIMEOUTS, Effect.ERRORS, Effect.LATENCY),
            words="duration timeout ttl",
            came=r"time\.Duration\(\s*(?:\d+|cfg\.\w+|c\.\w+|config\.\w+|opts\.\w+|\w*[tT]imeout\w*)\s*\)(?!\s*\*)",
            unless=r"time\.Duration\([^)]*\)\s*\*|time\.(?:Second|Millisecond|Minute)",
            went=r"time\.(?:Second|Millisecond|Minute)",
            says="{line} counts nanoseconds, the unit is gone",
            weight=STRONG,
        ),
        Pattern(
            name="unit_factor_dropped",
            mechanism="unit_mistake",
            effects=(Effect.TIMEOUTS, Effect.ERRORS, Effect.CACHE_MISSES, Effect.WRONG_RESULT),
            words="1000 1e3 1000l seconds second ms timeout ttl expires delay interval expiry expire exp maxage date",
            went=r"(?i)(?:seconds?|timeout|ttl|expir\w*|delay|interval|exp|max_?age|time)\w*(?:\(\))?\s*[*/]\s*1_?000\b|\b1_?000L?\s*\*\s*\w*(?:sec|timeout|ttl|delay|interval)",
            came=r"(?i)seconds?|timeout|ttl|expir|delay|interval|exp|max_?age|time",
            unless=r"1_?000\b|1e3|(?i:milli)|_?ms\b",
            says="{line} lost its factor of 1000 between seconds and milliseconds",
        ),
    )
)
