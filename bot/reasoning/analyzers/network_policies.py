"""Network policies that keep out who has to come in, or keep in who has to go out."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.snapshot import KubernetesObject, Snapshot
from bot.reasoning.kubernetes import (
    Cluster,
    cluster_of,
    get,
    is_ready,
    items,
    mapping,
    matches,
    moment,
    services_of,
    template,
)
from bot.reasoning.reachability import REFUSED, TIMED_OUT, callers, complained, reachable
from bot.reasoning.statements import GOOD, HINT, STRONG, blame, saw

NAME = "network_policies"
LOOKUP = re.compile(r"lookup |resolv|getaddrinfo|EAI_AGAIN|name or service", re.I)
DNS_PORT = 53
NEW_S = 6 * 3600.0


def look(snapshot: Snapshot, _question: Question) -> Finding:
    """Return the policies that block a caller, with what calls and checks say of it."""
    cluster = cluster_of(snapshot)
    found: dict[str, Hypothesis] = {}
    for workload in cluster.workloads:
        for hypothesis in (*_inbound(cluster, workload), *_outbound(cluster, workload)):
            known = found.get(hypothesis.object)
            best = max((h for h in (known, hypothesis) if h), key=lambda h: h.log_odds)
            names = {*hypothesis.explains, *(known.explains if known else ())}
            found[hypothesis.object] = replace(best, explains=tuple(sorted(names)))
    return Finding(hypotheses=tuple(found.values()))


def _policies(cluster: Cluster, workload: KubernetesObject, way: str) -> list[KubernetesObject]:
    labels = mapping(template(workload), "metadata", "labels")
    return [
        policy
        for policy in cluster.all("NetworkPolicy")
        if policy.namespace == workload.namespace
        and way in _ways(policy)
        and matches(mapping(policy.body, "spec", "podSelector"), labels)
    ]


def _ways(policy: KubernetesObject) -> Sequence[str]:
    """Source: API reference, NetworkPolicySpec.policyTypes and its defaults."""
    said = get(policy.body, "spec", "policyTypes")
    if said:
        return [str(way) for way in said]
    egress = "egress" in mapping(policy.body, "spec")
    return ["Ingress", "Egress"] if egress else ["Ingress"]


def _rules(policies: Iterable[KubernetesObject], way: str) -> list[Mapping[str, Any]]:
    """All rules of some policies: what any of them lets through passes."""
    return [rule for policy in policies for rule in items(policy.body, "spec", way)]


def _inbound(cluster: Cluster, workload: KubernetesObject) -> Iterator[Hypothesis]:
    policies = _policies(cluster, workload, "Ingress")
    if not policies or not cluster.pods_of(workload):
        return
    rules = _rules(policies, "ingress")
    services = services_of(cluster, workload)
    names = {workload.name, *(s.name for s in services)}
    asking = {w.name: w for w in cluster.workloads
              if any(w.name in callers(cluster, n) for n in names)}  # fmt: skip
    kept_out = sorted(
        name for name, who in asking.items() if not any(_lets(r, "from", who) for r in rules)
    )
    if not kept_out and (rules or asking):
        return
    what = f"{', '.join(kept_out[:4])}, who call it" if kept_out else "nobody"
    text = f"of {what}, none is let in to {workload.name}" if kept_out else (
        f"nobody is let in to {workload.name}"
    )  # fmt: skip
    weight = STRONG if kept_out else GOOD
    said = [e for n in sorted(names) for e in reachable(cluster, n)][:2]
    for service in services:
        said += complained(cluster, service, TIMED_OUT)
        if any(complained(cluster, service, REFUSED)):
            text_ = "connections are refused; a policy drops them without a word"
            said.append(saw(text_, -GOOD, service))
    yield from _blame(cluster, policies, workload, text, [weight, *said])


def _blame(
    cluster: Cluster,
    policies: Sequence[KubernetesObject],
    workload: KubernetesObject,
    text: str,
    seen: Sequence[float | Evidence],
) -> Iterator[Hypothesis]:
    policy = policies[-1]
    evidence = [
        saw(f"network policy {policy.name}: {text}", e, policy) if isinstance(e, float) else e
        for e in seen
    ]
    made = moment(get(policy.body, "metadata", "creationTimestamp"))
    if made is not None:
        fresh = (cluster.snapshot.now - made).total_seconds() < NEW_S
        text_ = f"{policy.name} was made {'lately' if fresh else 'long before'}"
        evidence.append(saw(text_, GOOD if fresh else -HINT, policy))
    if all(is_ready(pod) for pod in cluster.pods_of(workload)):
        evidence.append(saw(f"the pods of {workload.name} are ready", HINT, workload))
    yield blame(
        "network_policy_blocks_traffic",
        policy,
        f"network policy {policy.name}: {text}",
        evidence,
        analyzer=NAME,
        explains=(workload.name,),
        hint="fix_manifest",
    )


def _outbound(cluster: Cluster, workload: KubernetesObject) -> Iterator[Hypothesis]:
    policies = _policies(cluster, workload, "Egress")
    if not policies or not cluster.pods_of(workload):
        return
    rules = _rules(policies, "egress")
    mine = [log for log in cluster.snapshot.logs if log.service == workload.name]
    if not any(_lets_port(rule, DNS_PORT) and _lets_system(rule) for rule in rules):
        text = f"{workload.name} may not ask the cluster's DNS"
        stuck = [
            log for log in mine if LOOKUP.search(log.example) and TIMED_OUT.search(log.example)
        ]
        quoted = [saw(f"{g.count}x in its log: {g.example[:160]}", STRONG, g.source)
                  for g in stuck[:1]]  # fmt: skip
        yield from _blame(cluster, policies, workload, text, [GOOD, *quoted])
    called = {e.callee for e in cluster.snapshot.edges if e.caller == workload.name}
    shut = [w for w in cluster.workloads
            if w.name in called and not any(_lets(r, "to", w) for r in rules)]  # fmt: skip
    if shut:
        text = f"{workload.name} may not call {', '.join(w.name for w in shut[:4])}"
        timed = [log for log in mine if TIMED_OUT.search(log.example)]
        quoted = [saw(f"{g.count}x in its log: {g.example[:160]}", GOOD, g.source)
                  for g in timed[:1]]  # fmt: skip
        yield from _blame(cluster, policies, workload, text, [STRONG, *quoted])


def _lets(rule: Mapping[str, Any], side: str, other: KubernetesObject) -> bool:
    """Whether a rule lets a workload through; what cannot be judged here counts as let through."""
    peers = items(rule, side)
    if not peers:
        return True
    labels = mapping(template(other), "metadata", "labels")
    for peer in peers:
        if "ipBlock" in peer or "namespaceSelector" in peer:
            return True
        if matches(mapping(peer, "podSelector"), labels):
            return True
    return False


def _lets_port(rule: Mapping[str, Any], port: int) -> bool:
    ports = items(rule, "ports")
    return not ports or any(p.get("port") in (None, port, str(port), "dns") for p in ports)


def _lets_system(rule: Mapping[str, Any]) -> bool:
    """Whether a rule may lead to another namespace, where the DNS is."""
    peers = items(rule, "to")
    return not peers or any("namespaceSelector" in p or "ipBlock" in p for p in peers)
