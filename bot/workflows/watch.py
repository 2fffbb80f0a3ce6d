"""Looks at the signal that tells whether an action helped."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.action import Outcome, Proposal, Verification
from bot.domain.diagnosis import SignalRef
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import Series, Snapshot
from bot.domain.time import Clock, Window
from bot.perception.collector import Collector
from bot.remediation.verification import judge
from bot.workflows.readiness import (
    kinds_for,
    readiness_after_rollout,
    readiness_of,
    rolled_out_at,
)

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
        key, plan = f"{proposal.id}-x", proposal.verification
        began, readiness = acted_at, readiness_of(proposal.target, found)
        if plan.rollout_of:
            rolled_out = rolled_out_at(plan.rollout_of, found, acted_at)
            if rolled_out is None:
                return _not_yet(key, plan.rollout_of, now)
            began, readiness = rolled_out, readiness_after_rollout(plan.rollout_of, found)
        series = _series(plan.signal, found)
        return judge(
            plan,
            _part(series, 0.0, acted_at.timestamp()),
            _part(series, began.timestamp(), float("inf")),
            execution_key=key,
            now=now,
            readiness=readiness,
        )


def _needs(proposal: Proposal, window: Window) -> Iterator[Need]:
    signal, target = proposal.verification.signal, proposal.target
    if signal is not None:
        breakdown = next((f":{label}" for label in BREAKDOWNS if label in signal.labels), "")
        yield Need(
            fact=Fact.SERIES,
            window=window,
            services=(signal.service,),
            names=(f"{signal.signal}{breakdown}",),
            reason="did it help",
        )
    names = kinds_for(target, proposal.verification.rollout_of)
    if names:
        yield Need(fact=Fact.OBJECTS, window=window, names=names, reason="are its pods ready")


def _not_yet(key: str, name: str, now: datetime) -> Verification:
    """Return that what was asked for has not reached the cluster: nothing else counts so far."""
    return Verification(
        execution_key=key,
        outcome=Outcome.UNCHANGED,
        statement=f"no rollout of {name} followed yet",
        value=None,
        checked_at=now,
    )


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
