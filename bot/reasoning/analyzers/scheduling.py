"""Pods that no node takes: cordon, selector, affinity, taints, resources, spread, ports."""

from collections.abc import Iterator, Mapping

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.snapshot import KubernetesObject, Snapshot
from bot.reasoning.blockers import Blocker, Demand, blocker
from bot.reasoning.kubernetes import Cluster, cluster_of, get, items, pod_spec, template
from bot.reasoning.nodes import Nodes, describe_bytes
from bot.reasoning.relevance import doubts
from bot.reasoning.scheduler import Refusal, refusals
from bot.reasoning.statements import GOOD, HINT, PROOF, STRONG, blame, saw

NAME = "scheduling"
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
    "volume_limit": "node_volume_limit_exceeded",
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
    "volume_limit": "no node may attach another volume",
}
# Why a kubelet turned down a pod that was bound to its node without asking the scheduler.
# Source: kubernetes/pkg/kubelet/lifecycle/predicate.go.
TURNED_DOWN = {
    "OutOfcpu": "cpu",
    "OutOfmemory": "memory",
    "OutOfpods": "pods",
    "OutOfephemeral-storage": "extended",
    "UnexpectedAdmissionError": "extended",
    "NodeAffinity": "selector",
    "NodePorts": "ports",
    "HostPortConflict": "ports",
    "Taint": "taint",
    "TaintToleration": "taint",
}
DEFAULT_SCHEDULER = "default-scheduler"


def look(snapshot: Snapshot, _question: Question) -> Finding:
    """Return one hypothesis per workload whose pods wait for a node, by what excludes the nodes."""
    cluster = cluster_of(snapshot)
    nodes = Nodes(cluster)
    found: dict[tuple[str, str], Hypothesis] = {}
    for refusal in refusals(cluster):
        for hypothesis in (*_explain(refusal, cluster, nodes), *_held_back(refusal, cluster)):
            found.setdefault((hypothesis.cause, hypothesis.object), hypothesis)
    for hypothesis in _turned_down(cluster):
        found.setdefault((hypothesis.cause, hypothesis.object), hypothesis)
    return Finding(hypotheses=tuple(found.values()))


def _explain(refusal: Refusal, cluster: Cluster, nodes: Nodes) -> Iterator[Hypothesis]:
    owner = cluster.owner(refusal.pod) or refusal.pod
    demand = Demand(
        spec=pod_spec(owner),
        labels=refusal.pod.labels,
        namespace=refusal.pod.namespace,
        volumes=volumes_of(cluster, refusal.pod),
        nodes=nodes,
        cluster=cluster,
    )
    if refusal.said and not refusal.nodes_by_reason:
        return  # a claim, a gate, or a node in trouble: other analyzers know better
    found = blocker(refusal.nodes_by_reason, demand)
    if found is None or found.reason not in CAUSE:
        return
    evidence = [_said(refusal), *_details(found, owner, demand, refusal)]
    evidence += doubts(cluster, refusal.pod)
    if found.certain and refusal.said:
        text = "nothing else keeps it off the nodes that it asks for"
        evidence.append(saw(text, GOOD, refusal.event or refusal.pod))
    yield _waits(found.reason, owner, evidence, refusal)
    if found.rival in CAUSE:
        text = f"{WORDS[found.rival]}; that alone would be enough too"
        yield _waits(found.rival, owner, [_said(refusal), saw(text, HINT, refusal.pod)], refusal)


def volumes_of(cluster: Cluster, pod: KubernetesObject) -> list[KubernetesObject]:
    """Return the persistent volumes that the pod's claims are bound to."""
    found = []
    for volume in items(pod_spec(pod), "volumes"):
        name = get(volume, "persistentVolumeClaim", "claimName")
        claim = cluster.find("PersistentVolumeClaim", str(name), pod.namespace) if name else None
        bound = get(claim.body, "spec", "volumeName") if claim else None
        held = cluster.find("PersistentVolume", str(bound)) if bound else None
        found += [held] if held else []
    return found


def _said(refusal: Refusal) -> Evidence:
    if refusal.said:
        return saw(refusal.text, STRONG, refusal.event or refusal.pod)
    return saw(f"{refusal.pod.name} waits for a node, nobody says why", HINT, refusal.pod)


def _waits(
    reason: str, owner: KubernetesObject, evidence: list[Evidence], refusal: Refusal
) -> Hypothesis:
    return blame(
        CAUSE[reason],
        owner,
        f"{owner.name} waits for a node: {WORDS[reason]}",
        evidence,
        analyzer=NAME,
        event=refusal.event,
        hint="fix_manifest",
    )


def _details(
    found: Blocker, owner: KubernetesObject, demand: Demand, refusal: Refusal
) -> list[Evidence]:
    reason, nodes = found.reason, demand.nodes
    if reason in ("selector", "node_affinity"):
        return [_placement_detail(reason, owner, demand)]
    if reason in ("cpu", "memory"):
        return [_resource_detail(reason, owner, demand, certain=found.certain)]
    if reason == "cordon" and nodes.cordoned:
        names = ", ".join(sorted(n.name for n in nodes.placed(demand.spec) if n in nodes.cordoned))
        text = f"cordoned nodes: {names}; the pod would fit there otherwise"
        return [saw(text, PROOF if found.certain else STRONG, nodes.cordoned[0])]
    if reason == "taint" and nodes.known and found.certain:
        return [_taint_detail(demand)]
    return [_share_detail(reason, refusal.nodes_by_reason, owner, certain=found.certain)]


def _share_detail(
    reason: str, counts: Mapping[str, int], owner: KubernetesObject, *, certain: bool
) -> Evidence:
    if not counts:
        return saw(f"the pods and nodes seen say: {WORDS[reason]}", GOOD, owner)
    total = sum(counts.values())
    share = f"{counts.get(reason, 0)} of {total} nodes are excluded for this reason"
    return saw(share, PROOF if certain or 2 * counts.get(reason, 0) > total else STRONG, owner)


