"""What is really wrong in an incident, for scoring; and what an incident is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.world.site import NAMESPACE, Site

HEALTHY = "healthy"
UNKNOWN = "unknown"
Repair = Mapping[str, Any]  # {"action": name, "arguments": {…}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """The answer to an incident. `repairs` are calls that end it, `worsens` make it worse."""

    incident: str
    seed: int
    environment: str
    cause: str
    object: str
    service: str  # whose fault it is
    symptom_service: str  # what a user asks about
    question: str
    healthy: bool = False
    onset_age_s: float = 0.0  # how long before its start the trouble began
    repairs: tuple[Repair, ...] = ()
    worsens: tuple[Repair, ...] = ()
    also: tuple["Truth", ...] = ()  # of a composition: the other, independent causes
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What an incident's `install` hands back; the catalogue adds name, seed and environment."""

    cause: str
    object: str
    service: str
    symptom_service: str
    question: str
    healthy: bool = False
    repairs: tuple[Repair, ...] = ()
    worsens: tuple[Repair, ...] = ()
    detail: str = ""
    onset_age_s: float | None = None  # where the incident itself decides when it began to hurt


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One incident. `install(site, onset, seed)` changes the past and the physics."""

    name: str
    summary: str
    install: Callable[[Site, float, int], Story]
    hours: tuple[float, float] = (10.5, 16.0)  # the company's local time when it is started
    ages_s: tuple[float, float] = (620.0, 1150.0)  # how long ago the onset was
    composable: bool = True
    mates: tuple[str, ...] = field(default=())  # names it may be composed with; (): all


def call(action: str, **arguments: Any) -> Repair:
    """Return an action call; Kubernetes ones get the namespace."""
    if action != "set_flag":
        arguments = {"namespace": NAMESPACE, **arguments}
    return {"action": action, "arguments": arguments}
