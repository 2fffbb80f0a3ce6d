"""A campaign sends several times the usual traffic to one service, which saturates."""

import numpy as np

from bot.sandbox.world import noise
from bot.sandbox.world.incidents import parts
from bot.sandbox.world.noise import Floats
from bot.sandbox.world.site import Site
from bot.sandbox.world.topology import STATEFUL, Service
from bot.sandbox.world.truth import Incident, Story, call


def install(site: Site, onset: float, seed: int) -> Story:
    """Let more people in."""
    service = noise.choice(_candidates(site), "surge", seed)
    usual = parts.busy_rate(site, service) * service.replicas
    busy = usual * service.cpu_s / (service.replicas * service.cpu_limit)
    busy = max(busy, 0.38 if service.pool else 0.0)  # a pool gives up before the CPU does
    level = noise.between(1.08, 1.25, "surge", seed, "factor")
    factor = level / busy - 1.0

    def extra(times: Floats) -> Floats:
        rise = np.clip((times - onset) / 150.0, 0.0, 1.0)
        wobble = 1.0 + 0.06 * noise.wave(times, *site.key, "surge")
        out: Floats = usual * factor * rise * wobble
        return out

    site.surges.append((service.name, extra))
    parts.log(
        site, service.name, "warn",
        ("request queue is full ({n} waiting), shedding", "load is high: p99 {ms} ms"),
        parts.steady(0.35, parts.since(onset + 120.0, 30.0)),
    )  # fmt: skip
    symptom = parts.symptom_of(site, service.name, seed)
    wanted = int(np.ceil(service.replicas * level / 0.6))
    return Story(
        cause="traffic_surge", object=f"deployment/{service.name}", service=service.name,
        symptom_service=symptom, question=parts.slow_question(symptom),
        repairs=(call("scale_deployment", name=service.name, replicas=wanted),),
        worsens=(call("restart_deployment", name=service.name),),
        detail=f"{1 + factor:.1f} times the usual requests at {service.name}",
    )  # fmt: skip


def _candidates(site: Site) -> list[Service]:
    """Return services whose own dependencies can bear the load, so that they saturate first."""
    named = [n for n in ("search", "recommendations", "sessions") if n in site.topology.by_name]
    if named:
        return [site.service(n) for n in named]
    leaves = [
        s
        for s in parts.http_services(site, called=True)
        if all(site.service(c.callee).role in STATEFUL for c in s.calls)
    ]
    return leaves or parts.http_services(site, called=True)


INCIDENT = Incident(name="traffic-surge", summary="Too many visitors at once.", install=install)
