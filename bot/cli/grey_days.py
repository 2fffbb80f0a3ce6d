"""Simulated days through the grey-failure watcher, and what it found of the silent degradations."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bot.sandbox.silent.alerts import Alert
from bot.sandbox.silent.counting import BEFORE, STEP_S, Counted
from bot.sandbox.silent.days import CALM_DAYS, Days
from bot.sandbox.silent.faults import Fault
from bot.sandbox.world.traffic import DAY
from bot.triage.grey.episodes import Episode
from bot.triage.grey.streams import LAGS_S, Kind, Look, Stream
from bot.triage.grey.watcher import Watcher

SEEN_AFTER_S = 25.0  # scrape, query and poll: what a look's newest number is old when it is read
AFTER_S = 1200.0  # after its end, in which a signal is still about a degradation


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A signal of the watcher."""

    at: float
    episode: Episode


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What became of one degradation. Moments in epoch seconds, None: never."""

    fault: Fault
    told: Told | None
    alert: Alert | None

    @property
    def first(self) -> bool:
        """Return whether the watcher told before any alert fired."""
        return self.told is not None and (self.alert is None or self.told.at < self.alert.at)

    @property
    def lead_s(self) -> float | None:
        """Return how long before the alert it told, None if one of the two never did."""
        return None if self.told is None or self.alert is None else self.alert.at - self.told.at

    @property
    def named(self) -> bool:
        """Return whether it named the service whose fault it is."""
        return self.told is not None and self.told.episode.service == self.fault.service


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A whole run."""

    found: tuple[Found, ...]
    false: tuple[Told, ...]
    weeks: float
    streams: int


def run(seed: int, *, days: int, count: int, calm: int = CALM_DAYS) -> Outcome:
    """Return what the watcher made of so many days with so many degradations."""
    world, watcher = Days(seed, days=days, count=count, calm=calm), Watcher("prod")
    told: list[Told] = []
    alerts: list[Alert] = []
    streams = 0
    for day in world:
        alerts += day.alerts
        for look in looks(day.counted):
            watcher.look(look)
            for episode in watcher.to_tell():
                if day.number >= 0:
                    told.append(Told(at=look.at + SEEN_AFTER_S, episode=episode))
                watcher.told(episode)
            for episode in watcher.ended():
                watcher.told(episode)
            streams = max(streams, len(look.streams))
    found = tuple(_found(fault, told, alerts) for fault in world.faults)
    false = tuple(t for t in told if not any(_about(t.at, f) for f in world.faults))
    return Outcome(found=found, false=false, weeks=days * DAY / (7 * DAY), streams=streams)


def looks(counted: Counted) -> Iterator[Look]:
    """Yield a look for every step of a day."""
    kinds = {"service": Kind.SERVICE, "call": Kind.CALL, "pod": Kind.POD}
    streams = tuple(Stream(kind=kinds[k], service=s, other=o) for k, s, o in counted.names)
    lags = np.array([round(lag / STEP_S) for lag in LAGS_S])
    for i in range(BEFORE, len(counted.times)):
        at = i - lags
        yield Look(
            at=float(counted.times[i]),
            streams=streams,
            requests=counted.requests[:, at],
            failed=counted.failed[:, at],
            p99=counted.p99[:, at],
        )


def _about(at: float, fault: Fault) -> bool:
    return fault.begins <= at <= fault.ends + AFTER_S


def _found(fault: Fault, told: Sequence[Told], alerts: Sequence[Alert]) -> Found:
    return Found(
        fault=fault,
        told=next((t for t in told if fault.begins <= t.at <= fault.ends), None),
        alert=next((a for a in alerts if fault.begins <= a.at <= fault.ends), None),
    )
