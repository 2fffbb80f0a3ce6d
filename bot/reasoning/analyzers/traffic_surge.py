"""More requests than a service can take: load first, then saturation, then latency."""

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import ChangeKind, Signal, Snapshot
from bot.reasoning import needs
from bot.reasoning.calls import amplifications
from bot.reasoning.claims import GOOD, HINT, STRONG, at, said, seen, watched
from bot.reasoning.picture import Picture, Sign, picture_of
from bot.reasoning.suspicion import EARLY, culprits
from bot.reasoning.thresholds import FULL
from bot.reasoning.wording import listed, quantity

NAME = "traffic_surge"
_PRIOR = -3.0
_SATURATED = (
    Signal.CPU_OF_LIMIT, Signal.CPU_THROTTLED, Signal.POOL_OF_LIMIT, Signal.CONNECTIONS_OF_LIMIT,
    Signal.POOL_WAITERS, Signal.QUEUE_DEPTH,
)  # fmt: skip
_CODE = (ChangeKind.DEPLOY, ChangeKind.COMMIT, ChangeKind.CONFIG, ChangeKind.FLAG)


def look(snapshot: Snapshot, question: Question) -> Finding:
    """Return a hypothesis per service whose traffic rose and that has symptoms or runs full."""
    picture = picture_of(snapshot)
    surged = {s.service: s for s in picture.signs if s.signal == Signal.REQUEST_RATE}
    found = [
        _hypothesis(picture, question, sign, surged)
        for service, sign in sorted(surged.items())
        if service in picture.symptoms or _full(picture, service)
    ]
    wanted: tuple[Need, ...] = ()
    if found:
        names = (f"{Signal.CPU_OF_LIMIT}:pod", f"{Signal.REQUEST_RATE}:pod")
        hit = [h.service for h in found]
        wanted = (
            needs.of_services(Fact.SERIES, question, hit, names=names, reason="load of each pod"),
        )
    return Finding(hypotheses=tuple(found), needs=wanted)


def _hypothesis(
    picture: Picture, question: Question, sign: Sign, surged: dict[str, Sign]
) -> Hypothesis:
    service = sign.service
    evidence = (
        seen(sign, picture, GOOD),
        *_runs_full(picture, service),
        *_order(picture, sign),
        *_origin(picture, sign, surged),
        *_place(picture, sign),
        *_changed(picture, sign),
    )
    growth = f"{quantity(sign.shift.usual, '1/s')} → {quantity(sign.shift.now, '1/s')}"
    return Hypothesis(
        cause="traffic_surge",
        object=picture.object_of(service),
        service=service,
        summary=f"{service} gets more requests than it can serve since "
        f"{at(sign.onset, picture)}: {growth}.",
        analyzer=NAME,
        prior=_PRIOR,
        evidence=evidence,
        explains=picture.victims(service),
        onset=sign.onset,
        signal=watched(picture, question, service),
        hint="scale up",
    )


def _full(picture: Picture, service: str) -> list[Sign]:
    return [
        s for s in picture.signs if s.service == service and s.signal in _SATURATED and _is_full(s)
    ]


def _is_full(sign: Sign) -> bool:
    counted = sign.signal in (Signal.POOL_WAITERS, Signal.QUEUE_DEPTH, Signal.CPU_THROTTLED)
    return counted or sign.shift.now >= FULL - 0.05


def _runs_full(picture: Picture, service: str) -> list[Evidence]:
    full = _full(picture, service)
    if full:
        worst = max(full, key=lambda s: (s.signal == Signal.CPU_OF_LIMIT, s.shift.size))
        return [seen(worst, picture, STRONG)]
    series = picture.recent(Signal.CPU_OF_LIMIT, service)
    if series is None:
        text = f"whether {service} runs full isn't measured"
        return [said(text, -HINT, next(iter(picture.signs)).series.source)]
    text = f"{service} runs below its limits: CPU, pools and queues have room"
    return [said(text, -STRONG, series.source)]


def _order(picture: Picture, sign: Sign) -> list[Evidence]:
    onset = picture.onset_of(sign.service)
    if onset is None:
        return []
    when, source = at(onset, picture), sign.series.source
    if sign.onset <= onset + EARLY:
        return [said(f"the load rose first, symptoms followed at {when}", GOOD, source)]
    return [said(f"the load rose only after the symptoms of {when}", -STRONG, source)]


def _origin(picture: Picture, sign: Sign, surged: dict[str, Sign]) -> list[Evidence]:
    """Traffic comes from outside if no caller asks more often per request than before."""
    service, source = sign.service, sign.series.source
    louder = [
        a
        for c in sorted(picture.graph.callers(service))
        for a in amplifications(picture, c)
        if a.peer == service
    ]
    if louder:
        more = f"{quantity(louder[0].before)} → {quantity(louder[0].after)}"
        text = f"{louder[0].caller} asks {service} more often per request ({more}): not more users"
        return [said(text, -STRONG, louder[0].source)]
    callers = picture.graph.callers(service)
    grown = sorted(callers & set(surged))
    if grown:
        return [said(f"{', '.join(grown)} got as much more: it comes from the users", HINT, source)]
    if not callers:
        return []
    unmeasured = sorted(c for c in callers if not picture.recent(Signal.REQUEST_RATE, c))
    if unmeasured:
        return [said(f"whether {listed(unmeasured)} got more isn't measured", -GOOD, source)]
    return [said("none of its callers got more requests: not more users", -STRONG, source)]


def _place(picture: Picture, sign: Sign) -> list[Evidence]:
    service, source = sign.service, next(iter(picture.signs)).series.source
    if service in picture.roots:
        return [said(f"nothing that {service} calls is worse than usual", GOOD, source)]
    if service in picture.symptoms:
        ill = sorted(picture.graph.callees(service) & set(picture.symptoms))
        began = [o for callee in ill if (o := picture.onset_of(callee)) is not None]
        if began and min(began) > sign.onset + EARLY:
            when = at(min(began), picture)
            text = f"{listed(ill)}, which it calls, got worse only after its load rose, at {when}"
            return [said(text, HINT, source)]
        return [said(f"something that {service} calls has symptoms too", -GOOD, source)]
    return [said(f"{service} keeps up: no symptoms of its own", -GOOD, source)]


def _changed(picture: Picture, sign: Sign) -> list[Evidence]:
    suspects = culprits(picture, sign.service, sign.onset, _CODE)
    close = [t.evidence for _, t in suspects if t.evidence.weight >= STRONG]
    if close:
        return [said(f"{close[0].statement}: it may be the reason", -GOOD, close[0].source)]
    return [said(f"nothing changed in {sign.service} shortly before", HINT, sign.series.source)]
