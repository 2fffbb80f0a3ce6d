"""What the monitoring counts of solved hours: whole requests, drawn, in windows of two minutes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.sandbox.world.noise import Floats
from bot.sandbox.world.series.requests import (
    BOUNDS,
    NAMES,
    client_increments,
    server_increments,
)
from bot.sandbox.world.site import Site
from bot.sandbox.world.solving import Frame
from bot.sandbox.world.topology import STATEFUL

STEP_S = 30.0
PAIR = 2  # scrapes a step
WINDOW = 4  # steps a window
BEFORE = 12  # steps that are carried over to the next day
CLUSTER = 2.0  # shape of the gamma by which failures come in clusters
Name = tuple[str, str, str]  # ("service" | "call" | "pod", service, callee or pod)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Windows that end at `times`; the first BEFORE columns are of the day before."""

    names: tuple[Name, ...]
    times: Floats
    requests: Floats  # [names, times]
    failed: Floats
    p99: Floats  # s


class Counting:
    """Counts day after day."""

    def __init__(self, site: Site, seed: int) -> None:
        self._site, self._random = site, np.random.Generator(np.random.PCG64(seed))
        self._last: dict[Name, Floats] = {}

    def day(self, frame: Frame, times: Floats) -> Counted:
        """Return the windows of a solved day; `times` are the scrapes'."""
        rows = dict(self._rows(frame))
        ends = times[PAIR - 1 :: PAIR] + STEP_S / PAIR
        empty = np.zeros((BEFORE, 2, len(NAMES)))
        joined = {k: np.concatenate([self._last.get(k, empty), v]) for k, v in rows.items()}
        self._last = {k: v[-BEFORE:] for k, v in joined.items()}
        names = tuple(sorted(joined))
        slid = np.stack([_slid(joined[k]) for k in names])
        every = slid.sum(axis=2)
        requests, failed = every.sum(axis=2), slid[:, :, 1].sum(axis=2)
        before = ends[0] - STEP_S * np.arange(BEFORE, 0, -1)
        return Counted(
            names=names,
            times=np.concatenate([before, ends]),
            requests=np.where(requests > 0, requests, np.nan),
            failed=np.where(requests > 0, failed, np.nan),
            p99=quantile(every, 0.99),
        )

    def _rows(self, frame: Frame) -> Iterator[tuple[Name, Floats]]:
        """Yield drawn counts [steps, good or failed, buckets]."""
        for service in self._site.inside():
            if not service.serves_http or service.role == "batch":
                continue
            drawn = [
                (pod, self._drawn(v)) for pod, v in _by(server_increments(frame, service.name), 0)
            ]
            for pod, counts in drawn:
                yield ("pod", service.name, pod), counts
            if drawn:
                yield ("service", service.name, ""), sum(c for _, c in drawn)  # type: ignore[misc]
            for callee, expected in _by(client_increments(frame, service.name), 1):
                if frame[callee].service.role not in STATEFUL:
                    yield ("call", service.name, callee), self._drawn(expected)

    def _drawn(self, expected: Floats) -> Floats:
        clusters = self._random.gamma(CLUSTER, 1.0 / CLUSTER, len(expected))
        lam = expected.copy()
        lam[:, 1] *= clusters[:, None]
        out: Floats = self._random.poisson(lam).astype(float)
        return out


def _by(rows: dict[Any, Floats], place: int) -> Iterator[tuple[str, Floats]]:
    """Yield expected counts a step, [steps, good or failed, buckets], by a part of the key."""
    found: dict[str, list[Floats]] = {}
    for key, values in rows.items():
        cumulated = values[: len(NAMES)]
        single = np.diff(cumulated, axis=0, prepend=0.0).clip(0.0)
        steps = single.reshape(len(NAMES), -1, PAIR).sum(axis=2).T
        parts = found.setdefault(key[place], [np.zeros_like(steps), np.zeros_like(steps)])
        parts[int(key[-1] != "200")] += steps
    for name, parts in found.items():
        yield name, np.stack(parts, axis=1)


def _slid(counts: Floats) -> Floats:
    total = np.cumsum(counts, axis=0)
    out = total.copy()
    out[WINDOW:] -= total[:-WINDOW]
    return out


def quantile(buckets: Floats, q: float) -> Floats:
    """Return `histogram_quantile` over the last axis: linear within a bucket."""
    total = np.cumsum(buckets, axis=-1)
    wanted = q * total[..., -1]
    place = np.minimum((total < wanted[..., None]).sum(axis=-1), len(BOUNDS))
    uppers, lowers = np.array((*BOUNDS, BOUNDS[-1])), np.array((0.0, *BOUNDS))
    below = np.take_along_axis(
        np.concatenate([np.zeros((*total.shape[:-1], 1)), total], axis=-1), place[..., None], -1
    )[..., 0]
    inside = np.take_along_axis(buckets, place[..., None], -1)[..., 0]
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(inside > 0, (wanted - below) / inside, 0.0)
    found = lowers[place] + (uppers[place] - lowers[place]) * np.clip(share, 0.0, 1.0)
    out: Floats = np.where(total[..., -1] > 0, found, np.nan)
    return out
