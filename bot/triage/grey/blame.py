"""From streams that are worse than usual to the service whose trouble explains the others'."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.triage.grey.peers import Odd


@dataclass(frozen=True, slots=True, kw_only=True)
class Worse:
    """One service, or one kind of call, that is worse than usual."""

    service: str
    callee: str  # "": what the service itself says
    failing: bool  # else slow
    here: float  # ratio of failures, or p99 in seconds
    usual: float
    firm: bool  # enough to be told; else a hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A service whose trouble explains what was seen."""

    service: str
    facts: tuple[Worse, ...]  # about itself, and about calls to it; the firm ones first
    pods: tuple[Odd, ...] = ()
    fine_for: tuple[str, ...] = ()  # callers that see nothing of it

    @property
    def callers(self) -> tuple[str, ...]:
        """Return who sees it."""
        return tuple(sorted({f.service for f in self.facts if f.callee}))

    @property
    def only_for(self) -> str:
        """Return the one caller that sees it, "" if it says so itself or others see it too."""
        itself = self.pods or any(not f.callee for f in self.facts)
        return self.callers[0] if not itself and len(self.callers) == 1 and self.fine_for else ""


Calls = Mapping[str, Sequence[str]]  # caller → callees that were called lately


def suspects(worse: Sequence[Worse], odd: Sequence[Odd], calls: Calls) -> tuple[Suspect, ...]:
    """Return the roots of what is firm, each once: down along calls that are worse, too."""
    starts = [w.callee or w.service for w in worse if w.firm] + [o.service for o in odd]
    roots = dict.fromkeys(_root(start, worse, odd) for start in dict.fromkeys(starts))
    return tuple(_suspect(root, worse, odd, calls) for root in roots)


def _root(start: str, worse: Sequence[Worse], odd: Sequence[Odd]) -> str:
    """Follow the worst calls down; pods that differ from their peers are where it ends."""
    ends, seen = {o.service for o in odd}, {start}
    while start not in ends:
        below = [w for w in worse if w.service == start and w.callee and w.callee not in seen]
        if not below:
            break
        start = max(below, key=lambda w: (w.firm, w.failing, w.here / max(w.usual, 1e-6))).callee
        seen.add(start)
    return start


def _suspect(root: str, worse: Sequence[Worse], odd: Sequence[Odd], calls: Calls) -> Suspect:
    facts = [w for w in worse if root == (w.callee or w.service)]
    seen_by = {w.service for w in facts}
    fine = (c for c, callees in calls.items() if root in callees and c not in seen_by)
    return Suspect(
        service=root,
        facts=tuple(sorted(facts, key=lambda w: (not w.firm, bool(w.callee), w.service))),
        pods=tuple(o for o in odd if o.service == root),
        fine_for=tuple(sorted(fine)),
    )


def related(one: str, other: str, calls: Calls) -> bool:
    """Return whether one of the two reaches the other by calls."""
    return one == other or other in below(one, calls) or one in below(other, calls)


def below(service: str, calls: Calls) -> frozenset[str]:
    """Return what a service reaches by calls."""
    found: set[str] = set()
    waiting = [service]
    while waiting:
        for callee in calls.get(waiting.pop(), ()):
            if callee not in found:
                found.add(callee)
                waiting.append(callee)
    return frozenset(found)


def above(service: str, calls: Calls) -> frozenset[str]:
    """Return what reaches a service by calls, and itself."""
    return frozenset(s for s in {*calls, service} if s == service or service in below(s, calls))


def calls_of(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Return callees by caller."""
    out: dict[str, tuple[str, ...]] = {}
    for caller, callee in pairs:
        out[caller] = (*out.get(caller, ()), callee)
    return out
