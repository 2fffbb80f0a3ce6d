"""Repeatable randomness: every draw is a pure function of a seed and a key."""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
T = TypeVar("T")


def number(*parts: object) -> int:
    """Return a 63-bit number that depends on the parts only."""
    text = "\x1f".join(str(p) for p in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def unit(*parts: object) -> float:
    """Return a number in [0, 1) that depends on the parts only."""
    return number(*parts) / 2.0**63


def between(low: float, high: float, *parts: object) -> float:
    """Return a number in [low, high) that depends on the parts only."""
    return low + (high - low) * unit(*parts)


def choice(options: Sequence[T], *parts: object) -> T:
    """Return one of the options, by the parts only."""
    return options[number(*parts) % len(options)]


def letters(length: int, *parts: object) -> str:
    """Return a name suffix in the alphabet that Kubernetes uses for generated names."""
    alphabet = "bcdfghjklmnpqrstvwxz2456789"
    value = number(*parts)
    out = []
    for _ in range(length):
        value, rest = divmod(value, len(alphabet))
        out.append(alphabet[rest])
    return "".join(out)


def generator(*parts: object) -> np.random.Generator:
    """Return a generator whose stream depends on the parts only."""
    return np.random.Generator(np.random.PCG64(number(*parts)))


def wave(times: Floats, *parts: object, periods_s: tuple[float, ...] = (420.0, 1500.0)) -> Floats:
    """Return a smooth wandering signal in about [-1, 1] at the times, continuous for ever."""
    out = np.zeros_like(times)
    for period in periods_s:
        phase = 2.0 * np.pi * unit(*parts, period)
        length = period * between(0.8, 1.25, *parts, period, "length")
        out += np.sin(2.0 * np.pi * times / length + phase)
    return out / len(periods_s)
