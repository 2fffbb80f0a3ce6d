"""What a metric's name and unit say it measures: a signal of the catalogue, or its own name."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.snapshot import Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """A signal with the factor to its unit."""

    signal: str
    scale: float
    unit: str


_NAMES: tuple[tuple[str, Signal, str], ...] = (
    (r"cache\w*hit_?(ratio|rate|pct)", Signal.CACHE_HIT_RATIO, "ratio"),
    (r"(cert|tls)\w*(expir|remaining)", Signal.CERTIFICATE_EXPIRES_IN, "s"),
    (r"(http|grpc|rpc|request|response|server|latency|duration)\w*(p99|p95)", Signal.LATENCY_P99,
     "s"),
    (r"(http|grpc|rpc|request|response|server|latency|duration)\w*(p50|median|avg|mean)",
     Signal.LATENCY_P50, "s"),
    (r"(error|5xx|fail)\w*(ratio|rate|pct|percent)(?!_per)|(5xx|error)_(ratio|rate|pct)",
     Signal.ERROR_RATIO, "ratio"),
    (r"^(http_)?requests?_(per_sec\w*|rate|rps)$|^rps$|^qps$", Signal.REQUEST_RATE, "1/s"),
    (r"^(container_|process_)?cpu_(utili[sz]ation|usage)(_ratio|_pct|_percent)?$",
     Signal.CPU_OF_LIMIT, "ratio"),
    (r"^(queue_depth|consumer_lag|queue_length)$", Signal.QUEUE_DEPTH, "messages"),
)  # fmt: skip
_DATABASE = re.compile(r"^(db|sql|query|redis|cache|pool)_")


def meter_of(name: str, values: Sequence[float]) -> Meter:
    """Return what a metric measures; ratios in percent are told by their name or their size."""
    low = name.lower()
    for pattern, signal, unit in _NAMES:
        if re.search(pattern, low) and not (unit == "s" and _DATABASE.match(low)):
            return Meter(signal=signal, scale=_scale(low, unit, values), unit=unit)
    return Meter(signal=name, scale=1.0, unit=_own_unit(low))


def _scale(name: str, unit: str, values: Sequence[float]) -> float:
    if unit == "s":
        return 1e-3 if name.endswith(("_ms", "_millis", "_milliseconds")) else 1.0
    if unit == "ratio":
        return 0.01 if re.search(r"pct|percent", name) or max(values, default=0.0) > 1.5 else 1.0
    return 1.0


def _own_unit(name: str) -> str:
    for ending, unit in (("_ms", "ms"), ("_seconds", "s"), ("_bytes", "B"), ("_per_sec", "1/s")):
        if name.endswith(ending):
            return unit
    return ""
