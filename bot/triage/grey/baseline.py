"""What is usual for a stream, by hour of the day, on working days and at weekends.

Failures: a ratio per hour, drawn towards the stream's own of all hours while little was seen.
Slowness: mean and spread of the logarithm of p99. What is an anomaly at the time is not learned.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bot.triage.grey.streams import Bools, Floats, zeroed

HOURS = 48  # 24 of working days, 24 of weekends
KEEP = 0.5 ** (1.0 / 420)  # of what an hour's memory weighs after each sample: two weeks' half
TRUST = 20_000.0  # requests in an hour that make it as good as all hours together
LEAST_RATIO = 3e-5
LEAST_SPREAD = 0.05
FIRST_SPREAD = 0.35
CLIP = 4.0  # spreads beyond which a sample moves its baseline no further
BURSTY = 40.0
LEARNED = 720  # windows after which a stream has a baseline at all: a day
PASSING_S = 700.0  # an excursion that lasts no longer passes by itself
FADE = 0.5 ** (1.0 / 5040)  # of the largest passing excursion: a week's half
_ROWS = ("requests", "failed", "weight", "mean", "square", "rate")
_ONES = ("bursty", "seen", "excursion", "peak", "left")


class Baseline:
    """Rows are streams, in the order of `keys`; columns hours."""

    def __init__(self, keys: tuple[str, ...] = ()) -> None:
        self.keys = keys
        size = len(keys)
        for name in _ROWS:
            setattr(self, name, np.zeros((size, HOURS)))
        for name in _ONES:
            setattr(self, name, np.zeros(size))
        self.bursty = np.ones(size)
        self.excursion = np.ones(size)

    requests: Floats
    failed: Floats
    weight: Floats  # samples of p99, faded
    mean: Floats  # of ln p99, times weight
    square: Floats  # of the residual, times weight
    rate: Floats  # requests a window, times weight
    bursty: Floats  # variance of failures over the Poisson variance
    seen: Floats  # samples, at most LEARNED
    excursion: Floats  # largest factor on p99 that passed by itself, faded
    peak: Floats  # of the excursion under way, 0: none
    left: Floats  # when it began, epoch seconds

    def failing(self, at: float) -> Floats:
        """Return the usual ratio of failures."""
        all_of_it = (self.failed.sum(axis=1) + 1.0) / (self.requests.sum(axis=1) + TRUST)
        failed, requests = self._blend(self.failed, at), self._blend(self.requests, at)
        ratio = (failed + TRUST * all_of_it) / (requests + TRUST)
        out: Floats = np.maximum(ratio, LEAST_RATIO)
        return out

    def slowness(self, at: float) -> tuple[Floats, Floats]:
        """Return mean and spread of ln p99; NaN where nothing was seen."""
        own, total = self._blend(self.weight, at), self.weight.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            whole = self.mean.sum(axis=1) / total
            mean = np.where(own > 3.0, self._blend(self.mean, at) / own, whole)
            wide = self.square.sum(axis=1) / total
            narrow = (self._blend(self.square, at) + 20.0 * wide) / (own + 20.0)
        spread = np.sqrt(np.where(np.isfinite(narrow), narrow, FIRST_SPREAD**2))
        return mean, np.maximum(spread, LEAST_SPREAD)

    def traffic(self, at: float) -> Floats:
        """Return the usual requests of a window; NaN where nothing was seen."""
        with np.errstate(invalid="ignore", divide="ignore"):
            out: Floats = self._blend(self.rate, at) / self._blend(self.weight, at)
        return out

    @property
    def ready(self) -> Bools:
        """Return which streams were seen for long enough."""
        out: Bools = self.seen >= LEARNED
        return out

    def learn(self, at: float, calm: Bools, seen: tuple[Floats, Floats, Floats]) -> None:
        """Take in one window of requests, failures and p99, where the stream is calm."""
        requests, failed, p99 = seen
        hour = _hour(at)
        told = calm & np.isfinite(requests) & np.isfinite(failed) & (requests > 0)
        self._learn_failures(at, hour, told, (requests, failed))
        self._learn_slowness(at, hour, told & np.isfinite(p99) & (p99 > 0), (requests, p99))
        self.seen = np.minimum(LEARNED, self.seen + told)

    def _learn_failures(
        self, at: float, hour: int, told: Bools, seen: tuple[Floats, Floats]
    ) -> None:
        n, x = (np.where(told, v, 0.0) for v in seen)
        usual = np.maximum(n * self.failing(at), 0.3)
        odd = np.clip((x - usual) ** 2 / usual, 0.0, BURSTY)
        self.bursty = np.where(told, np.maximum(1.0, 0.998 * self.bursty + 0.002 * odd),
                               self.bursty)  # fmt: skip
        cut = np.minimum(x, usual + 8.0 * np.sqrt(usual * self.bursty))
        for rows, value in ((self.requests, n), (self.failed, cut)):
            rows[:, hour] = np.where(told, KEEP * rows[:, hour] + value, rows[:, hour])

    def _learn_slowness(
        self, at: float, hour: int, told: Bools, seen: tuple[Floats, Floats]
    ) -> None:
        n, value = (np.where(told, v, 1.0) for v in seen)
        y = np.log(value)
        mean, spread = self.slowness(at)
        fresh = ~np.isfinite(mean)
        mean = np.where(fresh, y, mean)
        residual = np.clip(y - mean, -CLIP * spread, CLIP * spread)
        square = np.where(fresh, FIRST_SPREAD**2, residual**2)
        news = ((self.weight, 1.0), (self.mean, mean + residual), (self.square, square),
                (self.rate, n))  # fmt: skip
        for rows, new in news:
            rows[:, hour] = np.where(told, KEEP * rows[:, hour] + new, rows[:, hour])

    def passed(self, at: float, z: Floats, factor: Floats) -> None:
        """Remember how far a stream went that came back soon and by itself."""
        out = zeroed(z) > CLIP
        soon = at - self.left < PASSING_S
        back = ~out & (self.peak > 0.0) & soon
        self.excursion = np.maximum(1.0, self.excursion * FADE)
        self.excursion = np.where(back, np.maximum(self.excursion, self.peak), self.excursion)
        self.left = np.where(out & (self.peak == 0.0), at, self.left)
        self.peak = np.where(out, np.maximum(self.peak, zeroed(factor)), 0.0)

    def arranged(self, keys: tuple[str, ...]) -> "Baseline":
        """Return it for other streams, in their order; new ones know nothing yet."""
        out, index = Baseline(keys), {key: i for i, key in enumerate(self.keys)}
        pairs = [(i, index[key]) for i, key in enumerate(keys) if key in index]
        if pairs:
            to, of = (list(part) for part in zip(*pairs, strict=True))
            for name in (*_ROWS, *_ONES):
                getattr(out, name)[to] = getattr(self, name)[of]
        return out

    def _blend(self, rows: Floats, at: float) -> Floats:
        """Return a column between two hours' middles, so that no hour begins with a step."""
        hour, weekend = _moment(at)
        left = int(np.floor(hour - 0.5)) % 24
        share = (hour - 0.5) % 1.0
        base = 24 * weekend
        out: Floats = (1.0 - share) * rows[:, base + left] + share * rows[:, base + (left + 1) % 24]
        return out

    def dump(self, row: int) -> dict[str, Any]:
        """Return a stream's memory as JSON."""
        body: dict[str, Any] = {
            name: [float(f"{v:.6g}") for v in getattr(self, name)[row]] for name in _ROWS
        }
        return body | {name: float(getattr(self, name)[row]) for name in _ONES}

    @classmethod
    def load(cls, bodies: Mapping[str, Mapping[str, Any]]) -> "Baseline":
        """Return the memory of streams by key; a body that is damaged is as none."""
        good = {key: body for key, body in bodies.items() if _whole(body)}
        out = cls(tuple(sorted(good)))
        for row, key in enumerate(out.keys):
            for name in (*_ROWS, *_ONES):
                getattr(out, name)[row] = good[key][name]
        return out


def _whole(body: Mapping[str, Any]) -> bool:
    rows = all(
        isinstance(body.get(n), list) and len(body[n]) == HOURS and all(map(_number, body[n]))
        for n in _ROWS
    )
    return rows and all(_number(body.get(n)) for n in _ONES)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and bool(np.isfinite(value)) and abs(value) < 1e15


def _moment(at: float) -> tuple[float, int]:
    """Return the hour 0..24 (UTC) and whether it is a weekend; 1970 began on a Thursday."""
    day, seconds = divmod(at, 86400.0)
    return seconds / 3600.0, int((int(day) + 3) % 7 >= 5)


def _hour(at: float) -> int:
    hour, weekend = _moment(at)
    return 24 * weekend + int(hour) % 24
