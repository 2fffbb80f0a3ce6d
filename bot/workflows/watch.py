"""Looks at the signal that tells whether an action helped."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.action import Proposal, Verification
from bot.domain.diagnosis import SignalRef
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import Series, Snapshot
from bot.domain.time import Clock, Window
from bot.perception.collector import Collector
from bot.remediation.verification import judge
from bot.workflows.readiness import needs_of, readiness_of

BEFORE_S = 900.0  # world time before acting that the comparison rests on
BREAKDOWNS = ("pod", "version", "operation")  # labels that are asked for as "signal:label"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One look at a time, through the same perception as investigations."""

    collectors: Mapping[str, Collector]
    clock: Clock
    every_s: float  # world time between two looks

    async def look(self, proposal: Proposal, acted_at: datetime) -> Verification:
        """Return how the signal stands now against before the action."""
        now = self.clock.now()
        window = Window(start=Window.last(BEFORE_S, before=acted_at).start, end=now)
        collector = self.collectors[proposal.call.environment].fresh()
        found = (await collector.collect(tuple(_needs(proposal, window)))).snapshot
        series = _series(proposal.verification.signal, found)
        return judge(
            proposal.verification,
            _part(series, 0.0, acted_at.timestamp()),
            _part(series, acted_at.timestamp(), float("inf")),
            execution_key=f"{proposal.id}-x",
            now=now,
            readiness=readiness_of(proposal.target, found),
        )


def _needs(proposal: Proposal, window: Window) -> Iterator[Need]:
    signal = proposal.verification.signal
    if signal is not None:
        breakdown = next((f":{label}" for label in BREAKDOWNS if label in signal.labels), "")
        yield Need(
            fact=Fact.SERIES,
            window=window,
            services=(signal.service,),
            names=(f"{signal.signal}{breakdown}",),
            reason="did it help",
        )
    yield from needs_of(proposal.target, window)


def _series(signal: SignalRef | None, found: Snapshot) -> Series | None:
    """Return the series that the signal names; of several, the one with the most samples."""
    if signal is None:
        return None
    fitting = [
        series
        for series in found.signal(signal.signal, signal.service)
        if all(series.labels.get(name) == value for name, value in signal.labels.items())
    ]
    return max(fitting, key=lambda s: len(s.times), default=None)


def _part(series: Series | None, start: float, end: float) -> Series | None:
    if series is None:
        return None
    kept = [(t, v) for t, v in zip(series.times, series.values, strict=True) if start <= t < end]
    return replace(series, times=tuple(t for t, _ in kept), values=tuple(v for _, v in kept))
