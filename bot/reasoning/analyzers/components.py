"""Nodes and the control plane: kubelet, runtime, kube-proxy, scheduler, pressure, not ready."""

from collections.abc import Iterator

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import KubernetesObject, NodeComponent, Snapshot
from bot.reasoning.kubernetes import (
    Cluster,
    cluster_of,
    containers,
    get,
    is_ready,
    is_scheduled,
    items,
    moment,
    pod_spec,
    statuses,
    waiting,
)
from bot.reasoning.nodes import is_control_plane
from bot.reasoning.statements import GOOD, HINT, PROOF, STRONG, blame, saw

NAME = "components"
AT_ONCE_S = 10.0  # a scheduler that runs looks at a new pod within a second
CAUSE = {
    "kubelet": "kubelet_unavailable",
    "containerd": "containerd_unavailable",
    "docker": "containerd_unavailable",
    "cri-o": "containerd_unavailable",
    "crio": "containerd_unavailable",
    "kube-proxy": "kube_proxy_unavailable",
    "kube-scheduler": "kube_scheduler_unavailable",
    "kube-controller-manager": "kube_controller_manager_unavailable",
    "kube-apiserver": "kube_apiserver_unavailable",
    "etcd": "etcd_unavailable",
    "coredns": "cluster_dns_unavailable",
}
RUNTIMES = ("containerd", "docker", "cri-o", "crio")
ELECTED = ("kube-scheduler", "kube-controller-manager")
SYSTEM = "kube-system"
AS_PODS = ("kube-proxy", "coredns", "etcd", "kube-apiserver", *ELECTED)
PRESSURE = {
    "MemoryPressure": "node_memory_pressure",
    "DiskPressure": "node_disk_pressure",
    "PIDPressure": "node_pid_pressure",
    "NetworkUnavailable": "node_network_unavailable",
}


def look(snapshot: Snapshot, question: Question) -> Finding:
    """Return node components that are down, and nodes that are not ready or under pressure."""
    cluster = cluster_of(snapshot)
    found: dict[tuple[str, str], Hypothesis] = {}
    down = [*_stopped(cluster), *_broken_pods(cluster)]
    for component in down:
        hypothesis = _component(cluster, component)
        found.setdefault((hypothesis.cause, hypothesis.object), hypothesis)
    for hypothesis in (*_conditions(cluster, down), *_no_scheduler(cluster, down)):
        found.setdefault((hypothesis.cause, hypothesis.object), hypothesis)
    return Finding(hypotheses=tuple(found.values()), needs=_needs(cluster, question))


def _stopped(cluster: Cluster) -> Iterator[NodeComponent]:
    """Yield the services of nodes that do not run, those aside that another one stands in for."""
    every = cluster.snapshot.components
    for component in every:
        if component.running:
            continue
        others = [c for c in every if c.running and _stands_in(c, component)]
        runtime = component.component in RUNTIMES
        fine = _ready(_node(cluster, component)) == "True" if runtime else not _unplaced(cluster)
        if not (others and fine):
            yield component


def _stands_in(other: NodeComponent, component: NodeComponent) -> bool:
    """Another runtime of the same node, or another member that is elected in its place."""
    if component.component in RUNTIMES:
        return other.component in RUNTIMES and other.node == component.node
    return component.component in ELECTED and other.component == component.component


def _broken_pods(cluster: Cluster) -> Iterator[NodeComponent]:
    """Yield the parts of the cluster that run as pods, and don't: what a live cluster shows."""
    for name in AS_PODS:
        pods = [p for p in cluster.all("Pod") if p.namespace == SYSTEM and _runs(p, name)]
        broken = [p for p in pods if _fails(cluster, p)]
        if name != "kube-proxy" and len(broken) < len(pods):
            continue  # the others serve
        for pod in broken:
            reason = " ".join(waiting(s)[0] for s in statuses(pod)).strip()
            yield NodeComponent(
                node=str(get(pod.body, "spec", "nodeName") or ""),
                component=name,
                running=False,
                detail=f"pod {pod.name} is not ready{f': {reason}' if reason else ''}",
                source=pod.source,
            )


def _fails(cluster: Cluster, pod: KubernetesObject) -> bool:
    """Whether a pod fails by its own fault: it neither starts now nor died with its node."""
    if is_ready(pod) or get(pod.body, "status", "phase") in ("Succeeded", "Failed"):
        return False
    node = cluster.find("Node", str(get(pod.body, "spec", "nodeName") or ""))
    if node is None or _ready(node) != "True":
        return False
    reasons = {waiting(status)[0] for status in statuses(pod)}
    return bool(reasons) and not reasons & {"ContainerCreating", "PodInitializing"}


def _runs(pod: KubernetesObject, name: str) -> bool:
    return any(container.get("name") == name for container in containers(pod_spec(pod)))


def _needs(cluster: Cluster, question: Question) -> tuple[Need, ...]:
    troubled = [n for n in cluster.all("Node") if _ready(n) != "True"]
    waiting = [p for p in cluster.pods if not is_scheduled(p) and not cluster.events(p)]
    if not troubled and not waiting:
        return ()
    reason = "state of the nodes' services"
    return (Need(fact=Fact.COMPONENTS, window=question.window, reason=reason),)


