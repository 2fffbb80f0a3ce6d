"""Connection pools that run empty: by a setting, by traffic, or because the database is slow."""

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.snapshot import Change, ChangeKind, Signal, Snapshot, Source
from bot.reasoning import complaints
from bot.reasoning.claims import GOOD, HINT, PROOF, STRONG, at, observed, said, seen, watched, what
from bot.reasoning.picture import Picture, Sign, picture_of
from bot.reasoning.suspicion import EARLY, culprits
from bot.reasoning.thresholds import FULL

NAME = "pools"
_PRIOR = -3.0
_POOL_KEY = re.compile(
    r"pool|conn(ection)?s?|max[_.-]?(open|active|idle|size|conn)|threads|workers", re.I
)

_WORDS = (
    r"hikaripool|queuepool limit|pool.{0,30}(exhausted|time(d )?-?out|is full|empty|no more)|"
    r"connection is not available|(unable|failed|cannot|could not|timeout|timed out) "
    r"(to )?(acquir|obtain|get|check)\w* .{0,30}connection|no (available|free|idle) connections?|"
    r"waiting for (an? )?(idle|free|available) (connection|object)|too many clients already in pool"
)


def look(snapshot: Snapshot, question: Question) -> Finding:
    """Return a hypothesis per service that waits for its pool, and per server without any left."""
    picture = picture_of(snapshot)
    waiting = {s.service: s for s in picture.signs if s.signal == Signal.POOL_WAITERS}
    for sign in picture.signs:
        if sign.signal == Signal.POOL_OF_LIMIT and sign.shift.now >= FULL:
            waiting.setdefault(sign.service, sign)
    found = [
        _exhausted(picture, question, _measured(picture, s)) for _, s in sorted(waiting.items())
    ]
    found += [
        _exhausted(picture, question, w)
        for service in sorted({t.service for t in snapshot.logs} - set(waiting))
        if (w := _told(picture, service)) is not None
    ]
    found += [
        _server(picture, question, s)
        for s in picture.signs
        if s.signal == Signal.CONNECTIONS_OF_LIMIT and s.shift.now >= FULL
    ]
    return Finding(hypotheses=tuple(found))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wait:
    """A service that waits for its pool, as it was measured or as it says itself."""

    service: str
    onset: datetime | None
    source: Source
    evidence: tuple[Evidence, ...]


def _measured(picture: Picture, sign: Sign) -> _Wait:
    return _Wait(
        service=sign.service,
        onset=sign.onset,
        source=sign.series.source,
        evidence=(
            seen(sign, picture, GOOD),
            *_full(picture, sign),
            *complaints.about(picture, (sign.service,), _WORDS, GOOD),
        ),
    )


def _told(picture: Picture, service: str) -> _Wait | None:
    """A service whose log names its pool, where no metric does."""
    said_so = complaints.about(picture, (service,), _WORDS, STRONG)
    if not said_so:
        return None
    onset = picture.onset_of(service)
    return _Wait(
        service=service,
        onset=onset,
        source=said_so[0].source,
        evidence=(*said_so, *_hurt(picture, service, said_so[0].source)),
    )


def _hurt(picture: Picture, service: str, source: Source) -> list[Evidence]:
    own = picture.symptoms.get(service)
    if own:
        return [seen(max(own, key=lambda s: s.shift.size), picture, GOOD)]
    if picture.recent(Signal.LATENCY_P99, service) is None:
        return []
    return [said(f"{service} is as fast and reliable as usual", -STRONG, source)]


def _exhausted(picture: Picture, question: Question, wait: _Wait) -> Hypothesis:
    service = wait.service
    change, shrunk = _shrunk(picture, wait)
    evidence = [*wait.evidence, *shrunk, *_other_reasons(picture, wait)]
    since = f" since {at(wait.onset, picture)}" if wait.onset else ""
    if change is not None:
        summary = f"{service} waits for its connection pool{since}: {_words(change)}."
    else:
        summary = f"{service} has run out of connections in its pool{since}."
    return Hypothesis(
        cause="connection_pool_exhausted",
        object=change.object if change else picture.object_of(service),
        service=service,
        summary=summary,
        analyzer=NAME,
        prior=_PRIOR,
        evidence=tuple(evidence),
        explains=picture.victims(service),
        onset=wait.onset,
        change=change,
        signal=watched(picture, question, service),
    )


