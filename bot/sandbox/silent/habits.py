"""What happens all the time and is nothing: weekends, sales, releases, blips, bursts of errors."""

import numpy as np

from bot.sandbox.silent.faults import Fault, release
from bot.sandbox.world import noise, traffic
from bot.sandbox.world.incidents import parts
from bot.sandbox.world.noise import Floats
from bot.sandbox.world.records import Effect, Modifiers, Pod
from bot.sandbox.world.site import Site
from bot.sandbox.world.topology import Role
from bot.sandbox.world.traffic import DAY

BLIPS, BURSTS, SLUGGISH = 5, 2, 0.3  # a day, over all services
RELEASE_EVERY = 6  # days, of a service
WEEKDAYS = (1.0, 0.98, 1.0, 1.02, 1.06, 0.82, 0.72)  # Monday first
SALE = 0.4  # more traffic, for an hour and a half of a day a week
WARMING_S, WARMING = 45.0, 1.8  # a new pod is so much slower for so long


def week(site: Site, seed: int) -> None:
    """Make traffic follow the days of the week, with a sale now and then."""
    shoppers = [s for s in site.topology.services if s.entry_share and s.role is not Role.BATCH]
    for service in shoppers:
        profile = traffic.sign_ins if service.entry_share < 0.5 else traffic.shoppers
        rate = site.size.traffic * service.entry_share

        def extra(times: Floats, profile: object = profile, rate: float = rate) -> Floats:
            usual: Floats = rate * profile(times, site.day_offset, site.seed)  # type: ignore[operator]
            return usual * (_weekly(times) * _sale(times, seed) - 1.0)

        site.surges.append((service.name, extra))
    for service in site.inside():
        if service.serves_http:
            warm = Modifiers(latency_factor=WARMING)
            parts.add(site, service.name, warm, _warming, "warming")


def day(site: Site, seed: int, start: float, faults: list[Fault]) -> None:
    """Let an ordinary day's small things happen; a service with a fault is not released."""
    names = sorted(s.name for s in site.inside() if s.serves_http)
    for i in range(BLIPS):
        key = ("blip", seed, start, i)
        slower = Modifiers(latency_factor=noise.between(1.4, 2.5, *key, "factor"))
        _short(site, names, key, slower, (20.0, 80.0))
    for i in range(BURSTS):
        key = ("burst", seed, start, i)
        broken = Modifiers(errors=0.02 * 10.0 ** noise.unit(*key, "errors"))
        _short(site, names, key, broken, (10.0, 60.0))
    if noise.unit("sluggish", seed, start) < SLUGGISH:
        _sluggish(site, names, ("sluggish", seed, start))
    for i, name in enumerate(names):
        at = start + noise.between(0.1, 0.9, seed, start, name, "release") * DAY
        ill = any(f.service == name and f.begins - 3600 < at < f.ends + 3600 for f in faults)
        if (int(start // DAY) + i) % RELEASE_EVERY == 0 and not ill:
            release(site, name, at)


def _short(
    site: Site, names: list[str], key: tuple[object, ...], what: Modifiers, s: tuple[float, float]
) -> None:
    begins = float(str(key[2])) + noise.unit(*key, "at") * DAY
    ends = begins + noise.between(*s, *key, "length")
    parts.add(site, noise.choice(names, *key), what, _Between(begins, ends), str(key[0]))


def _sluggish(site: Site, names: list[str], key: tuple[object, ...]) -> None:
    """One pod is a little slower than its peers for an hour or two: its neighbour is busy."""
    name, begins = noise.choice(names, *key), float(str(key[2])) + noise.unit(*key, "at") * DAY
    pods = sorted(site.workloads[name].ready(float(str(key[2]))), key=lambda p: p.name)
    if pods:
        pod = noise.choice(pods, *key).name
        between = _Between(begins, begins + noise.between(1800.0, 7200.0, *key, "length"), pod)
        parts.add(site, name, Modifiers(latency_factor=1.2), between, "sluggish")


class _Between:
    """1 between two moments, on all pods or one."""

    def __init__(self, begins: float, ends: float, pod: str = "") -> None:
        self._begins, self.ends, self._pod = begins, ends, pod

    def __call__(self, pod: Pod | None, times: Floats) -> Floats:
        """Return the strength."""
        meant = not self._pod or (pod is not None and pod.name == self._pod)
        inside = (times >= self._begins) & (times < self.ends)
        return inside.astype(np.float64) * float(meant)


def over(effect: Effect, before: float) -> bool:
    """Return whether an effect is of a short thing that ended before this moment."""
    return isinstance(effect.strength, _Between) and effect.strength.ends < before


def _warming(pod: Pod | None, times: Floats) -> Floats:
    if pod is None or pod.ready > times[-1] or pod.ready < times[0] - WARMING_S:
        return times * 0.0
    out: Floats = ((times >= pod.ready) & (times < pod.ready + WARMING_S)).astype(float)
    return out


def _weekly(times: Floats) -> Floats:
    """Return the day's factor, sliding from one to the next over the midnight hours."""
    weekday = times / DAY + 3.0
    left = np.floor(weekday - 0.5).astype(int)
    share = np.clip(((weekday - 0.5) % 1.0 - 0.4) / 0.2, 0.0, 1.0)
    factors = np.array(WEEKDAYS)
    out: Floats = (1.0 - share) * factors[left % 7] + share * factors[(left + 1) % 7]
    return out


def _sale(times: Floats, seed: int) -> Floats:
    out: Floats = np.ones_like(times)
    for number in np.unique((times // (7 * DAY)).astype(int)):
        begins = (number + noise.between(0.1, 0.8, "sale", seed, number)) * 7 * DAY
        part = np.minimum(times - begins, begins + 5400.0 - times) / 600.0
        inside: Floats = np.clip(part, 0.0, 1.0)
        out = out + SALE * inside
    return out
