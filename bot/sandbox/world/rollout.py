"""What a Deployment or StatefulSet controller does over the next seconds, written down at once."""

import copy
import hashlib
import json
import math

from bot.sandbox.world import noise
from bot.sandbox.world.records import NEVER, Json, Pod, Revision, Workload
from bot.sandbox.world.site import Site

START_S = {"java": 12.0, "node": 9.0, "python": 8.0, "postgres": 9.0, "rabbitmq": 12.0}
GONE_S = 2.0


def template_hash(template: Json) -> str:
    """Return the pod-template-hash of a template."""
    canonical = json.dumps(template, sort_keys=True, separators=(",", ":"))
    digest = hashlib.blake2b(canonical.encode(), digest_size=8).hexdigest()
    return noise.letters(9, digest)


def image_of(template: Json) -> str:
    """Return the image of the first container."""
    return str(template["spec"]["containers"][0].get("image", ""))


def version_of(image: str) -> str:
    """Return the tag of an image."""
    last = image.rsplit("/", 1)[-1]
    return last.split("@")[0].rpartition(":")[2] if ":" in last else "latest"


def startup_s(site: Site, workload: Workload) -> float:
    """Return how long a new pod of it takes to become ready."""
    return START_S.get(site.service(workload.service).language, 5.0)


def roll(site: Site, workload: Workload, template: Json, at: float) -> Revision:
    """Make `template` the wanted one at this moment, and schedule the pods' replacement."""
    revision = _revision(workload, template, at)
    workload.body["spec"]["template"] = copy.deepcopy(template)
    hold(workload, at)
    if workload.kind == "StatefulSet":
        _replace_in_place(site, workload, revision, at)
    else:
        _replace_rolling(site, workload, revision, at)
    site.changed(at)
    return revision


def scale(site: Site, workload: Workload, replicas: int, at: float) -> None:
    """Want another number of pods from this moment on."""
    before = workload.replicas
    workload.body["spec"]["replicas"] = replicas
    workload.scales.append((at, replicas))
    revision = workload.current
    alive = sorted(workload.alive(at + 60.0), key=lambda p: (p.created, p.name))
    verb = "up" if replicas >= before else "down"
    text = f"Scaled {verb} replica set {workload.name}-{revision.hash} from {before} to {replicas}"
    workload.events.append((at, "ScalingReplicaSet", text))
    for pod in alive[replicas:][::-1]:
        pod.gone = max(at + GONE_S, pod.created + 0.001)
    for ordinal in range(len(alive), replicas):
        workload.pods.append(new_pod(site, workload, revision, at + 0.5, ordinal))
    site.changed(at)


def remove_pod(site: Site, workload: Workload, pod: Pod, at: float) -> Pod:
    """Delete a pod; its controller makes another one."""
    pod.gone = at + GONE_S
    ordinal = int(pod.name.rpartition("-")[2]) if workload.kind == "StatefulSet" else 0
    revision = next(
        (r for r in workload.revisions if r.hash == pod.template_hash), workload.current
    )
    if workload.replicas < len([p for p in workload.pods if p.alive(at + 60.0)]) + 1:
        return pod
    delay = GONE_S if workload.kind == "StatefulSet" else 0.5
    fresh = new_pod(site, workload, revision, at + delay, ordinal)
    workload.pods.append(fresh)
    site.changed(at)
    return fresh


def new_pod(site: Site, workload: Workload, revision: Revision, at: float, ordinal: int) -> Pod:
    """Return a pod of that revision, created at this moment, ready when it has started."""
    workload.made += 1
    seed = (*site.key, workload.name, revision.hash, workload.made)
    image = image_of(revision.template)
    waiting = "" if image in site.images else "ImagePullBackOff"
    start = startup_s(site, workload) * noise.between(0.85, 1.15, *seed, "start")
    if workload.kind == "StatefulSet":
        name = f"{workload.name}-{ordinal}"
    else:
        name = f"{workload.name}-{revision.hash}-{noise.letters(5, *seed, 'name')}"
    pod = Pod(
        name=name,
        uid=uid(*seed),
        workload=workload.name,
        service=workload.service,
        version=version_of(image),
        template_hash=revision.hash,
        node=_place(site, workload, at, seed),
        created=at,
        ready=NEVER if waiting else at + start,
        image=image,
        waiting=waiting,
    )
    for told in site.births:
        told(pod)
    return pod


