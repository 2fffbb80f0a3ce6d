"""Many calls where there was one: queries and calls in loops, batches taken apart, no eager load."""

import re
from collections.abc import Iterator, Sequence

from bot.reasoning.diffs.change import Change, squeezed
from bot.reasoning.diffs.knob import Knob
from bot.reasoning.diffs.parse import Hunk, Line
from bot.reasoning.diffs.reading import Effect, Reading
from bot.reasoning.diffs.rule import PLAUSIBLE, STRONG, Pattern, Rule, any_of, reading, shown
from bot.reasoning.diffs.scopes import LOOP, is_loop, is_query, is_remote, loop_of

_EFFECTS = (Effect.QUERY_FANOUT, Effect.LATENCY, Effect.TRAFFIC, Effect.POOL)
_BATCH = (
    r"(?i)(?:batch|bulk|multi_?get|mget|many|_in\b|getall|findall|listby|by_?ids|in_bulk|pipeline"
    r"|whereIn|IN \(|ANY\(|insert_?all|saveall|executemany|copyfrom|unnest|byIds|forall|dataloader"
    r"|executebatch|addrange|mset|loadmany|preload)"
)
_CALL = re.compile(r"([\w.]+)\(")


def _in_loop(change: Change) -> Iterator[Reading]:
    for hunk in change.hunks:
        if any(line.sign == "+" for line in hunk.lines):
            yield from _calls_in_loops(hunk, change)


def _calls_in_loops(hunk: Hunk, change: Change) -> Iterator[Reading]:
    after, before = hunk.side("+"), hunk.side("-")
    if not any(LOOP.search(line.code) or " for " in line.code for line in after):
        return
    old = {c for at, x in enumerate(before) if loop_of(before, at) for c in _callees(x)}
    for at, line in enumerate(after):
        fresh = line.sign == "+" or _new_loop(after, at)
        if squeezed(line) in change.moved and not _new_loop(after, at):
            continue
        if fresh and (loop := _looped(after, at)) and not _callees(line) & old:
            batch = any_of(_BATCH, hunk.removed) and not any_of(_BATCH, [line])
            weight = STRONG if batch or hunk.removed else 2.6
            if is_remote(line.code) and not is_query(line.code) and not batch:
                weight = min(weight, 2.4)
            said = f"{shown(line)} now runs once per turn of {shown(loop)}"
            yield reading("call_in_loop", "n_plus_one_queries", _EFFECTS, weight, said,
                          change, line)  # fmt: skip
            return


def _looped(side: Sequence[Line], at: int) -> Line | None:
    line = side[at]
    if not (is_query(line.code) or is_remote(line.code)) or _buffered(line):
        return None
    if is_loop(line) and not loop_itself(line):
        return None
    return loop_of(side, at)


def loop_itself(line: Line) -> bool:
    """Say whether the call stands in the body of a one-line loop, not in what is looped over."""
    return bool(
        re.search(r"\.(?:map|forEach|each|flatMap|Select|collect)\b|\bfor \w+ in ", line.code)
    ) and not (re.match(r"(?:async )?for(?:each)?\b", line.code))


def _buffered(line: Line) -> bool:
    return bool(
        re.search(
            r"(?i)\.(?:append|add|push|put)\(|batch|pipeline|pipe\.|\blog(?:ger)?\.|metrics?\.|span\."
            r"|\bbuilder|strings\.|ctx\.(?:Done|Err)\(|span|AddEvent|rows\.|@\w+\(",
            line.code,
        )
        and not re.search(
            r"(?i)\.(?:append|push)\(\s*(?:await )?.*(?:client|repo|db|session|svc|stub)\w*\.",
            line.code,
        )
    )


def _new_loop(after: Sequence[Line], at: int) -> bool:
    loop = _looped(after, at)
    return loop is not None and loop.sign == "+" and loop is not after[at]


def _callees(line: Line) -> set[str]:
    return set(_CALL.findall(line.code))


