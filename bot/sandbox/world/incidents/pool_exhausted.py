"""A settings change makes a connection pool too small: callers wait for connections."""

import copy

from bot.sandbox.world import background, noise, rollout
from bot.sandbox.world.incidents import parts
from bot.sandbox.world.noise import Floats
from bot.sandbox.world.records import Modifiers, Pod
from bot.sandbox.world.site import Site
from bot.sandbox.world.truth import Incident, Story, call

KEY = "DB_POOL_SIZE"


def install(site: Site, onset: float, seed: int) -> Story:
    """Change the pool's size; the pods take it when they restart."""
    service = noise.choice(parts.http_services(site, database=True), "pool", seed)
    database = parts.database_of(site, service)
    name = f"{service.name}-config"
    small = max(1, int(0.38 * service.pool / noise.between(1.25, 1.5, "pool", seed, "how")))
    at = onset - noise.between(40.0, 70.0, "pool", seed, "lag")
    history = site.configs[name]
    before = dict(history.at(at))
    history.put(at, before | {KEY: str(small)})
    background.config_change(
        site, service.name, ({KEY: before[KEY]}, {KEY: str(small)}), at,
        "right-size the connection pool",
    )  # fmt: skip
    _restart(site, service.name, at + 6.0)
    few = _Few(site, name, service.pool)
    parts.add(site, service.name, Modifiers(pool_size=float(small)), few, "pool")
    parts.log(
        site, service.name, "error",
        ("could not get a connection from pool " + service.name + "-db within 2500 ms "
         "(size=" + str(small) + ", in use=" + str(small) + ", waiting={n})",
         "timeout waiting for idle database connection, request {id}"),
        parts.steady(0.5, few),
    )  # fmt: skip
    symptom = parts.symptom_of(site, service.name, seed)
    return Story(
        cause="connection_pool_exhausted", object=f"configmap/{name}", service=service.name,
        symptom_service=symptom, question=parts.slow_question(symptom),
        repairs=(call("revert_config", name=name, data={KEY: before[KEY]}, restart=service.name),),
        worsens=(call("scale_deployment", name=service.name,
                      replicas=max(1, service.replicas // 2)),),
        detail=f"{KEY} of {service.name} went from {before[KEY]} to {small} ({database} is fine)",
    )  # fmt: skip


class _Few:
    """1 on pods that were started with too few connections."""

    def __init__(self, site: Site, name: str, usual: int) -> None:
        self.site, self.name, self.usual = site, name, usual

    def __call__(self, pod: Pod | None, times: Floats) -> Floats:
        """Return the strength."""
        value = (
            "" if pod is None else str(self.site.configs[self.name].at(pod.created).get(KEY, ""))
        )
        few = value.isdigit() and int(value) < 0.5 * self.usual
        return times * 0.0 + float(few)


def _restart(site: Site, name: str, at: float) -> None:
    workload = site.workloads[name]
    template = copy.deepcopy(workload.current.template)
    annotations = template["metadata"].setdefault("annotations", {})
    annotations["checksum/config"] = f"{noise.number(*site.key, name, 'checksum'):016x}"
    rollout.roll(site, workload, template, at)
    workload.body["metadata"]["generation"] += 1


INCIDENT = Incident(
    name="pool-exhausted", summary="A settings change starves a connection pool.", install=install
)
