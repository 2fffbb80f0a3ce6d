"""Incidents composed at random: two at once, or a kind that no book describes."""

from collections.abc import Mapping

import numpy as np

from bot.sandbox.world import building, noise
from bot.sandbox.world.incidents import parts
from bot.sandbox.world.noise import Floats
from bot.sandbox.world.records import Modifiers, Pod
from bot.sandbox.world.site import Site
from bot.sandbox.world.truth import UNKNOWN, Incident, Story, Truth

NAME = "composed"
TRIES = 40


def truth_of(story: Story, name: str, where: tuple[int, str], age: float) -> Truth:
    """Return a story with its incident's name, (seed, environment) and age."""
    seed, environment = where
    age = age if story.onset_age_s is None else story.onset_age_s
    return Truth(
        incident=name, seed=seed, environment=environment, cause=story.cause, object=story.object,
        service=story.service, symptom_service=story.symptom_service, question=story.question,
        healthy=story.healthy, onset_age_s=round(age, 1), repairs=story.repairs,
        worsens=story.worsens, detail=story.detail,
    )  # fmt: skip


def _never(_site: Site, _onset: float, _seed: int) -> Story:
    raise NotImplementedError("a composition is made by compose()")


INCIDENT = Incident(name=NAME, summary="Composed at random.", install=_never, composable=False)


def compose(
    known: Mapping[str, Incident], seed: int, environment: str, now: float
) -> tuple[Site, Truth]:
    """Return a site with two independent incidents, or with one of an unknown kind."""
    if noise.unit("compose", seed) < 0.4:
        return _strange(seed, environment, now)
    names = sorted(n for n, i in known.items() if i.composable)
    for attempt in range(TRIES):
        first = noise.choice(names, "compose", seed, "first")
        second = noise.choice([n for n in names if n != first], "compose", seed, attempt)
        made = _both((known[first], known[second]), seed, environment, now)
        if made is not None:
            return made
    return _strange(seed, environment, now)


def _both(
    pair: tuple[Incident, Incident], seed: int, environment: str, now: float
) -> tuple[Site, Truth] | None:
    site = building.build(
        environment, seed, now, None, noise.between(10.5, 16.0, "compose", seed, "h")
    )
    truths: list[Truth] = []
    for i, incident in enumerate(pair):
        age = noise.between(*incident.ages_s, "compose", seed, i, "age")
        own = noise.number("compose", seed, i) % 10_000
        story = incident.install(site, site.begun - age, own)
        truths.append(truth_of(story, incident.name, (own, environment), age))
    if _related(site, truths[0].service, truths[1].service):
        return None
    site.incident, site.incident_seed = NAME, seed
    site.onset = site.begun - max(t.onset_age_s for t in truths)
    first, second = truths
    whole = Truth(
        incident=NAME, seed=seed, environment=environment, cause=first.cause, object=first.object,
        service=first.service, symptom_service=first.symptom_service, question=first.question,
        onset_age_s=first.onset_age_s, repairs=first.repairs, worsens=first.worsens, also=(second,),
        detail=f"{first.incident} and {second.incident} at once",
    )  # fmt: skip
    return site, whole


def _related(site: Site, one: str, other: str) -> bool:
    """Return whether two services are one, call each other, or share a dependency."""
    if one == other or one in site.topology.upstream(other) or other in site.topology.upstream(one):
        return True
    stores = [{c.callee for c in site.service(n).calls} for n in (one, other)]
    return bool(stores[0] & stores[1])


def _strange(seed: int, environment: str, now: float) -> tuple[Site, Truth]:
    site = building.build(
        environment, seed, now, None, noise.between(10.5, 16.0, "compose", seed, "h")
    )
    age = noise.between(620.0, 1150.0, "compose", seed, "age")
    onset = site.begun - age
    service = noise.choice(parts.http_services(site, called=True), "compose", seed, "service")
    kind = noise.choice(
        ("slow-library", "clock-skew", "kernel", "half-cold"), "compose", seed, "kind"
    )
    _KINDS[kind](site, service.name, onset)
    site.incident, site.incident_seed, site.onset = NAME, seed, onset
    told = kind in _TOLD
    story = Story(
        cause=_TOLD.get(kind, UNKNOWN), object=f"deployment/{service.name}" if told else "",
        service=service.name, symptom_service=service.name,
        question=parts.slow_question(service.name), detail=f"{kind} at {service.name}",
    )  # fmt: skip
    return site, truth_of(story, NAME, (seed, environment), age)


def _slow_library(site: Site, service: str, onset: float) -> None:
    modifiers = Modifiers(slow_share=0.07, slow_s=2.8)
    parts.add(site, service, modifiers, parts.since(onset, 60.0), "slow-library")


def _clock_skew(site: Site, service: str, onset: float) -> None:
    node = site.workloads[service].alive(site.begun)[0].node

    def skewed(pod: Pod | None, times: Floats) -> Floats:
        here = float(pod is not None and pod.node == node)
        out: Floats = (times >= onset).astype(np.float64) * here
        return out

    parts.add(site, service, Modifiers(errors=0.3), skewed, "clock-skew")
    parts.log(site, service, "error", ("token used before issued, rejected: request {id}",),
              parts.steady(0.4, skewed))  # fmt: skip


def _kernel(site: Site, service: str, onset: float) -> None:
    def stalls(_pod: Pod | None, times: Floats) -> Floats:
        phase = np.mod(times - onset, 210.0)
        out: Floats = ((times >= onset) & (phase < 75.0)).astype(float)
        return out

    parts.add(
        site, service, Modifiers(latency_add_s=0.9, slow_share=0.3, slow_s=3.0), stalls, "kernel"
    )


def _half_cold(site: Site, service: str, onset: float) -> None:
    def cold(_pod: Pod | None, times: Floats) -> Floats:
        out: Floats = np.clip((times - onset) / 400.0, 0.0, 1.0)
        return out

    parts.add(site, service, Modifiers(latency_factor=4.0, errors=0.02), cold, "half-cold")


_TOLD = {"clock-skew": "clock_skew"}  # the service's own log names it
_KINDS = {"slow-library": _slow_library, "clock-skew": _clock_skew, "kernel": _kernel,
          "half-cold": _half_cold}  # fmt: skip
