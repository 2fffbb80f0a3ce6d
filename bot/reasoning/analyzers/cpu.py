"""A workload that runs out of CPU though it gets no more requests than usual."""

import re

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.needs import Fact
from bot.domain.snapshot import Change, ChangeKind, Signal, Snapshot
from bot.reasoning import needs
from bot.reasoning.calls import amplifications
from bot.reasoning.claims import GOOD, HINT, STRONG, at, level_since, said, seen, watched, what
from bot.reasoning.picture import Picture, Sign, picture_of
from bot.reasoning.suspicion import EARLY, culprits
from bot.reasoning.thresholds import FULL
from bot.reasoning.wording import quantity

NAME = "cpu"
_PRIOR = -3.5
_ROOMY = 0.75  # of the limit: below it, only bursts reach it
_LIMIT = re.compile(r"\bcpu\b|limits:|gomaxprocs|cpu[_-]?(limit|quota)", re.I)
_BY_POD = (f"{Signal.CPU_OF_LIMIT}:pod", f"{Signal.CPU_THROTTLED}:pod")


def look(snapshot: Snapshot, question: Question) -> Finding:
    """Return a hypothesis per workload at its CPU limit without a surge of requests."""
    picture = picture_of(snapshot)
    busy: dict[str, Sign] = {}
    for sign in picture.signs:
        if sign.signal == Signal.CPU_OF_LIMIT and sign.shift.now >= FULL:
            busy[sign.service] = sign
        elif sign.signal == Signal.CPU_THROTTLED:
            busy.setdefault(sign.service, sign)
    found = [_hypothesis(picture, question, sign) for _, sign in sorted(busy.items())]
    if not found:
        return Finding()
    wanted = needs.of_services(
        Fact.SERIES, question, busy, names=_BY_POD, reason="which pods are at their limit"
    )
    return Finding(hypotheses=tuple(found), needs=(wanted,))


def _hypothesis(picture: Picture, question: Question, sign: Sign) -> Hypothesis:
    service = sign.service
    evidence = [seen(sign, picture, GOOD), *_load(picture, sign), *_hurt(picture, service, sign)]
    below = _below_limit(picture, sign)
    if below is not None:
        return _cut(picture, question, sign, [*evidence, below])
    return Hypothesis(
        cause="cpu_overload",
        object=picture.object_of(service),
        service=service,
        summary=f"{service} is at its CPU limit since {at(sign.onset, picture)}, without more "
        "requests than usual.",
        analyzer=NAME,
        prior=_PRIOR,
        evidence=tuple(evidence),
        explains=picture.victims(service),
        onset=sign.onset,
        signal=watched(picture, question, service),
        hint="scale up",
    )


def _below_limit(picture: Picture, sign: Sign) -> Evidence | None:
    """Say so if a throttled workload uses, on average, less than its limit: bursts are cut.

    What is stopped in most periods has used up its limit in most: an average that says otherwise
    is late, since it is taken over minutes.
    """
    series = picture.recent(Signal.CPU_OF_LIMIT, sign.service)
    level = level_since(series, sign.onset) if series else None
    if sign.signal != Signal.CPU_THROTTLED or series is None or level is None:
        return None
    if max(level, sign.shift.now) >= _ROOMY:
        return None
    used = quantity(level, series.unit, series.signal)
    text = f"on average {sign.service} uses {used} of its CPU limit: its bursts are cut"
    return said(text, GOOD, series.source)


def _cut(picture: Picture, question: Question, sign: Sign, evidence: list[Evidence]) -> Hypothesis:
    service = sign.service
    change = _limit_change(picture, sign)
    if change is not None:
        text = f"{what(change)} at {at(change.at, picture)} touches its CPU limit"
        evidence.append(said(text, STRONG, change.source))
    share = quantity(sign.shift.now, sign.series.unit, sign.signal)
    return Hypothesis(
        cause="cpu_limit_too_low",
        object=picture.object_of(service),
        service=service,
        summary=f"{service} is stopped by its CPU limit in {share} of the periods since "
        f"{at(sign.onset, picture)}, though on average it uses less.",
        analyzer=NAME,
        prior=_PRIOR,
        evidence=tuple(evidence),
        explains=picture.victims(service),
        onset=sign.onset,
        change=change,
        signal=watched(picture, question, service),
        hint="raise_limit",
    )


def _limit_change(picture: Picture, sign: Sign) -> Change | None:
    kinds = (ChangeKind.DEPLOY, ChangeKind.COMMIT, ChangeKind.CONFIG)
    for change, timing in culprits(picture, sign.service, sign.onset, kinds):
        text = f"{change.diff or ''} {change.before or ''} {change.after or ''}"
        if timing.evidence.supports and _LIMIT.search(text):
            return change
    return None


def _load(picture: Picture, sign: Sign) -> list[Evidence]:
    """More requests, from users or from one amplified caller, are another cause."""
    service, source = sign.service, sign.series.source
    more = picture.sign(Signal.REQUEST_RATE, service)
    if more is not None and more.onset <= sign.onset + EARLY:
        return [seen(more, picture, -STRONG, "its load explains its CPU")]
    loud = [
        a
        for caller in sorted(picture.graph.callers(service))
        for a in amplifications(picture, caller)
        if a.peer == service
    ]
    if loud:
        return [said(f"{loud[0].caller} asks more often per request", -STRONG, loud[0].source)]
    evidence = [said(f"{service} gets no more requests than usual", GOOD, source)]
    kinds = (ChangeKind.DEPLOY, ChangeKind.COMMIT, ChangeKind.FLAG, ChangeKind.CONFIG)
    recent = [t for _, t in culprits(picture, service, sign.onset, kinds) if t.evidence.supports]
    if recent:
        text = f"{recent[0].evidence.statement}: then that is the cause"
        evidence.append(said(text, -GOOD, recent[0].evidence.source))
    return evidence


def _hurt(picture: Picture, service: str, sign: Sign) -> list[Evidence]:
    own = picture.symptoms.get(service)
    if not own:
        text = f"{service} is as fast and reliable as usual"
        return [said(text, -STRONG, sign.series.source)]
    evidence = [seen(max(own, key=lambda s: s.shift.size), picture, GOOD)]
    if service in picture.roots:
        text = f"nothing that {service} calls is worse than usual"
        evidence.append(said(text, HINT, sign.series.source))
    return evidence
