"""What the report shows beside its words: the series to draw, and what was ruled out."""

from datetime import datetime, timedelta

import numpy as np

from bot.domain.diagnosis import ChartData, Diagnosis, Question, SignalRef
from bot.domain.snapshot import Change, Series, Signal, Snapshot

_PREFERRED = (Signal.LATENCY_P99, Signal.ERROR_RATIO, Signal.REQUEST_RATE)
_NEAR = timedelta(minutes=30)  # changes this close to the onset are marked
MOST_MARKS = 5


def chart_data(diagnosis: Diagnosis, snapshot: Snapshot, question: Question) -> ChartData | None:
    """Return the series that shows the trouble best, with usual band, onset and changes."""
    series = _wanted(diagnosis.signal, snapshot) or _fallback(snapshot, question)
    if series is None:
        return None
    low, high = _usual_band(series, diagnosis.onset)
    return ChartData(
        series=series,
        usual_low=low,
        usual_high=high,
        onset=diagnosis.onset,
        changes=_marks(diagnosis, snapshot),
    )


def ruled_out_lines(diagnosis: Diagnosis) -> tuple[str, ...]:
    """Return "what: why" of everything ruled out."""
    return tuple(f"{r.what}: {r.why}" for r in diagnosis.ruled_out)


def _wanted(signal: SignalRef | None, snapshot: Snapshot) -> Series | None:
    if signal is None:
        return None
    fitting = [
        s
        for s in snapshot.signal(signal.signal, signal.service)
        if s.times and all(s.labels.get(k) == v for k, v in signal.labels.items())
    ]
    return _finest(fitting, signal.labels)


def _fallback(snapshot: Snapshot, question: Question) -> Series | None:
    for signal in _PREFERRED:
        for service in question.services or sorted({s.service for s in snapshot.series}):
            found = _finest([s for s in snapshot.signal(signal, service) if s.times], {})
            if found is not None:
                return found
    return None


def _finest(fitting: list[Series], labels: object) -> Series | None:
    """The one of a whole service (fewest labels), with most samples per second."""
    del labels
    return min(fitting, key=lambda s: (len(s.labels), _step(s)), default=None)


def _step(series: Series) -> float:
    return (series.times[-1] - series.times[0]) / max(1, len(series.times) - 1)


def _usual_band(series: Series, onset: datetime | None) -> tuple[float, float]:
    times, values = np.asarray(series.times), np.asarray(series.values, dtype=float)
    before = values[times < onset.timestamp()] if onset else values
    kept = before[np.isfinite(before)]
    if kept.size < 3:
        kept = values[np.isfinite(values)]
    if not kept.size:
        return (0.0, 0.0)
    low, high = np.percentile(kept, [5, 95])
    return (float(low), float(high))


def _marks(diagnosis: Diagnosis, snapshot: Snapshot) -> tuple[Change, ...]:
    """The guilty change first, then those near the onset, in time order."""
    guilty = [c.hypothesis.change for c in diagnosis.causes if c.hypothesis.change]
    onset = diagnosis.onset
    near = [c for c in snapshot.changes if onset and abs(c.at - onset) <= _NEAR]
    unique = {c.id: c for c in (*guilty, *sorted(near, key=lambda c: (c.at, c.id)))}
    return tuple(unique.values())[:MOST_MARKS]
