"""Services that lead nowhere: selector, target port, port, protocol."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import KubernetesObject, Snapshot
from bot.reasoning import needs
from bot.reasoning.kubernetes import (
    SYSTEM_NAMESPACES,
    Cluster,
    cluster_of,
    containers,
    desired,
    environment,
    get,
    is_ready,
    items,
    listening_ports,
    mapping,
    matches,
    pod_spec,
    services_of,
    template,
)
from bot.reasoning.reachability import GARBLED, REFUSED, complained, fails, reachable
from bot.reasoning.statements import GOOD, HINT, PROOF, STRONG, blame, saw

NAME = "routing"
NEAR = 0.6  # similarity (Ratcliff/Obershelp) from which two label values look like one and a typo


def look(snapshot: Snapshot, question: Question) -> Finding:
    """Return the services whose traffic cannot arrive although there are pods to take it."""
    cluster = cluster_of(snapshot)
    found: dict[tuple[str, str], Hypothesis] = {}
    for service in cluster.all("Service"):
        if service.namespace in SYSTEM_NAMESPACES or not mapping(service.body, "spec", "selector"):
            continue
        for hypothesis in (*_selector(cluster, service), *_ports(cluster, service)):
            found.setdefault((hypothesis.cause, hypothesis.object), hypothesis)
    return Finding(hypotheses=tuple(found.values()), needs=_needs(question, found.values()))


def _needs(question: Question, found: Iterable[Hypothesis]) -> tuple[Need, ...]:
    services = {name for h in found for name in (h.service, *h.explains)}
    if not services:
        return ()
    reason = "whether it can be reached"
    return (needs.of_services(Fact.PROBES, question, services, reason=reason),)


def _selector(cluster: Cluster, service: KubernetesObject) -> Iterator[Hypothesis]:
    selector = mapping(service.body, "spec", "selector")
    picked = cluster.selected_by(service)
    meant = _meant(cluster, service)
    if meant is None or (picked and any(cluster.owner(pod) == meant for pod in picked)):
        return
    labels = mapping(template(meant), "metadata", "labels")
    if matches({"matchLabels": selector}, labels):
        return
    wanted = ", ".join(f"{k}={v}" for k, v in selector.items())
    have = ", ".join(f"{k}={v}" for k, v in labels.items()) or "no labels"
    evidence = [
        saw(f"service {service.name} selects {wanted}; the pods of {meant.name} have {have}",
            STRONG, service),
        *_chosen(picked, service),
        *_others_are_fine(cluster, meant, service),
        *reachable(cluster, service.name),
    ]  # fmt: skip
    yield blame(
        "service_selector_mismatch",
        meant,
        f"service {service.name} selects {wanted}, which no pod of {meant.name} has",
        evidence,
        analyzer=NAME,
        explains=(service.name,),
        hint="fix_manifest",
    )


def _chosen(picked: list[KubernetesObject], service: KubernetesObject) -> list[Evidence]:
    if not picked:
        return [saw(f"no pod at all fits the selector of service {service.name}", STRONG, service)]
    names = ", ".join(sorted(pod.name for pod in picked)[:3])
    return [saw(f"service {service.name} picks other pods instead: {names}", HINT, service)]


def _others_are_fine(
    cluster: Cluster, meant: KubernetesObject, service: KubernetesObject
) -> list[Evidence]:
    found = []
    ready = [pod for pod in cluster.pods_of(meant) if is_ready(pod)]
    if ready:
        found.append(saw(f"{len(ready)} pods of {meant.name} are ready", GOOD, ready[0]))
    elif desired(meant) == 0:
        found.append(saw(f"{meant.name} is scaled to zero anyway", -STRONG, meant))
    addresses = cluster.ready_addresses(service)
    if addresses is not None:
        weight = GOOD if addresses == 0 else -GOOD
        found.append(
            saw(f"service {service.name} has {addresses} ready endpoints", weight, service)
        )
    return found


def _meant(cluster: Cluster, service: KubernetesObject) -> KubernetesObject | None:
    """Return the workload that a service is for: of the same name, or of nearly the same labels."""
    there = [w for w in cluster.workloads if w.namespace == service.namespace]
    by_name = next((w for w in there if w.name == service.name), None)
    if by_name is not None or cluster.selected_by(service):
        return by_name
    selector = mapping(service.body, "spec", "selector")
    wanted = " ".join(str(value) for value in selector.values())
    near = [(_likeness(wanted, w), w.name, w) for w in there if not _served(cluster, w, service)]
    best = max(near, key=lambda n: (n[0], n[1]), default=None)
    return best[2] if best is not None and best[0] >= NEAR else None


def _likeness(wanted: str, workload: KubernetesObject) -> float:
    labels = mapping(template(workload), "metadata", "labels").values()
    names = [workload.name, *(str(value) for value in labels)]
    return max(difflib.SequenceMatcher(None, wanted, name).ratio() for name in names)


def _served(cluster: Cluster, workload: KubernetesObject, aside: KubernetesObject) -> bool:
    labels = mapping(template(workload), "metadata", "labels")
    return any(
        matches({"matchLabels": selector}, labels)
        for service in cluster.all("Service")
        if service is not aside and service.namespace == workload.namespace
        and (selector := mapping(service.body, "spec", "selector"))
    )  # fmt: skip


def _ports(cluster: Cluster, service: KubernetesObject) -> Iterator[Hypothesis]:
    owners = [o for pod in cluster.selected_by(service) if (o := cluster.owner(pod))]
    if not owners:
        return
    owner = owners[0]
    spec = pod_spec(owner)
    for port in items(service.body, "spec", "ports"):
        yield from _target_port(cluster, service, owner, spec, port)
        yield from _protocol(cluster, service, owner, spec, port)
        yield from _service_port(cluster, service, owner, spec, port)


def _target_port(
    cluster: Cluster,
    service: KubernetesObject,
    owner: KubernetesObject,
    spec: Mapping[str, Any],
    port: Mapping[str, Any],
) -> Iterator[Hypothesis]:
    declared = listening_ports(spec)
    target = port.get("targetPort") or port.get("port")
    known = {*declared, *declared.values()} or _heard(spec)
    if not known or target in known:
        return
    listed = ", ".join(f"{n} {name}".strip() for n, name in sorted(declared.items())) or "none"
    named = isinstance(target, str)
    text = f"service {service.name} forwards to port {target}; {owner.name} declares {listed}"
    ready = any(is_ready(pod) for pod in cluster.pods_of(owner))
    weight = STRONG if ready else GOOD
    evidence = [
        saw(text, STRONG if named else GOOD, service),
        *_listening(owner, spec, target, weight),
        *_unused(cluster, service, owner, declared if ready else {}),
    ]
    addresses = cluster.ready_addresses(service)
    if named and addresses:
        return  # the name was resolved, whatever the text shows of the container
    if addresses == 0 and ready:
        evidence.append(
            saw(f"service {service.name} has no endpoints, its pods are ready", STRONG, service)
        )
    refused = complained(cluster, service, REFUSED)
    evidence += [*reachable(cluster, service.name), *refused]
    if ready and fails(cluster, service.name):
        text = f"the pods of {owner.name} are ready, and yet nobody reaches them by the service"
        evidence.append(saw(text, GOOD if refused else HINT, service))
    yield _mapping_mismatch(service, owner, f"port {target}", evidence)


def _unused(
    cluster: Cluster,
    service: KubernetesObject,
    owner: KubernetesObject,
    declared: Mapping[int, str],
) -> list[Evidence]:
    """A port that is declared and answers its probes, to which no service leads."""
    asked = set().union(*(probe_ports(c) for c in containers(pod_spec(owner))))
    serving = {n: name for n, name in declared.items() if {n, name} & asked}
    targets = {
        port.get("targetPort") or port.get("port")
        for other in services_of(cluster, owner)
        for port in items(other.body, "spec", "ports")
    }
    if not serving or any({n, name} & targets for n, name in serving.items()):
        return []
    listed = ", ".join(str(n) for n in sorted(serving))
    text = f"no service leads to port {listed}, on which the ready pods of {owner.name} answer"
    return [saw(text, GOOD, service)]


def _heard(spec: Mapping[str, Any]) -> set[int | str]:
    """The ports that are probed, where none is declared: a declaration is only a remark."""
    return {port for container in containers(spec) for port in probe_ports(container)}


def _listening(
    owner: KubernetesObject, spec: Mapping[str, Any], target: Any, weight: float
) -> list[Evidence]:
    """What the container says of its own port: a PORT variable, or the port its probes use."""
    found = []
    for container in containers(spec):
        said = {v for k, v in environment(container).items() if k.endswith("PORT") and v.isdigit()}
        asked = {str(p) for p in probe_ports(container)}
        if str(target) in said | asked:
            found.append(saw(f"{owner.name} itself is told to use port {target}", -STRONG, owner))
        elif said or asked:
            listed = ", ".join(sorted(said | asked))
            text = f"{owner.name} is set up and probed on port {listed}"
            found.append(saw(text, weight, owner))
    return found


def probe_ports(container: Mapping[str, Any]) -> set[int | str]:
    """Return the ports that a container's probes use."""
    paths = (("httpGet", "port"), ("tcpSocket", "port"), ("grpc", "port"))
    found = {
        get(container, probe, *path)
        for probe in ("livenessProbe", "readinessProbe", "startupProbe")
        for path in paths
    }
    return {port for port in found if port is not None}


