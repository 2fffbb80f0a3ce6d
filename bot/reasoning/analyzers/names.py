"""Names that do not resolve: a pod with a resolver of its own, or the cluster's DNS itself."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import KubernetesObject, LogTemplate, Snapshot
from bot.reasoning import needs
from bot.reasoning.kubernetes import Cluster, cluster_of, get, is_ready, pod_spec
from bot.reasoning.statements import GOOD, HINT, PROOF, STRONG, blame, saw

NAME = "names"
FAILED = re.compile(
    r"lookup \S+(?: on [\d.:\[\]a-f]+)?: |UnknownHostException|no such host|"
    r"Temporary failure in name resolution|"
    r"Name or service not known|could not resolve host|getaddrinfo|EAI_AGAIN|ENOTFOUND|"
    r"NXDOMAIN|SERVFAIL|server misbehaving",
    re.I,
)
DNS_SERVICES = ("kube-dns", "coredns", "kube-dns-upstream")


def look(snapshot: Snapshot, question: Question) -> Finding:
    """Return workloads that use a name server which others do not use, or that resolve nothing."""
    cluster = cluster_of(snapshot)
    own = tuple(_own_resolver(cluster))
    return Finding(hypotheses=(*own, *_aliases(cluster)), needs=_needs(own, question))


def _needs(suspects: Iterable[Hypothesis], question: Question) -> tuple[Need, ...]:
    services = {hypothesis.service for hypothesis in suspects}
    if not services:
        return ()
    reason = "whether it complains of names"
    return (needs.of_services(Fact.LOGS, question, services, reason=reason),)


def _aliases(cluster: Cluster) -> Iterator[Hypothesis]:
    """Services that are only another name for a host, where that name does not resolve."""
    for service in cluster.all("Service"):
        host = get(service.body, "spec", "externalName")
        if get(service.body, "spec", "type") != "ExternalName" or not host:
            continue
        quoted = [
            log
            for log in cluster.snapshot.logs
            if FAILED.search(log.example)
            and re.search(rf"(?<![\w-])({re.escape(service.name)}|{re.escape(str(host))})(?![\w-])",
                          log.example)
        ]  # fmt: skip
        if not quoted:
            continue
        log = max(quoted, key=lambda g: g.count)
        evidence = [
            saw(f"{log.service}, {log.count}x: {log.example[:160]}", PROOF, log.source),
            saw(f"service {service.name} is only another name for {host}", GOOD, service),
        ]
        yield blame(
            "service_dns_record_missing",
            service,
            f"service {service.name} stands for {host}, which does not resolve",
            evidence,
            analyzer=NAME,
            explains=tuple(sorted({g.service for g in quoted})),
            hint="fix_manifest",
        )


def _own_resolver(cluster: Cluster) -> Iterator[Hypothesis]:
    for workload in cluster.workloads:
        spec = pod_spec(workload)
        servers = get(spec, "dnsConfig", "nameservers") or []
        if not servers or spec.get("dnsPolicy") not in ("None", None):
            continue
        listed = ", ".join(str(server) for server in servers)
        evidence = [
            saw(
                f"{workload.name} asks name server {listed} only (dnsPolicy None)", STRONG, workload
            ),
            *_alone(cluster, workload, servers),
            *_failing(cluster, workload),
        ]
        unready = cluster.unready(workload)
        if unready:
            evidence.append(saw(f"{len(unready)} of its pods are not ready", GOOD, unready[0]))
        elif all(is_ready(pod) for pod in cluster.pods_of(workload)):
            evidence.append(saw("its pods are ready", -GOOD, workload))
        yield blame(
            "service_dns_resolution_failure",
            workload,
            f"{workload.name} resolves no names: it asks {listed} instead of the cluster's DNS",
            evidence,
            analyzer=NAME,
            hint="fix_manifest",
        )


def _alone(cluster: Cluster, workload: KubernetesObject, servers: list[Any]) -> list[Evidence]:
    known = {
        get(service.body, "spec", "clusterIP")
        for service in cluster.all("Service")
        if service.name in DNS_SERVICES
    }
    if known and known & set(servers):
        return [saw("that is the cluster's own DNS", -PROOF, workload)]
    same = [w for w in cluster.workloads if w is not workload
            and get(pod_spec(w), "dnsConfig", "nameservers") == servers]  # fmt: skip
    if same:
        return [saw(f"{len(same)} other workloads use it too", -GOOD, same[0])]
    return [saw("no other workload uses this name server", GOOD, workload)]


def failures(cluster: Cluster, service: str) -> list[LogTemplate]:
    """Return the lines of a workload that speak of a name that did not resolve."""
    logs = (log for log in cluster.snapshot.logs if log.service == service)
    return sorted((log for log in logs if FAILED.search(log.example)), key=lambda log: -log.count)


def _failing(cluster: Cluster, workload: KubernetesObject) -> list[Evidence]:
    found = failures(cluster, workload.name)
    if found:
        return [saw(f"{found[0].count}x: {found[0].example[:200]}", STRONG, found[0].source)]
    if any(log.service == workload.name for log in cluster.snapshot.logs):
        return [saw("its log speaks of no failed lookup", -HINT, workload)]
    return []
