"""Gives every service the capacity an SRE would: about forty per cent busy at noon."""

import math
from dataclasses import replace

from bot.sandbox.world.shop import Size
from bot.sandbox.world.topology import Service, Topology

BUSY = 0.38


def noon_rates(topology: Topology, traffic: float) -> dict[str, float]:
    """Return requests per second of every service at noon."""
    rates: dict[str, float] = {}
    for service in topology.services:
        rate = traffic * service.entry_share
        rate += sum(rates[c.name] * call.per_request for c, call in topology.callers(service.name))
        rates[service.name] = rate
    return rates


def sized(topology: Topology, size: Size) -> Topology:
    """Return the topology with replicas and CPU limits for an environment's traffic."""
    rates = noon_rates(topology, size.traffic)
    return Topology.of(tuple(_sized(s, size, rates[s.name]) for s in topology.services))


def _sized(service: Service, size: Size, rate: float) -> Service:
    if not service.inside:
        return service
    replicas = service.replicas
    if not service.stateful:
        replicas = max(1, math.ceil(service.replicas * size.replicas))
        if size.replicas > 0.4 and service.replicas > 1:
            replicas = max(2, replicas)
    need = rate * service.cpu_s / replicas / BUSY
    limit = max(0.1, math.ceil(need * 20.0) / 20.0)
    return replace(service, replicas=replicas, cpu_limit=limit)
