"""Routes to the wrong backend: the path names one service, the route leads to another."""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.snapshot import KubernetesObject, Snapshot
from bot.reasoning.kubernetes import (
    Cluster,
    cluster_of,
    containers,
    environment,
    get,
    items,
    mapping,
    pod_spec,
)
from bot.reasoning.statements import GOOD, HINT, STRONG, blame, saw

NAME = "gateways"
ALIKE = 0.8  # similarity (Ratcliff/Obershelp) from which a path is taken for a service's own
FILLER = re.compile(r"services?|svc|api|http|v\d+|[^a-z0-9]")
# Spring Cloud Gateway, nginx, Envoy and Traefik all write a path (predicate, location, prefix) near
# a backend (uri, proxy_pass, cluster, url).
BACKEND = re.compile(
    r"(?:uri|url|proxy_pass|cluster|host|service|serviceName)[\"']?\s*[:=]?\s*[\"']?"
    r"(?:lb|https?)?(?:://)?([a-z0-9][a-z0-9.-]+)"
)
PATH = re.compile(r"(?:Path=|location\s+|prefix:\s*[\"']?|path:\s*[\"']?)(/[\w/.*{}-]+)")
NUMBERED = re.compile(r"^(.*ROUTES?_?\[?\d+\]?_)(.*)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A path, the backend it leads to, and the object that says so."""

    path: str
    backend: str
    owner: KubernetesObject
    where: KubernetesObject


def look(snapshot: Snapshot, _question: Question) -> Finding:
    """Return the owners of routes whose path belongs to another service than their backend."""
    cluster = cluster_of(snapshot)
    names = sorted({service.name for service in cluster.all("Service")})
    found: dict[str, Hypothesis] = {}
    for route in (
        *_ingress_routes(cluster),
        *_gateway_routes(cluster),
        *_variables(cluster),
        *_config_maps(cluster),
    ):
        better = _better(route, names)
        if better is not None and route.owner.name not in found:
            found[route.owner.name] = _misrouted(cluster, route, better)
    return Finding(hypotheses=tuple(found.values()))


def _better(route: Route, names: list[str]) -> str | None:
    """Return the service whose name the path carries, if it is not the backend."""
    if route.backend not in names:
        return None
    words = [core(word) for word in route.path.split("/") if len(core(word)) > 2]
    fits = {name: max((_alike(word, core(name)) for word in words), default=0.0) for name in names}
    best = max(sorted(fits), key=lambda name: fits[name], default=None)
    if best is None or best == route.backend or fits[best] < ALIKE:
        return None
    return best if fits[best] - fits[route.backend] > 0.3 else None


def core(name: str) -> str:
    """Return what is telling in a name: "shop-cart-service" and "cart-svc" share "cart"."""
    return FILLER.sub("", name.lower())


def _alike(word: str, name: str) -> float:
    if name and (name.endswith(word) or word.endswith(name)):
        return 0.9 if name != word else 1.0
    return difflib.SequenceMatcher(None, word, name).ratio()


def _ingress_routes(cluster: Cluster) -> Iterator[Route]:
    for ingress in cluster.all("Ingress"):
        for rule in items(ingress.body, "spec", "rules"):
            for path in items(rule, "http", "paths"):
                backend = get(path, "backend", "service", "name")
                if backend:
                    where = str(path.get("path") or "/")
                    yield Route(path=where, backend=str(backend), owner=ingress, where=ingress)


def _gateway_routes(cluster: Cluster) -> Iterator[Route]:
    """Routes of the Gateway API and of a mesh."""
    for owner in cluster.all("HTTPRoute"):
        for rule in items(owner.body, "spec", "rules"):
            paths = [get(m, "path", "value") for m in items(rule, "matches")]
            names = {str(b.get("name")) for b in items(rule, "backendRefs")}
            yield from _single(paths, names, owner)
    for owner in cluster.all("VirtualService"):
        for rule in items(owner.body, "spec", "http"):
            uris = [mapping(m, "uri") for m in items(rule, "match")]
            paths = [uri.get("prefix") or uri.get("exact") for uri in uris]
            hosts = {str(get(r, "destination", "host")) for r in items(rule, "route")}
            yield from _single(paths, {host.partition(".")[0] for host in hosts}, owner)


def _single(paths: list[Any], backends: set[str], owner: KubernetesObject) -> Iterator[Route]:
    for path in (str(p) for p in paths if p):
        if len(backends) == 1:
            yield Route(path=path, backend=next(iter(backends)), owner=owner, where=owner)


def _variables(cluster: Cluster) -> Iterator[Route]:
    """Routes as numbered variables: …ROUTES_0_URI beside …ROUTES_0_PREDICATES_0."""
    for workload in cluster.workloads:
        groups: dict[str, list[str]] = {}
        for container in containers(pod_spec(workload)):
            for variable, value in environment(container).items():
                if match := NUMBERED.match(variable):
                    groups.setdefault(match[1], []).append(f"{match[2].lower()}={value}")
        for lines in groups.values():
            yield from _routes("\n".join(sorted(lines)), workload, workload)


def _config_maps(cluster: Cluster) -> Iterator[Route]:
    for workload in cluster.workloads:
        for item in _mounted(cluster, workload):
            for text in (item.body.get("data") or {}).values():
                for block in re.split(r"\n(?=\s*- id:|\s*location |\s*- match)", str(text)):
                    yield from _routes(block, workload, item)


def _mounted(cluster: Cluster, workload: KubernetesObject) -> Iterator[KubernetesObject]:
    spec = pod_spec(workload)
    names = [get(v, "configMap", "name") for v in items(spec, "volumes")]
    for container in containers(spec):
        names += [get(s, "configMapRef", "name") for s in items(container, "envFrom")]
    for name in dict.fromkeys(n for n in names if n):
        if item := cluster.find("ConfigMap", str(name), workload.namespace):
            yield item


def _routes(text: str, owner: KubernetesObject, where: KubernetesObject) -> Iterator[Route]:
    paths = PATH.findall(text)
    backends = [name.partition(".")[0] for name in BACKEND.findall(text)]
    if paths and len(set(backends)) == 1:
        yield Route(path=paths[0], backend=backends[0], owner=owner, where=where)


def _misrouted(cluster: Cluster, route: Route, better: str) -> Hypothesis:
    text = f"{route.path} leads to {route.backend}, though {better} is called so"
    evidence = [saw(text, STRONG, route.where), *_failing(cluster, route, better)]
    evidence.append(saw(f"service {better} exists", HINT, route.where))
    return blame(
        "gateway_misrouted",
        route.owner,
        f"{route.owner.name} routes {route.path} to {route.backend} instead of {better}",
        evidence,
        analyzer=NAME,
        explains=(better, route.backend),
        hint="revert_config",
    )


def _failing(cluster: Cluster, route: Route, better: str) -> list[Evidence]:
    """Alerts about the path or the service that nobody reaches any more."""
    prefix = route.path.rstrip("*/{}")
    for alert in cluster.snapshot.alerts:
        if alert.service == better or (len(prefix) > 1 and prefix in alert.summary):
            return [saw(f"alert: {alert.summary[:160]}", GOOD, alert.source)]
    return []
