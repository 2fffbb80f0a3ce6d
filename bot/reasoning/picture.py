"""What a snapshot looks like to an SRE: which signals left their usual level, where, since when.

Built once per snapshot and shared by the analyzers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from bot.domain.snapshot import KubernetesObject, Series, Signal, Snapshot
from bot.reasoning import series as statistics
from bot.reasoning.graph import ServiceGraph
from bot.reasoning.thresholds import RATE_OF, RED, Tolerance, for_sample, tolerance_of

BREAKDOWNS = frozenset({"pod", "version", "route", "operation"})
_CALLER_SIDE = {
    Signal.EDGE_ERROR_RATIO, Signal.EDGE_LATENCY_P99, Signal.DB_QUERY_P99,
}  # fmt: skip
_RATE_WINDOW_S = 120.0  # what a rate is usually taken over
_KINDS = ("Deployment", "StatefulSet", "DaemonSet")
Labels = frozenset[tuple[str, str]]
Key = tuple[str, str, Labels]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A signal that left its usual level, for the worse unless it is traffic."""

    series: Series
    shift: statistics.Shift

    @property
    def signal(self) -> str:
        """What it measures."""
        return self.series.signal

    @property
    def service(self) -> str:
        """Where."""
        return self.series.service

    @property
    def peer(self) -> str:
        """The callee, for a signal of calls; else empty."""
        return self.series.labels.get("peer", "")

    @property
    def ongoing(self) -> bool:
        """Whether it lasts."""
        return self.shift.until is None

    @property
    def onset(self) -> datetime:
        """When it began."""
        return datetime.fromtimestamp(self.shift.onset, UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The signs of a snapshot, on its service graph.

    `symptoms`: per service, what its users suffer now, by its own measure or its callers'.
    `past`: what was so in the window and is over. `roots`: the deepest services with symptoms.
    """

    snapshot: Snapshot
    graph: ServiceGraph
    index: Mapping[Key, tuple[Series, ...]]
    signs: tuple[Sign, ...]
    past: tuple[Sign, ...]
    symptoms: Mapping[str, tuple[Sign, ...]]
    roots: tuple[str, ...]
    workloads: Mapping[str, str]  # name → kind, lower case

    @property
    def onset(self) -> datetime | None:
        """When the first symptom began."""
        return min((s.onset for signs in self.symptoms.values() for s in signs), default=None)

    @property
    def now(self) -> datetime:
        """The end of what was looked at."""
        return self.snapshot.window.end

    def onset_of(self, service: str) -> datetime | None:
        """When a service's symptoms began."""
        return min((s.onset for s in self.symptoms.get(service, ())), default=None)

    def sign(self, signal: str, service: str, peer: str = "") -> Sign | None:
        """Return the lasting sign of one signal of one service (and callee), the largest."""
        fitting = [
            s
            for s in self.signs
            if (s.signal, s.service) == (signal, service) and peer in ("", s.peer)
        ]
        return max(fitting, key=lambda s: s.shift.size, default=None)

    def recent(self, signal: str, service: str, **labels: str) -> Series | None:
        """Return the finest series of a signal with exactly these breakdown labels."""
        return self._pick(signal, service, labels, _step)

    def long(self, signal: str, service: str, **labels: str) -> Series | None:
        """Return the longest series of a signal with exactly these breakdown labels."""
        return self._pick(signal, service, labels, lambda s: -_span(s))

    def split(self, signal: str, service: str, by: str) -> dict[str, Series]:
        """Return the finest series per value of one breakdown label ("pod", "version", …)."""
        found: dict[str, Series] = {}
        for (name, where, labels), several in self.index.items():
            value = dict(labels).get(by)
            if (name, where) == (signal, service) and value:
                best = min(several, key=_step)
                if value not in found or len(best.labels) < len(found[value].labels):
                    found[value] = best
        return dict(sorted(found.items()))

    def victims(self, root: str) -> tuple[str, ...]:
        """Return the services whose symptoms can come from `root`."""
        return self.graph.victims(root, self.symptoms)

    def object_of(self, service: str) -> str:
        """Return "kind/name" of a service's workload; what has none is outside."""
        kind = self.workloads.get(service)
        if kind is None:
            kind = "external" if self.workloads else "deployment"
        return f"{kind}/{service}"

    def is_outside(self, service: str) -> bool:
        """Whether it is called but runs nowhere here."""
        seen = any(k[1] == service and k[0] in RED for k in self.index)
        return bool(self.workloads) and service not in self.workloads and not seen

    def _pick(
        self, signal: str, service: str, labels: Mapping[str, str], by: object
    ) -> Series | None:
        wanted = set(labels.items())
        found = [
            s
            for (name, where, have), several in self.index.items()
            if (name, where) == (signal, service)
            and wanted <= have
            and not ({k for k, _ in have} & BREAKDOWNS) - set(labels)
            for s in several
        ]
        return min(found, key=by, default=None) if found and callable(by) else None


def picture_of(snapshot: Snapshot) -> Picture:
    """Return the picture of a snapshot; the last few are kept, by identity."""
    return _kept(_Same(snapshot))


class _Same:
    """A snapshot as a cache key: by identity, since its facts hold unhashable JSON."""

    __slots__ = ("snapshot",)

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot

    def __hash__(self) -> int:
        return id(self.snapshot)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.snapshot is self.snapshot


@lru_cache(maxsize=4)
def _kept(key: _Same) -> Picture:
    return _build(key.snapshot)


def _build(snapshot: Snapshot) -> Picture:
    index = _indexed(snapshot.series)
    graph = ServiceGraph.of(snapshot)
    signs = [
        s for several in index.values() if (s := _sign(min(several, key=_step), index)) is not None
    ]
    lasting = tuple(s for s in signs if s.ongoing)
    symptoms = _symptoms(lasting, index, graph)
    return Picture(
        snapshot=snapshot,
        graph=graph,
        index=index,
        signs=lasting,
        past=tuple(s for s in signs if not s.ongoing and s.signal in RED),
        symptoms=symptoms,
        roots=graph.roots(symptoms),
        workloads={o.name: o.kind.lower() for kind in _KINDS for o in snapshot.kind(kind)},
    )


def _indexed(every: Sequence[Series]) -> dict[Key, tuple[Series, ...]]:
    index: dict[Key, tuple[Series, ...]] = {}
    for one in every:
        key = (str(one.signal), one.service, frozenset(one.labels.items()))
        index[key] = (*index.get(key, ()), one)
    return index


def _sign(series: Series, index: Mapping[Key, tuple[Series, ...]]) -> Sign | None:
    wanted = tolerance_of(series.signal)
    if wanted is None or BREAKDOWNS & set(series.labels):
        return None
    shift = shift_of(series, _for_sample(series, wanted, index))
    return Sign(series=series, shift=shift) if shift is not None else None


def _for_sample(
    series: Series, wanted: Tolerance, index: Mapping[Key, tuple[Series, ...]]
) -> Tolerance:
    """Widen a tolerance where few requests are behind each sample."""
    counted = RATE_OF.get(series.signal)
    if counted is None:
        return wanted
    rates = index.get((counted, series.service, frozenset(series.labels.items())), ())
    rate = statistics.median(rates[0].values[-5:]) if rates else 0.0
    return for_sample(wanted, rate, _RATE_WINDOW_S, series.signal) if rates else wanted


def shift_of(series: Series, wanted: Tolerance) -> statistics.Shift | None:
    """Return how a series left its usual level, by the signal's tolerance."""
    shift = statistics.shift(
        series.times,
        series.values,
        floor=wanted.floor,
        ratio=wanted.ratio,
        sigmas=wanted.sigmas,
        direction=wanted.direction,
    )
    return shift if shift is not None and shift.lasted_s >= wanted.lasts_s else None


def _symptoms(
    signs: Sequence[Sign], index: Mapping[Key, object], graph: ServiceGraph
) -> dict[str, tuple[Sign, ...]]:
    measured = {service for signal, service, _ in index if signal in RED}
    found: dict[str, list[Sign]] = {}
    for sign in signs:
        if sign.signal in RED:
            found.setdefault(sign.service, []).append(sign)
    for peer, views in _caller_views(signs).items():
        if peer not in measured and _agree(peer, views, index):
            found.setdefault(peer, []).extend(views)
    del graph
    return {name: tuple(found[name]) for name in sorted(found)}


def _caller_views(signs: Sequence[Sign]) -> dict[str, list[Sign]]:
    views: dict[str, list[Sign]] = {}
    for sign in signs:
        if sign.signal in _CALLER_SIDE and sign.peer:
            views.setdefault(sign.peer, []).append(sign)
    return views


def _agree(peer: str, views: Sequence[Sign], index: Mapping[Key, object]) -> bool:
    """Whether at least half of the callers see it: one alone may be asking badly."""
    callers = {
        service
        for signal, service, labels in index
        if signal in _CALLER_SIDE and ("peer", peer) in labels
    }
    return 2 * len({v.service for v in views}) >= len(callers)


def _step(series: Series) -> float:
    return _span(series) / max(1, len(series.times) - 1)


def _span(series: Series) -> float:
    return series.times[-1] - series.times[0] if series.times else 0.0


def moment_of_pod(pod: KubernetesObject) -> datetime | None:
    """Return when a pod's newest container started, None if it says nothing of it."""
    statuses = (pod.body.get("status") or {}).get("containerStatuses") or []
    texts = [((s.get("state") or {}).get("running") or {}).get("startedAt") for s in statuses]
    found = []
    for text in filter(None, texts):
        try:
            found.append(datetime.fromisoformat(str(text).replace("Z", "+00:00")))
        except ValueError:
            continue
    return max((m for m in found if m.tzinfo), default=None)
