"""The service graph: who calls whom, how far trouble travels, and where it starts."""

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from bot.domain.snapshot import Signal, Snapshot

_EDGE_SIGNALS = frozenset({
    Signal.EDGE_RATE, Signal.EDGE_ERROR_RATIO, Signal.EDGE_LATENCY_P99, Signal.DB_QUERY_RATE,
    Signal.DB_QUERY_P99,
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceGraph:
    """Directed calls between services; cycles are allowed, self-calls are dropped."""

    calls: Mapping[str, frozenset[str]]
    called_by: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, snapshot: Snapshot) -> "ServiceGraph":
        """Return the graph of a snapshot's edges and of the edge signals' peers."""
        pairs = {(e.caller, e.callee) for e in snapshot.edges}
        for series in snapshot.series:
            if series.signal in _EDGE_SIGNALS and series.labels.get("peer"):
                pairs.add((series.service, series.labels["peer"]))
        return cls.from_pairs(pairs)

    @classmethod
    def from_pairs(cls, pairs: Iterable[tuple[str, str]]) -> "ServiceGraph":
        """Return the graph of (caller, callee) pairs."""
        calls: dict[str, set[str]] = {}
        called_by: dict[str, set[str]] = {}
        for caller, callee in pairs:
            if caller != callee:
                calls.setdefault(caller, set()).add(callee)
                called_by.setdefault(callee, set()).add(caller)
        return cls(
            calls={k: frozenset(v) for k, v in calls.items()},
            called_by={k: frozenset(v) for k, v in called_by.items()},
        )

    @property
    def services(self) -> frozenset[str]:
        """Everything that calls or is called."""
        return frozenset(self.calls) | frozenset(self.called_by)

    def callees(self, service: str) -> frozenset[str]:
        """Whom `service` calls directly."""
        return self.calls.get(service, frozenset())

    def callers(self, service: str) -> frozenset[str]:
        """Who calls `service` directly."""
        return self.called_by.get(service, frozenset())

    def below(self, service: str) -> frozenset[str]:
        """Everything that `service` depends on, at any depth, without itself."""
        return _reach(self.calls, service)

    def above(self, service: str) -> frozenset[str]:
        """Everything that depends on `service`, at any depth, without itself."""
        return _reach(self.called_by, service)

    def victims(self, root: str, anomalous: Collection[str]) -> tuple[str, ...]:
        """Return the anomalous callers that a chain of anomalous services leads to, sorted.

        Trouble travels against the direction of the calls; a healthy service in between stops it.
        """
        ill = {name: self.callers(name) & set(anomalous) for name in {root, *anomalous}}
        return tuple(sorted(_reach({k: frozenset(v) for k, v in ill.items()}, root) - {root}))

    def roots(self, anomalous: Collection[str], start: str | None = None) -> tuple[str, ...]:
        """Return the deepest anomalous services: no callee of theirs is anomalous too.

        With `start`, only those reached from it through anomalous services. Source: the walk to the
        deepest anomalous callee of Hardt et al. 2024 (arXiv 2311.04806), with cycles collapsed.
        """
        ill = frozenset(anomalous)
        scope = ill if start is None else self._ill_below(start, ill)
        return tuple(sorted(s for s in scope if not self._has_deeper(s, ill)))

    def _ill_below(self, start: str, ill: frozenset[str]) -> frozenset[str]:
        sick = {name: self.callees(name) & ill for name in {start, *ill}}
        return frozenset(_reach(sick, start) | ({start} & ill))

    def _has_deeper(self, service: str, ill: frozenset[str]) -> bool:
        return any(service not in self._ill_below(c, ill) for c in self.callees(service) & ill)


def _reach(steps: Mapping[str, frozenset[str]], start: str) -> frozenset[str]:
    seen: set[str] = set()
    todo = deque([start])
    while todo:
        for following in steps.get(todo.popleft(), ()):
            if following not in seen:
                seen.add(following)
                todo.append(following)
    return frozenset(seen - {start})
