"""Takes look after look at one environment, and says when something is quietly wrong."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from bot.triage.grey.baseline import Baseline
from bot.triage.grey.blame import Calls, Suspect, Worse, above, calls_of, suspects
from bot.triage.grey.episodes import Episode, after, to_tell
from bot.triage.grey.evidence import (
    EFFECT,
    LASTING,
    LEAST_FAILED,
    Limits,
    Sums,
    Weighed,
    add,
    weigh,
)
from bot.triage.grey.peers import Odd, Pods, compare
from bot.triage.grey.streams import (
    EVERY_S,
    LAGS_S,
    NOW,
    WINDOW_S,
    Bools,
    Floats,
    Kind,
    Look,
    Stream,
    zeroed,
)

MOST_STREAMS = 8000  # of an environment that are remembered
_LEAST_CALLS = 20.0  # of a window, for a caller's silence to mean something


@dataclass(slots=True)
class _Rows:
    """The streams with a baseline, and where they are in a look: -1: it does not have them."""

    streams: tuple[Stream, ...] = ()  # as the look has them, pods too
    index: Any = None  # an array of places
    kept: tuple[Stream, ...] = ()
    calls: Calls = field(default_factory=dict)
    far: Floats = field(default_factory=lambda: np.zeros(1))  # p99 that could be told at once


class Watcher:
    """One environment. Looks come in order of time, EVERY_S apart; a gap is harmless."""

    def __init__(self, environment: str, limits: Limits | None = None) -> None:
        self.environment, self._limits = environment, limits or Limits()
        self.baseline, self.sums, self.pods = Baseline(), Sums(), Pods()
        self.episodes: tuple[Episode, ...] = ()
        self.told_at: tuple[float, ...] = ()
        self.looked = 0.0
        self._rows = _Rows()

    def look(self, look: Look) -> None:
        """Take in one look; one that is not later than the last does nothing."""
        if look.at <= self.looked:
            return
        self._arrange(look)
        whole = look.at % WINDOW_S == 0.0
        if not whole and not self._stirs(look):
            self.looked = look.at
            return
        own = _part(look, self._rows)
        thresholds = self._thresholds(len(look.streams))
        weighed = weigh(own, self.baseline, thresholds[0], self._young(own))
        failing, slow, odd = weighed.failing, weighed.slow, list[Odd]()
        if whole:
            more, slower = add(self.sums, weighed, self.baseline, thresholds[1])
            failing, slow = failing | more, slow | slower
            odd = compare(look, self.pods, thresholds[1])
        found: tuple[Suspect, ...] = ()
        if odd or failing.any() or slow.any():
            found = suspects(_worse(own.streams, weighed, failing, slow), odd, _busy(own))
        now = (self.environment, look.at)
        self.episodes = after(self.episodes, found, self._rows.calls, now)
        if whole:
            self._learn(own, weighed, failing | slow)
            self._rows.far = self._far(weighed)
        self.looked = look.at

    def learn(self, look: Look) -> None:
        """Take in a look of the past, to know what is usual; nothing is told of it."""
        self._arrange(look)
        own = _part(look, self._rows)
        weighed = weigh(own, self.baseline, math.inf, self._young(own))
        self._learn(own, weighed, np.zeros(len(own.streams), dtype=bool))

    def to_tell(self) -> list[Episode]:
        """Return the episodes that people should hear of now, and have not."""
        return to_tell(self.episodes, self.told_at, self.looked)

    def ended(self) -> list[Episode]:
        """Return the episodes that people heard of and that are over, which was not told yet."""
        return [e for e in self.episodes if not e.open and e.told >= 0 and not e.end_told]

    def told(self, episode: Episode) -> None:
        """Note that an episode as it is was told."""
        if not episode.open:
            done = replace(episode, end_told=True)
        else:
            done = replace(episode, told=episode.turn, told_at=self.looked)
            if episode.told < 0:
                recent = [t for t in self.told_at if self.looked - t < 86400.0]
                self.told_at = (*recent, self.looked)
        self.episodes = tuple(done if e.id == episode.id else e for e in self.episodes)

    def dump(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the baselines of the streams that were seen last, as JSON."""
        if self._rows.index is None:
            return {}
        seen = np.flatnonzero(self._rows.index >= 0).tolist()
        return {self.baseline.keys[row]: self.baseline.dump(row) for row in seen}

    def take_up(self, baseline: Baseline, sums: Sums, pods: Pods) -> None:
        """Go on with what was kept."""
        self.baseline, self.sums, self.pods, self._rows = baseline, sums, pods, _Rows()
        if len(sums.failures) != len(baseline.keys):
            self.sums = Sums().arranged([-1] * len(baseline.keys))

    def _stirs(self, look: Look) -> bool:
        """Return whether anything in a look between two windows could be told at once."""
        x, n, p99 = look.failed[:, NOW], look.requests[:, NOW], look.p99[:, NOW]
        failing = (x >= LEAST_FAILED) & (x >= EFFECT * n)
        return bool(failing.any() or (p99 >= self._rows.far).any())

    def _far(self, weighed: Weighed) -> Floats:
        """Return from which p99 on a stream of the look could be slow at once."""
        out = np.full(len(self._rows.streams) + 1, np.inf)
        out[self._rows.index] = (
            0.95 * LASTING * np.where(np.isfinite(weighed.usual_p99), weighed.usual_p99, np.inf)
        )
        return out[:-1]

    def _arrange(self, look: Look) -> None:
        """Make room for the look's streams; those that are not in it are remembered."""
        if look.streams == self._rows.streams and self._rows.index is not None:
            return
        fresh = {s.key: s for s in look.streams if s.kind is not Kind.POD}
        old = dict(zip(self.baseline.keys, range(len(self.baseline.keys)), strict=True))
        keys = tuple(sorted({*old, *fresh}))[:MOST_STREAMS]
        if keys != self.baseline.keys:
            self.baseline = self.baseline.arranged(keys)
            self.sums = self.sums.arranged([old.get(key, -1) for key in keys])
        place = {s.key: i for i, s in enumerate(look.streams)}
        index = np.array([place.get(key, -1) for key in keys], dtype=int)
        kept = tuple(fresh.get(key) or _named(key) for key in keys)
        calls = calls_of((s.service, s.other) for s in kept if s.kind is Kind.CALL)
        self._rows = _Rows(look.streams, index, kept, calls)

    def _young(self, own: Look) -> Bools:
        """Return the streams of services some of whose pods have just come."""
        services = self.pods.young(own.at)
        return np.array([(s.other or s.service) in services for s in own.streams], dtype=bool)

    def _learn(self, own: Look, weighed: Weighed, alarmed: Bools) -> None:
        ill: set[str] = set()
        for episode in self.episodes:
            if episode.open and own.at - episode.last < EVERY_S * 20:
                ill |= above(episode.service, self._rows.calls)
        family = np.array([s.service in ill for s in own.streams], dtype=bool)
        calm = ~(family | alarmed)
        self.baseline.passed(own.at, weighed.z, weighed.factor)
        seen = (own.requests[:, NOW], own.failed[:, NOW], own.p99[:, NOW])
        self.baseline.learn(own.at, calm, seen)

    def _thresholds(self, streams: int) -> tuple[float, float]:
        return (
            self._limits.threshold(streams, EVERY_S),
            self._limits.threshold(streams, WINDOW_S),
        )


