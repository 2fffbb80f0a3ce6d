"""Which services' own excess makes up the trouble of the one that was complained of.

The walk to the deepest anomalous callee (Hardt et al. 2024, arXiv 2311.04806), with shares: what a
callee adds to its caller's time or errors is its excess times the calls per request. A service's
own excess is what its callees don't explain; carried up the graph, it must make up the complaint.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.domain.snapshot import Series
from bot.reasoning.excess import (
    ERRORS,
    LATENCY,
    TRAFFIC,
    Excess,
    Span,
    by_service,
    excess,
    rate,
    trouble,
)  # fmt: skip
from bot.reasoning.graph import ServiceGraph

GENEROUS = 2.5  # calls per request are known to about this factor: callees explain so much more
OTHER = 0.3  # trouble of another kind than the complaint (slow callees of failing callers)
HALF = 3.0  # widths of own excess at which half of the weight is given
LEAST_SHARE = 0.03
CLEAR = 12.0  # sum of deviations of a callee whose trouble makes a faint complaint credible
CLEAR_SCORE = 6.0  # widths of own excess, same
FAINT = 0.8  # widths that a complaint is above its level, at the least
MUCH = 0.3  # of a faint complaint that must be explained
TOO_MUCH = 3.0  # times the complaint: what is carried up this far isn't waited for


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A service whose own excess may be where the complaint comes from.

    `share`: of the complaint that its own excess makes up, `own`: of its excess that no callee
    explains, `weight`: how likely it is among the others, not a probability.
    """

    excess: Excess
    family: str
    share: float
    own: float
    weight: float

    @property
    def service(self) -> str:
        """Where."""
        return self.excess.service


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """A complaint traced down the graph: the likeliest origins first."""

    complaint: Excess
    family: str
    span: Span
    origins: tuple[Origin, ...]
    traffic: Excess | None  # the complaining service's own traffic, if it is known


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    graph: ServiceGraph
    rates: Mapping[str, float]
    excesses: Mapping[str, Excess]

    def calls(self, callee: str) -> float:
        """Calls per request of any caller; 1 where a rate is unknown."""
        asked = self.rates.get(callee, 0.0)
        asking = sum(self.rates.get(c, 0.0) for c in self.graph.callers(callee))
        return asked / asking if asked > 0 and asking > 0 else 1.0

    def felt(self, callee: str, seen: frozenset[str] = frozenset()) -> float:
        """What one call of a callee adds; a callee that isn't measured passes its callees' on."""
        found = self.excesses.get(callee)
        if found is not None:
            return found.size if found.odd else 0.0
        below = self.graph.callees(callee) - seen - {callee}
        return max(
            (self.calls(c) * self.felt(c, seen | {callee}) for c in sorted(below)),
            default=0.0,
        )

    def own(self, service: str) -> float:
        """The part of a service's excess that its callees don't explain, in [0, 1]."""
        size = self.excesses[service].size
        if size <= 0:
            return 0.0
        below = self.graph.callees(service)
        added = sum(self.calls(c) * self.felt(c, frozenset({service})) for c in below)
        return max(0.0, 1.0 - GENEROUS * added / size)

    def reached(self, target: str) -> dict[str, float]:
        """Calls of each service per request of the target, farther from it layer by layer."""
        found, layer = {target: 1.0}, [target]
        while layer:
            following: dict[str, float] = {}
            for caller in layer:
                for callee in sorted(self.graph.callees(caller) - set(found)):
                    more = found[caller] * self.calls(callee)
                    following[callee] = following.get(callee, 0.0) + more
            found |= following
            layer = sorted(following)
        return found


def trace(
    every: Sequence[Series], graph: ServiceGraph, target: str, families: Iterable[str], since: float
) -> Traced | None:
    """Return where the trouble of `target` since about `since` comes from, None if it has none."""
    for family in families:
        series = by_service(every, family)
        if target not in series:
            continue
        span = trouble(series[target], since)
        complaint = excess(target, series[target], span, since) if span else None
        if span is not None and complaint is not None and complaint.size > 0:
            return _traced(every, graph, complaint, family, span, since)
        if (found := _faint(every, graph, target, family, since)) is not None:
            return found
    return None


def _faint(
    every: Sequence[Series], graph: ServiceGraph, target: str, family: str, since: float
) -> Traced | None:
    """A complaint within its usual noise, where a service below it is clearly in trouble.

    The window is the callee's then; what it adds must make up much of the complaint.
    """
    series = by_service(every, family)
    for name in sorted(graph.below(target) & set(series)):
        span = trouble(series[name], since, CLEAR)
        complaint = excess(target, series[target], span, since) if span else None
        if span is None or complaint is None or complaint.score < FAINT or complaint.size <= 0:
            continue
        found = _traced(every, graph, complaint, family, span, since)
        first = found.origins[0] if found.origins else None
        if first and first.share >= MUCH and first.excess.score * first.own >= CLEAR_SCORE:
            return found
    return None


def _traced(
    every: Sequence[Series],
    graph: ServiceGraph,
    complaint: Excess,
    family: str,
    span: Span,
    since: float,
) -> Traced:
    rates = by_service(every, TRAFFIC)
    target = complaint.service
    usual = {name: rate(one, span) for name, one in rates.items()}
    found: dict[str, Origin] = {}
    for kind in (LATENCY, ERRORS):
        series = by_service(every, kind)
        within = {target, *graph.below(target)}
        excesses = {
            name: e
            for name, one in series.items()
            if name in within and (e := excess(name, one, span, since)) is not None
        }
        scene = _Scene(graph=graph, rates=usual, excesses=excesses)
        for origin in _origins(scene, complaint, kind, same=kind == family):
            if origin.service not in found or found[origin.service].weight < origin.weight:
                found[origin.service] = origin
    ordered = sorted(found.values(), key=lambda o: (-o.weight, o.excess.onset or 0.0, o.service))
    traffic = excess(target, rates[target], span, since) if target in rates else None
    return Traced(
        complaint=complaint, family=family, span=span, origins=tuple(ordered), traffic=traffic
    )


def _origins(scene: _Scene, complaint: Excess, kind: str, *, same: bool) -> Iterable[Origin]:
    for service, calls in sorted(scene.reached(complaint.service).items()):
        found = scene.excesses.get(service)
        if found is None or found.size <= 0 or found.score <= 0:
            continue
        own = scene.own(service)
        share = calls * own * found.size / complaint.size if same else LEAST_SHARE
        fit = share if share <= TOO_MUCH else TOO_MUCH / share
        clear = found.score * own
        weight = (LEAST_SHARE + min(1.0, fit)) * clear**2 / (clear**2 + HALF**2)
        yield Origin(
            excess=found,
            family=kind,
            share=min(1.0, share),
            own=own,
            weight=weight * (1.0 if same else OTHER),
        )
