"""Locks and transactions: held longer, across calls, in another order, gone."""

import re
from collections.abc import Iterator, Sequence

from bot.reasoning.diffs.change import Change
from bot.reasoning.diffs.parse import Line
from bot.reasoning.diffs.reading import Effect, Reading
from bot.reasoning.diffs.rule import PLAUSIBLE, Pattern, Rule, reading, shown
from bot.reasoning.diffs.scopes import LOCK, TRANSACTION, UNLOCK, ancestors, is_query, is_remote

_WAITS = (Effect.LOCKS, Effect.LATENCY, Effect.TIMEOUTS)


def _held_across_call(change: Change) -> Iterator[Reading]:
    """A remote call that now runs while a lock or a transaction is held."""
    for hunk in change.hunks:
        after = hunk.side("+")
        if not any(LOCK.search(x.code) or TRANSACTION.search(x.code) for x in after):
            continue
        before = hunk.side("-")
        already = {line.code for at, line in enumerate(before) if _holder(before, at)}
        for at, line in enumerate(after):
            holder = _holder(after, at)
            if holder is None or line.code in already or "+" not in (line.sign, holder.sign):
                continue
            remote = is_remote(line.code) and not is_query(line.code)
            if TRANSACTION.search(holder.code) and not remote:
                continue
            what = (
                "transaction_across_remote_call"
                if TRANSACTION.search(holder.code)
                else "lock_across_call"
            )
            said = f"{shown(line)} now runs while {shown(holder)} is held"
            effects = (*_WAITS, Effect.POOL)
            yield reading(
                "held_across_call", what, effects, 3.0 if remote else 2.6, said, change, line
            )
            return


_BLOCK = re.compile(r"(?i)^(?:async )?with .*lock|synchronized|^lock\s*\(|synchronize|runexclusive")


def _holder(side: Sequence[Line], at: int) -> Line | None:
    """Return the line that takes the lock or transaction in which a call at `at` stands."""
    code = side[at].code
    if not (is_remote(code) or is_query(code)) or LOCK.search(code) or TRANSACTION.search(code):
        return None
    for outer in ancestors(side, at):
        if _BLOCK.search(outer.code) or TRANSACTION.search(outer.code):
            return outer
        annotation = side[max(0, _index(side, outer) - 1)]
        if annotation.code.startswith("@") and TRANSACTION.search(annotation.code):
            return annotation
    return _locked_above(side, at)


def _index(side: Sequence[Line], line: Line) -> int:
    return next(at for at, one in enumerate(side) if one is line)


def _locked_above(side: Sequence[Line], at: int) -> Line | None:
    for above in reversed(side[max(0, at - 30) : at]):
        code = above.code
        if re.match(r"(?:func |def |public |private )", code):
            break
        if UNLOCK.search(code) and not code.startswith("defer"):
            break
        if LOCK.search(code) and above.indent <= side[at].indent and "unlock" not in code.lower():
            return above
    return None


def _order(change: Change) -> Iterator[Reading]:
    """Two locks of a hunk are taken in the other order."""
    for hunk in change.hunks:
        old, new = ([m[1] for line in hunk.side(sign) if (m := re.search(r"([\w.]+)\.(?:lock|Lock|acquire)\(", line.code))]
                    for sign in "-+")  # fmt: skip
        if len(new) > 1 and sorted(old) == sorted(new) and old != new:
            line = next(line for line in hunk.side("+") if new[0] in line.code)
            yield reading("lock_order", "deadlock", (*_WAITS, Effect.POOL), 3.0,
                          f"{new[0]} is now taken before {new[1]}", change, line)  # fmt: skip
            return