def _full(picture: Picture, sign: Sign) -> list[Evidence]:
    used = picture.sign(Signal.POOL_OF_LIMIT, sign.service)
    if used is None or used is sign:
        return []
    return [seen(used, picture, HINT)]


def _shrunk(picture: Picture, wait: _Wait) -> tuple[Change | None, list[Evidence]]:
    """Return a setting of the pool that was changed before the onset."""
    if wait.onset is None:
        return None, []
    settings = culprits(picture, wait.service, wait.onset, (ChangeKind.CONFIG,))
    for change, timing in settings:
        smaller = pool_change(change)
        if smaller is None or timing.delay > timedelta(hours=6):
            continue
        key, before, after = smaller
        weight = PROOF if after < before else -GOOD
        text = f"{what(change)}: {key} {before:g} → {after:g}"
        return change, [timing.evidence, said(text, weight, change.source)]
    return None, [said(f"no setting of {wait.service}'s pool changed", -GOOD, wait.source)]


def pool_change(change: Change) -> tuple[str, float, float] | None:
    """Return (key, before, after) of the first numeric pool setting in a change, if any."""
    before, after = _settings(change.before), _settings(change.after)
    for key in sorted(after):
        old, new = _number(before.get(key)), _number(after[key])
        if _POOL_KEY.search(key) and old is not None and new is not None and old != new:
            return key, old, new
    return None


def _settings(text: str | None) -> dict[str, str]:
    try:
        data = json.loads(text or "{}")
    except ValueError:
        return {}
    return {str(k): str(v) for k, v in data.items()} if isinstance(data, dict) else {}


def _number(text: str | None) -> float | None:
    found = re.fullmatch(r"\s*(\d{1,9}(?:\.\d{1,6})?)\s*", text or "")
    return float(found[1]) if found else None


def _words(change: Change) -> str:
    smaller = pool_change(change)
    if smaller is None:
        return what(change)
    key, before, after = smaller
    return f"{key} went {before:g} → {after:g}"


def _other_reasons(picture: Picture, wait: _Wait) -> list[Evidence]:
    """A pool also runs empty when its database is slow, or more is asked: then it is a symptom."""
    evidence: list[Evidence] = []
    service = wait.service
    slow = picture.sign(Signal.DB_QUERY_P99, service)
    if slow is not None and _first(slow, wait):
        evidence.append(seen(slow, picture, -GOOD, "slow queries hold the connections"))
    elif slow is None and picture.recent(Signal.DB_QUERY_P99, service) is not None:
        text = f"queries of {service} are as fast as usual once they run"
        evidence.append(said(text, HINT, wait.source))
    more = picture.sign(Signal.REQUEST_RATE, service)
    if more is not None and _first(more, wait):
        evidence.append(seen(more, picture, -GOOD, "more requests need more connections"))
    return evidence


def _first(sign: Sign, wait: _Wait) -> bool:
    return wait.onset is None or sign.onset <= wait.onset + EARLY


def _server(picture: Picture, question: Question, sign: Sign) -> Hypothesis:
    service = sign.service
    hurt = picture.symptoms.get(service) or [
        s for v in picture.graph.callers(service) for s in picture.symptoms.get(v, ())
    ]
    evidence = [seen(sign, picture, STRONG)]
    if hurt:
        evidence.append(seen(max(hurt, key=lambda s: s.shift.size), picture, GOOD))
    return Hypothesis(
        cause="server_connections_exhausted",
        object=picture.object_of(service),
        service=service,
        summary=f"{service} has almost no connections left: {observed(sign, picture)}.",
        analyzer=NAME,
        prior=_PRIOR,
        evidence=tuple(evidence),
        explains=picture.victims(service),
        onset=sign.onset,
        signal=watched(picture, question, service),
    )
