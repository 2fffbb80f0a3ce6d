"""What is looked at: requests, failures and slowness of services, of calls between them, of pods.

A look is one moment. Every number in it is of the two minutes before `at - lag`, as the range
`[2m]` of a query gives it, so that an onset within the last window can be told from a short burst.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from bot.domain.snapshot import Series, Signal

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

WINDOW_S = 120.0  # of requests that one number is about
EVERY_S = 30.0  # between two looks
LAGS_S = (0.0, 30.0, 90.0, 120.0, 210.0)  # how long before `at` the windows of a look end
ABSURD = 1e9  # no rate, ratio or latency is that large
LONGEST = 120  # characters of a name
NOW, BEFORE, EARLIER, LAST, LONG_AGO = range(len(LAGS_S))


def zeroed(values: Floats) -> Floats:
    """Return the values, 0 where nothing is known."""
    out: Floats = np.where(np.isfinite(values), values, 0.0)
    return out


class Kind(StrEnum):
    """Who is looked at."""

    SERVICE = "service"
    CALL = "call"  # of `service` to `other`, as the caller sees it
    POD = "pod"  # `other` of `service`


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One that is looked at."""

    kind: Kind
    service: str
    other: str = ""  # the callee, or the pod

    @property
    def key(self) -> str:
        """Return its name where it is kept."""
        return f"{self.kind.value}:{self.service}:{self.other}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """All streams at one moment. Arrays are [streams, lags], NaN where nothing is known."""

    at: float  # epoch seconds, on the grid of EVERY_S
    streams: tuple[Stream, ...]
    requests: Floats  # of the window
    failed: Floats
    p99: Floats  # s


_RATES = (Signal.REQUEST_RATE.value, Signal.EDGE_RATE.value)
_RATIOS = (Signal.ERROR_RATIO.value, Signal.EDGE_ERROR_RATIO.value)
_SLOW = (Signal.LATENCY_P99.value, Signal.EDGE_LATENCY_P99.value)
NAMES = (*_RATES, *_RATIOS, *_SLOW, *(f"{s}:pod" for s in (_RATES[0], _RATIOS[0], _SLOW[0])))


class Tape:
    """Series of one reading, from which looks are taken."""

    def __init__(self, series: Iterable[Series]) -> None:
        self._points: dict[str, dict[Stream, dict[int, float]]] = {}
        streams: set[Stream] = set()
        for one in series:
            stream = _stream(one)
            if stream is not None:
                streams.add(stream)
                points = {round(t): v for t, v in zip(one.times, one.values, strict=True)}
                self._points.setdefault(_sort(one.signal), {})[stream] = points
        self.streams = tuple(sorted(streams, key=lambda s: s.key))

    def newest(self) -> float:
        """Return the newest moment of which it knows requests, 0 if of none."""
        rates = self._points.get("rate", {}).values()
        return float(max((max(p, default=0) for p in rates), default=0))

    def look(self, at: float) -> Look:
        """Return the look at that moment."""
        rate, ratio, p99 = (self._read(name, at) for name in ("rate", "ratio", "slow"))
        requests = np.maximum(rate, 0.0) * WINDOW_S
        failed = requests * np.clip(ratio, 0.0, 1.0)
        return Look(at=at, streams=self.streams, requests=requests, failed=failed, p99=p99)

    def _read(self, name: str, at: float) -> Floats:
        known: Mapping[Stream, Mapping[int, float]] = self._points.get(name, {})
        rows = [
            [known.get(stream, {}).get(round(at - lag), np.nan) for lag in LAGS_S]
            for stream in self.streams
        ]
        values = np.array(rows, dtype=float).reshape(len(self.streams), len(LAGS_S))
        with np.errstate(invalid="ignore"):
            return np.where(np.abs(values) < ABSURD, values, np.nan)


def _sort(signal: str) -> str:
    return "rate" if signal in _RATES else "ratio" if signal in _RATIOS else "slow"


def _stream(series: Series) -> Stream | None:
    labels = series.labels
    if series.signal not in (*_RATES, *_RATIOS, *_SLOW) or not 0 < len(series.service) <= LONGEST:
        return None
    if max(map(len, (labels.get("peer", ""), labels.get("pod", "")))) > LONGEST:
        return None
    if series.signal.startswith("edge_"):
        peer = labels.get("peer", "")
        return Stream(kind=Kind.CALL, service=series.service, other=peer) if peer else None
    if "pod" in labels:
        pod = labels["pod"]
        return Stream(kind=Kind.POD, service=series.service, other=pod) if pod else None
    return Stream(kind=Kind.SERVICE, service=series.service)
