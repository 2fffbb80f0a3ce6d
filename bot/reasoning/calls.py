"""Calls per request between services: what tells N+1 queries from traffic and from retries."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from bot.domain.snapshot import Series, Signal, Source
from bot.reasoning import series as statistics
from bot.reasoning.claims import moment_of
from bot.reasoning.picture import Picture

AMPLIFIED = 0.6  # relative growth of calls per request from which the code must have changed
_LEAST_CALLS = 0.02  # calls per request: below it a ratio means nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Amplification:
    """A caller asks a peer more often per request than it used to."""

    caller: str
    peer: str
    before: float  # calls per request
    after: float
    onset: datetime
    source: Source

    @property
    def factor(self) -> float:
        """How many times as often."""
        return self.after / max(self.before, _LEAST_CALLS)


def amplifications(picture: Picture, caller: str) -> tuple[Amplification, ...]:
    """Return the peers that `caller` now asks more often per request, the most amplified first."""
    requests = picture.recent(Signal.REQUEST_RATE, caller)
    if requests is None:
        return ()
    found = []
    for peer in sorted(picture.graph.callees(caller)):
        calls = edge(picture, caller, peer)
        if calls is not None:
            found.append(_grown(requests, calls, peer))
    return tuple(sorted((a for a in found if a is not None), key=lambda a: -a.factor))


def edge(picture: Picture, caller: str, peer: str) -> Series | None:
    """Return the rate of calls from one service to another, HTTP or database."""
    for signal in (Signal.EDGE_RATE, Signal.DB_QUERY_RATE):
        found = picture.recent(signal, caller, peer=peer)
        if found is not None and found.times:
            return found
    return None


def per_request(requests: Series, calls: Series) -> tuple[statistics.Floats, statistics.Floats]:
    """Return times and calls per request, where both series have samples and there is traffic."""
    rt, rv = statistics.clean(requests.times, requests.values)
    ct, cv = statistics.clean(calls.times, calls.values)
    if rt.size < statistics.LEAST or ct.size < statistics.LEAST:
        return np.empty(0), np.empty(0)
    inside = (ct >= rt[0]) & (ct <= rt[-1])
    ct, cv = ct[inside], cv[inside]
    rate = np.interp(ct, rt, rv)
    busy = rate > 1e-3
    return ct[busy], cv[busy] / rate[busy]


def _grown(requests: Series, calls: Series, peer: str) -> Amplification | None:
    times, ratio = per_request(requests, calls)
    shift = statistics.shift(times.tolist(), ratio, floor=_LEAST_CALLS, ratio=AMPLIFIED, sigmas=4.0)
    if shift is None or shift.until is not None:
        return None
    return Amplification(
        caller=calls.service,
        peer=peer,
        before=shift.usual,
        after=shift.now,
        onset=moment_of(shift.onset),
        source=calls.source,
    )
