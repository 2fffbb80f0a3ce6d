"""PetShop's tables as a snapshot: quiet history first, then the window that is asked about."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from bot.domain.diagnosis import Question, Symptom
from bot.domain.snapshot import Edge, Series, Signal, Snapshot, Source
from bot.domain.time import Window
from bot.evaluation.petshop.table import Floats, Key, Table, Target
from bot.reasoning.excess import MEAN_LATENCY

STEP_S = 300.0
DAY_S = 86400.0
ENVIRONMENT = "shop"
SIGNALS = {
    ("latency", "Average"): (MEAN_LATENCY, "s"),
    ("latency", "p50"): (Signal.LATENCY_P50, "s"),
    ("latency", "p99"): (Signal.LATENCY_P99, "s"),
    ("requests", "Sum"): (Signal.REQUEST_RATE, "1/s"),
    ("availability", "Average"): (Signal.ERROR_RATIO, "ratio"),
}


def snapshot_of(baseline: Table, window: Table, pairs: Sequence[tuple[str, str]]) -> Snapshot:
    """Return the facts: history moved by whole days to lie right before the window."""
    moved = _moved(baseline, window)
    start, end = float(window.times[0]), float(window.times[-1])
    span = Window(
        start=datetime.fromtimestamp(start, UTC),
        end=datetime.fromtimestamp(end, UTC) + timedelta(seconds=STEP_S),
    )
    series = [one for key in window.keys if (one := _series(key, moved, window)) is not None]
    source = Source(system="traces", query="service map")
    return Snapshot(
        environment=ENVIRONMENT,
        window=span,
        now=span.end,
        series=tuple(series),
        edges=tuple(Edge(caller=a, callee=b, calls=None, source=source) for a, b in pairs),
        looked_at=("metrics", "traces"),
    )


def question_of(target: Target, snapshot: Snapshot) -> Question:
    """Return the question: the service and the objective that is violated, nothing else."""
    symptom = Symptom.SLOW if target.metric == "latency" else Symptom.ERRORS
    return Question(
        text="",
        environment=snapshot.environment,
        services=(target.node,),
        symptom=symptom,
        asked_at=snapshot.now,
        window=snapshot.window,
    )


def _moved(baseline: Table, window: Table) -> Table:
    if not baseline.times.size:
        return baseline
    gap = float(window.times[0]) - STEP_S - float(baseline.times[-1])
    days = np.floor(gap / DAY_S) * DAY_S if gap < 0 or gap >= DAY_S else 0.0
    return Table(times=baseline.times + days, keys=baseline.keys, values=baseline.values)


def _series(key: Key, baseline: Table, window: Table) -> Series | None:
    known = SIGNALS.get((key[1], key[2]))
    recent = window.column(key)
    if known is None or recent is None:
        return None
    old = baseline.column(key)
    both = recent if old is None else np.concatenate((old, recent))
    times = window.times if old is None else np.concatenate((baseline.times, window.times))
    values = _in_units(both, key[1])
    kept = np.isfinite(values)
    if not kept.any():
        return None
    return Series(
        signal=known[0],
        service=key[0],
        times=tuple(times[kept].tolist()),
        values=tuple(values[kept].tolist()),
        unit=known[1],
        source=Source(system="metrics", query=f"{key[1]} {key[2]} of {key[0]}"),
    )


def _in_units(values: Floats, metric: str) -> Floats:
    if metric == "availability":
        return np.clip(1.0 - values / 100.0, 0.0, 1.0)
    return values / STEP_S if metric == "requests" else values
