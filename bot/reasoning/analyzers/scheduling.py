"""Pods that no node takes: cordon, selector, affinity, taints, resources, spread, ports."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.snapshot import KubernetesObject, Snapshot
from bot.reasoning.kubernetes import Cluster, cluster_of, get, is_scheduled, latest, pod_spec
from bot.reasoning.nodes import Nodes, describe_bytes
from bot.reasoning.statements import GOOD, HINT, PROOF, STRONG, blame, event_text, saw

NAME = "scheduling"

# What the scheduler says, and the cause it speaks for. Source: the ErrReason constants of
# kubernetes/pkg/scheduler/framework/plugins, 1.20 to 1.34.
SAID = (
    (re.compile(r"(\d+) node\(s\) were unschedulable"), "cordon"),
    (re.compile(r"(\d+) node\(s\) didn't match (?:Pod's )?node (?:affinity/)?selector"), "place"),
    (re.compile(r"(\d+) node\(s\) didn't match pod anti-affinity"), "anti_affinity"),
    (re.compile(r"(\d+) node\(s\) didn't satisfy existing pods anti-affinity"), "anti_affinity"),
    (re.compile(r"(\d+) node\(s\) didn't match pod affinity"), "affinity"),
    (re.compile(r"(\d+) node\(s\) had (?:untolerated taint|taint|taints that)"), "taint"),
    (re.compile(r"(\d+) Insufficient cpu"), "cpu"),
    (re.compile(r"(\d+) Insufficient memory"), "memory"),
    (re.compile(r"(\d+) Insufficient (?!cpu|memory)[\w./-]+"), "extended"),
    (re.compile(r"(\d+) Too many pods"), "pods"),
    (re.compile(r"(\d+) node\(s\) didn't match pod topology spread"), "spread"),
    (re.compile(r"(\d+) node\(s\) didn't have free ports"), "ports"),
)
CAUSE = {
    "anti_affinity": "pod_anti_affinity_conflict",
    "affinity": "pod_affinity_mismatch",
    "taint": "taint_toleration_mismatch",
    "cpu": "cpu_capacity_mismatch",
    "memory": "memory_capacity_mismatch",
    "extended": "extended_resource_mismatch",
    "pods": "node_pod_capacity_exceeded",
    "spread": "topology_spread_conflict",
    "ports": "host_port_conflict",
    "cordon": "node_cordon_mismatch",
    "selector": "node_selector_mismatch",
    "node_affinity": "node_affinity_mismatch",
}
WORDS = {
    "anti_affinity": "its anti-affinity rules exclude every node that is left",
    "affinity": "no node runs the pods that its affinity rules ask for",
    "taint": "it tolerates no taint of the nodes that are left",
    "cpu": "it requests more CPU than any node has free",
    "memory": "it requests more memory than any node has free",
    "extended": "no node has the extended resource that it requests",
    "pods": "every node runs its maximum number of pods",
    "spread": "its topology spread constraints fit no node",
    "ports": "its host port is taken on every node",
    "cordon": "every node that fits it is cordoned",
    "selector": "no node has the labels of its node selector",
    "node_affinity": "no node satisfies its required node affinity",
}

NODE_TROUBLE = re.compile(
    r"node\.kubernetes\.io/(?:not-ready|unreachable|\w+-pressure|network-unavailable)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a pod is not placed: reasons with how many nodes each one excludes."""

    pod: KubernetesObject
    event: KubernetesObject | None
    nodes_by_reason: Mapping[str, int]


def look(snapshot: Snapshot, _question: Question) -> Finding:
    """Return one hypothesis per workload whose pods wait for a node, by what excludes the nodes."""
    cluster = cluster_of(snapshot)
    nodes = Nodes(cluster)
    found: dict[tuple[str, str], Hypothesis] = {}
    for refusal in refusals(cluster):
        for hypothesis in _explain(refusal, cluster, nodes):
            found.setdefault((hypothesis.cause, hypothesis.object), hypothesis)
    return Finding(hypotheses=tuple(found.values()))


def refusals(cluster: Cluster) -> Iterator[Refusal]:
    """Yield the pods without a node that the scheduler refused, with its newest words."""
    for pod in cluster.pods:
        if is_scheduled(pod) or get(pod.body, "status", "phase") != "Pending":
            continue
        events = cluster.events(pod, "FailedScheduling")
        event = latest([e for e in events if "nodes are available" in e.body["message"]])
        if event is not None:
            said = str(event.body["message"]).partition(" preemption:")[0]
            yield Refusal(pod=pod, event=event, nodes_by_reason=_reasons(said))