RULES = (
    Rule(name="call_in_loop", read=_in_loop),
    *(
        rule.rule()
        for rule in (
            Pattern(
                name="eager_load_removed",
                mechanism="n_plus_one_queries",
                effects=_EFFECTS,
                words="select_related prefetch_related includes include preload eager_load joinedload"
                " selectinload fetch join entitygraph eager thenInclude theninclude populate with batchsize"
                " dataloader loadmany load joinedload relations lazy fetchtype subqueryload",
                went=r"(?:select_related|prefetch_related|joinedload|selectinload|subqueryload|eager_load|\.includes\(|\.preload|\.Preload\(|\.Include\(|ThenInclude|JOIN FETCH|join fetch|@EntityGraph|FetchType\.EAGER|\.populate\(|@BatchSize|[dD]ata[lL]oader|loadMany|\.Joins\(|include:\s*[\[{]|relations:\s*[\[{]|(?:::|->)(?:with|load)\(\s*[\['\"])",
                unless=r"select_related|prefetch_related|joinedload|selectinload|eager_load|\.includes|\.preload|\.Preload|\.Include|(?i:join fetch)|EntityGraph|populate\(|include:|BatchSize|JOIN|EAGER|\.Joins|(?:::|->)(?:with|load)\(",
                says="{line}, which loaded the related rows in one query, is gone",
            ),
            Pattern(
                name="lazy_loading",
                mechanism="n_plus_one_queries",
                effects=_EFFECTS,
                words="lazy lazyload",
                came=r"FetchType\.LAZY|lazy=(?:True|[\"']select[\"'])|UseLazyLoadingProxies",
                went=r"EAGER|lazy=",
                says="{line} loads related rows one by one",
                weight=2.4,
            ),
            Pattern(
                name="batch_call_replaced",
                mechanism="batching_removed",
                effects=_EFFECTS,
                words="batch bulk multiget mget many bulk_create executemany saveall insertmany"
                " pipeline getmulti in_bulk insert_all copyfrom batchget dataloader findall executebatch mset",
                went=r"(?i)(?:batch_?(?:get|write|insert|load|fetch|update|create|put|send|delete|request)?\w*|bulk_?\w+|multi_?get|mget|mset|executemany|saveall\w*|insertmany|in_bulk|insert_?all|copyfrom|getmulti|\.pipeline\(|executebatch|findallbyid|batchget\w*|\w+batch)\s*\(",
                unless=r"(?i)batch|bulk|multi|mget|mset|executemany|saveall|many|insert_?all|copyfrom|pipeline",
                says="{line}, one call for many items, is gone",
                weight=2.4,
            ),
            Knob(
                name="batch_size_cut",
                mechanism="batching_removed",
                effects=_EFFECTS,
                key=r"batch_?size|chunk_?size|bulk_?size|max_batch|fetch_?size|linger|batch_max|batch$|jdbc_batch|flush_size",
                unless=r"timeout|max_bytes|stream|buffer",
                way="down",
                least=2.0,
                strong=5.0,
            ),
            Pattern(
                name="parallel_made_serial",
                mechanism="serialised_calls",
                effects=(Effect.LATENCY,),
                words="gather errgroup all promise whenall allof waitgroup parallelstream concurrent executor group submit go join",
                went=r"asyncio\.gather|errgroup|\bg\.Go\(|Promise\.all|Task\.WhenAll|CompletableFuture\.allOf|parallelStream|\.submit\(|wg\.Add|futures\.|Parallel\.ForEach",
                unless=r"gather|errgroup|g\.Go\(|Promise\.all|WhenAll|allOf|parallelStream|\.submit\(|wg\.Add|TaskGroup|create_task|supplyAsync|AsyncAll|allSettled",
                says="{line}, which ran calls side by side, is gone",
                weight=2.0,
            ),
            Pattern(
                name="unbounded_parallelism",
                mechanism="concurrency_overload",
                effects=(Effect.POOL, Effect.TRAFFIC, Effect.MEMORY_GROWTH),
                words="semaphore setlimit plimit limiter limit maxdegreeofparallelism concurrency sem",
                went=r"(?i)semaphore|\.setlimit\(|plimit|p-limit|maxdegreeofparallelism|concurrency:|sem\s*<-|<-\s*sem|bounded_?executor|\bsem\b\.acquire",
                unless=r"(?i)semaphore|setlimit|plimit|concurrency|maxdegree|\bsem\b|pool|limit",
                says="{line}, the limit of parallel work, is gone",
                weight=2.4,
            ),
            Pattern(
                name="spawned_per_item",
                mechanism="concurrency_overload",
                effects=(Effect.POOL, Effect.TRAFFIC, Effect.MEMORY_GROWTH),
                words="promise gather goroutine go thread newcachedthreadpool spawn",
                came=r"newCachedThreadPool|Promise\.all\(\w+\.map|new Thread\(|asyncio\.gather\(\*|newVirtualThreadPerTask",
                went=r"newFixedThreadPool|chunk|batch|limit|for .*of|pool|for\b",
                says="{line} starts as many calls at once as there are items",
                weight=PLAUSIBLE,
            ),
        )
    ),
)
