"""Competing hypotheses to one answer: merged, explained away, ranked, or honestly unknown."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.domain.diagnosis import (
    HEALTHY,
    Diagnosis,
    Evidence,
    Finding,
    Hypothesis,
    Question,
    Ranked,
    RuledOut,
    Status,
)
from bot.domain.snapshot import BlindSpot, Snapshot
from bot.reasoning import calibration, history, needs, wording
from bot.reasoning.claims import what
from bot.reasoning.graph import ServiceGraph
from bot.reasoning.picture import picture_of

GENERIC = frozenset({
    "bad_release", "bad_config_change", "cpu_overload", "dependency_failure", "oom_killed",
    "crash_loop", "node_degraded",
})  # fmt: skip
"""Causes that say less than others about the same object: they give way to a specific one."""

VAGUE = GENERIC | {HEALTHY}

SOMETHING_ELSE = (
    0.0  # log-odds of the cause that nobody thought of: a lone hypothesis keeps its own odds
)
EXPLAINED_AWAY = 4.0  # log-odds a victim's hypothesis loses to a certain cause below it
HEALTH_REFUTED = 5.0  # log-odds that "healthy" loses to a certain cause of trouble
APART = 2.0  # independent trouble elsewhere at the same time is this much rarer (log-odds)
ECHO = 0.5  # weight of the same conclusion by a second analyzer: their facts overlap
OFF_TOPIC = 1.0  # log-odds lost by trouble that does not touch what was asked about
CLOCK_SKEW = timedelta(seconds=90)  # onsets nearer than this are simultaneous
SHOWN = 10  # hypotheses kept in the answer


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    hypothesis: Hypothesis
    log_odds: float

    @property
    def cover(self) -> frozenset[str]:
        return frozenset({self.hypothesis.service, *self.hypothesis.explains}) - {""}


def conclude(
    findings: Iterable[Finding],
    snapshot: Snapshot,
    question: Question,
    *,
    failed: Sequence[BlindSpot] = (),
) -> Diagnosis:
    """Return the diagnosis that the findings of all analyzers add up to."""
    findings = tuple(findings)
    found = [h for f in findings for h in f.hypotheses if h.evidence]
    found = history.remembering(found, snapshot.past, snapshot.now)
    ranked = rank(found, snapshot, question)
    blind = tuple(dict.fromkeys((*filter(_matters, snapshot.blind_spots), *failed)))
    causes = _causes(ranked)
    ruled_out = _innocent((r for f in findings for r in f.ruled_out), causes)
    status = _status(ranked, causes)
    confidence = ranked[0].confidence if ranked else 0.0
    first = causes[0].hypothesis if causes else None
    return Diagnosis(
        status=status,
        confidence=confidence,
        summary=wording.summary(status, ranked, causes, ruled_out, blind),
        causes=causes,
        ranked=ranked[:SHOWN],
        ruled_out=ruled_out,
        blind_spots=blind,
        onset=first.onset if first else None,
        signal=first.signal if first else None,
    )


def settled(diagnosis: Diagnosis, snapshot: Snapshot, question: Question) -> bool:
    """Whether more rounds could hardly change the answer, and it explains what was asked about."""
    if diagnosis.status is Status.UNKNOWN or _unexplained(diagnosis, snapshot, question):
        return False
    rivals = [r for r in diagnosis.ranked if r not in diagnosis.causes][:1]
    second = rivals[0].confidence if rivals and diagnosis.causes else 0.0
    sure = diagnosis.confidence >= calibration.SETTLED_FROM
    return sure and diagnosis.confidence - second >= calibration.SETTLED_APART


def _unexplained(diagnosis: Diagnosis, snapshot: Snapshot, question: Question) -> bool:
    """Whether a root of the trouble, or a service asked about, suffers for no reason given."""
    picture = picture_of(snapshot)
    covered = {s for c in diagnosis.causes for s in (c.hypothesis.service, *c.hypothesis.explains)}
    ill = set(question.services) & set(picture.symptoms) or set(picture.roots)
    return bool(diagnosis.causes) and bool(ill - covered)


def rank(
    hypotheses: Sequence[Hypothesis], snapshot: Snapshot, question: Question
) -> tuple[Ranked, ...]:
    """Return the hypotheses with calibrated probabilities among each other, the likeliest first.

    Those that claim the same symptoms share one probability mass with "something else"; independent
    ones don't. Source of explaining away: Pearl 1988, noisy-or networks.
    """
    graph = ServiceGraph.of(snapshot)
    merged = _absorbed(_merged(hypotheses))
    standing = [
        _Standing(hypothesis=h, log_odds=_log_odds(h, merged, graph, question)) for h in merged
    ]
    result = [_ranked(s, _share(s, standing)) for s in standing]
    return tuple(
        sorted(
            result,
            key=lambda r: (
                not (r.confidence >= calibration.ANSWER_FROM and on_topic(r.hypothesis, question)),
                -r.confidence,
                -r.hypothesis.log_odds,
                r.hypothesis.cause,
                r.hypothesis.object,
            ),
        )
    )


def _ranked(standing: _Standing, share: float) -> Ranked:
    return Ranked(
        hypothesis=standing.hypothesis,
        confidence=calibration.calibrated(share),
        log_odds=calibration.logit(share),
    )


def _merged(hypotheses: Sequence[Hypothesis]) -> list[Hypothesis]:
    """One hypothesis per cause and object: the strongest, with what others add at half weight."""
    groups: dict[tuple[str, str], list[Hypothesis]] = {}
    for hypothesis in hypotheses:
        groups.setdefault((hypothesis.cause, hypothesis.object), []).append(hypothesis)
    return [_joined(sorted(g, key=lambda h: -h.log_odds)) for g in groups.values()]


def _joined(same: Sequence[Hypothesis]) -> Hypothesis:
    best, others = same[0], same[1:]
    known = {e.statement for e in best.evidence}
    extra = []
    for evidence in (e for h in others for e in h.evidence):
        if evidence.statement not in known:
            known.add(evidence.statement)
            extra.append(replace(evidence, weight=evidence.weight * ECHO))
    return replace(
        best,
        evidence=(*best.evidence, *extra),
        explains=tuple(sorted({s for h in same for s in h.explains})),
        change=best.change or next((h.change for h in others if h.change), None),
        signal=best.signal or next((h.signal for h in others if h.signal), None),
        onset=best.onset or next((h.onset for h in others if h.onset), None),
    )


def _absorbed(hypotheses: Sequence[Hypothesis]) -> list[Hypothesis]:
    """Drop a generic cause where a likely specific one names the same object or change."""
    specific = [h for h in hypotheses if h.cause not in VAGUE and h.probability >= 0.5]
    dropped = [h for h in hypotheses if h.cause in GENERIC and any(_same(h, s) for s in specific)]
    return [
        _inheriting(h, [d for d in dropped if _same(d, h)])
        for h in hypotheses
        if not any(h is d for d in dropped)
    ]


def _inheriting(hypothesis: Hypothesis, dropped: Sequence[Hypothesis]) -> Hypothesis:
    """Take over what the generic hypothesis knew: the change, the onset, the victims."""
    if not dropped or hypothesis.cause in VAGUE:
        return hypothesis
    best = max(dropped, key=lambda h: (h.change is not None, h.log_odds))
    return replace(
        hypothesis,
        change=hypothesis.change or best.change,
        signal=hypothesis.signal or best.signal,
        onset=hypothesis.onset or best.onset,
        explains=tuple(sorted({*hypothesis.explains, *best.explains})),
    )


def _same(generic: Hypothesis, specific: Hypothesis) -> bool:
    changes = generic.change, specific.change
    if changes[0] and changes[1]:
        return changes[0].id == changes[1].id
    return generic.service == specific.service


def _log_odds(
    hypothesis: Hypothesis, others: Sequence[Hypothesis], graph: ServiceGraph, question: Question
) -> float:
    rivals = [o for o in others if o is not hypothesis]
    if hypothesis.cause == HEALTHY:
        worst = max((o.probability for o in rivals if o.cause != HEALTHY), default=0.0)
        return hypothesis.log_odds - HEALTH_REFUTED * worst
    by = max((o.probability for o in rivals if _explains(o, hypothesis, graph)), default=0.0)
    asked = set(question.services)
    off = bool(asked) and not on_topic(hypothesis, question)
    return hypothesis.log_odds - EXPLAINED_AWAY * by - (OFF_TOPIC if off else 0.0)


def on_topic(hypothesis: Hypothesis, question: Question) -> bool:
    """Whether a hypothesis concerns what was asked about; "healthy" and no names: always."""
    concerned = {hypothesis.service, *hypothesis.explains}
    return (
        not question.services
        or hypothesis.cause == HEALTHY
        or bool(concerned & {*question.services})
    )


def _explains(cause: Hypothesis, victim: Hypothesis, graph: ServiceGraph) -> bool:
    """Whether `victim`'s trouble follows from `cause`: claimed, not mutual, and not earlier."""
    if cause.cause == HEALTHY or cause.service == victim.service:
        return False
    if victim.service not in cause.explains:
        return False
    mutual = cause.service in victim.explains
    if mutual and cause.service not in graph.below(victim.service):
        return False
    if cause.onset and victim.onset:
        return cause.onset <= victim.onset + CLOCK_SKEW
    return True