def _protocol(
    cluster: Cluster,
    service: KubernetesObject,
    owner: KubernetesObject,
    spec: Mapping[str, Any],
    port: Mapping[str, Any],
) -> Iterator[Hypothesis]:
    target = port.get("targetPort") or port.get("port")
    offered = str(port.get("protocol") or "TCP")
    declared = [
        str(p.get("protocol") or "TCP")
        for container in containers(spec)
        for p in items(container, "ports")
        if target in (p.get("containerPort"), p.get("name"))
    ]
    probed = target in _heard(spec)  # by HTTP, gRPC or a TCP connection
    heard = declared or ["TCP"] * probed
    if heard and offered not in heard:
        text = (
            f"service {service.name} offers {offered} {target}, {owner.name} listens on {heard[0]}"
        )
        weight = PROOF if declared else STRONG
        evidence = [saw(text, weight, service), saw("other protocols never arrive", GOOD, owner)]
        yield _protocol_mismatch(cluster, service, owner, text, evidence)
    else:
        yield from _app_protocol(cluster, service, owner, spec, port)


def _app_protocol(
    cluster: Cluster,
    service: KubernetesObject,
    owner: KubernetesObject,
    spec: Mapping[str, Any],
    port: Mapping[str, Any],
) -> Iterator[Hypothesis]:
    """What the service says is spoken on a port, against what the container calls it."""
    target = port.get("targetPort") or port.get("port")
    said = port.get("appProtocol")
    offered = _spoken(str(said or port.get("name") or ""))
    names = [
        _spoken(str(p.get("name") or ""))
        for container in containers(spec)
        for p in items(container, "ports")
        if target in (p.get("containerPort"), p.get("name"))
    ]
    told = next((name for name in names if name), "")
    if not offered or not told or offered == told:
        return
    text = f"service {service.name} says {offered} on {target}, {owner.name} calls it {told}"
    garbled = complained(cluster, service, GARBLED)
    evidence = [saw(text, STRONG if said else GOOD, service), *garbled]
    if garbled:
        evidence.append(saw("each side takes the other's protocol for garbage", GOOD, owner))
    yield _protocol_mismatch(cluster, service, owner, text, evidence)


