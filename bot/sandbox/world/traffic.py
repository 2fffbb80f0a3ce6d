"""How much the outside world asks of the shop, by time of day."""

import numpy as np

from bot.sandbox.world import noise
from bot.sandbox.world.noise import Floats

DAY = 86400.0


def hour_of(times: Floats, day_offset: float) -> Floats:
    """Return the company's local hour, 0..24."""
    local: Floats = np.mod(times + day_offset, DAY) / 3600.0
    return local


def shoppers(times: Floats, day_offset: float, seed: object) -> Floats:
    """Return outside traffic relative to noon: low at night, a broad day, an evening peak."""
    hour = hour_of(times, day_offset)
    day = 0.5 * (1.0 + np.tanh((hour - 7.5) / 1.1)) * 0.5 * (1.0 - np.tanh((hour - 22.6) / 0.9))
    evening = 0.15 * np.exp(-(((hour - 19.5) / 1.6) ** 2))
    base = 0.10 + 0.90 * day + evening
    out: Floats = base * (1.0 + 0.05 * noise.wave(times, seed, "shoppers"))
    return out


def sign_ins(times: Floats, day_offset: float, seed: object) -> Floats:
    """Return sign-ins relative to noon: next to nothing at night, thirty times as many at eight."""
    hour = hour_of(times, day_offset)
    day = 0.5 * (1.0 + np.tanh((hour - 6.8) / 0.5)) * 0.5 * (1.0 - np.tanh((hour - 22.0) / 0.9))
    morning = 3.0 * np.exp(-(((hour - 8.2) / 0.8) ** 2))
    base = 0.12 + 0.7 * day + morning
    out: Floats = base * (1.0 + 0.05 * noise.wave(times, seed, "sign-ins"))
    return out
