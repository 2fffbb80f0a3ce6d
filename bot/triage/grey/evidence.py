"""How much a look tells against "as usual", and when it is enough.

Two readings of the same numbers, each with its own bound on false alarms:

- sums: an e-detector, a CUSUM of log likelihood ratios, on windows that do not overlap. If nothing
  is wrong, the mean time to a false alarm of one stream is at least exp(threshold) windows, so the
  threshold is ln(streams x windows a week x tests / false alarms allowed a week). Source: Shin,
  Ramdas, Rinaldo 2022, "E-detectors". One window gives at most PART of it: a burst of a minute,
  which lies in two windows at most, cannot raise it.
- at once: the last window alone is beyond chance (Chernoff's bound for a Poisson count), the
  trouble was there already 90 s ago, and it still grows: so it lasts, and is no burst.

Failures are Poisson with the stream's own burstiness; ln p99 has Student's t with 4 degrees of
freedom: now and then far out is ordinary, far out for long is not.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from bot.triage.grey.baseline import Baseline
from bot.triage.grey.streams import (
    BEFORE,
    EARLIER,
    LAST,
    LONG_AGO,
    NOW,
    Bools,
    Floats,
    Look,
    zeroed,
)

A_WEEK = 7 * 86400.0
TESTS = 6  # kinds of test on a stream
PART = 0.42  # of a threshold that one window can give: three are needed
FULL = 1.3  # of a threshold that a sum holds: more would take long to go away
EFFECT = 0.004  # of the requests, beyond what is usual: less is not worth a word
SHIFT = 0.008  # of the requests: what the sum looks for
SLOWER = 1.4  # factor on p99: what the sum looks for
FAR, BEYOND = 2.7, 1.4  # factor on p99 that tells at once; and over what passed by itself
LASTING = 1.6  # factor on p99 that tells when all windows of a look have it
LEAST_FAILED, LEAST_REQUESTS, LEAST_FOR_P99 = 5.0, 20.0, 100.0
FIRM_P99 = 300.0  # requests whose p99 is not one slow request's
ENOUGH_FOR_P99 = 250.0  # requests of a window whose p99 can tell before the sums do
GROWS = 0.12  # of the window's failures are of the last 30 s
CROWDED = 1.2  # times the usual traffic, of a stream or of most services: slowness is the crowd's
ARRIVING = 1.06  # times the traffic of two minutes ago, at most services: a crowd comes
TAIL = 4.0  # degrees of freedom
HINT = 4.0  # nats that make a stream suspicious when somebody near has trouble
CLEAR = 4.0  # spreads that do


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is allowed. `false_per_week`: false alarms over all streams of an environment."""

    false_per_week: float = 0.4

    def threshold(self, streams: int, every_s: float) -> float:
        """Return the nats that a test needs."""
        tests = A_WEEK / every_s * max(1, streams) * TESTS
        return math.log(tests / self.false_per_week)


@dataclass(slots=True)
class Sums:
    """What the sums have come to, per stream."""

    failures: Floats = field(default_factory=lambda: np.zeros(0))
    slowness: Floats = field(default_factory=lambda: np.zeros(0))

    def arranged(self, places: Sequence[int]) -> "Sums":
        """Return them in another order; place -1 is a new stream."""
        at = np.array(places, dtype=int)
        return Sums(np.append(self.failures, 0.0)[at], np.append(self.slowness, 0.0)[at])


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """A look beside the baseline, per stream. `nats` are of the last window alone."""

    usual_ratio: Floats
    ratio: Floats
    failing: Bools  # enough to be told
    slow: Bools
    worth: Bools  # enough requests fail now to be worth a word
    hints: Bools  # odd, but not enough by itself
    z: Floats  # spreads of ln p99 beyond usual
    factor: Floats  # on the usual p99
    usual_p99: Floats  # s
    llr: tuple[Floats, Floats]  # of failures, of slowness, for the sums


def weigh(look: Look, baseline: Baseline, threshold: float, young: Bools) -> Weighed:
    """Return what the look tells at once. `threshold`: nats; `young`: some pods still warm up."""
    p0 = baseline.failing(look.at)
    mean, spread = baseline.slowness(look.at)
    n, x = look.requests, look.failed
    enough = n[:, NOW] >= LEAST_REQUESTS
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(enough, x[:, NOW] / n[:, NOW], np.nan)
        y = np.log(look.p99)
        crowded = _crowded(look, baseline.traffic(look.at))
    excess = y - mean[:, None]
    excess = np.where((n >= LEAST_FOR_P99) & ~crowded[:, None], excess, np.nan)
    spread = spread * np.sqrt(np.maximum(1.0, FIRM_P99 / np.fmax(n[:, NOW], 1.0)))
    z = excess[:, NOW] / spread
    nats = _nats(x, n, p0) / baseline.bursty[:, None]
    effect = ratio - p0 >= EFFECT
    failing = effect & _lasting_failures(nats, x, threshold)
    slow = _lasting_slowness(excess, spread, baseline.excursion)
    slow &= (zeroed(n[:, NOW]) >= ENOUGH_FOR_P99) & ~young
    known = baseline.ready
    hints = (zeroed(z) > CLEAR) | ((nats[:, NOW] > HINT) & effect)
    return Weighed(
        usual_ratio=p0,
        ratio=ratio,
        failing=failing & known,
        slow=slow & known,
        worth=effect & (x[:, NOW] >= 2.0),
        hints=hints & known,
        z=z,
        factor=np.exp(excess[:, NOW]),
        usual_p99=np.exp(mean),
        llr=(
            _failures_llr(x[:, NOW], n[:, NOW], p0, baseline.bursty),
            _slowness_llr(z, spread),
        ),
    )