def _busy(own: Look) -> Calls:
    """Return who calls whom now, often enough to have an opinion."""
    busy = zeroed(own.requests[:, NOW]) >= _LEAST_CALLS
    return calls_of(
        (s.service, s.other)
        for s, often in zip(own.streams, busy, strict=True)
        if often and s.kind is Kind.CALL
    )


def _part(look: Look, rows: _Rows) -> Look:
    """Return the look at the streams with a baseline, NaN where it does not have one."""
    out = {}
    for name in ("requests", "failed", "p99"):
        padded = np.vstack([getattr(look, name), np.full((1, len(LAGS_S)), np.nan)])
        out[name] = padded[rows.index]
    out["p99"] = np.where(out["p99"] > 0.0, out["p99"], np.nan)
    return Look(at=look.at, streams=rows.kept, **out)


def _named(key: str) -> Stream:
    kind, service, other = key.split(":", 2)
    return Stream(kind=Kind(kind), service=service, other=other)


def _worse(streams: Sequence[Stream], weighed: Weighed, failing: Bools, slow: Bools) -> list[Worse]:
    """Return what is worse than usual, firm or a hint; nothing if nothing is firm."""
    out: list[Worse] = []
    for row in np.flatnonzero(failing | slow | weighed.hints).tolist():
        stream = streams[row]
        fails = bool(failing[row]) or (
            not slow[row] and weighed.ratio[row] - weighed.usual_ratio[row] >= EFFECT
        )
        usual_p99 = float(weighed.usual_p99[row])
        out.append(
            Worse(
                service=stream.service,
                callee=stream.other,
                failing=fails,
                here=float(weighed.ratio[row] if fails else weighed.factor[row] * usual_p99),
                usual=float(weighed.usual_ratio[row] if fails else usual_p99),
                firm=bool(failing[row] or slow[row]),
            )
        )
    return out