RULES = (
    Rule(name="held_across_call", read=_held_across_call),
    Rule(name="lock_order", read=_order),
    *(
        rule.rule()
        for rule in (
            Pattern(
                name="unlock_removed",
                mechanism="deadlock",
                effects=_WAITS,
                words="unlock runlock release exit releaselock",
                went=r"(?i)\.r?unlock\(\)|monitor\.exit|\b\w*(?:lock|mutex|sem\w*)\.release\(|releaselock|lock_release",
                unless=r"(?i)unlock|monitor\.exit|\.release\(|with .*lock|synchronized|releaselock",
                unless_went=r"(?i)\.r?lock\(\)|\.acquire\(|with .*lock",
                says="{line} is gone: the lock is never given back",
            ),
            Pattern(
                name="lock_removed",
                mechanism="data_race",
                effects=(Effect.CRASH, Effect.WRONG_RESULT, Effect.ERRORS),
                words="lock rlock synchronized mutex atomic acquire rwmutex concurrenthashmap concurrentdictionary synchronizedmap volatile interlocked threadlocal copyonwritearraylist syncmap map atomicinteger atomiclong cas compareandset",
                went=r"(?i)\.r?lock\(\)|\bsynchronized\b|^(?:async )?with .*(?:\b|_)r?lock\b|^lock\s*\(|sync\.(?:rw)?mutex|sync\.map|atomic\.\w+|concurrent(?:hashmap|dictionary|bag|queue)|copyonwrite|interlocked\.|synchronized(?:map|list)|volatile |atomic(?:integer|long|reference|boolean)|\.synchronize\b",
                unless=r"(?i)\.r?lock\(\)|synchronized|with .*lock|^lock\s*\(|mutex|sync\.map|atomic|concurrent|interlocked|synchronize|channel|<-|trylock",
                says="{line}, which kept threads apart, is gone",
            ),
            Pattern(
                name="rw_lock_replaced",
                mechanism="lock_contention",
                effects=_WAITS,
                words="rlock runlock rwmutex readlock striped shard sharded readwritelock reentrantreadwritelock concurrenthashmap rwlock read",
                went=r"\.RLock\(\)|sync\.RWMutex|readLock\(\)|(?i:striped|shard\w*\[|ReadWriteLock|ConcurrentHashMap|RwLock)",
                came=r"\.Lock\(\)|sync\.Mutex\b|writeLock\(\)|synchronized|ReentrantLock|\.lock\(\)|Mutex<",
                unless=r"\.RLock\(\)|RWMutex|readLock",
                says="{line}: readers now keep each other out",
                weight=2.8,
            ),
            Pattern(
                name="lock_added",
                mechanism="lock_contention",
                effects=_WAITS,
                words="lock synchronized mutex acquire semaphore exclusive",
                came=r"(?i)\.lock\(\)|\bsynchronized\b|^(?:async )?with .*(?:\b|_)r?lock\w*|^lock\s*\(|\.synchronize\b|mutex\.runexclusive|entersemaphore|\.waitasync\(\)",
                unless=r"(?i)\.rlock\(\)",
                unless_went=r"(?i)\.lock\(\)|synchronized|with .*lock|^lock\s*\(",
                says="{line} lets one caller in at a time",
                weight=0.7,
            ),
            Pattern(
                name="global_lock_added",
                mechanism="lock_contention",
                effects=_WAITS,
                words="synchronized mutex lock static global class semaphore 1",
                came=r"(?i)(?:public|private|protected)? ?(?:static )?synchronized (?!\()|synchronized\s*\(\s*\w+\.class|^(?:var |static )\w*(?:mu|mutex|lock)\w*\s+(?:=\s+)?(?:sync\.(?:rw)?mutex|threading\.lock|new )|^_?[A-Z_]*(?:global|LOCK)\w*\s*=\s*(?:threading|asyncio)\.(?:R?Lock|Semaphore\(1)|semaphore\(1\)|new SemaphoreSlim\(1",
                says="{line} is one lock for all callers",
                weight=2.4,
            ),
            Pattern(
                name="row_locked",
                mechanism="row_lock_contention",
                effects=(*_WAITS, Effect.SLOW_QUERY, Effect.POOL),
                words="for select_for_update forupdate pessimistic_write lock updlock with_for_update lockmode serializable isolation table exclusive advisory pg_advisory_lock get_lock lockinshare holdlock",
                came=r"(?i)\bfor (?:update|share)\b|select_for_update|forupdate|pessimistic_(?:write|read)|updlock|holdlock|with_for_update|lockmodetype|\block tables?\b|\.lock\(['\"]|with_lock|pg_advisory_(?:xact_)?lock|\bget_lock\(|\.lock!|lock in share mode",
                unless=r"(?i)skip locked|nowait",
                unless_went=r"(?i)for update|select_for_update",
                says="{line} locks rows until the transaction ends",
                weight=2.8,
            ),
            Pattern(
                name="isolation_raised",
                mechanism="transaction_conflicts",
                effects=(*_WAITS, Effect.ERRORS),
                words="serializable isolation repeatable_read levelserializable isolationlevel",
                came=r"(?i)^(?!.*\b(?:implements|extends|import|interface)\b).*(?:serializable|repeatable.?read)",
                unless_went=r"(?i)serializable",
                says="{line} makes transactions wait for or abort each other",
                weight=2.4,
            ),
            Pattern(
                name="skip_locked_removed",
                mechanism="row_lock_contention",
                effects=(*_WAITS, Effect.QUEUE),
                words="skip nowait skip_locked lock_timeout trylock",
                went=r"(?i)skip locked|skip_locked|nowait|lock_timeout|try_?lock\(",
                unless=r"(?i)skip.locked|nowait|lock_timeout|try_?lock",
                says="{line} is gone: workers now wait for each other's rows",
                weight=2.6,
            ),
            Pattern(
                name="transaction_widened",
                mechanism="long_transaction",
                effects=(*_WAITS, Effect.POOL),
                words="transactional transaction atomic begin begintx begintransaction withtransaction requires_new",
                came=r"(?i)@transactional\b(?!.*readonly)|transaction\.atomic|\.begin(?:tx|transaction)?\(|transaction do|\$transaction\(|withtransaction|intransaction",
                unless_went=r"(?i)@transactional|atomic|\.begin|transaction",
                says="{line} holds a transaction around all that follows",
                weight=1.0,
            ),
            Pattern(
                name="transaction_removed",
                mechanism="lost_atomicity",
                effects=(Effect.WRONG_RESULT,),
                words="transactional transaction atomic begin begintx begintransaction",
                went=r"(?i)@transactional\b|transaction\.atomic|\.begin(?:tx|transaction)?\(|transaction do|\$transaction\(|withtransaction",
                unless=r"(?i)@transactional|atomic|\.begin|transaction",
                says="{line} is gone: half of the writes may stay",
                weight=2.2,
            ),
            Pattern(
                name="optimistic_lock_removed",
                mechanism="lost_update",
                effects=(Effect.WRONG_RESULT,),
                words="version etag lock_version if_match compareandset cas watch idempotency setnx nx",
                went=r"(?i)@version\b|lock_version|and version\s*=|if-?match|compareandset|idempotency_?key|\.setnx\(|\bnx=true|on conflict|insert ignore|processed_?ids?",
                unless=r"(?i)@version|lock_version|version\s*=|if-?match|compareandset|idempoten|setnx|nx=|on conflict|processed",
                says="{line}, which kept two writers from overwriting or repeating each other, is gone",
                weight=2.4,
            ),
            Pattern(
                name="shared_state_added",
                mechanism="data_race",
                effects=(Effect.CRASH, Effect.WRONG_RESULT),
                words="static global class map dict hashmap simpledateformat dictionary list",
                came=r"(?:private |public )?static (?:final )?(?:SimpleDateFormat|HashMap|ArrayList|Dictionary|List|Calendar)\b|^global \w|@@\w+ =|^var \w+ = (?:make\(map|map\[)",
                unless=r"(?i)mutex|lock|sync\.|concurrent|immutable|unmodifiable|List\.of|Map\.of|frozen",
                says="{line} is shared by threads without a lock",
                weight=PLAUSIBLE,
            ),
        )
    ),
)
