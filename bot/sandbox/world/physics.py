"""What follows by nature: a cache that was restarted is cold, and its callers pay."""

import numpy as np

from bot.sandbox.world.noise import Floats
from bot.sandbox.world.records import Effect, Modifiers, Pod
from bot.sandbox.world.site import Site
from bot.sandbox.world.topology import Role

WARM_S = 110.0


def fill(site: Site) -> None:
    """Add the effects of cold caches, for every cache and each of its callers."""
    for cache in site.inside():
        if cache.role is not Role.CACHE:
            continue
        for caller, _call in site.topology.callers(cache.name):
            stores = [
                c.callee for c in caller.calls if site.service(c.callee).role is Role.DATABASE
            ]
            modifiers = Modifiers(
                calls=dict.fromkeys(stores, 4.5),
                errors=0.0 if stores else 0.12,
                latency_factor=2.5,
            )
            site.effects.append(
                Effect(
                    name="cold-cache",
                    service=caller.name,
                    modifiers=modifiers,
                    strength=ColdCache(site, cache.name),
                )
            )


class ColdCache:
    """Strength 1 when a cache's process has just started, fading as it fills."""

    def __init__(self, site: Site, cache: str) -> None:
        self.site, self.cache = site, cache

    def __call__(self, _pod: Pod | None, times: Floats) -> Floats:
        """Return how cold the cache is."""
        out = times * 0.0
        for pod in self.site.workloads[self.cache].pods:
            starts = [r.back - 4.0 for r in pod.restarts]
            if pod.created > self.site.begun - 3600.0:
                starts.append(pod.ready)
            for start in starts:
                age = times - start
                cold = np.where(
                    (age >= 0) & (age < 8 * WARM_S), np.exp(-np.maximum(age, 0.0) / WARM_S), 0.0
                )
                out = np.maximum(out, cold)
        return out
