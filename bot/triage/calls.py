"""Who calls whom, walked from a service in trouble to the services in trouble that explain it."""

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

MOST_QUIET_HOPS = 1  # services in a row on the way that need not be in trouble themselves
MOST_HOPS = 8


@dataclass(frozen=True, slots=True)
class Calls:
    """The service graph of one environment: caller → callees."""

    callees: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> "Calls":
        """Return the graph of these (caller, callee)."""
        found: dict[str, set[str]] = {}
        for caller, callee in pairs:
            if caller != callee:
                found.setdefault(caller, set()).add(callee)
        return cls({caller: frozenset(callees) for caller, callees in found.items()})

    def below(self, service: str, troubled: Collection[str]) -> dict[str, int]:
        """Return the troubled services that this one's trouble can come from, with their distance.

        The way down leads through troubled services, with at most one that is not in between.
        """
        found: dict[str, int] = {}
        best = {service: 0}  # quiet hops in a row with which a service was reached
        ahead = deque([(service, 0, 0)])
        while ahead:
            here, hops, quiet = ahead.popleft()
            if hops == MOST_HOPS:
                continue
            for callee in sorted(self.callees.get(here, ())):
                now_quiet = 0 if callee in troubled else quiet + 1
                if now_quiet > MOST_QUIET_HOPS or best.get(callee, 9) <= now_quiet:
                    continue
                best[callee] = now_quiet
                if now_quiet == 0:
                    found.setdefault(callee, hops + 1)
                ahead.append((callee, hops + 1, now_quiet))
        return found
