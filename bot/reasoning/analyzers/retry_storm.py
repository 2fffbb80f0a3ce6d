"""Callers that ask again and again: retries multiply the load of what was already failing."""

import re

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.needs import Fact
from bot.domain.snapshot import Change, ChangeKind, Signal, Snapshot
from bot.reasoning import complaints, needs
from bot.reasoning.calls import Amplification, amplifications
from bot.reasoning.claims import GOOD, HINT, STRONG, at, said, seen, watched
from bot.reasoning.picture import Picture, Sign, picture_of
from bot.reasoning.suspicion import EARLY, culprits
from bot.reasoning.thresholds import FULL
from bot.reasoning.wording import quantity

NAME = "retry_storm"
_PRIOR = -3.0
_RETRY = r"retry|retries|retrying|attempt \d|attempts"
_SETTING = re.compile(r"retr(y|ies)|attempt|backoff|timeout|circuit|hedg", re.I)
_MOST = 12.0  # attempts: nobody retries more often within one request
_FULL_OF = (
    Signal.CPU_OF_LIMIT, Signal.POOL_OF_LIMIT, Signal.CONNECTIONS_OF_LIMIT,
    Signal.THREADS_OF_LIMIT, Signal.POOL_WAITERS, Signal.CPU_THROTTLED,
)  # fmt: skip
_COUNTED = (Signal.POOL_WAITERS, Signal.CPU_THROTTLED)


def look(snapshot: Snapshot, question: Question) -> Finding:
    """Return a hypothesis per call that fails and is made more often per request since then."""
    picture = picture_of(snapshot)
    found, services = [], set()
    for caller in sorted(picture.graph.calls):
        for more in amplifications(picture, caller):
            failing = _failing(picture, more)
            if failing is not None:
                found.append(_hypothesis(picture, question, more, failing))
                services |= {caller, more.peer}
    if not found:
        return Finding()
    logs = needs.of_services(Fact.LOGS, question, services, reason="what it says of retries")
    return Finding(hypotheses=tuple(found), needs=(logs,))


def _failing(picture: Picture, more: Amplification) -> Sign | None:
    """Return how the call fails or hangs: what is retried."""
    return (
        picture.sign(Signal.EDGE_ERROR_RATIO, more.caller, more.peer)
        or picture.sign(Signal.ERROR_RATIO, more.peer)
        or picture.sign(Signal.EDGE_LATENCY_P99, more.caller, more.peer)
    )


def _hypothesis(
    picture: Picture, question: Question, more: Amplification, failing: Sign
) -> Hypothesis:
    caller, peer = more.caller, more.peer
    change, setting = _setting(picture, more)
    growth = f"{quantity(more.before)} → {quantity(more.after)}"
    text = f"{caller} asks {peer} {growth} times per request since {at(more.onset, picture)}"
    evidence = [
        said(text, GOOD, more.source),
        *_order(picture, more, failing),
        *_arithmetic(more, failing),
        *_same_traffic(picture, more),
        *_saturated(picture, more),
        *complaints.about(picture, (caller, peer), _RETRY, GOOD),
        *setting,
    ]
    ill = {*picture.victims(caller), *picture.victims(peer), peer} & set(picture.symptoms)
    return Hypothesis(
        cause="retry_storm",
        object=picture.object_of(caller),
        service=caller,
        summary=f"{caller} retries its failing calls of {peer} so often ({growth} per request "
        f"since {at(more.onset, picture)}) that {peer} cannot recover.",
        analyzer=NAME,
        prior=_PRIOR,
        evidence=tuple(evidence),
        explains=tuple(sorted({*ill, peer} - {caller})),
        onset=min(more.onset, failing.onset),
        change=change,
        signal=watched(picture, question, caller, peer),
        hint="config_revert" if change else "disable_flag",
    )


def _order(picture: Picture, more: Amplification, failing: Sign) -> list[Evidence]:
    """Retries answer failures, so the failures come first."""
    if failing.onset <= more.onset + EARLY:
        return [seen(failing, picture, GOOD, "the failures came first, then the extra calls")]
    return [seen(failing, picture, -STRONG, "the extra calls came first, then the failures")]


def _arithmetic(more: Amplification, failing: Sign) -> list[Evidence]:
    """With a share e of calls failing, retries make at most 1 / (1 - e) calls of each."""
    if failing.signal not in (Signal.ERROR_RATIO, Signal.EDGE_ERROR_RATIO):
        return []
    share = min(max(failing.shift.now, failing.shift.worst), 0.999)
    most = min(_MOST, 1 / (1 - share))
    text = f"with {quantity(share, '%')} of calls failing, retries give at most {quantity(most)}"
    text += f" times as many; {quantity(more.factor)} seen"
    fits = more.factor <= 1.25 * most + 0.2
    return [said(text, HINT if fits else -STRONG, failing.series.source)]


def _same_traffic(picture: Picture, more: Amplification) -> list[Evidence]:
    grown = picture.sign(Signal.REQUEST_RATE, more.caller)
    if grown is None:
        text = f"{more.caller} itself gets no more requests than usual"
        return [said(text, HINT, more.source)]
    return [seen(grown, picture, -HINT, "more users ask, too")]


def _saturated(picture: Picture, more: Amplification) -> list[Evidence]:
    """A storm is the cause where it keeps the callee down; elsewhere it is a symptom."""
    peer = more.peer
    if picture.is_outside(peer):
        text = f"{peer} runs outside and failed by itself: the retries answer that"
        return [said(text, -STRONG, more.source)]
    full = [
        s
        for s in picture.signs
        if s.service == peer
        and s.signal in _FULL_OF
        and (s.signal in _COUNTED or s.shift.now >= FULL)
    ]
    if full:
        worst = max(full, key=lambda s: s.shift.size)
        return [seen(worst, picture, STRONG, f"{peer} has no room for the extra calls")]
    known = any(picture.recent(s, peer) is not None for s in _FULL_OF)
    if not known:
        return []
    text = f"{peer} has room for the extra calls: they are a symptom"
    return [said(text, -STRONG, more.source)]


def _setting(picture: Picture, more: Amplification) -> tuple[Change | None, list[Evidence]]:
    """Return a change of retries or timeouts at the caller before the storm."""
    kinds = (ChangeKind.CONFIG, ChangeKind.DEPLOY, ChangeKind.FLAG)
    for change, timing in culprits(picture, more.caller, more.onset, kinds):
        text = f"{change.object} {change.diff or ''} {change.before or ''} {change.after or ''}"
        if timing.evidence.supports and _SETTING.search(text):
            words = f"{timing.evidence.statement}: it sets retries or timeouts"
            return change, [said(words, timing.evidence.weight, change.source)]
    return None, []
