"""What several incidents are made of: bad versions, strengths, log lines, candidates."""

from collections.abc import Callable

import numpy as np

from bot.sandbox.world import background, building, noise, rollout, templates
from bot.sandbox.world.noise import Floats
from bot.sandbox.world.records import Effect, Modifiers, Pod, Strength
from bot.sandbox.world.site import LogRule, Site
from bot.sandbox.world.sizing import noon_rates
from bot.sandbox.world.topology import Role, Service
from bot.sandbox.world.truth import Repair, call

Work = tuple[str, str, str]  # summary, file, diff body


def http_services(site: Site, *, called: bool = False, database: bool = False) -> list[Service]:
    """Return the HTTP services that can be broken: with two pods at least where there are any."""
    out = [s for s in site.inside() if s.role is Role.HTTP]
    if database:
        out = [s for s in out if database_of(site, s)]
    if called:
        out = [s for s in out if site.topology.callers(s.name)]
    return [s for s in out if s.replicas > 1] or out


def database_of(site: Site, service: Service) -> str:
    """Return the database that a service asks, "" if none."""
    for c in service.calls:
        if site.service(c.callee).role is Role.DATABASE:
            return c.callee
    return ""


def symptom_of(site: Site, service: str, seed: int) -> str:
    """Return whom a user complains about: the service itself, or one that calls it at once."""
    callers = [
        s.name
        for s, c in site.topology.callers(service)
        if s.role is Role.HTTP and not c.soft and c.per_request >= 0.8
    ]
    return noise.choice([service, *callers], "symptom", seed, service)


def release(site: Site, service: Service, at: float, work: Work) -> str:
    """Roll out a new version at a moment of the past, tell the change feed, return the version."""
    workload = site.workloads[service.name]
    before = rollout.version_of(rollout.image_of(workload.current.template))
    after = building.bump(before, 1)
    site.images.add(site.image(service.name, after))
    rollout.roll(site, workload, templates.template(site, service, after), at)
    workload.body["metadata"]["labels"] = templates.labels(service, after)
    workload.body["metadata"]["generation"] += 1
    background.release(site, service.name, (before, after), at, work)
    return after


def undo(site: Site, service: str) -> Repair:
    """Return the rollback to the revision before the present one."""
    numbers = sorted(r.number for r in site.workloads[service].revisions)
    return call("rollback_deployment", name=service, to_revision=numbers[-2])


def on_version(version: str) -> Strength:
    """Return a strength of 1 on pods of that version."""

    def strength(pod: Pod | None, times: Floats) -> Floats:
        return times * 0.0 + float(pod is not None and pod.version == version)

    return strength


def since(onset: float, ramp_s: float = 1.0) -> Strength:
    """Return a strength that rises to 1 from a moment on, on every pod."""

    def strength(_pod: Pod | None, times: Floats) -> Floats:
        out: Floats = np.clip((times - onset) / ramp_s, 0.0, 1.0)
        return out

    return strength


def add(site: Site, service: str, modifiers: Modifiers, strength: Strength, name: str) -> None:
    """Add an effect."""
    site.effects.append(Effect(name=name, service=service, modifiers=modifiers, strength=strength))


def log(
    site: Site,
    service: str,
    level: str,
    texts: tuple[str, ...],
    rate: Callable[[Pod, Floats], Floats],
) -> None:
    """Add log lines of one service; `rate` is lines per second of one pod."""
    site.logs.append(LogRule(service=service, level=level, texts=texts, rate=rate))


def steady(per_second: float, strength: Strength) -> Callable[[Pod, Floats], Floats]:
    """Return a rate of log lines that follows a strength."""
    return lambda pod, times: per_second * strength(pod, times)


def busy_rate(site: Site, service: Service) -> float:
    """Return requests per second of one pod at noon."""
    return noon_rates(site.topology, site.size.traffic)[service.name] / service.replicas


def slow_question(service: str) -> str:
    """Return what a user asks when a service is slow."""
    return f"why is {service} slow"


def failing_question(service: str) -> str:
    """Return what a user asks when a service fails."""
    return f"why is {service} failing"
