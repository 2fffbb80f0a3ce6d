"""What connectivity checks and the callers' logs say of the way to a service."""

import re
from collections.abc import Iterator

from bot.domain.diagnosis import Evidence
from bot.domain.snapshot import KubernetesObject, LogTemplate
from bot.reasoning.database_clients import is_trouble
from bot.reasoning.kubernetes import Cluster, get
from bot.reasoning.statements import GOOD, HINT, STRONG, saw

REFUSED = re.compile(r"connection refused|ECONNREFUSED|connection reset|ECONNRESET", re.I)
TIMED_OUT = re.compile(
    r"i/o timeout|timed? ?out|ETIMEDOUT|deadline exceeded|no route to host|EHOSTUNREACH", re.I
)
GARBLED = re.compile(
    r"protocol error|disconnect/reset before headers|malformed HTTP|frame too large|"
    r"server preface|gave HTTP response to HTTPS|not look like a TLS|wrong version number|"
    r"unexpected (?:content-type|EOF|HTTP status)|invalid (?:HTTP|frame)|PROTOCOL_ERROR",
    re.I,
)


def reachable(cluster: Cluster, service: str) -> list[Evidence]:
    """Return what connectivity checks of a service say about a fault on the way to it."""
    found = []
    for probe in cluster.snapshot.probes:
        if probe.target == service:
            text = f"connecting to {service}:{probe.port} {'works' if probe.ok else 'fails'}"
            found.append(saw(text, -STRONG if probe.ok else GOOD, probe.source))
    return found[:2]


def fails(cluster: Cluster, service: str) -> bool:
    """Say whether a connectivity check of a service failed and none worked."""
    results = {probe.ok for probe in cluster.snapshot.probes if probe.target == service}
    return results == {False}


def callers(cluster: Cluster, service: str) -> set[str]:
    """Return who is seen, or set up, to call a service."""
    seen = {edge.caller for edge in cluster.snapshot.edges if edge.callee == service}
    told = {
        workload
        for workload, value in cluster.values
        if service in value and service in re.split(r"[^\w-]+", value)
    }
    return (seen | told) - {service}


def complaints(
    cluster: Cluster, service: KubernetesObject, pattern: re.Pattern[str]
) -> Iterator[tuple[LogTemplate, float]]:
    """Yield the callers' lines that fit, with how much they say: more if they name the service."""
    asking = callers(cluster, service.name)
    address = str(get(service.body, "spec", "clusterIP") or "")
    for log in cluster.snapshot.logs:
        if not pattern.search(log.example) or not is_trouble(log):
            continue
        if service.name in log.example or (address and address in log.example):
            yield log, GOOD
        elif log.service in asking:
            yield log, HINT


def complained(
    cluster: Cluster, service: KubernetesObject, pattern: re.Pattern[str]
) -> list[Evidence]:
    """Return the most telling complaint of a caller as evidence, if there is one."""
    found = sorted(complaints(cluster, service, pattern), key=lambda c: (-c[1], -c[0].count))
    return [
        saw(f"{log.service}, {log.count}x: {log.example[:160]}", weight, log.source)
        for log, weight in found[:1]
    ]
