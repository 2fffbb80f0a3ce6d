"""Events: what the controllers, the scheduler and the kubelets said in the last hour."""

import copy
from collections.abc import Iterator

from bot.sandbox.world import rollout
from bot.sandbox.world.manifests import iso
from bot.sandbox.world.records import NEVER, Json, Pod, Workload
from bot.sandbox.world.site import NAMESPACE, Site

KEPT_S = 3600.0
PRESENT = 'Container image "{}" already present on machine'


def events(site: Site, at: float) -> list[Json]:
    """Return the events of the last hour, oldest first."""
    out: list[tuple[float, Json]] = []
    for workload in site.workloads.values():
        out.extend(_of_workload(site, workload, at))
        for pod in workload.pods:
            if pod.created <= at and pod.gone > at - KEPT_S:
                out.extend(_of_pod(site, pod, at))
    for extra in site.events:
        out.append(_event(site, extra["about"], extra, extra["at"]))
    recent = [e for e in out if at - KEPT_S < e[0] <= at]
    recent.sort(key=lambda e: e[0])
    written = [b for (plural, _), b in site.objects.items() if plural == "events"]
    return [e[1] for e in recent] + copy.deepcopy(written)


def _event(site: Site, about: Json, what: Json, at: float) -> tuple[float, Json]:
    key = (*site.key, about.get("name"), what["reason"], round(at, 2), what["message"])
    suffix = rollout.uid(*key).replace("-", "")[:16]
    first = what.get("first", at)
    return at, {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{about['name']}.{suffix}", "namespace": NAMESPACE,
                     "uid": rollout.uid(*key), "creationTimestamp": iso(first),
                     "resourceVersion": str(int(at) % 10_000_000)},
        "involvedObject": about,
        "reason": what["reason"],
        "message": what["message"],
        "type": what.get("type", "Normal"),
        "count": what.get("count", 1),
        "firstTimestamp": iso(first),
        "lastTimestamp": iso(at),
        "source": {"component": what.get("source", "kubelet")},
        "reportingComponent": what.get("source", "kubelet"),
        "reportingInstance": "",
    }  # fmt: skip


def _of_workload(site: Site, workload: Workload, at: float) -> Iterator[tuple[float, Json]]:
    about = {"apiVersion": "apps/v1", "kind": workload.kind, "name": workload.name,
             "namespace": NAMESPACE,
             "uid": rollout.uid(*site.key, workload.kind.lower() + "s", workload.name)}  # fmt: skip
    for moment, reason, message in workload.events:
        if moment <= at:
            what = {"reason": reason, "message": message, "source": "deployment-controller"}
            yield _event(site, about, what, moment)


def _of_pod(site: Site, pod: Pod, at: float) -> Iterator[tuple[float, Json]]:
    about = {"apiVersion": "v1", "kind": "Pod", "name": pod.name, "namespace": NAMESPACE,
             "uid": pod.uid}  # fmt: skip
    inner = about | {"fieldPath": f"spec.containers{{{pod.service}}}"}
    text = f"Successfully assigned {NAMESPACE}/{pod.name} to {pod.node}"
    yield _event(site, about, {"reason": "Scheduled", "message": text,
                               "source": "default-scheduler"}, pod.created)  # fmt: skip
    if pod.waiting:
        yield from _pulling(site, inner, pod, at)
    else:
        yield from _starting(site, inner, pod)
    for restart in pod.restarts:
        if restart.at <= at:
            yield from _restarted(site, inner, pod, (restart.at, restart.back))
    if pod.gone < NEVER and pod.gone - rollout.GONE_S <= at:
        message = f"Stopping container {pod.service}"
        yield _event(
            site, inner, {"reason": "Killing", "message": message}, pod.gone - rollout.GONE_S
        )


def _starting(site: Site, about: Json, pod: Pod) -> Iterator[tuple[float, Json]]:
    steps = (
        (0.6, "Pulling", f'Pulling image "{pod.image}"'),
        (1.6, "Pulled", f'Successfully pulled image "{pod.image}" in 982ms'),
        (1.8, "Created", f"Created container {pod.service}"),
        (2.0, "Started", f"Started container {pod.service}"),
    )
    for after, reason, message in steps:
        yield _event(site, about, {"reason": reason, "message": message}, pod.created + after)


def _pulling(site: Site, about: Json, pod: Pod, at: float) -> Iterator[tuple[float, Json]]:
    tries = min(8, 1 + int((at - pod.created) // 60.0))
    first = pod.created + 1.0
    last = pod.created + 1.0 + 60.0 * (tries - 1)
    failed = (f'Failed to pull image "{pod.image}": rpc error: code = NotFound desc = failed to '
              f'pull and unpack image "{pod.image}": {pod.image}: not found')  # fmt: skip
    backing = f'Back-off pulling image "{pod.image}"'
    for reason, message, kind, count, moment in (
        ("Pulling", f'Pulling image "{pod.image}"', "Normal", tries, last),
        ("Failed", failed, "Warning", tries, last + 0.5),
        ("Failed", "Error: ErrImagePull", "Warning", tries, last + 0.6),
        ("BackOff", backing, "Normal", 1 + int((at - pod.created) // 15.0), max(first, at - 5.0)),
        ("Failed", "Error: ImagePullBackOff", "Warning", tries, max(first, at - 5.0)),
    ):
        what = {"reason": reason, "message": message, "type": kind, "count": count, "first": first}
        yield _event(site, about, what, moment)


def _restarted(
    site: Site, about: Json, pod: Pod, moments: tuple[float, float]
) -> Iterator[tuple[float, Json]]:
    at, back = moments
    port = site.service(pod.service).port
    refused = f'Readiness probe failed: Get "http://{pod.name}:{port}/readyz": connection refused'
    yield _event(site, about, {"reason": "Pulled", "message": PRESENT.format(pod.image)},
                 at + 1.0)  # fmt: skip
    yield _event(site, about, {"reason": "Created", "message": f"Created container {pod.service}"},
                 at + 1.2)  # fmt: skip
    yield _event(site, about, {"reason": "Started", "message": f"Started container {pod.service}"},
                 at + 1.5)  # fmt: skip
    yield _event(site, about, {"reason": "Unhealthy", "message": refused, "type": "Warning"},
                 min(back, at + 5.0))  # fmt: skip
    if back - at > 40.0:
        text = f"Back-off restarting failed container {pod.service} in pod {pod.name}_{NAMESPACE}"
        yield _event(
            site, about, {"reason": "BackOff", "message": text, "type": "Warning"}, at + 6.0
        )