def _share(standing: _Standing, everyone: Sequence[_Standing]) -> float:
    own = calibration.odds(standing.log_odds)
    rivals = [o for o in everyone if o is not standing]
    apart = [o.hypothesis.probability for o in rivals if _independent(standing, o)]
    second = own * max(apart, default=0.0) * calibration.odds(-APART)
    against = [calibration.odds(o.log_odds) for o in rivals if not _independent(standing, o)]
    return own / math.fsum([own, second, calibration.odds(SOMETHING_ELSE), *against])


def _independent(one: _Standing, other: _Standing) -> bool:
    """Whether each explains something that the other doesn't: then both may be true."""
    if HEALTHY in (one.hypothesis.cause, other.hypothesis.cause):
        return False
    return bool(one.cover - other.cover) and bool(other.cover - one.cover)


def _causes(ranked: Sequence[Ranked]) -> tuple[Ranked, ...]:
    """The best answer and every independent one that is likely too; none if it is healthy."""
    if not ranked or ranked[0].hypothesis.cause == HEALTHY:
        return ()
    chosen: list[Ranked] = []
    for candidate in ranked:
        least = calibration.ALSO_FROM if chosen else calibration.ANSWER_FROM
        if candidate.confidence < least or candidate.hypothesis.cause == HEALTHY:
            continue
        covered = {s for c in chosen for s in (c.hypothesis.service, *c.hypothesis.explains)}
        if not chosen or candidate.hypothesis.service not in covered:
            chosen.append(candidate)
    return tuple(chosen)