def add(sums: Sums, weighed: Weighed, baseline: Baseline, threshold: float) -> tuple[Bools, Bools]:
    """Add a window to the sums, and return which streams fail or are slow by them."""
    most, known = PART * threshold, baseline.ready
    for name, llr in zip(("failures", "slowness"), weighed.llr, strict=True):
        grown = getattr(sums, name) + np.minimum(zeroed(llr), most)
        setattr(sums, name, np.where(known, np.clip(grown, 0.0, FULL * threshold), 0.0))
    with np.errstate(invalid="ignore"):
        worse = weighed.factor >= SLOWER**0.7
    return (sums.failures >= threshold) & weighed.worth, (sums.slowness >= threshold) & worse


def _crowded(look: Look, usual: Floats) -> Bools:
    """Return where there is more traffic than usual, beyond chance; everywhere if at most services.

    A crowd that has just come is in a part of the window only: then traffic grows.
    """
    now, last = look.requests[:, NOW], look.requests[:, LAST]
    own = now > CROWDED * usual + 3.0 * np.sqrt(usual)
    known = np.isfinite(now) & np.isfinite(last) & (usual >= LEAST_FOR_P99) & (last > 0)
    if not known.any():
        return own
    now, last, usual = now[known], last[known], usual[known]
    most = np.median(now / usual) > CROWDED or np.median(now / last) > ARRIVING
    out: Bools = own | bool(most)
    return out


def _nats(x: Floats, n: Floats, p0: Floats) -> Floats:
    """Return -ln of Chernoff's bound on so many failures or more, 0 where fewer than usual."""
    mu = np.maximum(zeroed(n) * p0[:, None], 1e-9)
    k = np.maximum(zeroed(x), 1e-9)
    return np.where(k > mu, k * np.log(k / mu) - (k - mu), 0.0)


def _lasting_failures(nats: Floats, x: Floats, threshold: float) -> Bools:
    beyond = (nats[:, NOW] >= threshold) & (x[:, NOW] >= LEAST_FAILED)
    grown = x[:, NOW] - x[:, BEFORE]
    still = (grown >= 3.0) & (grown >= GROWS * x[:, NOW])
    begun = _there(nats[:, EARLIER], x[:, EARLIER], GROWS * x[:, NOW])
    long_ago = _there(nats[:, LONG_AGO], x[:, LONG_AGO], 2.0 * GROWS * x[:, NOW])
    out: Bools = beyond & ((begun & still) | long_ago)
    return out


def _there(nats: Floats, x: Floats, least: Floats) -> Bools:
    """Return where a window was beyond chance, with as many failures as belong to this trouble."""
    out: Bools = (nats >= 2.0 * HINT) & (x >= np.maximum(least, 3.0))
    return out


def _lasting_slowness(excess: Floats, spread: Floats, excursion: Floats) -> Bools:
    """Return what is far beyond what ever passed, or beyond usual for longer than a blip is.

    A blip of a minute and a half stays in windows of two minutes for less than LAGS_S's longest.
    """
    far = np.maximum(np.log(np.maximum(FAR, BEYOND * excursion)), 8.0 * spread)
    both = np.minimum(excess[:, NOW], excess[:, BEFORE])
    every = excess.min(axis=1)
    with np.errstate(invalid="ignore"):
        at_once = (both >= far) & (excess[:, NOW] >= excess[:, BEFORE] - 0.1)
        lasts = every >= np.maximum(math.log(LASTING), 6.0 * spread)
        out: Bools = at_once | lasts
    return out


def _failures_llr(x: Floats, n: Floats, p0: Floats, bursty: Floats) -> Floats:
    llr: Floats = (x * np.log1p(SHIFT / p0) - n * SHIFT) / bursty
    return llr


def _slowness_llr(z: Floats, spread: Floats) -> Floats:
    """Return the llr of a mixture of two shifts: with heavy tails one alone misses what is far."""
    shift = np.maximum(math.log(SLOWER) / spread, 3.0)
    parts = [student_llr(z, shift), student_llr(z, 3.0 * shift)]
    with np.errstate(invalid="ignore"):
        out: Floats = np.logaddexp(*parts) - math.log(2.0)
    return out


def student_llr(z: Floats, shift: Floats) -> Floats:
    """Return ln of Student's density moved by `shift` spreads over the one that is not."""
    here, there = 1.0 + z**2 / TAIL, 1.0 + (z - shift) ** 2 / TAIL
    out: Floats = (TAIL + 1.0) / 2.0 * np.log(here / there)
    return out