def _spoken(name: str) -> str:
    """Return the protocol that a port's name begins with, by convention; "" if none."""
    word = name.lower().rpartition("/")[2].partition("-")[0]
    alike = {"web": "http", "http1": "http", "h2c": "grpc", "http2": "grpc", "tls": "https"}
    found = alike.get(word, word)
    return found if found in ("http", "https", "grpc", "tcp", "udp", "mysql", "redis") else ""


def _protocol_mismatch(
    cluster: Cluster,
    service: KubernetesObject,
    owner: KubernetesObject,
    text: str,
    evidence: list[Evidence],
) -> Hypothesis:
    return blame(
        "service_protocol_mismatch",
        owner,
        text,
        [*evidence, *reachable(cluster, service.name)],
        analyzer=NAME,
        explains=(service.name,),
        hint="fix_manifest",
    )


def _service_port(
    cluster: Cluster,
    service: KubernetesObject,
    owner: KubernetesObject,
    spec: Mapping[str, Any],
    port: Mapping[str, Any],
) -> Iterator[Hypothesis]:
    """The port itself moved: every caller still dials another one, where the container listens."""
    offered = {p.get("port") for p in items(service.body, "spec", "ports")}
    dialled = _dialled(cluster, service)
    if get(service.body, "spec", "clusterIP") == "None":
        return  # its name leads to the pods themselves, on any port
    if len(offered) != 1 or not dialled or offered & set(dialled.values()):
        return
    expected = sorted(set(dialled.values()))
    callers = ", ".join(sorted(dialled))
    text = f"{callers} dial {service.name}:{expected[0]}, the service offers {port.get('port')}"
    if len(expected) > 1 or (len(dialled) < 2 and expected[0] not in listening_ports(spec)):
        return
    evidence = [saw(text, STRONG, service), *reachable(cluster, service.name)]
    if expected[0] in listening_ports(spec):
        evidence.append(saw(f"{owner.name} listens on {expected[0]}", STRONG, owner))
    yield _mapping_mismatch(service, owner, f"port {port.get('port')}", evidence)


def _dialled(cluster: Cluster, service: KubernetesObject) -> dict[str, int]:
    found: dict[str, int] = {}
    for workload, value in cluster.values:
        if service.name in value:
            host, _, port = value.rpartition("://")[2].partition("/")[0].partition(":")
            if host.partition(".")[0] == service.name and port.isdigit():
                found[workload] = int(port)
    return found


def _mapping_mismatch(
    service: KubernetesObject, owner: KubernetesObject, what: str, evidence: list[Evidence]
) -> Hypothesis:
    return blame(
        "service_port_mapping_mismatch",
        owner,
        f"service {service.name} maps to {what}, where {owner.name} does not listen",
        evidence,
        analyzer=NAME,
        explains=(service.name,),
        hint="fix_manifest",
    )
