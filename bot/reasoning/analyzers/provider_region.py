"""A provider outside that fails for part of us only: from one zone or region, not from the rest."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.needs import Fact
from bot.domain.snapshot import Signal, Snapshot, Source
from bot.reasoning import needs
from bot.reasoning.claims import GOOD, HINT, STRONG, at, level_since, said, seen, watched
from bot.reasoning.picture import Picture, Sign, picture_of
from bot.reasoning.series import median
from bot.reasoning.wording import listed, quantity

NAME = "provider_region"
_PRIOR = -2.5
_VIEWS = (Signal.EDGE_ERROR_RATIO, Signal.EDGE_LATENCY_P99)
_BY_POD = tuple(f"{s}:pod" for s in _VIEWS)
_PLACES = ("topology.kubernetes.io/region", "topology.kubernetes.io/zone")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parted:
    """Levels of calls to a provider by place, some of them bad."""

    caller: str
    levels: Mapping[str, float]
    bad: tuple[str, ...]
    source: Source


def look(snapshot: Snapshot, question: Question) -> Finding:
    """Return a hypothesis per provider outside that is bad from some places, not from all."""
    picture = picture_of(snapshot)
    outside = [s for s in sorted(picture.symptoms) if picture.is_outside(s)]
    if not outside:
        return Finding()
    callers = {s.service for p in outside for s in picture.symptoms[p]}
    wanted = needs.of_services(
        Fact.SERIES, question, callers, names=_BY_POD, reason="from everywhere, or one zone only"
    )
    found = [h for p in outside if (h := _hypothesis(picture, question, p)) is not None]
    return Finding(hypotheses=tuple(found), needs=(wanted,))


def _hypothesis(picture: Picture, question: Question, provider: str) -> Hypothesis | None:
    signs = [s for s in picture.symptoms[provider] if s.signal in _VIEWS]
    parted = [(s, p) for s in signs if (p := _parted(picture, provider, s)) is not None]
    if not parted:
        return None
    worst, where = max(parted, key=lambda pair: pair[0].shift.size)
    callers = sorted({s.service for s in signs})
    return Hypothesis(
        cause="external_provider_failure",
        object=f"external/{provider}",
        service=provider,
        summary=f"{provider}, which we call but don't run, is bad from {listed(where.bad)} only, "
        f"since {at(worst.onset, picture)}.",
        analyzer=NAME,
        prior=_PRIOR,
        evidence=(
            seen(worst, picture, STRONG),
            _compared(worst, where, provider),
            *_neighbours(picture, provider, worst, where),
        ),
        explains=picture.victims(provider),
        onset=min(s.onset for s in signs),
        signal=watched(picture, question, *callers, provider),
    )


def _parted(picture: Picture, provider: str, sign: Sign) -> _Parted | None:
    """Return the caller's levels by place if they differ: bad in some, as usual in others."""
    by_pod = {
        pod: s
        for pod, s in picture.split(sign.signal, sign.service, "pod").items()
        if s.labels.get("peer") == provider
    }
    places: dict[str, list[float]] = {}
    for pod, series in by_pod.items():
        place, level = place_of(picture, pod), level_since(series, sign.onset)
        if place and level is not None:
            places.setdefault(place, []).append(level)
    levels = {p: median(v) for p, v in sorted(places.items())}
    limit = sign.shift.usual + sign.shift.tolerance
    bad = tuple(p for p, v in levels.items() if v > limit)
    if not bad or len(bad) == len(levels):
        return None
    return _Parted(caller=sign.service, levels=levels, bad=bad, source=sign.series.source)


def place_of(picture: Picture, pod: str) -> str:
    """Return the region or zone of the node that a pod runs on, the first in which nodes differ."""
    body = picture.snapshot.find("Pod", pod)
    name = str((body.body.get("spec") or {}).get("nodeName") or "") if body else ""
    nodes = {n.name: n.labels for n in picture.snapshot.kind("Node")}
    for label in _PLACES:
        if len({labels.get(label) for labels in nodes.values()}) > 1:
            return str(nodes.get(name, {}).get(label) or "")
    return ""


def _compared(sign: Sign, where: _Parted, provider: str) -> Evidence:
    words = [
        f"{quantity(v, sign.series.unit, sign.signal)} from {p}" for p, v in where.levels.items()
    ]
    return said(f"calls of {where.caller} to {provider}: {listed(words)}", GOOD, where.source)


def _neighbours(
    picture: Picture, provider: str, sign: Sign, where: _Parted
) -> tuple[Evidence, ...]:
    """A place from which everything is bad has a bad network, not a bad provider."""
    others = [
        s
        for s in picture.signs
        if s.signal == sign.signal and s.service == where.caller and s.peer not in ("", provider)
    ]
    if others:
        text = f"its calls to {others[0].peer} got worse, too: it may be the network there"
        return (said(text, -GOOD, others[0].series.source),)
    if len(picture.graph.callees(where.caller)) < 2:
        return ()
    text = f"the other calls of {where.caller} are as usual"
    return (said(text, HINT, sign.series.source),)
