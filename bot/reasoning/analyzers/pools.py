"""Connection pools that run empty: by a setting, by traffic, or because the database is slow."""

import json
import re
from datetime import timedelta

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.snapshot import Change, ChangeKind, Signal, Snapshot
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


def look(snapshot: Snapshot, question: Question) -> Finding:
    """Return a hypothesis per service that waits for its pool, and per server without any left."""
    picture = picture_of(snapshot)
    waiting = {s.service: s for s in picture.signs if s.signal == Signal.POOL_WAITERS}
    for sign in picture.signs:
        if sign.signal == Signal.POOL_OF_LIMIT and sign.shift.now >= FULL:
            waiting.setdefault(sign.service, sign)
    found = [_exhausted(picture, question, sign) for _, sign in sorted(waiting.items())]
    found += [
        _server(picture, question, s)
        for s in picture.signs
        if s.signal == Signal.CONNECTIONS_OF_LIMIT and s.shift.now >= FULL
    ]
    return Finding(hypotheses=tuple(found))


def _exhausted(picture: Picture, question: Question, sign: Sign) -> Hypothesis:
    service = sign.service
    change, shrunk = _shrunk(picture, sign)
    evidence = [
        seen(sign, picture, GOOD),
        *_full(picture, sign),
        *shrunk,
        *_other_reasons(picture, sign),
        *complaints.about(picture, (service,), r"pool|connection is not available", GOOD),
    ]
    victims = picture.victims(service)
    cause, when = "connection_pool_exhausted", at(sign.onset, picture)
    if change is not None:
        summary = f"{service} waits for its connection pool since {when}: {_words(change)}."
    else:
        summary = f"{service} has run out of connections in its pool since {when}."
    return Hypothesis(
        cause=cause,
        object=change.object if change else picture.object_of(service),
        service=service,
        summary=summary,
        analyzer=NAME,
        prior=_PRIOR,
        evidence=tuple(evidence),
        explains=victims,
        onset=sign.onset,
        change=change,
        signal=watched(picture, question, service),
        hint="revert config" if change else "",
    )


def _full(picture: Picture, sign: Sign) -> list[Evidence]:
    used = picture.sign(Signal.POOL_OF_LIMIT, sign.service)
    if used is None or used is sign:
        return []
    return [seen(used, picture, HINT)]


def _shrunk(picture: Picture, sign: Sign) -> tuple[Change | None, list[Evidence]]:
    """Return a setting of the pool that was changed before the onset."""
    settings = culprits(picture, sign.service, sign.onset, (ChangeKind.CONFIG,))
    for change, timing in settings:
        smaller = pool_change(change)
        if smaller is None or timing.delay > timedelta(hours=6):
            continue
        key, before, after = smaller
        weight = PROOF if after < before else -GOOD
        text = f"{what(change)}: {key} {before:g} → {after:g}"
        return change, [timing.evidence, said(text, weight, change.source)]
    source = sign.series.source
    return None, [said(f"no setting of {sign.service}'s pool changed", -GOOD, source)]


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


def _other_reasons(picture: Picture, sign: Sign) -> list[Evidence]:
    """A pool also runs empty when its database is slow, or more is asked: then it is a symptom."""
    evidence: list[Evidence] = []
    slow = picture.sign(Signal.DB_QUERY_P99, sign.service)
    if slow is not None and slow.onset <= sign.onset + EARLY:
        evidence.append(seen(slow, picture, -GOOD, "slow queries hold the connections"))
    elif slow is None:
        text = f"queries of {sign.service} are as fast as usual once they run"
        evidence.append(said(text, HINT, sign.series.source))
    more = picture.sign(Signal.REQUEST_RATE, sign.service)
    if more is not None and more.onset <= sign.onset + EARLY:
        evidence.append(seen(more, picture, -GOOD, "more requests need more connections"))
    return evidence


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
