"""A release that asks its database or a neighbour badly: one query per item, or a slow query."""

from datetime import datetime, timedelta

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import Change, ChangeKind, Signal, Snapshot
from bot.reasoning import complaints, needs
from bot.reasoning.calls import Amplification, amplifications
from bot.reasoning.claims import GOOD, HINT, STRONG, at, said, seen, watched
from bot.reasoning.picture import Picture, Sign, picture_of, shift_of
from bot.reasoning.series import Shift
from bot.reasoning.suspicion import culprits, versions
from bot.reasoning.thresholds import tolerance_of
from bot.reasoning.wording import listed, quantity

NAME = "queries"
_PRIOR = -3.5
_TOGETHER = timedelta(minutes=10)
_RELEASES = (ChangeKind.DEPLOY, ChangeKind.COMMIT)
_SLOW = (
    r"slow ?(query|sql|statement|log)|query_time|statement timeout|max_execution_time|"
    r"(query|statement|sql).{0,40}(took|duration|elapsed|exceeded|timed? ?out)|"
    r"(full|sequential|seq|collection) (table )?scan|collscan|duration: \d{4,}\.?\d* ms"
)
_LOOP = ("for ", "foreach", "map(", ".each", "while ", "stream()")
_SQL = ("select ", "join ", "where ", "index", "order by", "query", "like ", "sql")


def look(snapshot: Snapshot, question: Question) -> Finding:
    """Return a hypothesis per service whose calls per request, or whose own queries' time, grew."""
    picture = picture_of(snapshot)
    found: list[Hypothesis] = []
    suspects: set[str] = set()
    for service in sorted(picture.graph.calls):
        amplified = [a for a in amplifications(picture, service) if not _retried(picture, a)]
        slow = _slow_queries(picture, service)
        if amplified:
            found.append(_n_plus_one(picture, question, amplified[0]))
        if slow and not any(a.peer == slow.peer for a in amplified):
            found.append(_slow_query(picture, question, slow))
        if amplified or slow:
            suspects.add(service)
    found += _told(picture, question, {h.service for h in found})
    return Finding(hypotheses=tuple(found), needs=_needs(question, suspects))


def _needs(question: Question, suspects: set[str]) -> tuple[Need, ...]:
    if not suspects:
        return ()
    by_version = tuple(
        f"{s}:version" for s in (Signal.ERROR_RATIO, Signal.LATENCY_P99, Signal.EDGE_RATE)
    )
    by_operation = (f"{Signal.DB_QUERY_P99}:operation", f"{Signal.DB_QUERY_RATE}:operation")
    return (
        needs.of_services(
            Fact.SERIES, question, suspects, names=(*by_version, *by_operation),
            reason="old and new version, query by query",
        ),
        needs.of_services(Fact.SPANS, question, suspects, reason="what a slow request waits for"),
    )  # fmt: skip


def _retried(picture: Picture, amplification: Amplification) -> bool:
    """Whether more calls are answers to failing ones."""
    failing = picture.sign(Signal.EDGE_ERROR_RATIO, amplification.caller, amplification.peer)
    return failing is not None and amplification.factor < 3.0


def _n_plus_one(picture: Picture, question: Question, more: Amplification) -> Hypothesis:
    service = more.caller
    change, evidence = _blame(picture, service, more.onset, _LOOP)
    growth = f"{quantity(more.before)} → {quantity(more.after)}"
    statement = (
        f"{more.peer} calls per request of {service} went {growth} at {at(more.onset, picture)}"
    )
    weight = STRONG if more.factor >= 2 else GOOD
    own = [said(statement, weight, more.source), *evidence, *_fan_out(picture, service, more)]
    own += _cache_lost(picture, service, more)
    who = f"{service} {change.after}" if change and change.after else service
    return Hypothesis(
        cause="n_plus_one_queries",
        object=picture.object_of(service),
        service=service,
        summary=f"{who} calls {more.peer} {growth} times per request since "
        f"{at(more.onset, picture)} (N+1).",
        analyzer=NAME,
        prior=_PRIOR,
        evidence=tuple(own),
        explains=_explained(picture, service, more.peer),
        onset=more.onset,
        change=change,
        signal=watched(picture, question, service),
        hint="rollback",
    )


def _cache_lost(picture: Picture, service: str, more: Amplification) -> list[Evidence]:
    """A cache that answers less sends its callers to the origin: no code has to change for it."""
    for cache in sorted({service, *picture.graph.callees(service)} - {more.peer}):
        drop = picture.sign(Signal.CACHE_HIT_RATIO, cache)
        if drop is not None and abs(drop.onset - more.onset) <= _TOGETHER:
            return [seen(drop, picture, -STRONG, "it asks the origin instead")]
    return []


def _fan_out(picture: Picture, service: str, more: Amplification) -> list[Evidence]:
    """Whether users feel it: an amplified call that hurts nobody is a curiosity."""
    hurt = picture.symptoms.get(service) or picture.symptoms.get(more.peer)
    if not hurt:
        return [
            said(f"neither {service} nor {more.peer} got slower or fails", -STRONG, more.source)
        ]
    return [seen(max(hurt, key=lambda s: s.shift.size), picture, GOOD)]


def _slow_queries(picture: Picture, service: str) -> Sign | None:
    signs = [
        s
        for s in picture.signs
        if s.signal == Signal.DB_QUERY_P99 and s.service == service and s.peer
    ]
    return max(signs, key=lambda s: s.shift.size, default=None)