def _matters(spot: BlindSpot) -> bool:
    """Whether a blind spot is worth a word: not every system has a cache or a pool."""
    signal = spot.wanted.partition(":")[0]
    return not (spot.reason.startswith("no metric") and signal in needs.OPTIONAL)


def _status(ranked: Sequence[Ranked], causes: Sequence[Ranked]) -> Status:
    if causes:
        return Status.ROOT_CAUSE
    if ranked and ranked[0].hypothesis.cause == HEALTHY:
        sure = ranked[0].confidence >= calibration.ANSWER_FROM
        return Status.HEALTHY if sure else Status.UNKNOWN
    return Status.UNKNOWN


def _innocent(items: Iterable[RuledOut], causes: Sequence[Ranked]) -> tuple[RuledOut, ...]:
    """Each thing ruled out once, and never what is blamed by another analyzer."""
    guilty = {what(c.hypothesis.change) for c in causes if c.hypothesis.change}
    guilty |= {c.hypothesis.service for c in causes}
    return tuple({item.what: item for item in items if item.what not in guilty}.values())


def strongest(hypothesis: Hypothesis, count: int) -> tuple[Evidence, ...]:
    """Return the `count` pieces of evidence that weigh most, in their own order."""
    kept = sorted(hypothesis.evidence, key=lambda e: -abs(e.weight))[:count]
    return tuple(e for e in hypothesis.evidence if e in kept)
