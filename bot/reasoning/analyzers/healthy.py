"""Nothing is wrong now: what was asked about is as usual, and what happened before is over."""

from collections.abc import Sequence
from datetime import timedelta

from bot.domain.diagnosis import HEALTHY, Evidence, Finding, Hypothesis, Question
from bot.domain.snapshot import Alert, Series, Signal, Snapshot
from bot.reasoning.claims import GOOD, HINT, STRONG, at, said, seen, source_of
from bot.reasoning.picture import Picture, Sign, moment_of_pod, picture_of
from bot.reasoning.thresholds import RED
from bot.reasoning.wording import duration, listed, noun, quantity

NAME = "healthy"
_PRIOR = -1.0
_FRESH_S = 600.0
_BASELINE_S = 900.0  # a shorter past shows no usual level: what began before it would pass for it
_UNSEEN = timedelta(minutes=5)
_TELLING = 1.5  # tolerances: smaller moves are the noise of every day
_AS_CALLERS_SEE: dict[str, str] = {
    Signal.EDGE_ERROR_RATIO: Signal.ERROR_RATIO,
    Signal.EDGE_LATENCY_P99: Signal.LATENCY_P99,
    Signal.EDGE_RATE: Signal.REQUEST_RATE,
    Signal.DB_QUERY_P99: Signal.LATENCY_P99,
    Signal.DB_QUERY_RATE: Signal.REQUEST_RATE,
}
_WITNESSES = 3  # signals that must have been looked at before silence means health


def look(snapshot: Snapshot, question: Question) -> Finding:
    """Return the hypothesis that all is well, if there was anything to judge that by."""
    picture = picture_of(snapshot)
    witnesses = _witnesses(picture, question)
    if len(witnesses) < _WITNESSES:
        return Finding()
    bad = _bad(picture, question)
    evidence = [
        _usual(picture, question, len(witnesses)),
        *(seen(s, picture, -STRONG) for s in bad[:3]),
        *_over(picture, question),
        *_alerts(picture, question),
        *_pods(picture),
    ]
    scope = question.services[0] if len(question.services) == 1 else question.environment
    return Finding(
        hypotheses=(
            Hypothesis(
                cause=HEALTHY,
                object=f"environment/{question.environment}",
                service=scope if question.services else "",
                summary=_summary(picture, question),
                analyzer=NAME,
                prior=_PRIOR,
                evidence=tuple(evidence),
            ),
        )
    )


def _witnesses(picture: Picture, question: Question) -> list[tuple[str, str]]:
    """The user-facing signals with samples near the end, of what was asked about.

    Empty unless both errors and latency were seen: silence of what was not looked at is no health.
    """
    fresh = {
        (signal, service, dict(labels).get("peer", ""))
        for (signal, service, labels), several in picture.index.items()
        if any(_tells(s, picture.now.timestamp()) for s in several)
    }
    told = {(signal, _place(signal, service, peer)) for signal, service, peer in fresh}
    told |= {  # a store counts no errors: they are its callers' errors
        (Signal.ERROR_RATIO.value, peer)
        for signal, service, peer in fresh
        if signal == Signal.DB_QUERY_P99 and (Signal.ERROR_RATIO, service, "") in fresh
    }
    found = {t for t in told if t[1] and (not question.services or t[1] in question.services)}
    signals = {_AS_CALLERS_SEE.get(signal, signal) for signal, _ in found}
    both = Signal.ERROR_RATIO in signals and Signal.LATENCY_P99 in signals
    return sorted(found) if both else []


def _tells(series: Series, now: float) -> bool:
    """Whether it reaches the present, and back far enough to know what is usual."""
    times = series.times
    return bool(times) and now - times[-1] < _FRESH_S and times[-1] - times[0] >= _BASELINE_S


def _place(signal: str, service: str, peer: str) -> str:
    """Return whom a user-facing signal tells of: the callee, when a caller measured it."""
    if signal in _AS_CALLERS_SEE:
        return peer
    return service if signal in RED or signal == Signal.REQUEST_RATE else ""