def _slow_query(picture: Picture, question: Question, slow: Sign) -> Hypothesis:
    service, database = slow.service, slow.peer
    change, evidence = _blame(picture, service, slow.onset, _SQL)
    own = [
        seen(slow, picture, GOOD),
        *evidence,
        *_others_fine(picture, slow),
        *_one_operation(picture, slow),
        *_suffers(picture, slow),
    ]
    who = f"{service} {change.after}" if change and change.after else service
    now, usual = quantity(slow.shift.now, "s"), quantity(slow.shift.usual, "s")
    return Hypothesis(
        cause="slow_query",
        object=picture.object_of(service),
        service=service,
        summary=f"{who} runs a slow query on {database} since {at(slow.onset, picture)}: "
        f"p99 {now}, usually {usual}.",
        analyzer=NAME,
        prior=_PRIOR,
        evidence=tuple(own),
        explains=_explained(picture, service, database),
        onset=slow.onset,
        change=change,
        signal=watched(picture, question, service),
        hint="rollback",
    )


def _told(picture: Picture, question: Question, known: set[str]) -> list[Hypothesis]:
    """Services that suffer and whose own (or whose database's) log speaks of slow queries."""
    found = []
    for service in sorted(set(picture.symptoms) - known):
        if any(k[:2] == (Signal.DB_QUERY_P99, service) for k in picture.index):
            continue  # it was measured, and is as fast as usual
        near = (service, *sorted(picture.graph.callees(service) - set(picture.symptoms)))
        words = complaints.about(picture, near, _SLOW, STRONG)
        onset = picture.onset_of(service)
        if words and onset is not None:
            found.append(_slow_by_log(picture, question, service, (words[0], onset)))
    return found


def _slow_by_log(
    picture: Picture, question: Question, service: str, told: tuple[Evidence, datetime]
) -> Hypothesis:
    words, onset = told
    change, blame = _blame(picture, service, onset, _SQL)
    worst = max(picture.symptoms[service], key=lambda s: s.shift.size)
    who = f"{service} {change.after}" if change and change.after else service
    return Hypothesis(
        cause="slow_query",
        object=picture.object_of(service),
        service=service,
        summary=f"{who} runs a slow query since {at(onset, picture)}, by its log.",
        analyzer=NAME,
        prior=_PRIOR,
        evidence=(words, *blame, seen(worst, picture, GOOD)),
        explains=picture.victims(service),
        onset=onset,
        change=change,
        signal=watched(picture, question, service),
        hint="rollback",
    )


def _suffers(picture: Picture, slow: Sign) -> list[Evidence]:
    own = picture.symptoms.get(slow.service)
    if own:
        return [seen(max(own, key=lambda s: s.shift.size), picture, GOOD)]
    text = f"{slow.service} itself is not slower for its users"
    return [said(text, -STRONG, slow.series.source)]


def _one_operation(picture: Picture, slow: Sign) -> list[Evidence]:
    """Compare the client's operations: one slow query among fast ones is a query's fault."""
    wanted = tolerance_of(Signal.DB_QUERY_P99)
    series = picture.split(Signal.DB_QUERY_P99, slow.service, "operation")
    mine = {o: s for o, s in series.items() if s.labels.get("peer", slow.peer) == slow.peer}
    if wanted is None or len(mine) < 2:
        return []
    slower = sorted(o for o, s in mine.items() if _lasts(shift_of(s, wanted)))
    if not slower or len(slower) == len(mine):
        return []
    text = f"of {len(mine)} operations only {listed(slower)} got slower"
    return [said(text, STRONG, mine[slower[0]].source)]


def _lasts(shift: Shift | None) -> bool:
    return shift is not None and shift.until is None


def _others_fine(picture: Picture, slow: Sign) -> list[Evidence]:
    """Compare with the database's other clients: a slow query is one client's own."""
    others = {
        s.service: s
        for (signal, _, labels), several in picture.index.items()
        for s in several
        if signal == Signal.DB_QUERY_P99
        and ("peer", slow.peer) in labels
        and s.service != slow.service
    }
    if not others:
        return []
    slower = [o for o in others if picture.sign(Signal.DB_QUERY_P99, o, slow.peer)]
    if not slower:
        text = f"the {len(others)} other clients of {slow.peer} are as fast as usual"
        return [said(text, STRONG, slow.series.source)]
    first = all(
        s.onset >= slow.onset
        for o in slower
        if (s := picture.sign(Signal.DB_QUERY_P99, o, slow.peer)) is not None
    )
    text = f"{len(slower)} of {len(others)} other clients of {slow.peer} are slower too"
    return [
        said(
            text + (", but later or less" if first else ""),
            -HINT if first else -GOOD,
            slow.series.source,
        )
    ]


def _blame(
    picture: Picture, service: str, onset: datetime, words: tuple[str, ...]
) -> tuple[Change | None, list[Evidence]]:
    """Return the release that fits the onset, with the evidence on it."""
    releases = culprits(picture, service, onset, _RELEASES)
    releases.sort(key=lambda pair: (-pair[1].evidence.weight, pair[0].kind != ChangeKind.DEPLOY))
    if not releases:
        text = f"no release of {service} before {at(onset, picture)}"
        return None, [
            said(text, -GOOD, picture.snapshot.changes[0].source)
        ] if picture.snapshot.changes else []
    change, timing = releases[0]
    evidence = [timing.evidence, *versions(change, picture, onset)]
    diff = (change.diff or "").lower()
    if any(word in line for line in diff.splitlines() if line.startswith("+") for word in words):
        evidence.append(
            said(f"the diff of {change.after} touches such a call", HINT, change.source)
        )
    return change, evidence


def _explained(picture: Picture, service: str, peer: str) -> tuple[str, ...]:
    """The peer, what else it serves, and everybody above the service that suffers."""
    ill = {peer, *picture.victims(service), *picture.victims(peer)} & set(picture.symptoms)
    return tuple(sorted({*ill, peer} - {service}))
