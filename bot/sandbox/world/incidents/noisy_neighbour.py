"""A batch job without a CPU limit takes a whole node; the pods beside it are slow."""

import copy

import numpy as np

from bot.sandbox.world import noise, rollout
from bot.sandbox.world.incidents import parts
from bot.sandbox.world.noise import Floats
from bot.sandbox.world.records import Modifiers, Pod
from bot.sandbox.world.site import Site
from bot.sandbox.world.topology import Role, Service
from bot.sandbox.world.truth import Incident, Story, call


def install(site: Site, onset: float, seed: int) -> Story:
    """Start the big job on a node where customers are served too."""
    noisy = noise.choice([s for s in site.inside() if s.role is Role.BATCH], "noisy", seed)
    workload = site.workloads[noisy.name]
    node, victim = _where(site, seed)
    for pod in workload.pods:
        pod.node = node
    _unlimited(site, noisy)
    cores = next(n.cores for n in site.nodes if n.name == node)
    parts.add(site, noisy.name, Modifiers(cpu_add=0.92 * cores), _job(onset), "noisy")
    squeezed = _Beside(site, noisy.name, onset)
    for service in site.inside():
        if service.name != noisy.name and service.role is Role.HTTP:
            factor = noise.between(6.0, 9.0, "noisy", seed, service.name)
            parts.add(site, service.name, Modifiers(latency_factor=factor), squeezed, "squeezed")
    parts.log(site, noisy.name, "info", ("exported {n} rows of chunk {n}, {ms} ms",),
              parts.steady(0.8, _job(onset)))  # fmt: skip
    return Story(
        cause="noisy_neighbour", object=f"deployment/{noisy.name}", service=noisy.name,
        symptom_service=victim, question=parts.slow_question(victim),
        repairs=(call("scale_deployment", name=noisy.name, replicas=0),),
        worsens=(call("scale_deployment", name=noisy.name, replicas=4),),
        detail=f"{noisy.name} takes the CPU of {node}",
    )  # fmt: skip


def _where(site: Site, seed: int) -> tuple[str, str]:
    """Return the node and the service that suffer: where one of its few pods is."""
    victims = [s for s in parts.http_services(site, called=True) if s.replicas <= 4]
    victim = noise.choice(victims, "noisy", seed, "victim")
    pods = site.workloads[victim.name].alive(site.begun)
    return noise.choice(pods, "noisy", seed, "node").node, victim.name


def _unlimited(site: Site, noisy: Service) -> None:
    """Take the CPU limit away, as the manifest of the job has had it for long."""
    workload = site.workloads[noisy.name]
    for revision in workload.revisions:
        template = copy.deepcopy(revision.template)
        template["spec"]["containers"][0]["resources"]["limits"].pop("cpu", None)
        revision.template = template
        old = revision.hash
        revision.hash = rollout.template_hash(template)
        for pod in workload.pods:
            if pod.template_hash == old:
                pod.template_hash = revision.hash
                pod.name = pod.name.replace(old, revision.hash)
    workload.body["spec"]["template"] = copy.deepcopy(workload.current.template)


def _job(onset: float):  # type: ignore[no-untyped-def]
    return parts.since(onset, 30.0)


class _Beside:
    """1 on pods that share a node with a running pod of the job."""

    def __init__(self, site: Site, noisy: str, onset: float) -> None:
        self.site, self.noisy, self.onset = site, noisy, onset

    def __call__(self, pod: Pod | None, times: Floats) -> Floats:
        """Return the strength."""
        if pod is None:
            return times * 0.0
        out = times * 0.0
        for other in self.site.workloads[self.noisy].pods:
            if other.node == pod.node:
                out = np.maximum(out, other.present(times) * _job(self.onset)(other, times))
        return out


INCIDENT = Incident(
    name="noisy-neighbour", summary="A batch job takes a node for itself.", install=install,
    composable=False,
)  # fmt: skip