def _reasons(message: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for pattern, reason in SAID:
        for match in pattern.finditer(message):
            found[reason] = found.get(reason, 0) + int(match[1])
    return found


def _explain(refusal: Refusal, cluster: Cluster, nodes: Nodes) -> Iterator[Hypothesis]:
    owner = cluster.owner(refusal.pod) or refusal.pod
    spec = pod_spec(owner)
    counts = dict(refusal.nodes_by_reason)
    place = counts.pop("place", 0)
    if place:
        counts[_placement(spec, nodes)] = place
    cause = _main_reason(counts, spec, nodes)
    if cause is None or refusal.event is None:
        return
    evidence = [saw(event_text(refusal.event), STRONG, refusal.event)]
    evidence += _details(cause, owner, (spec, nodes), counts, refusal.event)
    yield blame(
        CAUSE[cause],
        owner,
        f"{owner.name} waits for a node: {WORDS[cause]}",
        evidence,
        analyzer=NAME,
        event=refusal.event,
        hint="fix_manifest",
    )


def _placement(spec: Mapping[str, Any], nodes: Nodes) -> str:
    """Tell node selector from node affinity: the one that excludes more nodes."""
    by_selector = len(nodes.fitting_selector(spec))
    by_affinity = len(nodes.fitting_affinity(spec))
    if not spec.get("nodeSelector"):
        return "node_affinity"
    return "node_affinity" if by_affinity < by_selector else "selector"


def _main_reason(counts: Mapping[str, int], spec: Mapping[str, Any], nodes: Nodes) -> str | None:
    """Return the reason that has to go for the pod to be placed.

    A cordoned node counts only if the pod would fit there otherwise: a control-plane node that is
    always cordoned excludes nobody. Of the rest, the reason that excludes most nodes.
    """
    if nodes.known and counts.get("cordon") and nodes.would_fit_if_uncordoned(spec):
        return "cordon"
    others = {reason: n for reason, n in counts.items() if reason != "cordon"}
    if others:
        return max(others, key=lambda reason: (others[reason], reason))
    return "cordon" if counts.get("cordon") else None


def _details(
    reason: str,
    owner: KubernetesObject,
    fit: tuple[Mapping[str, Any], Nodes],
    counts: Mapping[str, int],
    event: KubernetesObject | None,
) -> Sequence[Evidence]:
    spec, nodes = fit
    if reason in ("selector", "node_affinity"):
        return [_placement_detail(reason, owner, spec, nodes)]
    if reason in ("cpu", "memory"):
        return [_resource_detail(reason, owner, spec, nodes)]
    if reason == "cordon":
        names = ", ".join(sorted(node.name for node in nodes.cordoned))
        text = f"cordoned nodes: {names}; the pod would fit there otherwise"
        return [saw(text, PROOF, nodes.cordoned[0])] if nodes.cordoned else []
    if reason == "taint" and event is not None and NODE_TROUBLE.search(event.body["message"]):
        text = "the taint is the cluster's own: the node is in trouble, not the pod"
        return [saw(text, -STRONG, event)]
    total = sum(counts.values())
    share = f"{counts[reason]} of {total} nodes are excluded for this reason"
    return [saw(share, PROOF, owner)]


def _placement_detail(
    reason: str, owner: KubernetesObject, spec: Mapping[str, Any], nodes: Nodes
) -> Evidence:
    if reason == "selector":
        wanted = ", ".join(f"{k}={v}" for k, v in (spec.get("nodeSelector") or {}).items())
        fitting = nodes.fitting_selector(spec)
    else:
        wanted, fitting = "the required node affinity", nodes.fitting_affinity(spec)
    if not nodes.known:
        return saw(f"the pod asks for {wanted}", GOOD, owner)
    usable = [node for node in fitting if not nodes.is_cordoned(node)]
    text = f"{wanted}: fits {len(fitting)} of {len(nodes.all)} nodes, {len(usable)} of them usable"
    return saw(text, PROOF if not usable else HINT, owner)


def _resource_detail(
    reason: str, owner: KubernetesObject, spec: Mapping[str, Any], nodes: Nodes
) -> Evidence:
    wanted = nodes.requested_by(spec, reason)
    largest = max((nodes.allocatable(node, reason) for node in nodes.all), default=0.0)
    unit = describe_bytes if reason == "memory" else "{:.3g} cores".format
    text = f"a pod of {owner.name} requests {unit(wanted)}; the largest node has {unit(largest)}"
    if not largest:
        return saw(f"a pod of {owner.name} requests {unit(wanted)}", GOOD, owner)
    return saw(text, PROOF if wanted > largest else STRONG, owner)
