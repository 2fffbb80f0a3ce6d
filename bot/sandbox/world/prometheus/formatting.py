"""Numbers, times and errors as Prometheus' API writes and reads them."""

import math
import re
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np

from bot.sandbox.world.noise import Floats
from bot.sandbox.world.promql.values import BadQuery, Scalar, Text, Vector, Windows

UNITS = {
    "ms": 0.001,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": 86400.0,
    "w": 604800.0,
    "y": 31536000.0,
}


def number(value: float) -> str:
    """Return a sample value: shortest digits, never an exponent."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    text = repr(float(value))
    if "e" in text:
        text = format(Decimal(text), "f")
    return text.removesuffix(".0")


def stamp(value: float) -> float | int:
    """Return a timestamp in seconds, a whole number where it is one."""
    return int(value) if value == int(value) else round(value, 3)


def moment(text: str, name: str) -> float:
    """Return epoch seconds of an RFC 3339 or numeric time. Raises: BadQuery."""
    try:
        value = float(text)
    except ValueError:
        try:
            parsed = datetime.fromisoformat(text)
        except ValueError as error:
            raise BadQuery(f'invalid parameter "{name}": cannot parse "{text}" to a valid timestamp'
                           ) from error  # fmt: skip
        if parsed.tzinfo is None:
            raise BadQuery(f'invalid parameter "{name}": time has no zone') from None
        value = parsed.timestamp()
    if not math.isfinite(value) or abs(value) > 1e11:
        raise BadQuery(f'invalid parameter "{name}": time is out of range')
    return round(value, 3)


def duration(text: str, name: str) -> float:
    """Return seconds of a number or a Prometheus duration. Raises: BadQuery."""
    try:
        value = float(text)
    except ValueError:
        if not re.fullmatch(r"(\d+(ms|[smhdwy]))+", text) or len(text) > 40:
            raise BadQuery(
                f'invalid parameter "{name}": cannot parse "{text}" to a valid duration'
            ) from None
        value = sum(float(n) * UNITS[u] for n, u in re.findall(r"(\d+)(ms|[smhdwy])", text))
    if not math.isfinite(value) or value > 1e10:
        raise BadQuery(f'invalid parameter "{name}": duration is out of range')
    return value


def instant(found: Any, at: float) -> dict[str, Any]:
    """Return the data of an instant query's answer."""
    if isinstance(found, Scalar):
        return {"resultType": "scalar", "result": [stamp(at), number(float(found.values[0]))]}
    if isinstance(found, Text):
        return {"resultType": "string", "result": [stamp(at), found.value]}
    if isinstance(found, Windows):
        return {"resultType": "matrix", "result": _samples(found)}
    result = [
        {"metric": labels, "value": [stamp(at), number(float(values[0]))]}
        for labels, values, present in zip(found.labels, found.values, found.present, strict=True)
        if present[0]
    ]
    return {"resultType": "vector", "result": result}


def _samples(windows: Windows) -> list[dict[str, Any]]:
    out = []
    part = slice(int(windows.low[0]), int(windows.high[0]) + 1)
    for labels, values in zip(windows.labels, windows.values[:, part], strict=True):
        pairs = [
            [stamp(float(t)), number(float(v))]
            for t, v in zip(windows.times[part], values, strict=True)
            if not math.isnan(v)
        ]
        if pairs:
            out.append({"metric": labels, "values": pairs})
    return out


def ranged(found: Any, times: Floats) -> dict[str, Any]:
    """Return the data of a range query's answer. Raises: BadQuery."""
    if isinstance(found, Scalar):
        found = Vector(
            labels=[{}],
            values=found.values[None, :],
            present=np.ones((1, len(times)), dtype=bool),
        )
    if not isinstance(found, Vector):
        raise BadQuery("invalid expression type for range query, must be Scalar or instant Vector")
    stamps = [stamp(float(t)) for t in times]
    result = []
    rows = sorted(range(len(found.labels)), key=lambda i: sorted(found.labels[i].items()))
    for i in rows:
        shown = np.nonzero(found.present[i])[0].tolist()
        if shown:
            column = found.values[i].tolist()
            pairs = [[stamps[j], number(column[j])] for j in shown]
            result.append({"metric": found.labels[i], "values": pairs})
    return {"resultType": "matrix", "result": result}
