"""A cache keeps everything since days: nothing is broken yet, but the morning will fill it."""

import numpy as np

from bot.sandbox.world import background, noise
from bot.sandbox.world.incidents import parts
from bot.sandbox.world.noise import Floats
from bot.sandbox.world.records import Modifiers, Pod
from bot.sandbox.world.series.stores import maxmemory, redis_used
from bot.sandbox.world.site import Site
from bot.sandbox.world.topology import Role
from bot.sandbox.world.traffic import DAY, sign_ins
from bot.sandbox.world.truth import Incident, Story, call

KEY = "default-ttl-seconds"
DRAIN_S = 35.0


def install(site: Site, _onset: float, seed: int) -> Story:
    """Remove the TTL some days ago; memory has grown with every sign-in since."""
    cache = _cache(site)
    name = f"{cache}-config"
    changed = site.begun - noise.between(1.5, 2.0, "redis", seed) * DAY
    history = site.configs[name]
    before = dict(history.at(changed))
    history.put(changed, before | {KEY: "0"})
    background.config_change(
        site, cache, ({KEY: before[KEY]}, {KEY: "0"}), changed, "keep sessions until sign-out"
    )
    hoard = _Hoard(site, cache, changed, noise.between(0.82, 0.88, "redis", seed, "now"))
    site.gauges[("redis_memory_used_bytes", cache)] = hoard.used
    site.gauges[("redis_mem_fragmentation_ratio", cache)] = hoard.fragmentation
    site.gauges[("redis_evicted_keys_total", cache)] = hoard.evicted
    for caller, _call in site.topology.callers(cache):
        parts.add(
            site, caller.name, Modifiers(errors=0.2, latency_factor=4.0), hoard.broken, "full"
        )
    parts.log(site, cache, "warning",
              ("Memory usage is {n} % of maxmemory", "active defrag is behind: {ms} ms this cycle"),
              lambda _pod, times: 0.01 + 0.0 * times)  # fmt: skip
    return Story(
        cause="cache_memory_pressure", object=f"statefulset/{cache}", service=cache,
        symptom_service=cache, question=f"will {cache} hold in the morning",
        repairs=(call("revert_config", name=name, data={KEY: before[KEY]}, restart=""),),
        worsens=(call("restart_pod", name=f"{cache}-0"),),
        detail=f"{KEY} of {cache} went from {before[KEY]} to 0 days ago",
    )  # fmt: skip


def _cache(site: Site) -> str:
    if "sessions-cache" in site.topology.by_name:
        return "sessions-cache"
    return next(s.name for s in site.inside() if s.role is Role.CACHE)


class _Hoard:
    """Memory that grows with what people do, until the TTL is back."""

    def __init__(self, site: Site, cache: str, changed: float, share_now: float) -> None:
        self.site, self.cache, self.changed = site, cache, changed
        self.limit = maxmemory(site.service(cache))
        self.grid = np.arange(changed, site.begun + 2 * DAY, 300.0)
        load = sign_ins(self.grid, site.day_offset, site.seed)
        self.grown = np.concatenate([[0.0], np.cumsum(load[:-1] ** 1.3)])
        here = float(np.interp(site.begun, self.grid, self.grown))
        usual = float(redis_used(site, site.service(cache), np.array([site.begun]))[0])
        self.per_unit = (share_now * self.limit - usual) / max(here, 1e-9)

    def _kept(self, times: Floats) -> Floats:
        """Return the bytes hoarded beyond the usual."""
        out = self.per_unit * np.interp(times, self.grid, self.grown)
        out = np.where(times >= self.changed, out, 0.0)
        for at, data in self.site.configs[f"{self.cache}-config"].moments:
            if at > self.site.begun - 60.0 and data.get(KEY) not in ("0", None):
                out = np.where(
                    times >= at, out * np.exp(-np.maximum(times - at, 0.0) / DRAIN_S), out
                )
        for pod in self.site.workloads[self.cache].pods:
            if pod.created > self.site.begun - 60.0:
                out = np.where(times >= pod.created, 0.0, out)
        kept: Floats = out
        return kept

    def _wanted(self, times: Floats) -> Floats:
        usual = redis_used(self.site, self.site.service(self.cache), times)
        out: Floats = usual + self._kept(times)
        return out

    def used(self, times: Floats) -> Floats:
        """Return used memory: never more than maxmemory."""
        return np.floor(np.minimum(self._wanted(times), self.limit))

    def fragmentation(self, times: Floats) -> Floats:
        """Return the fragmentation ratio, which grows with what is kept."""
        share = self._kept(times) / self.limit
        wobble = 0.02 * noise.wave(
            times, *self.site.key, self.cache, "frag", periods_s=(900.0, 7000.0)
        )
        out: Floats = 1.09 + 0.8 * share + wobble
        return out

    def evicted(self, times: Floats) -> Floats:
        """Return evicted keys: none until memory is full."""
        over = np.maximum(0.0, self._wanted(times) - self.limit)
        return np.floor(over / 2048.0)

    def broken(self, _pod: Pod | None, times: Floats) -> Floats:
        """Return how much callers suffer: only when memory is full."""
        out: Floats = np.clip((self._wanted(times) / self.limit - 1.0) / 0.05, 0.0, 1.0)
        return out


INCIDENT = Incident(
    name="redis-pressure", summary="A cache will be full in the morning.", install=install,
    hours=(1.5, 4.5), composable=False,
)  # fmt: skip
