"""Sessions that wait for each other's locks: slow and idle at the same time."""

import re
from datetime import datetime

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import Change, ChangeKind, LogTemplate, Signal, Snapshot
from bot.reasoning import complaints, needs
from bot.reasoning.claims import GOOD, HINT, STRONG, at, said, seen, watched
from bot.reasoning.picture import Picture, Sign, picture_of, shift_of
from bot.reasoning.series import Shift
from bot.reasoning.suspicion import culprits
from bot.reasoning.thresholds import HOT_NODE, tolerance_of
from bot.reasoning.wording import listed

NAME = "locks"
_PRIOR = -3.5
_WAITS = re.compile(
    r"lock wait timeout|deadlock|lock timeout|could not (obtain|acquire|serialize)|"
    r"(waiting|waits|waited|timed? ?out) (for|on|acquiring)\b.{0,40}\block|database is locked|"
    r"ora-000(60|54)|locktimeout|concurrent update|blocked by (process|pid|transaction)",
    re.I,
)
_LOCKING = re.compile(
    r"alter table|create (unique )?index(?! concurrently)|lock table|for update|serializable|"
    r"migrat|vacuum full|reindex|truncate|transaction|synchronized|mutex",
    re.I,
)
_WRITES = re.compile(r"insert|update|delete|write|merge|commit|replace|set\b|put|create", re.I)


def look(snapshot: Snapshot, question: Question) -> Finding:
    """Return a hypothesis per database (or process) in which somebody waits for a lock."""
    picture = picture_of(snapshot)
    found = [
        _waiting(picture, question, s) for s in picture.signs if s.signal == Signal.LOCK_WAITERS
    ]
    known = {h.service for h in found}
    for service in sorted({t.service for t in snapshot.logs}):
        lines = [t for t in complaints.novel(picture, service) if _WAITS.search(t.example)]
        place = _database_of(picture, service)
        if lines and place not in known:
            known.add(place)
            found.append(_told(picture, question, place, lines))
    return Finding(hypotheses=tuple(found), needs=_needs(picture, question))


def _needs(picture: Picture, question: Question) -> tuple[Need, ...]:
    slow = {s.service for s in picture.signs if s.signal == Signal.DB_QUERY_P99}
    waiting = {s.service for s in picture.signs if s.signal == Signal.LOCK_WAITERS}
    if not slow | waiting:
        return ()
    peers = {s.peer for s in picture.signs if s.signal == Signal.DB_QUERY_P99 and s.peer}
    return (
        needs.of_services(
            Fact.LOGS, question, slow | waiting | peers, reason="complaints about locks"
        ),
    )


def _database_of(picture: Picture, service: str) -> str:
    """Return the database that a complaining client waits for, itself if none is known."""
    peers = {
        dict(labels).get("peer", "")
        for signal, name, labels in picture.index
        if name == service and signal in (Signal.DB_QUERY_P99, Signal.DB_QUERY_RATE)
    } - {""}
    slow = {p for p in peers if picture.sign(Signal.DB_QUERY_P99, service, p)}
    chosen = slow or peers
    return min(chosen) if len(chosen) == 1 else service


def _waiting(picture: Picture, question: Question, sign: Sign) -> Hypothesis:
    first = seen(sign, picture, STRONG)
    return _hypothesis(picture, question, sign.service, [first], sign)


def _told(picture: Picture, question: Question, place: str, lines: list[LogTemplate]) -> Hypothesis:
    first = complaints.quoted(picture, lines[0], STRONG)
    return _hypothesis(picture, question, place, [first], None)


