"""Which effect a log line, an error text or a metric's name speaks of, by the field's words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from bot.domain.snapshot import Signal
from bot.reasoning.diffs.reading import Effect

VAGUE = frozenset({Effect.LATENCY, Effect.ERRORS})
"""Effects of nearly every fault: they tell no mechanism from another."""

COMMON = VAGUE | {Effect.TIMEOUTS, Effect.CPU, Effect.TRAFFIC, Effect.QUEUE, Effect.CRASH}
"""Effects that follow from many mechanisms: they tell less than the rest."""

_TEXTS: tuple[tuple[Effect, str], ...] = (
    (
        Effect.SCHEMA,
        r"(relation|table|column|field|view|collection|index|topic|function|procedure|type|enum"
        r"( value)?)\b.{0,60}(does not exist|doesn't exist|not found|missing|unknown)"
        r"|(no such|unknown|undefined|missing|invalid) (table|column|field|relation|enum)"
        r"|undefinedtable|undefinedcolumn|not-null constraint|violates .{0,20}constraint"
        r"|schema (mismatch|validation|incompatib)|(incompatible|unknown) (schema|message)"
        r"|(cannot|can't|failed to|could not) (un)?(marshal|deserial|decode|parse)\w*"
        r"|jsondecodeerror|unmarshal|deserializ|serializationexception|wire type|proto:|avro"
        r"|missing (required )?(field|property|key|argument|parameter)|keyerror|data too long"
        r"|value too long|out of range for type|numeric overflow|cast",
    ),
    (
        Effect.POOL,
        r"pool.{0,50}(exhaust|timed? ?out|full|saturat|limit|empty|wait)"
        r"|(exhaust|wait\w*|acquir\w*|timed? ?out).{0,50}(pool|connection|conn\b)"
        r"|too many (clients|connections|open files|open sockets)|queuepool|hikari|remaining"
        r" connection slots|cannot assign requested address|ephemeral port|emfile|file descriptors?"
        r"|(worker|thread|goroutine|executor)s?.{0,30}(exhaust|saturat|leak|limit|rejected)"
        r"|rejectedexecution|max_connections|no available connections",
    ),
    (
        Effect.MEMORY_GROWTH,
        r"out ?of ?memory|oom|heap (space|size|usage|limit|exhaust)|gc (overhead|pause|pressure)"
        r"|memory (limit|pressure|usage|growth|leak|high)|allocation failure|cannot allocate memory"
        r"|rss|working set",
    ),
    (
        Effect.CRASH,
        r"\bpanic\b|nil pointer|null ?pointer|nonetype|undefined is not|cannot read propert"
        r"|segfault|segmentation (fault|violation)|sigsegv|unhandled|uncaught|index out of (range|"
        r"bounds)|concurrent map|stack overflow|crash|traceback|exit (code|status)|assertion"
        r"|attributeerror|typeerror|nameerror|importerror|no module named|division by zero|fatal"
        r"|exited|core dump|recursion",
    ),
    (
        Effect.LOCKS,
        r"deadlock|lock (wait|timeout|contention|not available|acquisition)|waiting for.{0,20}lock"
        r"|could not obtain lock|mutex|accessexclusivelock|serialize access|serialization failure"
        r"|blocked by|lock held|optimistic lock|race",
    ),
    (
        Effect.CACHE_MISSES,
        r"cache.{0,20}(miss|bypass|cold|stampede|expired|evict|invalidat|unavailable)"
        r"|(miss|evict)\w*.{0,20}cache|read-?through|thundering",
    ),
    (
        Effect.RETRIES,
        r"retr(y|ies|ying)\b|attempt \S+ (of|/)|attempts? (exhaust|exceed|failed)|max(imum)? "
        r"(retries|attempts)|backoff|resend|redeliver|circuit breaker",
    ),
    (
        Effect.QUEUE,
        r"(consumer|replication|partition|queue|topic|stream|offset).{0,30}(lag|behind|rebalanc"
        r"|backlog|full|growing|depth)|backlog|dead.?letter|\bdlq\b|rebalanc|queue(d)? (is )?full"
        r"|falling behind|poll interval|request queued|backpressure",
    ),
    (
        Effect.AUTHENTICATION,
        r"unauthori[sz]ed|unauthenticated|forbidden|permission denied|access denied|\b40[13]\b"
        r"|authentication|(token|jwt|signature|session|credential|password|api key|secret)\w*"
        r".{0,40}(invalid|expired|fail|reject|mismatch|missing|unknown|not (valid|found|match)|"
        r"revoked)|(invalid|expired|unknown|bad|wrong|missing|no matching|unable to verify).{0,25}"
        r"(token|jwt|signature|signing key|session|credential|password|api key|kid\b|issuer"
        r"|audience|key id)|csrf|\bcors\b|cross-origin|not allowed by|rbac|\bjwks?\b|\bkid\b"
        r"|handshake|x509|certificate|\btls\b|\bssl\b",
    ),
    (
        Effect.ADDRESS,
        r"no such host|name or service not known|name resolution|nxdomain|servfail"
        r"|could not resolve|enotfound|getaddrinfo|unknown ?host|\bdns\b|lookup \S+ (on|:)"
        r"|connection refused"
        r"|econnrefused|no route to host|network is unreachable|no (healthy )?upstream|host unreach"
        r"|dial tcp|no endpoints|unsupported protocol|invalid url|bad gateway host"
        r"|not valid for any names|hostname mismatch|certificate is valid for|unknown authority",
    ),
    (
        Effect.SLOW_QUERY,
        r"slow (query|sql|log)|statement (timeout|canceled)|canceling statement|query.{0,30}"
        r"(took|exceed|slow|timeout)|full (table|collection) scan|seq(uential)? scan|missing index"
        r"|temp(orary)? file|filesort|collscan",
    ),
    (
        Effect.QUERY_FANOUT,
        r"n\+1|too many (queries|calls|sub-?requests)|queries (in|per) request"
        r"|(calls|queries)_in_request|fan-?out",
    ),
    (
        Effect.DISK,
        r"no space left|disk (full|usage|pressure|quota|space|is)|enospc|inode|volume (is )?full"
        r"|read-only file system|wal (segment|size|archiv|disk)|log (volume|rotation)|write failed",
    ),
    (
        Effect.WRONG_RESULT,
        r"mismatch|incorrect|inconsisten|discrepanc|reconcil|does not (add up|match)|negative "
        r"(amount|total|price|balance|stock)|duplicate|double (charge|count)|wrong |unexpected "
        r"(value|total|amount|result)|stale|checksum|invariant|overcharg|undercharg|off by|nan\b"
        r"|validation failed|invalid (amount|total|price|currency|date|value)|oversold|corrupt",
    ),
    (
        Effect.CPU,
        r"cpu (throttl|saturat|usage|high|pegged|limit)|event loop (lag|blocked|delay)"
        r"|catastrophic|regex.{0,20}(timeout|backtrack)|hot loop|busy loop|watchdog|throttled",
    ),
    (
        Effect.TRAFFIC,
        r"(request|traffic) (volume|surge|spike|rate)|shedding|overload|server busy|saturated"
        r"|rate.?limit|too many requests|\b429\b|flood|throttl",
    ),
    (
        Effect.TIMEOUTS,
        r"timed? ?-?out|deadline|cancel+ed|cancelled|context done|exceeded \S*ms|econnaborted",
    ),
    (Effect.LATENCY, r"\bslow\b|latency|degraded|took \d"),
    (
        Effect.ERRORS,
        r"\berror|exception|fail|\b5\d\d\b|refused|reset by peer|unavailable|rejected|aborted"
        r"|broken pipe|too many requests|limit exceeded|invalid|denied|cannot|could not|unable",
    ),
)

_METRICS: tuple[tuple[Effect, int, str], ...] = (
    (Effect.SCHEMA, 1, r"missing_?(table|column)|schema|unmarshal|decode|deserial|parse"),
    (Effect.CACHE_MISSES, -1, r"cache_?\w*hit|hit_?(ratio|rate)"),
    (Effect.CACHE_MISSES, 1, r"cache_?\w*(miss|evict)|evict|miss_?(ratio|rate)"),
    (Effect.POOL, -1, r"(pool|conn\w*|thread|worker)s?_\w*(max|limit|size|idle|avail|free)"),
    (Effect.POOL, -1, r"max_(conn|pool|thread|worker)|(idle|available|free)_(conn|thread|worker)"),
    (Effect.POOL, 1, r"pool|conn(ection)?s|checked_?out|open_?files|\bfds?\b|file_desc|sockets|"
                     r"threads|goroutines|workers?_(busy|active|in_use)"),
    (Effect.MEMORY_GROWTH, 1, r"memory|heap|\brss\b|_rss|working_set|goroutines|\bgc_|_gc_|oom|"
                              r"live_objects|alloc"),
    (Effect.CRASH, 1, r"panic|crash|restart|oom|exit|segfault|unhandled"),
    (Effect.QUERY_FANOUT, 1, r"(quer|call|request|select|rpc|fetch|lookup)\w*_?(count)?_per_"
                             r"(request|order|call|page|op)"),
    (Effect.LOCKS, 1, r"lock|mutex|contention|blocked|waiting_(transactions|sessions)|serializ"),
    (Effect.RETRIES, 1, r"retr(y|ies)|attempts|redeliver|resend|amplification"),
    (Effect.QUEUE, 1, r"queue|lag\b|_lag|backlog|pending|depth|unacked|dlq|dead_?letter|"
                       r"in_?flight"),
    (Effect.AUTHENTICATION, 1, r"auth|401|403|token|jwt|denied|forbidden|login|signature|handshake|"
                               r"tls|cert_?err"),
    (Effect.ADDRESS, 1, r"dns|resol(ve|ution)|refused|unreachable|nxdomain|connect_?(err|fail)"),
    (Effect.SLOW_QUERY, 1, r"(quer|sql|db|statement|scan)\w*_(duration|time|latency|seconds|ms|p9)|"
                           r"slow_?quer|rows_(scanned|read|examined)|seq_?scan|full_scan"),
    (Effect.DISK, 1, r"disk|volume|inode|filesystem|fs_used|wal_|log_?(bytes|volume|size)|storage"),
    (Effect.DISK, -1, r"(disk|fs|volume|storage)_?\w*(free|avail)"),
    (Effect.WRONG_RESULT, 1, r"mismatch|incorrect|discrepan|invalid|duplicate|reconcil|wrong|stale|"
                             r"inconsisten|negative|oversold|validation|reject"),
    (Effect.CPU, 1, r"cpu|load_avg|event_loop|throttl"),
    (Effect.TIMEOUTS, 1, r"timeout|timed_out|deadline|cancel"),
    (Effect.LATENCY, 1, r"latency|duration|response_time|p9\d|p50|_wait|elapsed|time_ms"),
    (Effect.ERRORS, 1, r"error|5xx|4xx|50\d|429|fail|exception|fault|drop|abort|"
                        r"unavailable|rejected"),
    (Effect.TRAFFIC, 1, r"requests?_(per|rate|total)|rps|qps|tps|throughput|per_sec|traffic|hits_"),
    (Effect.ERRORS, -1, r"success|conversion|completed|availability|uptime|healthy|ready|orders|"
                        r"checkout_rate|login_rate"),
)  # fmt: skip

_SIGNALS: Mapping[str, tuple[Effect, int]] = {
    Signal.REQUEST_RATE: (Effect.TRAFFIC, 1),
    Signal.ERROR_RATIO: (Effect.ERRORS, 1),
    Signal.EDGE_ERROR_RATIO: (Effect.ERRORS, 1),
    Signal.LATENCY_P50: (Effect.LATENCY, 1),
    Signal.LATENCY_P99: (Effect.LATENCY, 1),
    Signal.EDGE_LATENCY_P99: (Effect.LATENCY, 1),
    Signal.CPU_OF_LIMIT: (Effect.CPU, 1),
    Signal.CPU_THROTTLED: (Effect.CPU, 1),
    Signal.CPU_CORES: (Effect.CPU, 1),
    Signal.MEMORY_BYTES: (Effect.MEMORY_GROWTH, 1),
    Signal.MEMORY_OF_LIMIT: (Effect.MEMORY_GROWTH, 1),
    Signal.EVICTIONS: (Effect.CACHE_MISSES, 1),
    Signal.CACHE_HIT_RATIO: (Effect.CACHE_MISSES, -1),
    Signal.RESTARTS: (Effect.CRASH, 1),
    Signal.READY_PODS: (Effect.CRASH, -1),
    Signal.POOL_OF_LIMIT: (Effect.POOL, 1),
    Signal.POOL_WAITERS: (Effect.POOL, 1),
    Signal.CONNECTIONS_OF_LIMIT: (Effect.POOL, 1),
    Signal.QUEUE_DEPTH: (Effect.QUEUE, 1),
    Signal.DISK_OF_LIMIT: (Effect.DISK, 1),
    Signal.DB_QUERY_P99: (Effect.SLOW_QUERY, 1),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a series speaks of when it moves: `direction` 1 is worse upwards, -1 downwards."""

    effects: frozenset[Effect]
    direction: int


@lru_cache(maxsize=1)
def _texts() -> tuple[tuple[Effect, re.Pattern[str]], ...]:
    return tuple((effect, re.compile(words, re.I)) for effect, words in _TEXTS)


@lru_cache(maxsize=1)
def _metrics() -> tuple[tuple[Effect, int, re.Pattern[str]], ...]:
    return tuple((effect, side, re.compile(words, re.I)) for effect, side, words in _METRICS)


@lru_cache(maxsize=4096)
def effects_of_text(text: str) -> frozenset[Effect]:
    """Return every effect that an error text or log line speaks of."""
    return frozenset(effect for effect, words in _texts() if words.search(text))


@lru_cache(maxsize=1024)
def meaning_of_signal(signal: str) -> Meaning | None:
    """Return what a series of that name or signal speaks of, None if nothing is known."""
    if signal in _SIGNALS:
        effect, side = _SIGNALS[signal]
        return Meaning(effects=frozenset({effect}), direction=side)
    found = [(effect, side) for effect, side, words in _metrics() if words.search(signal)]
    if not found:
        return None
    side = found[0][1]
    return Meaning(effects=frozenset(e for e, s in found if s == side), direction=side)
