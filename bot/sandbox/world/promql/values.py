"""What an expression evaluates to, at all steps at once; and what can go wrong."""

from dataclasses import dataclass

import numpy as np

from bot.sandbox.world.noise import Bools, Floats

Labels = dict[str, str]
NAME = "__name__"


class BadQuery(Exception):
    """The query is wrong or outside the subset (HTTP 400, bad_data)."""


class FailedQuery(Exception):
    """The query is right but cannot be carried out (HTTP 422, execution)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """One number per step."""

    values: Floats  # [steps]


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A string literal."""

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    """Series with a value, or none, at every step."""

    labels: list[Labels]
    values: Floats  # [series, steps]
    present: Bools  # [series, steps]

    @classmethod
    def empty(cls, steps: int) -> "Vector":
        """Return a vector of no series."""
        return cls(labels=[], values=np.zeros((0, steps)), present=np.zeros((0, steps), dtype=bool))

    def unnamed(self) -> list[Labels]:
        """Return the labels without the metric's name."""
        return [{k: v for k, v in row.items() if k != NAME} for row in self.labels]

    def thinned(self) -> "Vector":
        """Return the series that have a value at some step."""
        keep = self.present.any(axis=1)
        if keep.all():
            return self
        rows = np.nonzero(keep)[0]
        return Vector(
            labels=[self.labels[i] for i in rows],
            values=self.values[rows],
            present=self.present[rows],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """Samples of series and, per step, which of them lie in the range: positions [low, high]."""

    labels: list[Labels]
    times: Floats  # [samples] ascending
    values: Floats  # [series, samples], NaN where there is none
    low: "np.ndarray[tuple[int, ...], np.dtype[np.int64]]"  # [steps]
    high: "np.ndarray[tuple[int, ...], np.dtype[np.int64]]"  # [steps], high < low: nothing
    starts: Floats  # [steps] the ranges' bounds
    ends: Floats
    range_s: float


def signature(labels: Labels) -> tuple[tuple[str, str], ...]:
    """Return something hashable that identifies a label set."""
    return tuple(sorted(labels.items()))


def merged(vector: Vector) -> Vector:
    """Return the vector, series of equal labels joined. Raises: FailedQuery: both at a step."""
    seen: dict[tuple[tuple[str, str], ...], list[int]] = {}
    for i, labels in enumerate(vector.labels):
        seen.setdefault(signature(labels), []).append(i)
    if len(seen) == len(vector.labels):
        return vector
    rows = [_join(vector, where) for where in seen.values()]
    return Vector(
        labels=[vector.labels[w[0]] for w in seen.values()],
        values=np.array([r[0] for r in rows]),
        present=np.array([r[1] for r in rows]),
    )


def _join(vector: Vector, where: list[int]) -> tuple[Floats, Bools]:
    count = vector.present[where].sum(axis=0)
    if (count > 1).any():
        raise FailedQuery("vector cannot contain metrics with the same labelset")
    values = np.where(vector.present[where], vector.values[where], 0.0).sum(axis=0)
    return values, count > 0