def _bad(picture: Picture, question: Question) -> list[Sign]:
    asked = [s for q in question.services for s in picture.symptoms.get(q, ())]
    every = [s for signs in picture.symptoms.values() for s in signs]
    return sorted(asked or every, key=lambda s: -s.shift.size)


def _usual(picture: Picture, question: Question, looked_at: int) -> Evidence:
    who = listed(question.services) if question.services else "all services"
    ill = [s for s in (question.services or sorted(picture.symptoms)) if s in picture.symptoms]
    source = source_of(picture)
    if ill:
        return said(f"{listed(ill)}: not as usual", -GOOD, source)
    return said(
        f"errors, latency and traffic of {who} are as usual ({looked_at} signals)", 4.0, source
    )


def _over(picture: Picture, question: Question) -> list[Evidence]:
    """What happened in the asked window and is over speaks for a false alarm, not against it."""
    return [
        said(f"{_was(sign, picture)} and is back", HINT, sign.series.source)
        for sign in blips(picture, question)[:2]
    ]


def blips(picture: Picture, question: Question) -> list[Sign]:
    """Return what deviated for a while in the asked window and recovered, the worst first."""
    asked = [
        s
        for s in picture.past
        if s.onset >= question.window.start - timedelta(minutes=5)
        and (not question.services or s.service in question.services)
        and s.shift.size >= _TELLING
    ]
    return sorted(asked, key=lambda s: (-s.shift.size, s.service, s.signal))


def _alerts(picture: Picture, question: Question) -> list[Evidence]:
    firing = [
        a for a in picture.snapshot.alerts if a.labels.get("alertstate", "firing") == "firing"
    ]
    if not firing:
        return []
    fresh = [a for a in firing if _is_fresh(a, picture, question)]
    if fresh and not blips(picture, question):
        text = f"alert {_named(fresh)} fires since a moment ago: too soon for the series to show it"
        return [said(text, -STRONG, fresh[0].source)]
    return [said(f"alert {_named(firing)} still fires", -HINT, firing[0].source)]


def _is_fresh(alert: Alert, picture: Picture, question: Question) -> bool:
    """Whether it tells of what was asked about, and of less time than the series resolve."""
    since = alert.started_at
    asked = alert.service in question.services
    return asked and since is not None and picture.now - since <= _UNSEEN


def _named(alerts: Sequence[Alert]) -> str:
    return listed(sorted({a.name for a in alerts}))


def _pods(picture: Picture) -> list[Evidence]:
    missing = picture.sign(Signal.READY_PODS, "")
    short = [s for s in picture.signs if s.signal == Signal.READY_PODS] or (
        [missing] if missing else []
    )
    return [seen(s, picture, -GOOD) for s in short[:2]]


def _was(sign: Sign, picture: Picture) -> str:
    lasted = duration(max(30.0, (sign.shift.until or 0.0) - sign.shift.onset))
    worst = quantity(sign.shift.worst, sign.series.unit, sign.signal)
    usual = quantity(sign.shift.usual, sign.series.unit, sign.signal)
    return (
        f"{noun(sign.signal)} of {sign.service} rose to {worst} (usually {usual}) for {lasted} "
        f"at {at(sign.onset, picture)}"
    )


def _summary(picture: Picture, question: Question) -> str:
    past = blips(picture, question)
    if not past:
        who = listed(question.services) if question.services else question.environment
        return f"Nothing is wrong now: {who} behaves as usual."
    first = past[0]
    while_ = _while_restarting(picture, first)
    return f"Nothing is wrong now. {_was(first, picture)}{while_}, and is back. I'll stay quiet."


def _while_restarting(picture: Picture, sign: Sign) -> str:
    """Name a pod that started around the blip."""
    for pod in picture.snapshot.kind("Pod"):
        started = moment_of_pod(pod)
        if started is not None and abs(started - sign.onset) <= timedelta(minutes=3):
            return f" while pod {pod.name} started"
    return ""
