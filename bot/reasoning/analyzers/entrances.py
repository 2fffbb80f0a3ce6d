"""Ingresses and routes that lead to nothing: no such service, no such port, no such class."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bot.domain.diagnosis import Finding, Hypothesis, Question
from bot.domain.snapshot import KubernetesObject, Snapshot
from bot.reasoning.kubernetes import Cluster, cluster_of, get, items, mapping
from bot.reasoning.statements import GOOD, HINT, PROOF, blame, saw

NAME = "entrances"
ROUTES = ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute")
CLASS_NOTE = "kubernetes.io/ingress.class"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """A service and port that an entrance leads to."""

    entrance: KubernetesObject
    namespace: str
    name: str
    port: Any


def look(snapshot: Snapshot, _question: Question) -> Finding:
    """Return the entrances with a backend or a class that does not exist."""
    cluster = cluster_of(snapshot)
    found: dict[tuple[str, str], Hypothesis] = {}
    for hypothesis in (*_backends(cluster), *_classes(cluster)):
        found.setdefault((hypothesis.cause, hypothesis.object), hypothesis)
    return Finding(hypotheses=tuple(found.values()))


def _backends(cluster: Cluster) -> Iterator[Hypothesis]:
    if not cluster.knows("Service"):
        return
    for backend in (*_of_ingresses(cluster), *_of_routes(cluster)):
        kind, name = backend.entrance.kind.lower(), backend.entrance.name
        service = cluster.find("Service", backend.name, backend.namespace)
        if service is None:
            text = f"{kind} {name} routes to service {backend.name}, which does not exist"
            yield _blame(backend.entrance, text)
        elif (offered := _offered(service)) and backend.port not in (None, *offered):
            listed = ", ".join(str(port) for port in offered)
            text = f"{kind} {name} routes to {backend.name}:{backend.port}, it offers {listed}"
            yield _blame(backend.entrance, text)


def _blame(entrance: KubernetesObject, text: str) -> Hypothesis:
    evidence = [saw(text, PROOF, entrance), saw("it answers 5xx", HINT, entrance)]
    for condition in _refused(entrance):
        evidence.append(saw(f"its status says {condition}", GOOD, entrance))
    return blame(
        "ingress_backend_missing", entrance, text, evidence, analyzer=NAME, hint="fix_manifest"
    )


def _refused(entrance: KubernetesObject) -> list[str]:
    return [
        f"{c.get('type')}=False, {c.get('reason')}"
        for parent in items(entrance.body, "status", "parents")
        for c in items(parent, "conditions")
        if c.get("status") == "False"
    ][:1]


def _offered(service: KubernetesObject) -> list[Any]:
    ports = items(service.body, "spec", "ports")
    return [p[key] for p in ports for key in ("port", "name") if p.get(key)]


def _of_ingresses(cluster: Cluster) -> Iterator[Backend]:
    for ingress in cluster.all("Ingress"):
        paths = [p for r in items(ingress.body, "spec", "rules") for p in items(r, "http", "paths")]
        named = [mapping(path, "backend", "service") for path in paths]
        named.append(mapping(ingress.body, "spec", "defaultBackend", "service"))
        for service in (s for s in named if s.get("name")):
            port = get(service, "port", "number") or get(service, "port", "name")
            yield Backend(entrance=ingress, namespace=ingress.namespace,
                          name=str(service["name"]), port=port)  # fmt: skip


def _of_routes(cluster: Cluster) -> Iterator[Backend]:
    for route in cluster.all(*ROUTES):
        for rule in items(route.body, "spec", "rules"):
            for ref in items(rule, "backendRefs"):
                if ref.get("name") and ref.get("kind") in (None, "Service"):
                    yield Backend(
                        entrance=route, namespace=str(ref.get("namespace") or route.namespace),
                        name=str(ref["name"]), port=ref.get("port"),
                    )  # fmt: skip


def _classes(cluster: Cluster) -> Iterator[Hypothesis]:
    known = {c.name for c in cluster.all("IngressClass")}
    for ingress in cluster.all("Ingress") if known else ():
        notes = mapping(ingress.body, "metadata", "annotations")
        name = get(ingress.body, "spec", "ingressClassName") or notes.get(CLASS_NOTE)
        if name is None or name in known:
            continue
        listed = ", ".join(sorted(known))
        text = f"ingress {ingress.name} is for class {name}, there is only {listed}"
        evidence = [saw(text, PROOF, ingress), saw("so no controller serves it", HINT, ingress)]
        if get(ingress.body, "status", "loadBalancer", "ingress"):
            evidence.append(saw("it has an address all the same", -PROOF, ingress))
        yield blame(
            "ingress_class_missing", ingress, text, evidence, analyzer=NAME, hint="fix_manifest"
        )
