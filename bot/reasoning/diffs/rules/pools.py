"""Pools of connections, threads and workers that shrink, churn or outgrow what they reach."""

from collections.abc import Iterator
from dataclasses import replace

from bot.reasoning.diffs.change import Change
from bot.reasoning.diffs.knob import Knob
from bot.reasoning.diffs.reading import Effect, Reading
from bot.reasoning.diffs.rule import PLAUSIBLE, WEAK, Pattern, Rule

_POOL = (Effect.POOL, Effect.LATENCY, Effect.TIMEOUTS)
_CONNECTIONS = (
    r"max_open_conn|pool_size|max_pool|maximum_pool|max_conn|max_active|max_total|pool_max|db_pool"
    r"|connection_limit|max_overflow|max_sockets|conn_limit|max_per_route|conns_per_host"
    r"|(?:database|mysql|postgres|pg|redis|mongo|db)_(?:\w+_)?pool$|pool_(?:limit|capacity)"
    r"|pool_(?:\w+_)?max$|max_channels|max_streams|max_inflight|max_concurrent_(?:streams|conn)"
    r"|worker_connections|max_client_conn|default_pool_size"
)
_WORKERS = (
    r"max_workers|num_workers|worker_count|workers$|worker_processes|threads?$|max_threads|pool_threads"
    r"|thread_pool|core_pool|concurrency|parallelism|semaphore|max_procs|gomaxprocs|fixed_thread_pool"
    r"|event_loop_threads|io_threads|accept_count|executor_size|dispatcher|max_concurren|limit_concurr"
)
_IDLE = (
    r"max_idle|idle_conn|min_idle|pool_min|minimum_idle|keep_alive_conn|keepalive$|max_idle_conns"
)

_SHARED = r"^(?:var|const|static|private static)\b"
_FIELD = r"^(?:(?:private|protected|public|internal)\b.*=|static\b)"
_LOCAL = {"js": r"^static\b", "csharp": _FIELD, "java": _FIELD}
_PER_CALL = Pattern(
    name="client_per_call",
    mechanism="connection_churn",
    effects=(*_POOL, Effect.CPU, Effect.MEMORY_GROWTH),
    words="client newclient dial open connect createclient httpclient session channel datasource pool connection createpool",
    came=r"(?:^|[:=(]|\breturn|\bawait|\bnew)\s*(?:&?http\.Client\{|http\.Transport\{|(?:\w+\.)?(?:sql\.Open|grpc\.(?:Dial|NewClient|insecure_channel)|redis\.NewClient|new HttpClient|new RestTemplate|new OkHttpClient|HttpClient\.newHttpClient|aiohttp\.ClientSession|requests\.Session|httpx\.(?:Async)?Client|psycopg2?\.connect|pymysql\.connect|new Redis|redis\.createClient|new (?:pg\.)?(?:Pool|Client)|MongoClient|mongo\.Connect|boto3\.client|new \w*(?:DynamoDb|S3|Sqs|Cosmos)Client|Redis\.new|Faraday\.new|ManagedChannelBuilder|new SqlConnection|DriverManager\.getConnection|createConnection|NewProducer|new KafkaProducer)\b)",
    unless=r"(?i)\b(?:once\.do|singleton|static|lazy|@cache|lru_cache|global|newserver|func main|def main|init)\b",
    unless_near=rf"(?:{_SHARED}|^_?[A-Z_]{{3,}} =|func New|func main|constructor\(|__init__|@Bean|func init\(|func setup|@Singleton|def initialize|AddSingleton|func Must|sync\.Once|lru_cache)",
    near=r"\(",
    weight=PLAUSIBLE,
    says="{line} makes a new client where it is called",
)


def _per_call(change: Change) -> Iterator[Reading]:
    """Where a local name is a `const` or a `var` too, what is indented is made per call."""
    if change.language not in _LOCAL:
        yield from _PER_CALL.rule().read(change)
        return
    came = {w: tuple(x for x in lines if x.indent) for w, lines in change.came.items()}
    shared = _PER_CALL.unless_near.replace(_SHARED, _LOCAL[change.language])
    yield from replace(_PER_CALL, unless_near=shared).rule().read(replace(change, came=came))


