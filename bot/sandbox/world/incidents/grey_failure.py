"""One pod lets some of its requests hang while its health checks stay green."""

from bot.sandbox.world import noise
from bot.sandbox.world.incidents import parts
from bot.sandbox.world.noise import Floats
from bot.sandbox.world.records import Modifiers, Pod
from bot.sandbox.world.site import Site
from bot.sandbox.world.truth import Incident, Story, call

MARK = "grey"


def install(site: Site, onset: float, seed: int) -> Story:
    """Make one pod bad."""
    service = noise.choice(parts.http_services(site, called=True), "grey", seed)
    pods = sorted(site.workloads[service.name].alive(site.begun), key=lambda p: p.name)
    bad = noise.choice(pods, "grey", seed, "pod")
    bad.marks.add(MARK)
    share = min(0.9, 0.05 * len(pods))
    strength = _Grey(onset)
    parts.add(site, service.name, Modifiers(hang_share=share), strength, "grey")
    parts.log(site, service.name, "warn",
              ("worker {n} has not answered for {ms} ms, request {id}",),
              parts.steady(0.05, strength))  # fmt: skip
    for caller, c in site.topology.callers(service.name):
        parts.log(
            site, caller.name, "error",
            ("upstream " + service.name + ": context deadline exceeded after "
             f"{round(c.timeout_s * 1000)} ms, request {{id}}",),
            parts.steady(0.25, _WhileGrey(site, service.name, strength)),
        )  # fmt: skip
    symptom = parts.symptom_of(site, service.name, seed)
    return Story(
        cause="grey_failure", object=f"pod/{bad.name}", service=service.name,
        symptom_service=symptom, question=parts.failing_question(symptom),
        repairs=(call("restart_pod", name=bad.name),),
        detail=f"{bad.name} lets {share:.0%} of its requests hang",
    )  # fmt: skip


class _Grey:
    """1 on the bad pod from the onset on, until it is gone or restarted."""

    def __init__(self, onset: float) -> None:
        self.onset = onset

    def __call__(self, pod: Pod | None, times: Floats) -> Floats:
        """Return the strength."""
        if pod is None or MARK not in pod.marks:
            return times * 0.0
        return (times >= self.onset).astype(float)


class _WhileGrey:
    """1 on callers while the bad pod serves."""

    def __init__(self, site: Site, name: str, grey: _Grey) -> None:
        self.site, self.name, self.grey = site, name, grey

    def __call__(self, _pod: Pod | None, times: Floats) -> Floats:
        """Return the strength."""
        out = times * 0.0
        for pod in self.site.workloads[self.name].pods:
            out = out + self.grey(pod, times) * pod.present(times)
        return out


INCIDENT = Incident(name="grey-failure", summary="One pod lets requests hang.", install=install)
