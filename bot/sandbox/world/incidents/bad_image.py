"""A release names an image that does not exist: no new pod starts, few old ones are left."""

from bot.sandbox.world import background, building, noise, rollout, templates
from bot.sandbox.world.incidents import parts
from bot.sandbox.world.records import Json
from bot.sandbox.world.site import Site
from bot.sandbox.world.topology import Service
from bot.sandbox.world.truth import Incident, Story, call


def install(site: Site, onset: float, seed: int) -> Story:
    """Roll out the image that cannot be pulled."""
    service = noise.choice(parts.http_services(site, called=True), "image", seed)
    workload = site.workloads[service.name]
    before = rollout.version_of(rollout.image_of(workload.current.template))
    good = building.bump(before, 1)
    bad = noise.choice(
        (good + "-rc1", good + "-amd64", good.replace("v", "", 1)), "image", seed, "tag"
    )
    workload.body["spec"]["strategy"] = _strategy(service)
    template = templates.template(site, service, bad)
    at = onset - 4.0
    rollout.roll(site, workload, template, at)
    workload.body["metadata"]["labels"] = templates.labels(service, bad)
    workload.body["metadata"]["generation"] += 1
    work = ("take the tag from the release page", "deploy/values.yaml",
            f"-  tag: {before}\n+  tag: {bad}")  # fmt: skip
    background.release(site, service.name, (before, bad), at, work)
    symptom = parts.symptom_of(site, service.name, seed)
    return Story(
        cause="incorrect_image_reference", object=f"deployment/{service.name}",
        service=service.name, symptom_service=symptom, question=parts.slow_question(symptom),
        repairs=(parts.undo(site, service.name),),
        worsens=(call("scale_deployment", name=service.name, replicas=1),),
        detail=f"{site.image(service.name, bad)} does not exist",
    )  # fmt: skip


def _strategy(service: Service) -> Json:
    if service.replicas < 2:
        return {"type": "Recreate"}
    rolling = {"maxSurge": "25%", "maxUnavailable": "75%"}
    return {"type": "RollingUpdate", "rollingUpdate": rolling}


INCIDENT = Incident(
    name="bad-image", summary="A release names an image that does not exist.", install=install
)
