"""What a rule read in a diff: the mechanism, the effects it can have, and the words it touches."""

from dataclasses import dataclass
from enum import StrEnum


class Effect(StrEnum):
    """How a mechanism shows in production."""

    LATENCY = "latency"
    ERRORS = "errors"
    CRASH = "crash"  # panic, unhandled exception, exit at start
    TIMEOUTS = "timeouts"  # deadlines cut off what used to succeed
    MEMORY_GROWTH = "memory_growth"
    CPU = "cpu"
    DISK = "disk"
    POOL = "pool"  # connections, threads, workers, descriptors run out
    QUERY_FANOUT = "query_fanout"  # many calls where there was one
    SLOW_QUERY = "slow_query"
    LOCKS = "locks"
    CACHE_MISSES = "cache_misses"
    RETRIES = "retries"  # load multiplied by retrying
    QUEUE = "queue"  # consumers fall behind
    AUTHENTICATION = "authentication"
    ADDRESS = "address"  # host, port, DNS, TLS name
    SCHEMA = "schema"  # table, column, field or message that others expect
    WRONG_RESULT = "wrong_result"
    TRAFFIC = "traffic"  # more requests reach a service


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One thing that a diff does.

    `weight` is the log likelihood ratio that such a change breaks something (negative: harmless);
    `words` are identifiers it touches (tables, keys, functions, hosts), in lower case, to be met
    again in logs, spans and metrics.
    """

    rule: str  # the rule's name: "query_in_loop"
    mechanism: str  # the cause in the field's terms: "n_plus_one_queries"
    effects: frozenset[Effect]
    weight: float
    statement: str  # "calls catalog.GetItem once per line item, inside the loop of AssembleOrder"
    file: str = ""
    words: frozenset[str] = frozenset()
