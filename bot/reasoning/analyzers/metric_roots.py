"""Where a complaint comes from when metrics and the call graph are all there is."""

import math
from dataclasses import replace

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question, SignalRef, Symptom
from bot.domain.snapshot import Snapshot
from bot.reasoning.claims import GOOD, HINT, STRONG, at, moment_of, said
from bot.reasoning.excess import ERRORS, LATENCY, Excess
from bot.reasoning.origins import Origin, Traced, trace
from bot.reasoning.picture import Picture, picture_of
from bot.reasoning.wording import noun, quantity

NAME = "metric_roots"
_PRIOR = -2.5
_SHOWN = 5
_CLEAR = 5.0  # widths of the baseline
_ALONE = 0.7  # of an excess that no callee explains
_CLOSE = 0.7  # of the likeliest origin's weight: about as likely


def look(snapshot: Snapshot, question: Question) -> Finding:
    """Return the services whose own excess makes up what the asked service suffers.

    Silent where objects, logs, spans or changes are known: these name the cause itself. Silent
    without a call graph too: that a service suffers says nothing of where it comes from.
    """
    if snapshot.objects or snapshot.logs or snapshot.changes or snapshot.spans:
        return Finding()
    picture = picture_of(snapshot)
    if not picture.graph.services:
        return Finding()
    traced = [
        found
        for service in question.services
        if (found := _trace(picture, question, service)) is not None
    ]
    hypotheses = [h for one in traced for h in _hypotheses(picture, one)]
    return Finding(hypotheses=tuple(hypotheses))


def _trace(picture: Picture, question: Question, service: str) -> Traced | None:
    families = {Symptom.SLOW: (LATENCY,), Symptom.ERRORS: (ERRORS,)}.get(
        question.symptom, (ERRORS, LATENCY)
    )
    since = question.window.start.timestamp()
    return trace(picture.snapshot.series, picture.graph, service, families, since)


def _hypotheses(picture: Picture, traced: Traced) -> list[Hypothesis]:
    shown = [o for o in traced.origins[:_SHOWN] if o.weight > 0]
    if not shown:
        return []
    best = _hypothesis(picture, traced, shown[0])
    close = [o.service for o in shown[1:] if o.weight >= _CLOSE * shown[0].weight]
    rivals = [_behind(_hypothesis(picture, traced, o), o, best, shown[0]) for o in shown[1:]]
    if close:
        text = f"{', '.join(close)} could explain about as much"
        doubt = said(text, -HINT, shown[0].excess.series.source)
        best = replace(best, evidence=(*best.evidence, doubt))
    return [best, *rivals]


def _behind(rival: Hypothesis, origin: Origin, best: Hypothesis, first: Origin) -> Hypothesis:
    """Weigh a rival by what it explains: at least so much below the best one."""
    least = 2.0 + 2.0 * math.log(first.weight / origin.weight)
    weight = -max(least + rival.log_odds - best.log_odds, GOOD)
    against = said(f"{best.service} explains it better", weight, first.excess.series.source)
    return replace(rival, evidence=(*rival.evidence, against))


def _hypothesis(picture: Picture, traced: Traced, origin: Origin) -> Hypothesis:
    service, target = origin.service, traced.complaint.service
    onset = moment_of(origin.excess.onset or traced.span.start)
    ill = {o.service for o in traced.origins if o.excess.odd} | {target}
    victims = picture.graph.victims(service, ill) or tuple({target} - {service})
    return Hypothesis(
        cause="dependency_failure",
        object=picture.object_of(service),
        service=service,
        summary=f"The trouble of {target} starts at {service}: {_told(origin.excess)}, "
        f"since {at(onset, picture)}.",
        analyzer=NAME,
        prior=_PRIOR,
        evidence=(
            _stands_out(origin),
            _makes_up(origin, traced),
            _alone(origin),
            *_traffic(traced),
        ),
        explains=tuple(sorted({*victims, target} - {service})),
        onset=onset,
        signal=_watched(traced.complaint),
    )


def _told(found: Excess) -> str:
    unit, signal = found.series.unit, found.series.signal
    now, usual = (quantity(v, unit, signal) for v in (found.now, found.level))
    return f"{noun(signal)} of {found.service} {now}, usually {usual}"


def _stands_out(origin: Origin) -> Evidence:
    weight = STRONG if origin.excess.score >= _CLEAR else GOOD if origin.excess.odd else -HINT
    text = f"{_told(origin.excess)}: {origin.excess.score:.1f} times its usual swing above that"
    return said(text, weight, origin.excess.series.source)


def _makes_up(origin: Origin, traced: Traced) -> Evidence:
    target, source = traced.complaint.service, origin.excess.series.source
    if origin.service == target:
        return said(f"{target} is what was asked about", HINT, source)
    if origin.family != traced.family:
        text = f"{target} has trouble of another kind: {_told(traced.complaint)}"
        return said(text, -GOOD, source)
    weight = GOOD if origin.share >= 0.3 else HINT if origin.share >= 0.1 else -HINT
    text = f"it makes up about {100 * origin.share:.0f} % of what {target} suffers"
    return said(text, weight, source)


def _alone(origin: Origin) -> Evidence:
    source = origin.excess.series.source
    if origin.own >= _ALONE:
        return said("nothing that it calls is worse than usual enough to be why", GOOD, source)
    text = f"what it calls explains {100 * (1 - origin.own):.0f} % of its trouble"
    return said(text, -GOOD if origin.own < 0.5 else -HINT, source)


def _traffic(traced: Traced) -> list[Evidence]:
    """Traffic is innocent unless it rose first, and then it may be what made everything slow."""
    rose = traced.traffic
    if rose is None or not rose.odd or rose.onset is None or rose.now < 1.3 * rose.level:
        return []
    if rose.onset >= traced.span.start:
        return []
    return [said(f"{_told(rose)}, and rose before the trouble", -GOOD, rose.series.source)]


def _watched(complaint: Excess) -> SignalRef:
    return SignalRef(
        signal=complaint.series.signal,
        service=complaint.series.service,
        unit=complaint.series.unit,
        good=complaint.level,
        bad=complaint.now,
        labels=dict(complaint.series.labels),
    )
