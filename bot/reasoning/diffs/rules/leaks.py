"""Resources that are opened and no longer given back: connections, bodies, timers, threads."""

import re
from collections.abc import Iterator

from bot.reasoning.diffs.change import Change
from bot.reasoning.diffs.reading import Effect, Reading
from bot.reasoning.diffs.rule import PLAUSIBLE, Pattern, Rule, any_of, reading, shown

_POOL = (Effect.POOL, Effect.ERRORS, Effect.LATENCY)
_MEMORY = (Effect.MEMORY_GROWTH, Effect.CRASH)
_CLOSE = re.compile(r"(?i)\.(?:close|release|dispose|rollback|unlock|putconn|end|disconnect)\w*\(")
_LEAVES = re.compile(r"(?:return|throw|raise|continue)\b|if .*\breturn\b")
_OPENS = re.compile(
    r"(?i)[:=]\s*(?:await )?.*(?:open|acquire|getconn\w*|connect|borrow|begin\w*|dial|prepare\w*)\("
)
_GUARDED = r"(?i)\bdefer\b|finally|^with |using|try\s*\(|ensure"


def _early_return(change: Change) -> Iterator[Reading]:
    """A return that came before a plain (not deferred) close further down."""
    for hunk in change.hunks:
        side = hunk.side("+")
        if any_of(_GUARDED, side):
            continue
        for at, line in enumerate(side):
            if line.sign != "+" or not _LEAVES.match(line.code):
                continue
            opened = next((o for o in side[max(0, at - 15) : at] if _OPENS.search(o.code)), None)
            closes = [c for c in side[at + 1 : at + 25] if _CLOSE.search(c.code)]
            if opened and opened.sign == " " and closes:
                yield reading("return_before_close", "resource_leak", _POOL, 2.6,
                              f"{shown(line)} now leaves before {shown(closes[0])}", change, line)  # fmt: skip
                return


def _close_left_finally(change: Change) -> Iterator[Reading]:
    """A close that stood in a finally, ensure or defer now stands in the normal flow."""
    for hunk in change.hunks:
        went = [
            x
            for x in hunk.removed
            if re.search(
                r"(?i)\bfinally\b|^ensure\b|\bdefer\b.*(?:close|release|unlock|rollback)", x.code
            )
        ]
        came = [
            x
            for x in hunk.added
            if re.search(r"(?i)\bfinally\b|^ensure\b|\bdefer\b|^with |using\b|try \(", x.code)
        ]
        if went and not came:
            closes = [x for x in hunk.side("+") if _CLOSE.search(x.code) and "defer" not in x.code]
            said = f"{shown(went[0])} is gone: after an error nothing is given back"
            if closes or re.search(r"(?i)finally|ensure", went[0].code):
                yield reading("finally_removed", "resource_leak", _POOL, 2.8 if closes else 2.2,
                              said, change, went[0])  # fmt: skip
                return


