"""Lists every resource of a cluster as it is at a moment."""

import copy
from collections.abc import Callable

from bot.sandbox.world.kubernetes.events import events
from bot.sandbox.world.kubernetes.nodes import disruption_body, node_body
from bot.sandbox.world.kubernetes.pods import pod_body
from bot.sandbox.world.kubernetes.workloads import endpoints_body, replica_set_body, workload_body
from bot.sandbox.world.records import Json
from bot.sandbox.world.site import Site

View = Callable[[Site, float], list[Json]]


def objects(site: Site, plural: str, at: float) -> list[Json]:
    """Return all objects of a resource, in the order of their names (events by time)."""
    view = VIEWS.get(plural)
    if view is None:
        found = [copy.deepcopy(b) for (p, _), b in site.objects.items() if p == plural]
        return sorted(found, key=lambda b: str(b["metadata"]["name"]))
    return view(site, at)


def _pods(site: Site, at: float) -> list[Json]:
    return [
        pod_body(site, workload, pod, at)
        for workload in _sorted(site)
        for pod in sorted(workload.alive(at), key=lambda p: p.name)
    ]


def _sorted(site: Site) -> list:  # type: ignore[type-arg]
    return [site.workloads[name] for name in sorted(site.workloads)]


def _workloads(kind: str) -> View:
    return lambda site, at: [workload_body(site, w, at) for w in _sorted(site) if w.kind == kind]


def _replica_sets(site: Site, at: float) -> list[Json]:
    return [
        replica_set_body(site, workload, revision, at)
        for workload in _sorted(site)
        if workload.kind == "Deployment"
        for revision in sorted(workload.revisions, key=lambda r: r.number)[-11:]
    ]


def _endpoints(site: Site, at: float) -> list[Json]:
    return [endpoints_body(site, body, at) for body in objects(site, "services", at)]


def _config_maps(site: Site, at: float) -> list[Json]:
    out = []
    for (plural, name), body in sorted(site.objects.items()):
        if plural == "configmaps":
            one = copy.deepcopy(body)
            if name in site.configs:
                one["data"] = dict(site.configs[name].at(at))
            out.append(one)
    return out


def _nodes(site: Site, at: float) -> list[Json]:
    return [node_body(site, node, at) for node in site.nodes]


def _budgets(site: Site, at: float) -> list[Json]:
    bodies = [b for (p, _), b in sorted(site.objects.items()) if p == "poddisruptionbudgets"]
    return [disruption_body(site, body, at) for body in bodies]


VIEWS: dict[str, View] = {
    "pods": _pods,
    "deployments": _workloads("Deployment"),
    "statefulsets": _workloads("StatefulSet"),
    "replicasets": _replica_sets,
    "endpoints": _endpoints,
    "events": events,
    "configmaps": _config_maps,
    "nodes": _nodes,
    "poddisruptionbudgets": _budgets,
}