def _taint_detail(demand: Demand) -> Evidence:
    spec, nodes = demand.spec, demand.nodes
    fitting = nodes.placed(spec)
    kept = [t for n in fitting for t in nodes.untolerated(spec, n)]
    taints = ", ".join(sorted({f"{t.get('key')}={t.get('value', '')}:{t['effect']}" for t in kept}))
    text = f"all {len(fitting)} nodes that fit it are tainted {taints}, which it does not tolerate"
    return saw(text, PROOF, fitting[0])


def _placement_detail(reason: str, owner: KubernetesObject, demand: Demand) -> Evidence:
    spec, nodes = demand.spec, demand.nodes
    if reason == "selector":
        wanted = ", ".join(f"{k}={v}" for k, v in (spec.get("nodeSelector") or {}).items())
        fitting = nodes.fitting_selector(spec)
    else:
        wanted, fitting = "the required node affinity", nodes.fitting_affinity(spec)
    if not nodes.known:
        return saw(f"the pod asks for {wanted}", GOOD, owner)
    usable = [node for node in fitting if not nodes.is_cordoned(node)]
    text = f"{wanted}: fits {len(fitting)} of {len(nodes.all)} nodes, {len(usable)} of them usable"
    return saw(text, HINT if usable and nodes.placed(spec) else PROOF, owner)


def _resource_detail(
    reason: str, owner: KubernetesObject, demand: Demand, *, certain: bool
) -> Evidence:
    nodes, unit = demand.nodes, describe_bytes if reason == "memory" else "{:.3g} cores".format
    wanted = nodes.requested_by(demand.spec, reason)
    fitting = nodes.placed(demand.spec)
    largest = max((nodes.allocatable(node, reason) for node in fitting), default=0.0)
    asks = f"a pod of {owner.name} requests {unit(wanted)}"
    if not largest:
        return saw(asks, GOOD, owner)
    open_ = [node for node in fitting if not nodes.is_cordoned(node)]
    free = max((nodes.free(node, reason) for node in open_), default=0.0)
    text = f"{asks}; of the nodes it may use, the largest has {unit(largest)}, {unit(free)} free"
    return saw(text, PROOF if wanted > largest or (certain and wanted > free) else STRONG, owner)


def _held_back(refusal: Refusal, cluster: Cluster) -> Iterator[Hypothesis]:
    """Pods that the scheduler does not even try: gates, an unknown scheduler, no nodes at all."""
    owner, pod = cluster.owner(refusal.pod) or refusal.pod, refusal.pod
    gates = [str(gate.get("name")) for gate in items(pod.body, "spec", "schedulingGates")]
    name = str(get(pod.body, "spec", "schedulerName") or DEFAULT_SCHEDULER)
    if gates:
        evidence = [saw(f"{pod.name} has the scheduling gates {', '.join(gates)}", PROOF, pod),
                    saw("no scheduler looks at a gated pod", GOOD, pod)]  # fmt: skip
        yield blame("scheduling_gated", owner, f"{owner.name} is held back by a scheduling gate",
                    evidence, analyzer=NAME)  # fmt: skip
    elif name != DEFAULT_SCHEDULER and not refusal.said and not _used(cluster, name):
        evidence = [saw(f"{pod.name} asks for scheduler {name}, and nobody answers", STRONG, pod),
                    saw(f"no pod was ever placed by {name}", STRONG, pod)]  # fmt: skip
        yield blame("unknown_scheduler", owner, f"{owner.name} asks for scheduler {name}, which "
                    "does not run", evidence, analyzer=NAME, hint="fix_manifest")  # fmt: skip
    elif "no nodes available" in refusal.said or "0/0 nodes" in refusal.said:
        evidence = [saw(refusal.text, PROOF, refusal.event or pod), saw("no node", HINT, pod)]
        yield blame("no_nodes_available", owner, f"{owner.name} waits: the cluster has no node",
                    evidence, analyzer=NAME, event=refusal.event)  # fmt: skip


def _used(cluster: Cluster, scheduler: str) -> bool:
    return any(
        get(pod.body, "spec", "schedulerName") == scheduler and get(pod.body, "spec", "nodeName")
        for pod in cluster.all("Pod")
    )


def _turned_down(cluster: Cluster) -> Iterator[Hypothesis]:
    """Pods bound to a node by name that the kubelet refused: they fail without being scheduled."""
    for pod in cluster.pods:
        reason = TURNED_DOWN.get(str(get(pod.body, "status", "reason")))
        if reason is None or get(pod.body, "status", "phase") != "Failed":
            continue
        owner = cluster.owner(pod) or pod
        if template(owner) and cluster.pods_of(owner) and _replaced(cluster, owner):
            continue
        node, said = get(pod.body, "spec", "nodeName"), get(pod.body, "status", "message")
        text = f"{pod.name}: {get(pod.body, 'status', 'reason')} on {node}: {str(said or '')[:200]}"
        evidence = [saw(text, PROOF, pod), saw("the kubelet turned it down", STRONG, pod)]
        summary = f"{owner.name}'s pods are turned down by node {node}: {WORDS[reason]}"
        yield blame(CAUSE[reason], owner, summary, evidence, analyzer=NAME, hint="fix_manifest")


def _replaced(cluster: Cluster, owner: KubernetesObject) -> bool:
    """Whether the workload runs what it should: failed pods of the past are left lying about."""
    running = [p for p in cluster.pods_of(owner) if get(p.body, "status", "phase") == "Running"]
    return len(running) >= (get(owner.body, "spec", "replicas") or 1)
