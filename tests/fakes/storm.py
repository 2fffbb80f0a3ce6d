"""A storm: alerts of 40 services of a made-up topology from 6 causes, the same again for one seed.

Four layers of services that call downwards. A cause's trouble climbs to its callers with delays,
and not to all of them; every service in trouble alerts with several rules, pods and repetitions;
where it begins alerts first only by chance.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

RULES = ("HighErrorRate", "HighLatency", "PodNotReady", "SaturatedPool", "QueueGrows", "ProbeFails")
LAYERS = (4, 12, 14, 10)
CLIMBS = 0.8  # chance that a caller is in trouble too


@dataclass(frozen=True, slots=True, kw_only=True)
class StormAlert:
    """One alert, `at` seconds after the storm began."""

    at: float
    service: str
    rule: str
    pod: str
    severity: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """The topology, what was wrong, and what alerted."""

    calls: tuple[tuple[str, str], ...]
    causes: tuple[str, ...]
    hit: frozenset[str]
    alerts: tuple[StormAlert, ...]


def storm(
    seed: int, *, alerts: int = 10_000, seconds: float = 60.0, causes: int = 6, apart: bool = True
) -> Storm:
    """Return a storm. `apart`: no cause calls another one, directly or over others."""
    rng = random.Random(seed)
    layers = [[f"svc-{n}-{i:02}" for i in range(size)] for n, size in enumerate(LAYERS)]
    calls = _calls(rng, layers)
    chosen = _causes(rng, layers, calls, causes, apart=apart)
    onsets: dict[str, float] = {}
    for cause in chosen:
        for service, at in _climb(rng, calls, cause, rng.uniform(0, seconds / 3)).items():
            onsets[service] = min(at, onsets.get(service, at))
    made = _alerts(rng, onsets, frozenset(chosen), alerts, seconds)
    return Storm(calls=calls, causes=chosen, hit=frozenset(onsets), alerts=made)


def _calls(rng: random.Random, layers: Sequence[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    found: set[tuple[str, str]] = set()
    for n, layer in enumerate(layers[:-1]):
        below = [s for lower in layers[n + 1 : n + 3] for s in lower]
        for service in layer:
            for callee in rng.sample(below, rng.randint(1, 3)):
                found.add((service, callee))
        for callee in layers[n + 1]:  # nobody is called by no one
            found.add((rng.choice(layer), callee))
    return tuple(sorted(found))


def _causes(
    rng: random.Random, layers: Sequence[Sequence[str]], calls: Sequence[tuple[str, str]],
    count: int, *, apart: bool,
) -> tuple[str, ...]:  # fmt: skip
    candidates = [s for layer in layers[1:] for s in layer]
    while True:
        chosen = rng.sample(candidates, count)
        above = {cause: _above(calls, cause) for cause in chosen}
        if not apart or not any(a in above[b] for a in chosen for b in chosen if a != b):
            return tuple(sorted(chosen))


def _above(calls: Sequence[tuple[str, str]], service: str) -> set[str]:
    found: set[str] = set()
    ahead = [service]
    while ahead:
        here = ahead.pop()
        new = {caller for caller, callee in calls if callee == here} - found
        found |= new
        ahead += sorted(new)
    return found


def _climb(
    rng: random.Random, calls: Sequence[tuple[str, str]], cause: str, at: float
) -> dict[str, float]:
    """Return when each service is in trouble because of one cause."""
    onsets = {cause: at}
    ahead = [cause]
    while ahead:
        here = ahead.pop(0)
        for caller in sorted(c for c, callee in calls if callee == here):
            if caller not in onsets and rng.random() < CLIMBS:
                onsets[caller] = onsets[here] + rng.uniform(0.5, 6.0)
                ahead.append(caller)
    return onsets


def _alerts(
    rng: random.Random, onsets: dict[str, float], causes: frozenset[str], count: int,
    seconds: float,
) -> tuple[StormAlert, ...]:  # fmt: skip
    services = sorted(onsets)
    made: list[StormAlert] = []
    for number in range(count):
        first = number < len(services)
        service = services[number % len(services)] if first else rng.choice(services)
        began = min(onsets[service], seconds - 1)
        # an evaluation interval: who begins is not who alerts first
        at = began + rng.uniform(0, 5) if first else rng.uniform(began, seconds)
        made.append(
            StormAlert(
                at=min(at, seconds), service=service, rule=rng.choice(RULES),
                pod=f"{service}-{rng.randrange(200)}", number=number,
                severity="critical" if service in causes or rng.random() < 0.1 else "high",
            )
        )  # fmt: skip
    return tuple(sorted(made, key=lambda a: (a.at, a.number)))
