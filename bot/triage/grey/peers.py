"""Pods against the other pods of their service, and new versions against old ones.

No history is needed: at one moment all peers have the same traffic and the same dependencies.
Failures: of all failures of a service, a pod's part is its part of the requests (binomial); the
sum looks for a pod that fails WORSE times as often. Slowness: ln p99 against the peers' median.
A young pod still warms up and is left out. Pods of one version are one more "pod" beside others.
"""

import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bot.triage.grey.evidence import FIRM_P99, FULL, LEAST_FOR_P99, LEAST_REQUESTS, PART, TAIL
from bot.triage.grey.streams import NOW, Kind, Look

WARM_S = 240.0
SETTLED_S = 420.0  # after the last new pod, in which a service is not judged at once
WORSE = 8.0
EFFECT = 0.02  # of the pod's requests, over its peers
LEAST_FAILED = 2.0
COST = 0.005  # nats a request: a pod that fails now and then only is not what is looked for
SLOWER = 1.6
LEAST_PEERS = 2
SPREAD, LEAST_SPREAD = 0.25, 0.12  # of ln p99 between healthy pods: at first, at least
LEARN = 0.002
FORGET_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Odd:
    """A pod, or the pods of one version, that are worse than their peers."""

    service: str
    name: str
    version: bool  # it is all pods of a version, named by their common name
    failing: bool
    here: float  # ratio of failures, or p99 in seconds
    there: float  # the peers'


@dataclass(slots=True)
class Pods:
    """What is remembered: when a pod was first seen, sums, and how alike a service's pods are."""

    since: dict[str, float] = field(default_factory=dict)
    seen: dict[str, float] = field(default_factory=dict)
    sums: dict[tuple[str, bool], float] = field(default_factory=dict)
    spread: dict[str, float] = field(default_factory=dict)
    rolled: dict[str, float] = field(default_factory=dict)  # service → when its newest pod came

    def young(self, at: float) -> frozenset[str]:
        """Return the services some of whose pods have just come."""
        return frozenset(s for s, came in self.rolled.items() if at - came < SETTLED_S)


@dataclass(frozen=True, slots=True)
class _Pod:
    name: str
    requests: float
    failed: float
    p99: float
    version: bool = False  # it is all pods of a version


def compare(look: Look, pods: Pods, threshold: float) -> list[Odd]:
    """Take in one window and return the odd ones. `threshold`: nats that the sums need."""
    odd: list[Odd] = []
    by = (pods, threshold)
    for service, members in _services(look, pods).items():
        for own in members:
            rest = [m for m in members if m is not own]
            if len(rest) >= LEAST_PEERS:
                odd += _failing(service, own, rest, by)
                odd += _slow(service, own, rest, by)
        for own in _versions(members):
            rest = [m for m in members if not m.name.startswith(own.name)]
            odd += _failing(service, own, rest, by)
            odd += _slow(service, own, rest, by)
    _forget(look.at, pods)
    return odd


def _services(look: Look, pods: Pods) -> Mapping[str, list[_Pod]]:
    found: dict[str, list[_Pod]] = {}
    for row, stream in enumerate(look.streams):
        if stream.kind is not Kind.POD:
            continue
        requests = float(look.requests[row, NOW])
        if not requests >= 1.0:
            continue
        name = stream.other
        if name not in pods.since:
            pods.since[name] = pods.rolled[stream.service] = look.at
        since = pods.since[name]
        pods.seen[name] = look.at
        if look.at - since >= WARM_S and requests >= LEAST_REQUESTS:
            failed = float(look.failed[row, NOW])
            one = _Pod(name, requests, failed if failed >= 0.0 else 0.0, float(look.p99[row, NOW]))
            found.setdefault(stream.service, []).append(one)
    return found


def _versions(members: Iterable[_Pod]) -> list[_Pod]:
    """Return the pods of each version as one, where there are several versions, and pods of it."""
    groups: dict[str, list[_Pod]] = {}
    for pod in members:
        groups.setdefault(pod.name.rpartition("-")[0] + "-", []).append(pod)
    if len(groups) < 2:
        return []
    return [
        _Pod(
            name,
            sum(p.requests for p in group),
            sum(p.failed for p in group),
            statistics.median(p.p99 for p in group),
            version=True,
        )
        for name, group in groups.items()
        if len(group) > 1 and len(name) > 1
    ]


def _failing(service: str, own: _Pod, rest: list[_Pod], by: tuple[Pods, float]) -> list[Odd]:
    if not own.failed and (own.name, True) not in by[0].sums:
        return []
    others, failed = sum(p.requests for p in rest), sum(p.failed for p in rest)
    part = own.requests / (own.requests + others)
    more = WORSE * part / (WORSE * part + 1.0 - part)
    llr = own.failed * math.log(more / part) + failed * math.log((1.0 - more) / (1.0 - part))
    enough = _added((own.name, True), llr - COST * own.requests, by)
    here, there = own.failed / own.requests, failed / others
    if not enough or own.failed < LEAST_FAILED or here - there < EFFECT:
        return []
    return [Odd(service=service, name=own.name, version=own.version, failing=True, here=here,
                there=there)]  # fmt: skip


def _slow(service: str, own: _Pod, rest: list[_Pod], by: tuple[Pods, float]) -> list[Odd]:
    told = [p.p99 for p in rest if p.requests >= LEAST_FOR_P99 and p.p99 > 0]
    if not told or not own.p99 > 0 or own.requests < LEAST_FOR_P99:
        return []
    there = statistics.median(told)
    excess = math.log(own.p99 / there)
    spread = by[0].spread.get(service, SPREAD)
    by[0].spread[service] = _learned(spread, excess)
    spread *= max(1.0, math.sqrt(FIRM_P99 / min(own.requests, *(p.requests for p in rest))))
    z, shift = excess / spread, max(math.log(SLOWER) / spread, 3.0)
    if z < shift / 2.0 and (own.name, False) not in by[0].sums:
        return []  # it would only lower a sum of nothing
    llr = (TAIL + 1.0) / 2.0 * math.log((1.0 + z**2 / TAIL) / (1.0 + (z - shift) ** 2 / TAIL))
    if not _added((own.name, False), llr, by) or excess < math.log(SLOWER):
        return []
    return [Odd(service=service, name=own.name, version=own.version, failing=False, here=own.p99,
                there=there)]  # fmt: skip


def _added(key: tuple[str, bool], llr: float, by: tuple[Pods, float]) -> bool:
    pods, threshold = by
    total = pods.sums.get(key, 0.0) + min(llr, PART * threshold)
    if total <= 0.0:
        pods.sums.pop(key, None)
        return False
    pods.sums[key] = min(total, FULL * threshold)
    return total >= threshold


def _learned(spread: float, excess: float) -> float:
    clipped = min(abs(excess), 3.0 * spread)
    return max(LEAST_SPREAD, math.sqrt((1.0 - LEARN) * spread**2 + LEARN * clipped**2))


def _forget(at: float, pods: Pods) -> None:
    """Drop pods that are gone."""
    gone = {name for name, seen in pods.seen.items() if at - seen > FORGET_S}
    for name in gone:
        pods.since.pop(name, None)
        pods.seen.pop(name, None)
    if gone:
        kept = tuple(pods.seen)
        groups = {name.rpartition("-")[0] + "-" for name in kept}
        pods.sums = {k: v for k, v in pods.sums.items() if k[0] in pods.seen or k[0] in groups}