def _component(cluster: Cluster, component: NodeComponent) -> Hypothesis:
    text = f"{component.component} on {component.node} is not running: {component.detail[:200]}"
    evidence = [saw(text, PROOF, component.source)]
    node = _node(cluster, component)
    ready = _ready(node)
    if component.component in ("kubelet", *RUNTIMES):
        if ready in ("False", "Unknown"):
            evidence.append(saw(f"node {component.node} is not ready ({ready})", STRONG, node))
        elif ready == "True":
            evidence.append(saw(f"node {component.node} still counts as ready", -HINT, node))
    elif component.component == "kube-scheduler":
        evidence += _unplaced(cluster)
    evidence.append(
        saw("a service that a node needs does not stop by itself", STRONG, component.source)
    )
    cause = CAUSE.get(component.component, "node_component_unavailable")
    return blame(
        cause,
        node,
        f"{component.component} is down on node {component.node}",
        evidence,
        analyzer=NAME,
        explains=_running_on(cluster, component.node),
        hint="restart_component",
    )


def _unplaced(cluster: Cluster) -> list[Evidence]:
    """Pods without a node and without a word from any scheduler."""
    silent = [
        pod
        for pod in cluster.pods
        if not is_scheduled(pod)
        and get(pod.body, "status", "phase") == "Pending"
        and not cluster.events(pod, "FailedScheduling", "Scheduled")
    ]
    if not silent:
        return []
    text = f"{len(silent)} pods wait for a node, and no scheduler says why"
    return [saw(text, STRONG, silent[0])]


def _no_scheduler(cluster: Cluster, down: list[NodeComponent]) -> Iterator[Hypothesis]:
    """Pods that nobody schedules, where the components could not be read."""
    silent = _unplaced(cluster)
    known = any(c.component == "kube-scheduler" for c in cluster.snapshot.components)
    if not silent or known or down:
        return
    nodes = list(cluster.all("Node"))
    planes = [n for n in nodes if is_control_plane(cluster, n)] or (
        nodes if len(nodes) == 1 else []
    )
    silent = [*silent, *_not_looked_at(cluster)]
    for node in planes[:1]:
        yield blame(
            "kube_scheduler_unavailable",
            node,
            "pods get no node and the scheduler is silent",
            silent,
            analyzer=NAME,
            hint="restart_component",
        )


def _not_looked_at(cluster: Cluster) -> list[Evidence]:
    """A pod without even the condition that a scheduler writes when it finds no node for it."""
    for pod in cluster.pods:
        made = moment(get(pod.body, "metadata", "creationTimestamp"))
        if is_scheduled(pod) or made is None or get(pod.body, "spec", "schedulingGates"):
            continue
        waited_s = (cluster.snapshot.now - made).total_seconds()
        own = get(pod.body, "spec", "schedulerName") in (None, "default-scheduler")
        if own and waited_s >= AT_ONCE_S and not items(pod.body, "status", "conditions"):
            text = f"{pod.name} waits for {waited_s:.0f} s, and no scheduler has looked at it"
            return [saw(text, STRONG, pod)]
    return []


def _conditions(cluster: Cluster, down: list[NodeComponent]) -> Iterator[Hypothesis]:
    explained = {component.node for component in down}
    for node in cluster.all("Node"):
        for condition in items(node.body, "status", "conditions"):
            kind, status = str(condition.get("type")), condition.get("status")
            text = f"node {node.name}: {kind}={status}: {condition.get('message') or ''}"
            if kind in PRESSURE and status == "True":
                yield _node_trouble(cluster, node, PRESSURE[kind], text, PROOF)
            elif kind == "Ready" and status != "True":
                weight = HINT if node.name in explained else PROOF
                yield _node_trouble(cluster, node, _not_ready(condition), text, weight)


def _not_ready(condition: object) -> str:
    """A runtime that is down says so; a status that nobody posts any more is a dead kubelet.

    "container runtime network not ready" is the network plugin's, though the runtime says it. The
    PLEG lists containers through the runtime: it is not healthy where that does not answer.
    """
    message = str(get(condition, "message") or "").lower()
    if "network not ready" in message or "networkpluginnotready" in message:
        return "node_network_unavailable"
    if "container runtime" in message or "pleg is not healthy" in message:
        return "containerd_unavailable"
    if "stopped posting" in message or get(condition, "status") == "Unknown":
        return "kubelet_unavailable"
    return "node_not_ready"


def _node_trouble(
    cluster: Cluster, node: KubernetesObject, cause: str, text: str, weight: float
) -> Hypothesis:
    evidence = [saw(text, weight, node), saw("the node says so itself", GOOD, node)]
    return blame(
        cause,
        node,
        text,
        evidence,
        analyzer=NAME,
        explains=_running_on(cluster, node.name),
        hint="drain_node",
    )


def _running_on(cluster: Cluster, node: str) -> tuple[str, ...]:
    here = [p for p in cluster.pods if get(p.body, "spec", "nodeName") == node]
    return tuple(sorted({o.name for pod in here if (o := cluster.owner(pod))}))


def _ready(node: KubernetesObject) -> str:
    found = (c for c in items(node.body, "status", "conditions") if c.get("type") == "Ready")
    return str(next(found, {}).get("status") or "")


def _node(cluster: Cluster, component: NodeComponent) -> KubernetesObject:
    return cluster.find("Node", component.node) or KubernetesObject(
        kind="Node", namespace="", name=component.node, body={}, source=component.source
    )
