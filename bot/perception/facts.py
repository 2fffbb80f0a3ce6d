"""Which facts were seen already, so that two needs or two tools never count one fact twice."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, TypeVar

from bot.domain.snapshot import Change, ChangeKind, Snapshot

T = TypeVar("T")

SAME_DEPLOY = timedelta(seconds=180)

_IDENTITIES: Mapping[str, Callable[[Any], Hashable]] = {
    "objects": lambda o: (o.kind, o.namespace, o.name),
    "series": lambda s: (s.signal, s.service, frozenset(s.labels.items()), s.source.window),
    "logs": lambda t: (t.service, t.container, t.previous, t.template, t.source.window),
    "spans": lambda s: (s.trace_id, s.span_id),
    "edges": lambda e: (e.caller, e.callee),
    "probes": lambda p: (p.target, p.port),
    "components": lambda c: (c.node, c.component),
    "alerts": lambda a: (a.name, frozenset(a.labels.items())),
    "objectives": lambda o: (o.service, o.signal),
    "past": lambda p: p.id,
    "blind_spots": lambda b: (b.system, b.reason, b.wanted),
}


@dataclass(slots=True)
class Seen:
    """The facts of one investigation so far, by identity."""

    keys: set[Hashable] = field(default_factory=set)
    changes: list[Change] = field(default_factory=list)

    def only_new(self, part: Snapshot) -> Snapshot:
        """Return the snapshot without the facts that were seen before, and remember the others."""
        kept: dict[str, Any] = {
            name: tuple(self._new(name, getattr(part, name), identity))
            for name, identity in _IDENTITIES.items()
        }
        return replace(part, changes=tuple(self._new_changes(part.changes)), **kept)

    def _new(self, name: str, facts: Iterable[T], identity: Callable[[T], Hashable]) -> Iterable[T]:
        for fact in facts:
            key = (name, identity(fact))
            if key not in self.keys:
                self.keys.add(key)
                yield fact

    def _new_changes(self, changes: Iterable[Change]) -> Iterable[Change]:
        """Yield changes not seen yet; a deploy that two sources tell of is one."""
        for change in changes:
            if not any(_same(change, known) for known in self.changes):
                self.changes.append(change)
                yield change


def _same(one: Change, other: Change) -> bool:
    if one.id == other.id:
        return True
    return (
        one.source.system != other.source.system
        and one.kind is ChangeKind.DEPLOY is other.kind
        and one.service == other.service
        and abs(one.at - other.at) <= SAME_DEPLOY
    )
