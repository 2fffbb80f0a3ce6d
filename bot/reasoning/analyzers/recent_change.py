"""A release, setting or flag that came right before the trouble, where the trouble starts."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question, RuledOut
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import Change, ChangeKind, Signal, Snapshot
from bot.reasoning import complaints, needs
from bot.reasoning.calls import amplifications
from bot.reasoning.claims import GOOD, HINT, STRONG, at, said, seen, watched, what
from bot.reasoning.picture import Picture, picture_of
from bot.reasoning.suspicion import EARLY, Timing, judged_by_time, onset_at, timing, versions
from bot.reasoning.wording import duration

NAME = "recent_change"
_PRIOR = -3.5
_NEAR = timedelta(minutes=45)  # a change this close to the onset is worth a word when innocent
_CAUSES = {
    ChangeKind.DEPLOY: ("bad_release", "rollback"),
    ChangeKind.COMMIT: ("bad_release", "rollback"),
    ChangeKind.CONFIG: ("bad_config_change", "revert config"),
    ChangeKind.FLAG: ("bad_feature_flag", "turn the flag back"),
    ChangeKind.SCALE: ("bad_scaling", "scale back"),
    ChangeKind.INFRASTRUCTURE: ("bad_infrastructure_change", "revert"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One change against the trouble: where it landed and when."""

    picture: Picture
    change: Change
    onset: datetime
    timing: Timing

    @property
    def service(self) -> str:
        return self.change.service


def look(snapshot: Snapshot, question: Question) -> Finding:
    """Return a hypothesis per change that fits in place and time, and why the others don't."""
    picture = picture_of(snapshot)
    onset = picture.onset
    if onset is None:
        return Finding()
    found, innocent, compared = [], [], set()
    for change in _once_per_release(judged_by_time(snapshot.changes)):
        where = onset_at(picture, change.service) or onset
        case = _Case(
            picture=picture, change=change, onset=where, timing=timing(change, where, picture)
        )
        reason = _innocent(case)
        if reason is None:
            found.append(_hypothesis(case, question))
            compared.add(change.service)
        elif abs(onset - change.at) <= _NEAR:
            innocent.append(RuledOut(what=what(change), why=reason, source=change.source))
    return Finding(
        hypotheses=tuple(found), ruled_out=tuple(innocent), needs=_needs(question, compared)
    )


def _needs(question: Question, services: set[str]) -> tuple[Need, ...]:
    if not services:
        return ()
    red = (Signal.ERROR_RATIO, Signal.LATENCY_P99)
    by_version = tuple(f"{s}:{by}" for s in red for by in ("version", "pod"))
    return (
        needs.of_services(
            Fact.SERIES,
            question,
            services,
            names=by_version,
            reason="old and new pods and versions",
        ),
        needs.of_services(Fact.LOGS, question, services, reason="what it says since the change"),
    )


def _once_per_release(changes: tuple[Change, ...]) -> tuple[Change, ...]:
    """Drop commits that a later deploy of the same service carries: the deploy stands for them."""
    deploys = [c for c in changes if c.kind is ChangeKind.DEPLOY]
    return tuple(
        c
        for c in changes
        if c.kind is not ChangeKind.COMMIT
        or not any(d.service == c.service and d.at >= c.at for d in deploys)
    )


def _innocent(case: _Case) -> str | None:
    """Say why a change is not the cause, None if it may be."""
    picture, service, change = case.picture, case.service, case.change
    if change.at > case.onset + EARLY:
        later = duration((change.at - case.onset).total_seconds())
        return f"came {later} after the trouble began"
    if case.onset - change.at > _memory_of(change):
        return "came too long before the trouble began"
    if service not in picture.symptoms and not _reaches(picture, service):
        return f"{service} is as fast and reliable as usual, and none of its calls changed"
    if service not in picture.roots and not amplifications(picture, service):
        deeper = [r for r in picture.roots if r in picture.graph.below(service)]
        if deeper and not _earlier_than(case, deeper):
            return f"{service} only suffers from {deeper[0]}, which it calls"
    against = [e for e in versions(change, picture, case.onset) if not e.supports]
    return against[0].statement if against else None


def _memory_of(change: Change) -> timedelta:
    """How long a change can take to show: a setting may wait for the next load."""
    slow = change.kind in (ChangeKind.CONFIG, ChangeKind.INFRASTRUCTURE)
    return timedelta(hours=6) if slow else timedelta(hours=2)


def _reaches(picture: Picture, service: str) -> bool:
    """Whether the service asks others more than it did, though its users don't feel it."""
    return bool(amplifications(picture, service))


def _earlier_than(case: _Case, deeper: list[str]) -> bool:
    onsets = [o for r in deeper if (o := case.picture.onset_of(r)) is not None]
    return all(case.onset + EARLY < o for o in onsets)


def _hypothesis(case: _Case, question: Question) -> Hypothesis:
    change, picture, service = case.change, case.picture, case.service
    cause, hint = _CAUSES[change.kind]
    victims = picture.victims(service)
    return Hypothesis(
        cause=cause,
        object=change.object or picture.object_of(service),
        service=service,
        summary=f"{_subject(change)} broke {service} at {at(case.onset, picture)}.",
        analyzer=NAME,
        prior=_PRIOR,
        evidence=(
            case.timing.evidence,
            *_place(case),
            *versions(change, picture, case.onset),
            *complaints.since(picture, service, change.at, HINT),
        ),
        explains=victims,
        onset=case.onset,
        change=change,
        signal=watched(picture, question, service),
        hint=hint,
    )


def _subject(change: Change) -> str:
    return (
        f"The {what(change)}" if change.kind is not ChangeKind.FLAG else what(change).capitalize()
    )


def _place(case: _Case) -> list[Evidence]:
    picture, service = case.picture, case.service
    own = picture.symptoms.get(service)
    evidence = [seen(max(own, key=lambda s: s.shift.size), picture, HINT)] if own else []
    source = case.change.source
    if service in picture.roots:
        below = picture.graph.callees(service)
        text = f"the trouble starts at {service}: " + (
            f"none of the {len(below)} it calls is worse than usual" if below else "it calls nobody"
        )
        evidence.append(said(text, GOOD, source))
    elif own:
        evidence.append(said(f"something that {service} calls is in trouble too", -GOOD, source))
    else:
        evidence.append(said(f"{service} itself is as usual", -STRONG, source))
    return evidence
