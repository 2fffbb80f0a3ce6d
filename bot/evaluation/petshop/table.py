"""Reads PetShop's files: metrics with a three-row header, the call graph, and the target."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.domain.errors import Malformed

Floats = NDArray[np.float64]
Key = tuple[str, str, str]  # service, metric, statistic
HEADER = 4  # service, metric, statistic, and the index's name
MAX_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Samples of many series: `values[i, j]` is `keys[j]` at epoch second `times[i]`; NaN: gap."""

    times: Floats
    keys: tuple[Key, ...]
    values: Floats

    def rows(self, start: int, end: int) -> "Table":
        """Return the samples with these positions."""
        return Table(times=self.times[start:end], keys=self.keys, values=self.values[start:end])

    def column(self, key: Key) -> Floats | None:
        """Return one series, None if it is not there."""
        return self.values[:, self.keys.index(key)] if key in self.keys else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The objective that is violated: what the question is about."""

    node: str
    metric: str  # "latency" or "availability"
    statistic: str  # "Average", "p95", …
    timestamp: float  # of the alarm, epoch seconds


def read_table(path: Path) -> Table:
    """Return the metrics of a file. Raises: Malformed: says which file and line."""
    lines = _lines(path)
    if len(lines) <= HEADER:
        raise Malformed(f"{path}: expected three header rows, the index's name, and samples")
    header = list(csv.reader(lines[:3]))
    width = len(header[0])
    if width < 2 or any(len(row) != width for row in header):
        raise Malformed(f"{path}: the header rows differ in length")
    try:
        cells = np.genfromtxt(lines[HEADER:], delimiter=",", dtype=np.float64, ndmin=2)
    except ValueError as error:
        raise Malformed(f"{path}: {str(error).splitlines()[0]}") from error
    if cells.shape[1] != width:
        raise Malformed(f"{path}: {cells.shape[1]} columns of samples under {width} of header")
    cells = cells[np.isfinite(cells[:, 0])]
    cells = cells[np.argsort(cells[:, 0], kind="stable")]
    keys = tuple(zip(*(row[1:] for row in header), strict=True))
    return Table(times=cells[:, 0], keys=keys, values=cells[:, 1:])


def read_graph(path: Path) -> tuple[tuple[str, str], ...]:
    """Return (caller, callee) pairs: the row calls the column. Raises: Malformed."""
    rows = [row for row in csv.reader(_lines(path)) if row]
    if not rows:
        raise Malformed(f"{path}: empty")
    names = rows[0][1:]
    pairs = []
    for row in rows[1:]:
        if len(row) != len(names) + 1:
            raise Malformed(f"{path}: row {row[0]!r} has {len(row) - 1} of {len(names)} columns")
        pairs += [
            (row[0], name) for name, cell in zip(names, row[1:], strict=True) if _calls(cell, path)
        ]
    return tuple(pairs)


def read_target(path: Path) -> tuple[Target, str]:
    """Return the violated objective, and apart from it the true root cause. Raises: Malformed."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        target, truth = body["target"], body["root_cause"]["node"]
        found = Target(
            node=str(target["node"]),
            metric=str(target["metric"]),
            statistic=str(target.get("agg", "Average")),
            timestamp=float(target["timestamp"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Malformed(f"{path}: {type(error).__name__}: {error}") from error
    return found, _name(truth)


def _name(truth: Any) -> str:
    return str(truth)


def _calls(cell: str, path: Path) -> bool:
    try:
        return bool(cell.strip()) and float(cell) > 0
    except ValueError as error:
        raise Malformed(f"{path}: expected 0 or 1, found {cell!r}") from error


def _lines(path: Path) -> list[str]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise Malformed(f"{path}: larger than {MAX_BYTES} bytes")
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Malformed(f"{path}: {error}") from error