RULES: tuple[Rule, ...] = (
    Rule(name=_PER_CALL.name, read=_per_call, words=frozenset(_PER_CALL.words.split())),
    *(
        rule.rule()
        for rule in (
            Knob(
                name="connection_pool_lowered",
                mechanism="connection_pool_exhaustion",
                effects=_POOL,
                key=_CONNECTIONS,
                unless=r"timeout|life_?time|idle|wait|age|semaphore",
                way="down",
                least=1.2,
            ),
            Knob(
                name="connection_pool_raised",
                mechanism="database_connections_exhausted",
                effects=(Effect.POOL, Effect.ERRORS),
                key=_CONNECTIONS,
                unless=r"timeout|life_?time|idle|wait|age",
                way="up",
                least=2.0,
                strong=1e9,
            ),
            Knob(
                name="connection_pool_bounded_low",
                mechanism="connection_pool_exhaustion",
                effects=_POOL,
                key=_CONNECTIONS,
                unless=r"timeout|life_?time|idle|wait|age|overflow",
                way="new",
                above=1,
                below=10,
                weight=PLAUSIBLE,
                says="{key} is now set, to {new}",
            ),
            Knob(
                name="workers_lowered",
                mechanism="worker_starvation",
                effects=(Effect.POOL, Effect.LATENCY, Effect.QUEUE, Effect.TIMEOUTS),
                key=_WORKERS,
                unless=r"timeout|keep_alive|stack|max_open|conns",
                way="down",
                least=1.2,
            ),
            Knob(
                name="workers_raised",
                mechanism="concurrency_overload",
                effects=(Effect.CPU, Effect.MEMORY_GROWTH, Effect.POOL, Effect.TRAFFIC),
                key=_WORKERS,
                unless=r"timeout|keep_alive|stack",
                way="up",
                least=2.0,
                strong=8.0,
                weight=PLAUSIBLE,
            ),
            Knob(
                name="idle_connections_lowered",
                mechanism="connection_churn",
                effects=_POOL,
                key=_IDLE,
                unless=r"timeout|time|requests",
                way="down",
                strong=3.0,
            ),
            Knob(
                name="keepalive_off",
                mechanism="connection_churn",
                effects=(*_POOL, Effect.CPU),
                key=r"keep_?alive|pooling|reuse_?(?:port|conn)|multiplex|pool_enabled|persistent",
                unless=r"interval|probes|tcp_keep",
                way="off",
                fresh=True,
                weight=2.4,
            ),
            Knob(
                name="keepalives_disabled",
                mechanism="connection_churn",
                effects=(*_POOL, Effect.CPU),
                key=r"disable_keep_?alives?|disable_pooling|no_pool",
                way="on",
                fresh=True,
                weight=2.4,
            ),
            Knob(
                name="connection_lifetime_cut",
                mechanism="connection_churn",
                effects=_POOL,
                key=r"(?:conn|connection|pool)\w*_(?:max_)?(?:life_?time|lifetime|age)|max_lifetime|max_age_conn|idle_time(?:out)?$",
                unless=r"session|token",
                way="down",
                below=60,
                strong=10,
                weight=PLAUSIBLE,
            ),
            Pattern(
                name="shared_client_replaced",
                mechanism="connection_churn",
                effects=(*_POOL, Effect.CPU, Effect.MEMORY_GROWTH),
                words="client pool session conn connection db shared redis channel http httpclient",
                went=r"(?i)(?:\b(?:self|this|s|c|r|h|srv|svc|shared|default|global)\.\w*(?:client|pool|session|conn|db|redis|channel|http)\b|\b(?:shared|default|get|_)\w*(?:client|pool|session|conn)\w*|\b_http\b|factory\.createclient|pool\.(?:get|acquire))",
                came=r"(?:&?http\.Client\{|http\.Transport\{|\b(?:sql\.Open|grpc\.(?:Dial|NewClient|insecure_channel)|redis\.NewClient|new HttpClient|new RestTemplate|new OkHttpClient|HttpClient\.newHttpClient|aiohttp\.ClientSession|requests\.Session|httpx\.(?:Async)?Client|psycopg2?\.connect|pymysql\.connect|new Redis|redis\.createClient|redis\.Redis|new (?:pg\.)?(?:Pool|Client)|MongoClient|boto3\.client|Redis\.new|Faraday\.new|ManagedChannelBuilder|new SqlConnection|DriverManager\.getConnection|createConnection|asyncpg\.connect|requests\.(?:get|post))\b)",
                says="{line} makes a new client in place of the shared one",
            ),
            Pattern(
                name="pool_settings_removed",
                mechanism="connection_pool_unbounded",
                effects=(Effect.POOL, Effect.ERRORS),
                words="setmaxopenconns maxopenconns pool maximumpoolsize",
                went=r"(?i)setmaxopenconns|maximum-?pool-?size|pool_size|max_connections",
                weight=WEAK * 2,
                says="{line}, the pool's limit, is gone",
            ),
        )
    ),
)