def _hypothesis(
    picture: Picture, question: Question, place: str, first: list[Evidence], sign: Sign | None
) -> Hypothesis:
    clients = sorted(picture.graph.callers(place)) or [place]
    onset = sign.onset if sign else picture.onset_of(place) or _onset(picture, clients)
    change, blame = _locking_change(picture, place, clients, sign)
    words = complaints.about(picture, (place, *clients), _WAITS.pattern, STRONG) if sign else ()
    evidence = [*first, *words, *_idle(picture, place), *_writes(picture, place, clients)]
    evidence += [*_hurt(picture, place, clients), *blame]
    since = f" since {at(onset, picture)}" if onset else ""
    victims = {place, *clients, *(v for c in (place, *clients) for v in picture.victims(c))}
    return Hypothesis(
        cause="lock_contention",
        object=picture.object_of(place),
        service=place,
        summary=f"Sessions of {place} wait for each other's locks{since}: slow, but not busy.",
        analyzer=NAME,
        prior=_PRIOR,
        evidence=tuple(evidence),
        explains=tuple(sorted((victims & set(picture.symptoms)) - {place})),
        onset=onset,
        change=change,
        signal=watched(picture, question, *clients, place),
        hint="rollback" if change else "none",
    )


def _onset(picture: Picture, clients: list[str]) -> datetime | None:
    return min((o for c in clients if (o := picture.onset_of(c))), default=None)


def _idle(picture: Picture, place: str) -> list[Evidence]:
    """Waiting costs no CPU: a busy database is slow for another reason."""
    busy = picture.sign(Signal.CPU_OF_LIMIT, place)
    if busy is not None and busy.shift.now >= HOT_NODE:
        return [seen(busy, picture, -GOOD, "it is busy, so it does not only wait")]
    series = picture.recent(Signal.CPU_OF_LIMIT, place) or picture.recent(Signal.CPU_CORES, place)
    if series is None or busy is not None:
        return []
    return [said(f"CPU of {place} is as usual: it waits, it does not work", GOOD, series.source)]


def _writes(picture: Picture, place: str, clients: list[str]) -> list[Evidence]:
    """Writers wait for locks; readers usually don't."""
    wanted = tolerance_of(Signal.DB_QUERY_P99)
    for client in clients:
        series = picture.split(Signal.DB_QUERY_P99, client, "operation")
        mine = {o: s for o, s in series.items() if s.labels.get("peer", place) == place}
        if wanted is None or len(mine) < 2:
            continue
        slower = sorted(o for o, s in mine.items() if _lasts(shift_of(s, wanted)))
        if slower and len(slower) < len(mine):
            writing = all(_WRITES.search(o) for o in slower)
            text = f"of {len(mine)} operations of {client} only {listed(slower)} got slower"
            return [said(text, GOOD if writing else -HINT, mine[slower[0]].source)]
    return []


def _lasts(shift: Shift | None) -> bool:
    return shift is not None and shift.until is None


def _hurt(picture: Picture, place: str, clients: list[str]) -> list[Evidence]:
    hurt = [s for c in (place, *clients) for s in picture.symptoms.get(c, ())]
    if hurt:
        return [seen(max(hurt, key=lambda s: s.shift.size), picture, GOOD)]
    measured = next((s for c in clients if (s := picture.recent(Signal.LATENCY_P99, c))), None)
    if measured is None:
        return []
    return [said(f"nobody who uses {place} is slow or fails", -STRONG, measured.source)]


def _locking_change(
    picture: Picture, place: str, clients: list[str], sign: Sign | None
) -> tuple[Change | None, list[Evidence]]:
    onset = sign.onset if sign else _onset(picture, clients) or picture.onset
    kinds = (ChangeKind.DEPLOY, ChangeKind.COMMIT, ChangeKind.CONFIG, ChangeKind.INFRASTRUCTURE)
    if onset is None:
        return None, []
    for name in (place, *clients):
        for change, timing in culprits(picture, name, onset, kinds):
            text = f"{change.summary} {change.diff or ''} {' '.join(change.files)}"
            if timing.evidence.supports and _LOCKING.search(text):
                words = f"{timing.evidence.statement}: it takes locks"
                return change, [said(words, timing.evidence.weight, change.source)]
    return None, []