RULES = (
    Rule(name="return_before_close", read=_early_return),
    Rule(name="finally_removed", read=_close_left_finally),
    *(
        rule.rule()
        for rule in (
            Pattern(
                name="close_removed",
                mechanism="resource_leak",
                effects=_POOL,
                words="close closed dispose release returnconnection putconn putback disconnect destroy quit closequietly disposeasync releaseconnection closeasync closebody aclose drain free checkin",
                went=r"(?i)(?:\.|\b)(?:a?close(?:quietly|body|connection|async)?|dispose(?:async)?|release(?:connection)?|returnconnection|putconn|disconnect|quit|destroy|free|checkin|close_all)\s*(?:\(|$)",
                unless=r"(?i)\bdefer\b.*close|\bwith\b .*:$|try\s*\(|\busing\b|\.use\s*\{|\.release|contextmanager|closing\(|\bclose\w*\(|dispose|destroy",
                unless_went=r"(?i)(?:[:=]|\bdefer)\s*.*\b(?:open|connect|getconnection|acquire|borrow|dial|newclient|prepare)\w*\(|\bclose\(\w*(?:chan|done|ch|quit|stop)\w*\)|def close|func .*close\(\)|void close\(",
                says="{line}, which gave the resource back, is gone",
            ),
            Pattern(
                name="with_removed",
                mechanism="resource_leak",
                effects=_POOL,
                words="with using try use open connect session cursor client pool acquire conn connection",
                went=r"^(?:async )?with .*(?:open|connect|session|cursor|client|pool|acquire|conn|stream|file)\w*.*:|^(?:await )?using\s*(?:\(|var)|^try\s*\(\s*\w|\.use \{|File\.open\(.* do \|",
                unless=r"(?i)^(?:async )?with |\busing\b|^try\s*\(|\.close|dispose|finally|\.use \{|\.release",
                came=r"(?i)=\s*(?:await )?.*(?:open|connect|session|cursor|client|pool|acquire|conn|statement|reader|stream|file)\w*(?:\(|\.)",
                says="{line} is no longer inside a block that closes it",
            ),
            Pattern(
                name="rollback_removed",
                mechanism="transaction_leak",
                effects=(*_POOL, Effect.LOCKS),
                words="rollback commit abort",
                went=r"(?i)\brollback\w*\(|\.abort\(\)",
                unless=r"(?i)rollback|abort|@transactional|atomic|with ",
                unless_went=r"(?i)\bbegin\w*\(",
                says="{line} is gone: a failed transaction stays open, with its connection and locks",
            ),
            Pattern(
                name="commit_removed",
                mechanism="transaction_leak",
                effects=(*_POOL, Effect.LOCKS, Effect.WRONG_RESULT),
                words="commit",
                went=r"(?i)\bcommit\w*\(\)",
                unless=r"(?i)commit|autocommit|@transactional|atomic|with ",
                unless_went=r"(?i)\bbegin\w*\(|rollback.*commit",
                unless_near=r"(?i)consumer|kafka|offset|poll\(",
                says="{line} is gone: the transaction stays open",
            ),
            Pattern(
                name="body_not_closed",
                mechanism="resource_leak",
                effects=_POOL,
                words="body resp response res rows row",
                went=r"(?i)\bbody\.close\(|rows?\.close\(|resp\w*\.close\(|io\.copy\(io\.discard",
                unless=r"(?i)\.close\(|discard",
                unless_went=r"(?i)http\.(?:get|post)\(|client\.do\(|\.query(?:context)?\(",
                says="{line} is gone: the connection is not returned to its pool",
            ),
            Pattern(
                name="rows_opened_not_closed",
                mechanism="resource_leak",
                effects=_POOL,
                words="query querycontext do get post open prepare",
                came=r"(?:rows|resp|res|f|file|stmt|conn), (?:err|_) :?= .*(?:\.Query(?:Context)?\(|http\.(?:Get|Post)\(|\.Do\(|os\.Open\(|\.Prepare(?:Context)?\(|\.Acquire\(|\.Conn\()",
                unless=r"\.Close\(|\.Release\(|CloseBody|closeBody|QueryRow|Close\b",
                unless_near=r"\.Close\(|\.Release\(|defer |return (?:rows|resp|res)|CollectRows|Close\b",
                languages="go",
                says="{line} is never closed",
                weight=PLAUSIBLE,
            ),
            Pattern(
                name="opened_outside_with",
                mechanism="resource_leak",
                effects=_POOL,
                words="open getconnection connect cursor acquire newconnection preparestatement",
                came=r"^\w[\w .,<>]*=\s*(?:await )?(?:open\(|.*\.(?:getConnection|acquire|cursor|connect|prepareStatement|raw_connection|getconn|OpenConnection|createEntityManager)\()",
                unless=r"(?i)close|release|finally|^with |using|putconn|dispose|\.end\(|ensure",
                unless_near=r"(?i)close|release|finally|^with .*(?:open|conn|cursor)|using|putconn|try\s*\(|__enter__|self\._conn =|dispose|lock",
                languages="python java csharp js",
                says="{line} is never closed",
                weight=PLAUSIBLE,
            ),
            Pattern(
                name="timer_leak",
                mechanism="timer_leak",
                effects=(*_MEMORY, Effect.CPU),
                words="stop clearinterval cleartimeout cancel ticker timer unsubscribe removelistener removeeventlistener off unregister removeallisteners shutdown terminate",
                went=r"(?i)(?:ticker|timer|\bt)\.stop\(|clearinterval\(|cleartimeout\(|\bcancel\(\)|unsubscribe\(|remove(?:event)?listener|removealllisteners|\.off\(|unregister\w*\(|\.shutdown(?:now)?\(|\.terminate\(|\.removeobserver|deregister",
                unless=r"(?i)\.stop\(|clearinterval|cleartimeout|cancel|unsubscribe|remove(?:event)?listener|\.off\(|unregister|shutdown|terminate|aborts|\.once\(|deregister",
                unless_went=r"(?i)time\.new(?:ticker|timer)\(|setinterval\(|settimeout\(|withcancel\(|withtimeout\(|\.subscribe\(|addlistener|\.on\(|\.register",
                says="{line}, which ended a timer or a subscription, is gone",
                weight=2.6,
            ),
            Pattern(
                name="timer_per_call",
                mechanism="timer_leak",
                effects=(*_MEMORY, Effect.CPU),
                words="newticker tick setinterval timer scheduleatfixedrate addlistener addeventlistener on subscribe newscheduledthreadpool newthread executors",
                came=r"time\.(?:Tick|NewTicker)\(|setInterval\(|new Timer\(|Executors\.new\w+\(|new ScheduledThreadPoolExecutor|(?:emitter|process|bus|socket|events?|window|eventBus)\.(?:on|addListener|addEventListener)\(",
                unless=r"(?i)\.stop\(|clearinterval|\.shutdown|removelistener|\.off\(|removeeventlistener|private static final|static final|dispose|return \(\) =>",
                unless_near=r"(?i)\.stop\(|clearinterval|shutdown|func main|static final|@bean|constructor|@postconstruct|\binit\b|func new|removelistener|private final",
                says="{line} starts what nothing stops",
                weight=PLAUSIBLE,
            ),
            Pattern(
                name="goroutine_stuck",
                mechanism="goroutine_leak",
                effects=_MEMORY,
                words="done select chan make",
                went=r"<-\s*(?:\w+\.)*(?:ctx\.Done\(\)|\w*[dD]one|quit|stop\w*)\b|case <-.*ctx\.Done\(\)|make\(chan [\w.*]+(?:\[\])?, ?\w+(?:\(\w+\))?\)",
                unless=r"ctx\.Done\(\)|make\(chan [^)]+, |<-\s*\w*(?:done|quit|stop)",
                languages="go",
                says="{line} is gone: goroutines can wait for ever",
                weight=2.4,
            ),
            Pattern(
                name="cancel_dropped",
                mechanism="context_leak",
                effects=(*_MEMORY, Effect.LATENCY),
                words="withtimeout withcancel withdeadline cancel",
                came=r"\w+, _ :?= context\.With(?:Timeout|Cancel|Deadline)\(",
                languages="go",
                says="{line} throws its cancel function away",
                weight=2.2,
            ),
            Pattern(
                name="thread_per_request",
                mechanism="thread_leak",
                effects=(*_MEMORY, Effect.POOL),
                words="thread start goroutine go",
                came=r"new Thread\(|threading\.Thread\(|Thread\.new|Thread\.start|^go func\(\) \{",
                unless=r"(?i)daemon=True.*main|wg\.Done|wg\.Add|errgroup|ctx\.Done|\.join\(|semaphore|pool",
                unless_near=r"(?i)func main|def main|__init__|wg\.|func new|func init|static void main|\.join\(",
                says="{line} starts work that nothing waits for or bounds",
                weight=1.2,
            ),
            Pattern(
                name="executor_replaced_by_threads",
                mechanism="thread_leak",
                effects=(*_MEMORY, Effect.POOL, Effect.CPU),
                words="thread submit execute executor pool queue worker workers enqueue jobs go",
                went=r"(?i)(?:executor|pool|workers?)\w*\.(?:submit|execute|go|schedule)\(|(?:queue|jobs|work)\w*\s*<-|enqueue\(",
                came=r"new Thread\(|threading\.Thread\(|Thread\.new|\bgo func\(|^go \w",
                says="{line} runs outside the pool that bounded it",
                weight=2.6,
            ),
            Pattern(
                name="consumer_of_stream_dropped",
                mechanism="descriptor_leak",
                effects=(*_POOL, Effect.CRASH),
                words="nofile ulimit limitnofile rlimit_nofile worker_rlimit_nofile",
                went=r"(?i)nofile|ulimit -n|rlimit",
                unless=r"(?i)nofile|ulimit|rlimit",
                says="{line}, the limit of open files, is gone",
                weight=PLAUSIBLE,
            ),
        )
    ),
)
