"""A cache that stops helping: hits drop, the origin gets what the cache used to answer."""

import re
from dataclasses import dataclass
from datetime import timedelta

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.needs import Fact
from bot.domain.snapshot import Change, ChangeKind, Signal, Snapshot
from bot.reasoning import needs
from bot.reasoning.calls import Amplification, amplifications
from bot.reasoning.claims import GOOD, HINT, STRONG, at, said, seen, watched
from bot.reasoning.picture import Picture, Sign, moment_of_pod, picture_of
from bot.reasoning.suspicion import culprits
from bot.reasoning.thresholds import FULL
from bot.reasoning.wording import quantity

NAME = "cache_stampede"
_PRIOR = -3.0
_NEAR = timedelta(minutes=10)  # a restart or flush this close to the drop emptied the cache
_SETTING = re.compile(r"ttl|expir|flush|cache|maxmemory|evict|key[_-]?prefix", re.I)
_FLUSH = re.compile(r"flush(all|db)|cache (was )?(cleared|flushed|emptied|invalidated)", re.I)
_CROWDED = (
    Signal.CPU_OF_LIMIT, Signal.CONNECTIONS_OF_LIMIT, Signal.POOL_OF_LIMIT, Signal.DB_QUERY_P99,
    Signal.EDGE_LATENCY_P99, Signal.LATENCY_P99, Signal.ERROR_RATIO, Signal.POOL_WAITERS,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Origin:
    """What is asked instead of the cache, and by how much more."""

    more: tuple[Amplification, ...]
    known: bool  # whether calls per request of a user of the cache could be measured at all


def look(snapshot: Snapshot, question: Question) -> Finding:
    """Return a hypothesis per cache whose hits dropped."""
    picture = picture_of(snapshot)
    dropped = {s.service: s for s in picture.signs if s.signal == Signal.CACHE_HIT_RATIO}
    if not dropped:
        return Finding()
    users = {u for c in dropped for u in _users(picture, c)}
    return Finding(
        hypotheses=tuple(_hypothesis(picture, question, s) for _, s in sorted(dropped.items())),
        needs=(
            needs.of_services(
                Fact.LOGS, question, {*dropped, *users}, reason="what emptied the cache"
            ),
        ),
    )


def _users(picture: Picture, cache: str) -> list[str]:
    """Who asks the cache; a cache inside a process is asked by that process."""
    return sorted(picture.graph.callers(cache)) or [cache]


def _hypothesis(picture: Picture, question: Question, drop: Sign) -> Hypothesis:
    cache, users = drop.service, _users(picture, drop.service)
    origin = _origin(picture, cache, users)
    change, trigger = _trigger(picture, drop, users)
    evidence = [
        seen(drop, picture, GOOD),
        *_asked(drop, origin),
        *_crowded(picture, origin),
        *trigger,
        *_room(picture, drop),
        *_suffering(picture, drop, users),
    ]
    peers = {a.peer for a in origin.more}
    victims = {*peers, *(v for n in (cache, *users, *peers) for v in picture.victims(n)), *users}
    hits = f"{quantity(drop.shift.usual, '%')} → {quantity(drop.shift.now, '%')}"
    load = f", and {origin.more[0].peer} gets what it used to answer" if origin.more else ""
    return Hypothesis(
        cause="cache_stampede",
        object=picture.object_of(cache),
        service=cache,
        summary=f"{cache} answers far less since {at(drop.onset, picture)} (hits {hits}){load}.",
        analyzer=NAME,
        prior=_PRIOR,
        evidence=tuple(evidence),
        explains=tuple(sorted((victims & set(picture.symptoms) | peers) - {cache})),
        onset=drop.onset,
        change=change,
        signal=watched(picture, question, *users, *sorted(peers)),
        hint="config_revert" if change and change.kind is ChangeKind.CONFIG else "wait",
    )


def _origin(picture: Picture, cache: str, users: list[str]) -> _Origin:
    more = [a for u in users for a in amplifications(picture, u) if a.peer != cache]
    known = any(
        picture.recent(Signal.REQUEST_RATE, u) is not None and picture.graph.callees(u) - {cache}
        for u in users
    )
    return _Origin(more=tuple(sorted(more, key=lambda a: -a.factor)), known=known)


def _asked(drop: Sign, origin: _Origin) -> list[Evidence]:
    if origin.more:
        most = origin.more[0]
        text = (
            f"{most.caller} asks {most.peer} {quantity(most.before)} → {quantity(most.after)} "
            "times per request since then"
        )
        return [said(text, STRONG if most.factor >= 2 else GOOD, most.source)]
    if origin.known:
        text = "nothing behind the cache is asked more often per request"
        return [said(text, -STRONG, drop.series.source)]
    return []


def _crowded(picture: Picture, origin: _Origin) -> list[Evidence]:
    """The origin was sized for what the cache let through."""
    for peer in dict.fromkeys(a.peer for a in origin.more):
        signs = [
            s
            for s in picture.signs
            if s.signal in _CROWDED
            and (s.service == peer or s.peer == peer)
            and (s.signal not in (Signal.CPU_OF_LIMIT,) or s.shift.now >= FULL - 0.1)
        ]
        if signs:
            worst = max(signs, key=lambda s: s.shift.size)
            return [seen(worst, picture, GOOD, f"{peer} was not sized for it")]
    return []


def _trigger(
    picture: Picture, drop: Sign, users: list[str]
) -> tuple[Change | None, list[Evidence]]:
    """Return what emptied the cache or made its keys useless: a setting, a release, a restart."""
    for name in (drop.service, *users):
        kinds = (ChangeKind.CONFIG, ChangeKind.DEPLOY, ChangeKind.FLAG)
        for change, timing in culprits(picture, name, drop.onset, kinds):
            text = f"{change.diff or ''} {change.before or ''} {change.after or ''}"
            about = change.object + (
                text if change.kind is ChangeKind.CONFIG else change.diff or ""
            )
            if timing.evidence.supports and (name == drop.service or _SETTING.search(about)):
                words = f"{timing.evidence.statement}: it governs what is cached"
                return change, [said(words, timing.evidence.weight, change.source)]
    return None, [*_restart(picture, drop), *_flushed(picture, drop, users)]


def _restart(picture: Picture, drop: Sign) -> list[Evidence]:
    for signal in (Signal.RESTARTS, Signal.READY_PODS):
        sign = picture.sign(signal, drop.service)
        if sign is not None and abs(sign.onset - drop.onset) <= _NEAR:
            return [seen(sign, picture, GOOD, "a cache that starts is empty")]
    for pod in picture.snapshot.kind("Pod"):
        started = moment_of_pod(pod)
        mine = drop.service in (pod.labels.get("app.kubernetes.io/name"), pod.labels.get("app"))
        if mine and started is not None and abs(started - drop.onset) <= _NEAR:
            text = f"pod {pod.name} started at {at(started, picture)}: a cache that starts is empty"
            return [said(text, GOOD, pod.source)]
    return []


def _flushed(picture: Picture, drop: Sign, users: list[str]) -> list[Evidence]:
    for line in picture.snapshot.logs:
        if line.service in (drop.service, *users) and _FLUSH.search(line.example):
            text = f'{line.service} logs "{" ".join(line.example.split())[:120]}"'
            return [said(text, GOOD, line.source)]
    return []


def _room(picture: Picture, drop: Sign) -> list[Evidence]:
    """A full cache loses keys because it is full: then its memory is the cause."""
    evictions = picture.sign(Signal.EVICTIONS, drop.service)
    if evictions is not None:
        return [seen(evictions, picture, -GOOD, "it has no room for what it should keep")]
    return []


def _suffering(picture: Picture, drop: Sign, users: list[str]) -> list[Evidence]:
    hurt = [s for n in (drop.service, *users) for s in picture.symptoms.get(n, ())]
    if not hurt:
        text = f"nobody who uses {drop.service} is slow or fails"
        return [said(text, -STRONG, drop.series.source)]
    first = min(hurt, key=lambda s: s.onset)
    return [seen(first, picture, HINT)]