def uid(*parts: object) -> str:
    """Return a uid that depends on the parts only."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:]}"


def _revision(workload: Workload, template: Json, at: float) -> Revision:
    digest = template_hash(template)
    number = max((r.number for r in workload.revisions), default=0) + 1
    for revision in workload.revisions:
        if revision.hash == digest:
            revision.number, revision.used = number, at
            return revision
    revision = Revision(
        number=number, hash=digest, template=copy.deepcopy(template), created=at, used=at
    )
    workload.revisions.append(revision)
    return revision


def hold(workload: Workload, at: float) -> None:
    """Let nothing happen of what a rollout had planned after this moment."""
    workload.pods = [p for p in workload.pods if p.created <= at]
    for pod in workload.pods:
        if at < pod.gone < NEVER and pod.gone > at + GONE_S:
            pod.gone = NEVER


def _batches(count: int) -> list[int]:
    size = max(1, math.ceil(count / 3))
    return [min(size, count - done) for done in range(0, count, size)]


def _unavailable(workload: Workload) -> int:
    if (workload.body["spec"].get("strategy") or {}).get("type") == "Recreate":
        return workload.replicas
    rolling = (workload.body["spec"].get("strategy") or {}).get("rollingUpdate") or {}
    value = rolling.get("maxUnavailable", "25%")
    if isinstance(value, str) and value.endswith("%"):
        return int(workload.replicas * float(value[:-1]) / 100.0)
    return int(value)


def _replace_rolling(site: Site, workload: Workload, revision: Revision, at: float) -> None:
    keep = [p for p in workload.alive(at) if p.template_hash == revision.hash]
    old = [p for p in workload.alive(at) if p.template_hash != revision.hash]
    old.sort(key=lambda p: (p.is_ready(at), -p.created))  # broken and newest ones go first
    broken = [p for p in old if p.waiting]
    moment = at + 1.0
    for pod in broken:
        pod.gone = moment
    old = [p for p in old if p not in broken]
    wanted = max(0, workload.replicas - len(keep))
    _scaling_events(workload, revision, old, at)
    made = 0
    for size in _batches(wanted):
        fresh = [new_pod(site, workload, revision, moment, made + i) for i in range(size)]
        made += size
        workload.pods.extend(fresh)
        if any(p.ready is NEVER or p.ready == NEVER for p in fresh):
            for pod in old[: _unavailable(workload)]:
                pod.gone = moment + 1.0
            return
        moment = max(p.ready for p in fresh) + 0.5
        for pod in old[:size]:
            pod.gone = moment + GONE_S
        old = old[size:]
    for pod in old:
        pod.gone = moment + GONE_S


def _replace_in_place(site: Site, workload: Workload, revision: Revision, at: float) -> None:
    moment = at + 1.0
    have = workload.alive(at)
    workload.pods.extend(
        new_pod(site, workload, revision, moment, i) for i in range(len(have), workload.replicas)
    )
    for pod in sorted(have, key=lambda p: p.name, reverse=True):
        ordinal = int(pod.name.rpartition("-")[2])
        pod.gone = moment
        fresh = new_pod(site, workload, revision, moment + GONE_S, ordinal)
        workload.pods.append(fresh)
        if fresh.ready == NEVER:
            return
        moment = fresh.ready + 0.5


def _scaling_events(workload: Workload, revision: Revision, old: list[Pod], at: float) -> None:
    up = f"Scaled up replica set {workload.name}-{revision.hash} from 0 to {workload.replicas}"
    workload.events.append((at + 1.0, "ScalingReplicaSet", up))
    for digest in sorted({p.template_hash for p in old}):
        count = sum(p.template_hash == digest for p in old)
        down = f"Scaled down replica set {workload.name}-{digest} from {count} to 0"
        workload.events.append((at + 20.0, "ScalingReplicaSet", down))


def _place(site: Site, workload: Workload, at: float, seed: tuple[object, ...]) -> str:
    """Return the node with the fewest pods of this workload, then the fewest pods."""
    load = {n.name: 0.0 for n in site.nodes}
    for pod in site.pods():
        if pod.gone > at and pod.node in load:
            load[pod.node] += 100.0 if pod.workload == workload.name else 1.0
    for node in site.nodes:
        body = site.objects.get(("nodes", node.name), {})
        if body.get("spec", {}).get("unschedulable"):
            load[node.name] += 1e6
    return min(load, key=lambda n: (load[n], noise.unit(*seed, n)))
