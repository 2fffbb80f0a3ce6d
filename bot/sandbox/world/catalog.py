"""The incidents by name: what they are, their truth per seed, and how to start one."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache

from bot.sandbox.world import building, composing, noise
from bot.sandbox.world import incidents as package
from bot.sandbox.world.running import World
from bot.sandbox.world.site import Site
from bot.sandbox.world.topology import Topology
from bot.sandbox.world.truth import Incident, Story, Truth

REFERENCE = 1_790_000_000.0  # truth does not depend on the moment: any will do
NOT_INCIDENTS = ("parts", "false_alarms")


class UnknownIncident(Exception):
    """There is no incident of that name."""


@cache
def _found() -> Mapping[str, Incident]:
    out: dict[str, Incident] = {}
    for module in pkgutil.iter_modules(package.__path__):
        if module.name in NOT_INCIDENTS:
            continue
        loaded = importlib.import_module(f"{package.__name__}.{module.name}")
        incident: Incident = loaded.INCIDENT
        if incident.name in out:
            raise ValueError(f"two incidents are called {incident.name}")
        out[incident.name] = incident
    return out


def incidents() -> tuple[str, ...]:
    """Return the names of all incidents."""
    return tuple(sorted(_found()))


def summary(name: str) -> str:
    """Return an incident in a sentence. Raises: UnknownIncident."""
    return _incident(name).summary


def _incident(name: str) -> Incident:
    if name == composing.NAME:
        return composing.INCIDENT
    found = _found().get(name)
    if found is None:
        raise UnknownIncident(f"there is no incident {name!r}; there are: {', '.join(incidents())}")
    return found


def made(
    name: str, seed: int, environment: str, now: float, topology: Topology | None = None
) -> tuple[Site, Truth]:
    """Return an environment in which the incident has just begun, and its truth.

    Raises: UnknownIncident.
    """
    incident = _incident(name)
    if name == composing.NAME:
        return composing.compose(_found(), seed, environment, now)
    hour = noise.between(*incident.hours, name, seed, "hour")
    site = building.build(environment, seed, now, topology, hour)
    age = noise.between(*incident.ages_s, name, seed, "age")
    return site, told(site, incident, seed, age)


def told(site: Site, incident: Incident, seed: int, age: float) -> Truth:
    """Install an incident in a site and return its truth."""
    site.incident, site.incident_seed, site.onset = incident.name, seed, site.begun - age
    story: Story = incident.install(site, site.onset, seed)
    found = composing.truth_of(story, incident.name, (seed, site.env), age)
    site.onset = site.begun - found.onset_age_s
    return found


def truth(name: str, seed: int, environment: str = "prod") -> Truth:
    """Return what is really wrong. Raises: UnknownIncident."""
    return made(name, seed, environment, REFERENCE)[1]


def start(world: World, name: str, seed: int, environment: str = "prod") -> Truth:
    """Start an incident in an environment, which is reset first. Raises: UnknownIncident."""
    now = world.clock.now().timestamp()
    site, found = made(name, seed, environment, now, world.topology)
    world.replace(site)
    world.truths[environment] = found
    return found
