"""Pods whose sandbox is not made: the network plugin, addresses, the pause image, the runtime."""

import re
from collections.abc import Iterator

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.snapshot import KubernetesObject, Snapshot
from bot.reasoning.kubernetes import Cluster, cluster_of, get, latest, statuses, waiting
from bot.reasoning.statements import GOOD, HINT, STRONG, blame, event_text, saw

NAME = "sandbox"
# Source: containerd and CRI-O sandbox_run, containernetworking/cni, host-local, common plugins.
SAID = (
    (r"no IP addresses available|failed to allocate for range|IPAM .*(?:exhausted|no free|no more)|"
     r"not enough IP|failed to assign an IP address|no available IP|insufficient IP",
     "pod_address_exhausted", "its node has no address left for pods"),
    (r"failed to get sandbox image|failed to pull image \S*pause", "sandbox_image_unavailable",
     "its node cannot pull the pause image"),
    (r"RuntimeHandler \S+ not supported|no runtime for \S+ is configured",
     "missing_runtime_handler", "its node has no such runtime"),
    (r"cni|failed to (?:set ?up|setup) (?:sandbox|network|pod)|network plugin|plugin type=|"
     r"NetworkPlugin|subnet\.env|calico|cilium|flannel|weave", "pod_network_setup_failed",
     "the network plugin of its node cannot set up pods"),
)  # fmt: skip
PATTERNS = tuple((re.compile(text, re.I), cause, words) for text, cause, words in SAID)
RUNTIME_DOWN = re.compile(r"containerd\.sock|crio\.sock|dockerd?\.sock|runtime is down", re.I)
NOT_READY = re.compile(r"network is not ready|NetworkPluginNotReady|cni plugin not initialized")
CREATING = ("ContainerCreating", "PodInitializing", "")
ALONE = 2  # nodes: with trouble on one of several, that node is the place
ON_NODE = ("pod_address_exhausted", "sandbox_image_unavailable", "pod_network_setup_failed")


def look(snapshot: Snapshot, _question: Question) -> Finding:
    """Return why pods that have a node get no sandbox: the node's trouble, or the pod's runtime."""
    cluster = cluster_of(snapshot)
    found: dict[tuple[str, str], Hypothesis] = {}
    for pod in cluster.pods:
        for hypothesis in _of_pod(cluster, pod):
            found.setdefault((hypothesis.cause, hypothesis.object), hypothesis)
    return Finding(hypotheses=tuple(found.values()))


def _of_pod(cluster: Cluster, pod: KubernetesObject) -> Iterator[Hypothesis]:
    if not _creating(pod):
        return
    events = cluster.events(pod, "FailedCreatePodSandBox", "FailedCreatePodContainer",
                            "NetworkNotReady")  # fmt: skip
    event = latest(events)
    message = str(event.body.get("message") or "") if event else ""
    if event is None or RUNTIME_DOWN.search(message):
        return
    for pattern, cause, words in PATTERNS:
        if pattern.search(message) or (
            cause == "pod_network_setup_failed" and NOT_READY.search(message)
        ):
            yield _explain(cluster, pod, event, cause, words)
            return


def _creating(pod: KubernetesObject) -> bool:
    waits = all(waiting(status)[0] in CREATING for status in statuses(pod))
    return waits and get(pod.body, "status", "phase") == "Pending"


def _explain(
    cluster: Cluster, pod: KubernetesObject, event: KubernetesObject, cause: str, words: str
) -> Hypothesis:
    owner = cluster.owner(pod) or pod
    node = cluster.find("Node", str(get(pod.body, "spec", "nodeName") or ""))
    evidence = [
        saw(event_text(event, 500), STRONG, event),
        saw("the kubelet names this reason itself", STRONG, event),
    ]
    place = owner
    if node is not None and cause in ON_NODE:
        place, more = node, _on_this_node(cluster, pod, node)
        evidence += more
    summary = f"{owner.name} does not start: {words}"
    victims = [(cluster.owner(p) or p).name for p in _stuck(cluster, node)] if node else []
    return blame(
        cause,
        place,
        summary,
        evidence,
        analyzer=NAME,
        event=event,
        explains=sorted({owner.name, *victims}),
        hint="drain_node" if place is node else "fix_manifest",
    )


def _on_this_node(
    cluster: Cluster, pod: KubernetesObject, node: KubernetesObject
) -> list[Evidence]:
    stuck = _stuck(cluster, node)
    others = [p for p in cluster.pods if p not in stuck and _runs(p)]
    found = [saw(f"{len(stuck)} pods on {node.name} wait for a sandbox", HINT, node)]
    elsewhere = [p for p in others if get(p.body, "spec", "nodeName") != node.name]
    if len(cluster.all("Node")) >= ALONE and elsewhere:
        found.append(saw("pods on other nodes run", GOOD, elsewhere[0]))
    return found if pod in stuck else found[:0]


def _stuck(cluster: Cluster, node: KubernetesObject) -> list[KubernetesObject]:
    return [
        pod
        for pod in cluster.pods
        if get(pod.body, "spec", "nodeName") == node.name
        and _creating(pod)
        and cluster.events(pod, "FailedCreatePodSandBox")
    ]


def _runs(pod: KubernetesObject) -> bool:
    return bool(get(pod.body, "status", "phase") == "Running")
