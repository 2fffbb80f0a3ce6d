"""What a watcher stands at, as JSON: sums, pods, episodes. Baselines are kept beside it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bot.domain.codec import decode, encode
from bot.domain.errors import Malformed
from bot.triage.grey.baseline import Baseline
from bot.triage.grey.episodes import Episode
from bot.triage.grey.evidence import Sums
from bot.triage.grey.peers import Pods
from bot.triage.grey.watcher import Watcher

LEAST_SUM = 0.01  # nats below which a sum is not worth keeping
Json = Mapping[str, Any]


def standing(watcher: Watcher) -> Json:
    """Return what a watcher stands at."""
    sums = zip(watcher.baseline.keys, watcher.sums.failures, watcher.sums.slowness, strict=True)
    pods = watcher.pods
    return {
        "looked": watcher.looked,
        "told_at": list(watcher.told_at),
        "episodes": [encode(e) for e in watcher.episodes],
        "sums": {k: [round(f, 3), round(s, 3)] for k, f, s in sums if f + s > LEAST_SUM},
        "pods": {
            "since": pods.since,
            "seen": pods.seen,
            "spread": pods.spread,
            "rolled": pods.rolled,
            "sums": [[n, f, round(v, 3)] for (n, f), v in pods.sums.items() if v > LEAST_SUM],
        },
    }


def restore(watcher: Watcher, bodies: Mapping[str, Json], body: Json) -> None:
    """Take up what was kept: baselines by stream, and what the watcher stood at.

    Raises: Malformed: what is kept is no standing; the watcher is as it was.
    """
    if not body:
        watcher.take_up(Baseline.load(bodies), Sums(), Pods())
        return
    try:
        baseline = Baseline.load(bodies)
        sums = _sums(body["sums"], baseline.keys)
        pods = _pods(body["pods"])
        looked, told_at = float(body["looked"]), tuple(float(t) for t in body["told_at"])
        episodes = tuple(decode(Episode, e) for e in body["episodes"])
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise Malformed(f"grey watch: {type(error).__name__}: {error}") from None
    watcher.take_up(baseline, sums, pods)
    watcher.looked, watcher.told_at, watcher.episodes = looked, told_at, episodes


def _sums(kept: Mapping[str, Sequence[float]], keys: Sequence[str]) -> Sums:
    pairs = [tuple(float(v) for v in kept.get(key, (0.0, 0.0))) for key in keys]
    failures, slowness = (np.array([p[i] for p in pairs], dtype=float) for i in (0, 1))
    return Sums(failures, slowness)


def _pods(kept: Json) -> Pods:
    since, seen, spread, rolled = (
        {str(k): float(v) for k, v in kept[name].items()}
        for name in ("since", "seen", "spread", "rolled")
    )
    sums = {(str(n), bool(f)): float(v) for n, f, v in kept["sums"]}
    return Pods(since=since, seen=seen, sums=sums, spread=spread, rolled=rolled)
