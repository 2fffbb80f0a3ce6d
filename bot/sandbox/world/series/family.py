"""What a metric family is: label sets, and values at sample indices."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from bot.sandbox.world.counters import Blocks
from bot.sandbox.world.noise import Floats, Ints
from bot.sandbox.world.site import SCRAPE, Site

Labels = dict[str, str]
Keep = Callable[[Mapping[str, str]], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Some series: labels without the name, values [series, indices], NaN: no sample."""

    labels: list[Labels]
    values: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One metric name. `read` returns the rows whose labels pass the filter."""

    name: str
    kind: str  # counter, gauge, histogram
    help: str
    read: Callable[["Scope", Keep, Ints], Rows]


@dataclass(slots=True, kw_only=True)
class Scope:
    """What families read from."""

    site: Site
    blocks: Blocks


def times_of(indices: Ints) -> Floats:
    """Return epoch seconds of sample indices."""
    return indices.astype(np.float64) * SCRAPE


def gather(indices: Ints, parts: "list[tuple[Labels, Floats]]") -> Rows:
    """Return rows of single series."""
    if not parts:
        return Rows(labels=[], values=np.zeros((0, len(indices))))
    return Rows(labels=[p[0] for p in parts], values=np.array([p[1] for p in parts], dtype=float))


def where(present: Floats, values: "Floats | float") -> Floats:
    """Return the values where present, NaN elsewhere."""
    out: Floats = np.where(present > 0, values, np.nan)
    return out
