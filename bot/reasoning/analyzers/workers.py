"""Worker threads, processes and file descriptors that run out: work waits at the door."""

from dataclasses import dataclass

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.needs import Fact
from bot.domain.snapshot import Signal, Snapshot
from bot.reasoning import complaints, needs
from bot.reasoning.claims import GOOD, STRONG, at, said, seen, watched
from bot.reasoning.picture import Picture, Sign, picture_of
from bot.reasoning.suspicion import EARLY
from bot.reasoning.thresholds import FULL

NAME = "workers"
_PRIOR = -3.5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Limit:
    """A limit of the process, how it shows and what is said when it is reached."""

    cause: str
    signal: Signal
    words: str
    noun: str
    hint: str


_LIMITS = (
    _Limit(
        cause="thread_pool_exhausted",
        signal=Signal.THREADS_OF_LIMIT,
        words=r"rejectedexecution|thread ?pool.{0,40}(full|exhausted|reject)|max_children|"
        r"worker_connections are not enough|no (free|idle|available) (worker|thread)|"
        r"(worker|task|request|listen|accept) queue (is )?(full|overflow)|all workers (are )?busy",
        noun="worker threads",
        hint="raise_limit",
    ),
    _Limit(
        cause="file_descriptors_exhausted",
        signal=Signal.FILES_OF_LIMIT,
        words=r"too many open files|\bEMFILE\b|\bENFILE\b|no file descriptors|accept4?: .*files",
        noun="file descriptors",
        hint="restart",
    ),
    _Limit(
        cause="process_limit_reached",
        signal=Signal.THREADS_OF_LIMIT,
        words=r"unable to create (new )?(native )?thread|pthread_create failed|cannot fork|"
        r"fork: (retry: )?resource temporarily|can't start new thread|pids?[ .]max",
        noun="threads of the operating system",
        hint="raise_limit",
    ),
)


def look(snapshot: Snapshot, question: Question) -> Finding:
    """Return a hypothesis per workload that reached a limit, by metric or by its own words."""
    picture = picture_of(snapshot)
    found, full = [], set()
    talking = sorted({t.service for t in snapshot.logs})
    for limit in _LIMITS:
        signs = _full(picture, limit)
        told = {s for s in talking if complaints.about(picture, (s,), limit.words, GOOD)}
        for service in sorted({*signs, *told}):
            found.append(_hypothesis(picture, question, limit, (service, signs.get(service))))
        full |= set(signs)
    if not full:
        return Finding(hypotheses=tuple(found))
    logs = needs.of_services(Fact.LOGS, question, full, reason="what it says at its limit")
    return Finding(hypotheses=tuple(found), needs=(logs,))


def _full(picture: Picture, limit: _Limit) -> dict[str, Sign]:
    if limit.cause == "process_limit_reached":
        return {}  # its own words alone tell
    return {s.service: s for s in picture.signs if s.signal == limit.signal and s.shift.now >= FULL}


def _hypothesis(
    picture: Picture, question: Question, limit: _Limit, where: tuple[str, Sign | None]
) -> Hypothesis:
    service, sign = where
    onset = sign.onset if sign else picture.onset_of(service)
    evidence = [
        *([seen(sign, picture, STRONG)] if sign else []),
        *complaints.about(picture, (service,), limit.words, STRONG),
        *_callees(picture, service, sign),
        *_load(picture, service, sign),
        *_hurt(picture, service),
    ]
    since = f" since {at(onset, picture)}" if onset else ""
    return Hypothesis(
        cause=limit.cause,
        object=picture.object_of(service),
        service=service,
        summary=f"{service} has no {limit.noun} left{since}.",
        analyzer=NAME,
        prior=_PRIOR,
        evidence=tuple(evidence),
        explains=picture.victims(service),
        onset=onset,
        signal=watched(picture, question, service),
        hint=limit.hint,
    )


def _callees(picture: Picture, service: str, sign: Sign | None) -> list[Evidence]:
    """Workers that wait for a slow callee fill up because of it."""
    slow = [
        s
        for s in picture.signs
        if s.service == service
        and s.signal in (Signal.EDGE_LATENCY_P99, Signal.DB_QUERY_P99)
        and (sign is None or s.onset <= sign.onset + EARLY)
    ]
    if slow:
        worst = max(slow, key=lambda s: s.shift.size)
        return [seen(worst, picture, -STRONG, "its workers wait for that")]
    below = picture.graph.callees(service)
    if not below or sign is None:
        return []
    return [said(f"nothing that {service} calls is slower than usual", GOOD, sign.series.source)]


def _load(picture: Picture, service: str, sign: Sign | None) -> list[Evidence]:
    more = picture.sign(Signal.REQUEST_RATE, service)
    if more is not None and (sign is None or more.onset <= sign.onset + EARLY):
        return [seen(more, picture, -GOOD, "more requests need more of them")]
    return []


def _hurt(picture: Picture, service: str) -> list[Evidence]:
    own = picture.symptoms.get(service)
    if own:
        return [seen(max(own, key=lambda s: s.shift.size), picture, GOOD)]
    series = picture.recent(Signal.LATENCY_P99, service)
    if series is None:
        return []
    return [said(f"{service} is as fast and reliable as usual", -GOOD, series.source)]
