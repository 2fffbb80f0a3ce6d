"""A release leaks: memory grows to the limit, the container is killed, and it begins again."""

import numpy as np

from bot.sandbox.world import noise
from bot.sandbox.world.incidents import parts
from bot.sandbox.world.noise import Floats
from bot.sandbox.world.records import Modifiers, Pod, Restart
from bot.sandbox.world.series.containers import MIB
from bot.sandbox.world.site import Site
from bot.sandbox.world.topology import Service
from bot.sandbox.world.truth import Incident, Story, call

HORIZON_S = 6 * 3600.0
DIFF = (
    "+_seen: dict[str, Response] = {}\n"
    "+\n"
    " def handle(request):\n"
    "+    _seen[request.id] = build(request)\n"
    "-    return build(request)\n"
    "+    return _seen[request.id]"
)


def install(site: Site, _onset: float, seed: int) -> Story:
    """Release the leak so long ago that the pods were killed once and are nearly full again."""
    service = noise.choice(parts.http_services(site), "leak", seed)
    period = noise.between(400.0, 560.0, "leak", seed, "period")
    leak = _Leak(site, service, period)
    site.births.append(leak.born)
    version = parts.release(
        site, service, site.begun - 1.92 * period - 30.0,
        ("answer repeated requests from memory", "handlers/cache.py", DIFF),
    )  # fmt: skip
    leak.version = version
    for pod in site.workloads[service.name].pods:
        leak.born(pod)
    site.memory[service.name] = leak.extra
    parts.add(
        site,
        service.name,
        Modifiers(latency_factor=5.0, latency_add_s=0.12, cpu_factor=1.5),
        leak.pressure,
        "leak",
    )
    parts.add(site, service.name, Modifiers(errors=0.35), leak.dying, "leak-kill")
    parts.log(
        site, service.name, "warn",
        ("garbage collection took {ms} ms, heap {n} % full",
         "allocation stalled for {ms} ms, waiting for memory to be freed"),
        lambda pod, times: 0.3 * leak.pressure(pod, times),
    )  # fmt: skip
    symptom = parts.symptom_of(site, service.name, seed)
    return Story(
        cause="memory_leak", object=f"deployment/{service.name}", service=service.name,
        symptom_service=symptom, question=parts.slow_question(symptom),
        repairs=(parts.undo(site, service.name),),
        worsens=(call("scale_deployment", name=service.name,
                      replicas=max(1, service.replicas - 2)),),
        detail=f"{service.name} {version} keeps every answer in memory; a restart helps for "
               f"{period / 60:.0f} minutes",
        onset_age_s=1.92 * period + 30.0 - 0.65 * period,
    )  # fmt: skip


class _Leak:
    """Memory of the leaking version over the life of each container."""

    def __init__(self, site: Site, service: Service, period_s: float) -> None:
        self.site, self.service, self.period_s = site, service, period_s
        self.version = "?"
        limit = service.memory_limit - service.memory_base
        self.rate = limit * MIB * 1.04 / period_s

    def born(self, pod: Pod) -> None:
        """Foretell when the kernel will kill a pod's container."""
        if pod.service != self.service.name or pod.version != self.version or pod.restarts:
            return
        period = self.period_s * noise.between(0.88, 1.12, pod.uid, "leak")
        at = pod.created + period
        while at < pod.created + HORIZON_S:
            down = noise.between(14.0, 22.0, pod.uid, at)
            pod.restarts.append(Restart(at=at, back=at + down, reason="OOMKilled", exit_code=137))
            at += down + period

    def _ages(self, pod: Pod, times: Floats) -> Floats:
        start = times * 0.0 + pod.created
        for restart in pod.restarts:
            start = np.where(times >= restart.at, restart.at, start)
        out: Floats = np.maximum(0.0, times - start)
        return out

    def extra(self, pod: Pod, times: Floats) -> Floats:
        """Return the leaked bytes."""
        if pod.version != self.version:
            return times * 0.0
        return self.rate * self._ages(pod, times)

    def pressure(self, pod: Pod | None, times: Floats) -> Floats:
        """Return how much the collector struggles: from 65 % of the way to the limit on."""
        if pod is None or pod.version != self.version:
            return times * 0.0
        full = self._ages(pod, times) / self.period_s
        out: Floats = np.clip((full - 0.55) / 0.4, 0.0, 1.0) ** 2
        return out

    def dying(self, pod: Pod | None, times: Floats) -> Floats:
        """Return 1 in the seconds before a kill, when requests are cut off."""
        out = times * 0.0
        if pod is not None and pod.version == self.version:
            for restart in pod.restarts:
                out[(times >= restart.at - 16.0) & (times < restart.at)] = 1.0
        return out


INCIDENT = Incident(
    name="memory-leak", summary="A release leaks until it is killed.", install=install,
    ages_s=(420.0, 900.0),
)  # fmt: skip
